"""The calls to a collector, each between two short transactions: nothing is held while somebody else thinks.

What died in between is found again: the row is there before the first call, every call for it has the same key, and a
refund is looked for before it is asked for. Two that ask at once hear the same.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import funding_refunds, fundings
from carbon_credits.rewards.funding_refunds import Return
from carbon_credits.rewards.payment_contract import Collection, Collector, Refused, Told, Unknown

log = logging.getLogger(__name__)

# one at a time for all of it: `core.db.alone(COLLECTING, 0)`
COLLECTING: Final = 0x5E7B


@dataclass(frozen=True)
class Round:
    """What one round over sponsors' payments did."""

    heard: int = 0
    refused: int = 0
    unknown: int = 0


def collect_unfinished(collector: Collector) -> Round:
    """Ask once about each funding and refund that has no end."""
    with reading() as session:
        waiting, returning = fundings.unfinished(session), funding_refunds.unfinished(session)
    results = [_outcome(partial(ask, collector, one), f"funding:{one}") for one in waiting]
    results += [_outcome(partial(give_back, collector, one), f"refund:{one}") for one in returning]
    return Round(results.count("heard"), results.count("refused"), results.count("unknown"))


def ask(collector: Collector, funding_id: int) -> Collection | None:
    """Ask the sponsor, or what became of it; None after a definite no, which is noted. Raises Unknown, Conflict."""
    with reading() as session:
        request = fundings.request_of(session, funding_id)
    try:
        if request.reference is None:
            told = collector.ask(request.means, request.amount_fen, request.memo, request.key)
        else:
            told = collector.state_of(request.means, request.reference)
    except Refused as no:
        if request.reference is not None:
            # it was there once: that it is not known now is for a person, and no reason to ask for the money again
            raise Conflict("lost_by_provider", _words(funding_id, no.code)) from None
        in_transaction(partial(fundings.refuse, funding_id=funding_id, code=no.code))
        return None
    in_transaction(partial(fundings.record, funding_id=funding_id, told=told))
    return told


def end(collector: Collector, funding_id: int) -> Collection | None:
    """Ask no longer, and write down what became of it: paid, perhaps, just now. Raises Unknown, Conflict."""
    with reading() as session:
        request = fundings.request_of(session, funding_id)
    if request.reference is not None:
        try:
            collector.end(request.means, request.reference)
        except Refused as no:
            log.info("a funding cannot be ended", extra={"funding": funding_id, "code": no.code})
    return ask(collector, funding_id)


def give_back(collector: Collector, refund_id: int) -> Told | None:
    """Send a refund, or hear what became of it; None after a definite no. Raises Unknown, Conflict."""
    with reading() as session:
        wanted = funding_refunds.return_of(session, refund_id)
    try:
        told = _give_back(collector, wanted)
    except Refused as no:
        if wanted.reference is not None:
            raise Conflict("lost_by_provider", _words(refund_id, no.code)) from None
        in_transaction(partial(funding_refunds.refuse, refund_id=refund_id, code=no.code))
        return None
    in_transaction(partial(funding_refunds.record, refund_id=refund_id, told=told))
    return told


def follow_funding(collector: Collector, reference: str) -> bool:
    """A provider told us of a page or a payment: ask what became of it. False for one that is none of ours, or not yet.

    Raises Unknown, Conflict.
    """
    with reading() as session:
        funding_id = fundings.by_reference(session, reference)
    if funding_id is None:
        return False
    ask(collector, funding_id)
    return True


def follow_refund(collector: Collector, reference: str) -> bool:
    """The same of a refund. Raises Unknown, Conflict."""
    with reading() as session:
        refund_id = funding_refunds.by_reference(session, reference)
    if refund_id is None:
        return False
    give_back(collector, refund_id)
    return True


def _give_back(collector: Collector, wanted: Return) -> Told:
    """By its reference where it has one; else what is known under its key; only then to refund."""
    if wanted.reference is not None:
        return collector.refund_of(wanted.reference)
    known = collector.find_refund(wanted.intent_ref, wanted.key)
    return known or collector.give_back(wanted.intent_ref, wanted.amount_fen, wanted.key)


def _outcome(call: Callable[[], object], what: str) -> str:
    try:
        return "refused" if call() is None else "heard"
    except Unknown as unknown:
        log.warning("a collector gave no answer", extra={"what": what, "why": str(unknown)})
        return "unknown"
    except Conflict as conflict:
        log.error("a person must look", extra={"what": what, "code": conflict.code})
        return "unknown"


def _words(number: int, code: str) -> Text:
    return Text(
        f"支付方不再认得第 {number} 笔（{code}）",
        f"The provider does not know number {number} any more ({code})",
    )
