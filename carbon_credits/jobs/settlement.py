"""Merchants' money by itself: yesterday's statements, what is to be paid, what rails say of it."""

import logging
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import alone, in_transaction, reading
from carbon_credits.jobs.surroundings import ways
from carbon_credits.rewards import payments, provider_lines, settlement
from carbon_credits.rewards.paying import (
    PAYING,
    RAIL_NUMBERS,
    follow_up,
    pay_unfinished,
    take_back_unfinished,
)
from carbon_credits.rewards.payment_contract import Rail, Refused, StatementLine, Unknown

log = logging.getLogger(__name__)


def make_statements(session: Session) -> int:
    """The statements of the next day that is over; 0 when all are made."""
    return len(settlement.make_next(session, clock.now()))


def pay_all() -> int:
    """Pay what is approved over every rail there is; a rail that another process pays over is left to it."""
    return sum(_alone(rail) for rail in ways().rails.values())


def hear_bank() -> None:
    """After a file of the bank's: what became of each payment, also of those that were paid and came back."""
    rail = ways().rails["bank"]
    with alone(PAYING, RAIL_NUMBERS["bank"]) as ours:
        if ours:
            pay_unfinished(rail, clock.today())
    with reading() as session:
        returned = provider_lines.unheard_returns(session, "bank")
    for reference in returned:
        follow_up(rail, reference, clock.today())
    in_transaction(partial(provider_lines.reconcile, rail="bank"))


def read_statements() -> int:
    """Read what each rail says of its account, and note the payments it bears out; returns how many lines are new."""
    new = 0
    for rail in ways().rails.values():
        try:
            new += _read(rail)
        except (Unknown, Refused):
            log.warning("a rail's statement cannot be read now", extra={"rail": rail.name})
    return new


def about_bank(reference: str) -> Sequence[StatementLine]:
    """What the bank's files said of one payment."""
    with reading() as session:
        return provider_lines.lines_about(session, "bank", reference)


def between_bank(since: datetime, until: datetime) -> Sequence[StatementLine]:
    """What the bank's files said of a period."""
    with reading() as session:
        return provider_lines.lines_between(session, "bank", since, until)


def _alone(rail: Rail) -> int:
    with alone(PAYING, RAIL_NUMBERS[rail.name]) as ours:
        if not ours:
            return 0
        begun = in_transaction(partial(payments.begin, rail=rail.name, now=clock.now()))
        paid, back = pay_unfinished(rail, clock.today()), take_back_unfinished(rail, clock.today())
    if begun or back.heard or back.refused:
        told = {"rail": rail.name, "begun": begun, "heard": paid.heard, "refused": paid.refused}
        log.info("settlements paid", extra=told | {"unknown": paid.unknown, "taken_back": back.heard})
    return paid.heard + paid.refused


def _read(rail: Rail) -> int:
    now = clock.now()
    with reading() as session:
        since = provider_lines.since(session, rail.name, now)
    told = list(rail.statement(since, now))
    new = in_transaction(partial(provider_lines.take_in, provider=rail.name, lines=told))
    with reading() as session:
        returned = provider_lines.unheard_returns(session, rail.name)
    for reference in returned:
        follow_up(rail, reference, clock.today())
    in_transaction(partial(provider_lines.reconcile, rail=rail.name))
    return new
