"""What banks tell of the statements they were shown: each once, and corrections as further versions.

A bank names a statement that a resident has shown it; there is no call that lists residents, statements, or who has none.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.incentives.models import Bank, Incentive, IncentiveOutcome, IncentiveStatement
from carbon_credits.incentives.statements import no_statement

Outcome = Literal["granted", "declined_other", "not_used"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("granted", "declined_other", "not_used")
MOST_FEN: Final = 100_000_000_000
MOST_VERSIONS: Final = 99


@dataclass(frozen=True)
class Told:
    """An outcome: what the benefit comes to in fen, where the bank says so, and its days, both included."""

    outcome: Outcome
    benefit_fen: int | None = None
    first: date | None = None
    last: date | None = None


def report(session: Session, partner_id: int, jti: str, version: int, told: Told, by: str) -> None:
    """Note what a bank made of a statement; `by` is its client. Version 1 first, then each correction one higher.

    Raises NotFound for a statement that is not this bank's, Invalid for days or money that do not fit the outcome,
    Conflict when this version was told before or is not the next.
    """
    _check(told)
    mine = (
        select(IncentiveStatement.jti)
        .join(Incentive, Incentive.incentive_id == IncentiveStatement.incentive_id)
        .join(Bank, Bank.bank_id == Incentive.bank_id)
        .where(IncentiveStatement.jti == jti, Bank.partner_id == partner_id)
    )
    if session.execute(mine).scalar_one_or_none() is None:
        raise no_statement()
    highest = select(func.coalesce(func.max(IncentiveOutcome.version), 0)).where(IncentiveOutcome.jti == jti)
    known = session.execute(highest).scalar_one()
    if version != known + 1 or not _write(session, jti, version, told, by):
        raise Conflict(
            "version_not_next", Text(f"下一版本应为 {known + 1}", f"The next version is {known + 1}")
        )
    deed = {"outcome": told.outcome, "version": version}
    audit.record(session, f"client:{by}", "statement.outcome", f"statement:{jti}", None, deed)


def _write(session: Session, jti: str, version: int, told: Told, by: str) -> bool:
    row = {"jti": jti, "version": version, "outcome": told.outcome, "benefit_fen": told.benefit_fen}
    made = insert(IncentiveOutcome).values(**row, from_on=told.first, to_on=told.last, reported_by=by)
    written = made.on_conflict_do_nothing().returning(IncentiveOutcome.jti)
    return session.execute(written).scalar_one_or_none() is not None


def _check(told: Told) -> None:
    faults = []
    if told.outcome == "granted":
        if told.first is None or told.last is None:
            faults.append(
                _fault("from", "required", "优惠须有起止日期", "a benefit has a first and a last day")
            )
        elif told.last < told.first:
            faults.append(_fault("to", "out_of_order", "不得早于 from", "not before `from`"))
    elif (told.benefit_fen, told.first, told.last) != (None, None, None):
        said = "仅 granted 可有金额与日期", "only a granted one has money and days"
        faults.append(_fault("outcome", "not_fitting", *said))
    if faults:
        raise Invalid("wrong_outcome", Text("结果有误", "The outcome is wrong"), faults=tuple(faults))


def _fault(field: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + field, code, Text(zh, en))
