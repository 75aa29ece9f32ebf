"""What providers told us is followed: each notice leads to a question to the provider, and its answer is written down."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from carbon_credits.core import clock
from carbon_credits.core.db import alone, in_transaction
from carbon_credits.core.errors import ProgrammeError, Unavailable
from carbon_credits.jobs.doorbell import INBOX, hear
from carbon_credits.jobs.surroundings import begin, redis_of, ways
from carbon_credits.rewards import collecting, inbox, paying, standing
from carbon_credits.rewards.inbox import Heard
from carbon_credits.rewards.payment_contract import Collector, Refused, Unknown, Ways

log = logging.getLogger(__name__)

MOST: Final = 500
Follower = Callable[[Ways, Heard], object]


def _follow_funding(ways: Ways, heard: Heard) -> None:
    if heard.object_ref is not None:
        collecting.follow_funding(_collector(ways), heard.object_ref)


def _follow_refund(ways: Ways, heard: Heard) -> None:
    if heard.object_ref is not None:
        collecting.follow_refund(_collector(ways), heard.object_ref)


def _follow_payment(ways: Ways, heard: Heard) -> None:
    rail = ways.rails.get("stripe")
    if rail is None:
        raise Unknown("no_rail")
    if heard.object_ref is not None:
        paying.follow_up(rail, heard.object_ref, clock.today())


def _follow_account(ways: Ways, heard: Heard) -> None:
    # a payout of the programme's own names no account, and stands in the rail's report
    if heard.account_ref is not None:
        standing.follow(_collector(ways), heard.account_ref)


# who follows which notices, by how their type begins; a type that is not here is about nothing of ours
FOLLOWERS: Mapping[str, Follower] = {
    "checkout.session.": _follow_funding,
    "payment_intent.": _follow_funding,
    "refund.": _follow_refund,
    "charge.refund.": _follow_refund,
    "transfer.": _follow_payment,
    "account.": _follow_account,
    "capability.": _follow_account,
    "payout.": _follow_account,
}


def work() -> None:
    """RQ's entry: follow everything that is due. What comes meanwhile may ring for the next job."""
    begin()
    hear(redis_of(), INBOX)
    follow_due()


def follow_due() -> int:
    """Follow what is due, one at a time, until nothing is or MOST were; returns how many came to an end."""
    ended = 0
    for _ in range(MOST):
        heard = in_transaction(partial(inbox.claim, now=clock.now()))
        if heard is None:
            break
        ended += _follow(heard)
    return ended


def collect() -> int:
    """Ask about every sponsor's payment and refund that has no end, and accounts that money waits for.

    It is what no notice told, or told too early.
    """
    collector = ways().collector
    if collector is None:
        return 0
    with alone(collecting.COLLECTING, 0) as ours:
        if not ours:
            return 0
        done = collecting.collect_unfinished(collector)
        return done.heard + done.refused + standing.ask_due(collector)


def _follow(heard: Heard) -> int:
    follower = next((found for prefix, found in FOLLOWERS.items() if heard.type.startswith(prefix)), None)
    try:
        if follower is not None:
            follower(ways(), heard)
    except (Unknown, Unavailable) as away:
        _say(heard, str(away))
        in_transaction(partial(inbox.put_off, heard=heard, why=str(away), now=clock.now()))
        return 0
    except (Refused, ProgrammeError) as no:
        _say(heard, no.code)
        in_transaction(partial(inbox.give_up, heard=heard, why=no.code))
        return 1
    in_transaction(partial(inbox.done, heard=heard, now=clock.now()))
    return 1


def _say(heard: Heard, why: str) -> None:
    told = {"provider": heard.provider, "notice": heard.event_id, "type": heard.type, "why": why}
    log.warning("a notice is not followed", extra=told)


def _collector(ways: Ways) -> Collector:
    if ways.collector is None:
        raise Unknown("no_collector")
    return ways.collector
