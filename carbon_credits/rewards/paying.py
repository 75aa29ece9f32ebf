"""The calls to a rail, each between two short transactions: nothing is held while somebody else thinks.

What died in between is found again: the row is there before the first call, the rail is asked what it knows before it is
asked to pay, and every call for one attempt has the same key. One process pays a rail at a time.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.errors import InvariantBroken
from carbon_credits.rewards import payments, take_backs
from carbon_credits.rewards.payment_contract import Rail, Refused, Told, Unknown

log = logging.getLogger(__name__)

# one lock a rail: `alone(PAYING, RAIL_NUMBERS[rail.name])`
PAYING: Final = 0x5E7A
RAIL_NUMBERS: Final = {"stripe": 1, "bank": 2}
T = TypeVar("T")


@dataclass(frozen=True)
class Round:
    """What one round over a rail's unfinished payments did."""

    heard: int = 0
    refused: int = 0
    unknown: int = 0


def pay_unfinished(rail: Rail, today: date) -> Round:
    """Ask a rail once about each payment that has no end. Call it alone: `core.db.alone(PAYING, …)`."""
    with reading() as session:
        waiting = payments.unfinished(session, rail.name)
    results = [_settle_alone(rail, payment_id, today) for payment_id in waiting]
    return Round(results.count("heard"), results.count("refused"), results.count("unknown"))


def take_back_unfinished(rail: Rail, today: date) -> Round:
    """Ask a rail once for each sum that is to come back."""
    with reading() as session:
        waiting = take_backs.unfinished(session, rail.name)
    results = []
    for one in waiting:
        try:
            told = rail.take_back(one.reference, one.amount_fen, one.key)
        except Refused as no:
            in_transaction(
                partial(take_backs.fall_short, take_back_id=one.take_back_id, code=no.code, today=today)
            )
            results.append("refused")
        except Unknown:
            results.append("unknown")
        else:
            in_transaction(partial(take_backs.record, take_back_id=one.take_back_id, told=told, today=today))
            results.append("heard")
    return Round(results.count("heard"), results.count("refused"), results.count("unknown"))


def follow_up(rail: Rail, reference: str, today: date) -> bool:
    """Ask a rail what became of a payment it told us of, by its own reference, and write it down.

    False for a reference that is none of ours, or not yet: the next round finds it by its key. Raises Unknown.
    """
    with reading() as session:
        payment_id = payments.by_reference(session, rail.name, reference)
    if payment_id is None:
        return False
    try:
        told = rail.look_up(reference)
    except Refused as no:
        log.error("a rail does not know its own reference", extra={"payment": payment_id, "code": no.code})
        return False
    in_transaction(partial(payments.record, payment_id=payment_id, told=told, today=today))
    return True


def _settle_alone(rail: Rail, payment_id: int, today: date) -> str:
    """One that our own rules refuse (a reference that is another payment's, say) waits for a person, alone."""
    try:
        return _settle(rail, payment_id, today)
    except (IntegrityError, InvariantBroken):
        log.exception("what a rail says of a payment cannot be", extra={"payment": payment_id})
        return "unknown"


def _settle(rail: Rail, payment_id: int, today: date) -> str:
    asked = _read(partial(payments.asked, payment_id=payment_id))
    if asked is None:
        return "over"
    try:
        told = _ask(rail, asked)
    except Refused as no:
        if asked.reference is not None:
            # it was taken once: that it is not known now is for a person, and no reason to pay again
            log.error(
                "a rail does not know its own reference", extra={"payment": payment_id, "code": no.code}
            )
            return "unknown"
        in_transaction(partial(payments.refuse, payment_id=payment_id, code=no.code))
        return "refused"
    except Unknown:
        log.warning("a rail gave no answer", extra={"payment": payment_id, "rail": rail.name})
        return "unknown"
    in_transaction(partial(payments.record, payment_id=payment_id, told=told, today=today))
    return "heard"


def _ask(rail: Rail, asked: payments.Asked) -> Told:
    """By its reference where it has one; else what is known under its key; only then to pay."""
    if asked.reference is not None:
        return rail.look_up(asked.reference)
    return rail.find(asked.instruction) or rail.pay(asked.instruction)


def _read(question: Callable[[Session], T]) -> T:
    with reading() as session:
        return question(session)
