"""Reading settlements: a list, one with its payments, its lines, and whether they still are what was frozen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import select, text, tuple_
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.redemption_models import Capture
from carbon_credits.rewards.settlement_digest import ADJUSTMENTS_DIGEST, LINES_DIGEST, SETTLEMENT_DIGEST
from carbon_credits.rewards.settlement_models import (
    Payment,
    Settlement,
    SettlementAdjusted,
    SettlementAdjustment,
    SettlementLine,
)

STATES: Final = ("frozen", "carried", "approved", "refused", "paid")


@dataclass(frozen=True)
class Line:
    """A capture or its reversal as it was settled: amounts in micro-fen and fen, signed."""

    capture_id: UUID
    kind: str
    micro_fen: int
    subsidy_fen: int
    points: int
    face_fen: int
    offer_id: int
    booked_on: date
    reference: str | None


@dataclass(frozen=True)
class Whole:
    """A settlement with its attempts at payment, newest first, and what it was put right by."""

    settlement: Settlement
    payments: tuple[Payment, ...]
    adjustments: tuple[SettlementAdjustment, ...]


def listed(
    session: Session,
    merchant_id: int | None = None,
    *,
    states: Sequence[str] = STATES,
    before: tuple[date, int] | None = None,
    most: int = 100,
) -> list[Settlement]:
    """Settlements, newest day first; `before` is the day and number of the last one seen."""
    asked = select(Settlement).where(Settlement.state.in_(states))
    if merchant_id is not None:
        asked = asked.where(Settlement.merchant_id == merchant_id)
    if before is not None:
        asked = asked.where(tuple_(Settlement.day, Settlement.settlement_id) < before)
    ordered = asked.order_by(Settlement.day.desc(), Settlement.settlement_id.desc()).limit(most)
    return list(session.execute(ordered).scalars())


def whole(session: Session, settlement_id: int, merchant_id: int | None = None) -> Whole:
    """One settlement; raises NotFound, also for another merchant's."""
    asked = select(Settlement).where(Settlement.settlement_id == settlement_id)
    if merchant_id is not None:
        asked = asked.where(Settlement.merchant_id == merchant_id)
    found = session.execute(asked).scalar_one_or_none()
    if found is None:
        raise unknown()
    attempts = select(Payment).where(Payment.settlement_id == settlement_id).order_by(Payment.attempt.desc())
    adjusted = (
        select(SettlementAdjustment)
        .join(SettlementAdjusted, SettlementAdjusted.adjustment_id == SettlementAdjustment.adjustment_id)
        .where(SettlementAdjusted.settlement_id == settlement_id)
        .order_by(SettlementAdjustment.adjustment_id)
    )
    return Whole(
        found, tuple(session.execute(attempts).scalars()), tuple(session.execute(adjusted).scalars())
    )


def lines_of(
    session: Session, settlement_id: int, after: tuple[UUID, str] | None = None, most: int = 100
) -> list[Line]:
    """Its lines by capture and kind; `after` is the last one seen."""
    asked = (
        select(SettlementLine, Capture)
        .join(Capture, Capture.capture_id == SettlementLine.capture_id)
        .where(SettlementLine.settlement_id == settlement_id)
    )
    if after is not None:
        asked = asked.where(tuple_(SettlementLine.capture_id, SettlementLine.kind) > after)
    ordered = asked.order_by(SettlementLine.capture_id, SettlementLine.kind).limit(most)
    return [_line(line, capture) for line, capture in session.execute(ordered)]


def every_line(session: Session, settlement_id: int, chunk: int) -> Iterator[Line]:
    """All of its lines, fetched so many at a time."""
    after: tuple[UUID, str] | None = None
    while found := lines_of(session, settlement_id, after, chunk):
        yield from found
        after = found[-1].capture_id, found[-1].kind


# What the digest of each settlement is now, from its lines, its adjustments and the one it follows.
_DIGESTS = text(f"""
select s.settlement_id, s.digest, {SETTLEMENT_DIGEST} as now
from (
  select s.*, b.digest as digest_before,
    (select {LINES_DIGEST} from settlement_line l where l.settlement_id = s.settlement_id) as of_lines,
    (select {ADJUSTMENTS_DIGEST} from settlement_adjusted d join settlement_adjustment a using (adjustment_id)
     where d.settlement_id = s.settlement_id) as of_adjustments
  from settlement s left join settlement b on b.settlement_id = s.follows
  where s.settlement_id = any(:settlements)
) s
""")  # noqa: S608 - composed of constants


def altered(session: Session, settlements: Sequence[int]) -> list[int]:
    """Which of these settlements no longer are what was frozen."""
    rows = session.execute(_DIGESTS, {"settlements": list(settlements)})
    return sorted(row.settlement_id for row in rows if row.digest != row.now)


def unknown() -> NotFound:
    """There is no such settlement, or it is another's."""
    return NotFound("settlement_unknown", Text("没有此结算单", "There is no such settlement"))


def _line(line: SettlementLine, capture: Capture) -> Line:
    return Line(
        capture_id=line.capture_id,
        kind=line.kind,
        micro_fen=line.micro_fen,
        subsidy_fen=line.subsidy_fen,
        points=capture.points,
        face_fen=capture.face_fen,
        offer_id=capture.offer_id,
        booked_on=capture.booked_on,
        reference=capture.reference,
    )
