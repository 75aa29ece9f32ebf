"""The programmes as they stand: each version with its terms and its bank."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.incentives.models import Bank, Incentive, IncentiveTier
from carbon_credits.incentives.terms import Terms, Tier


@dataclass(frozen=True)
class Programme:
    """A version of a programme as it stands."""

    id: int
    version: int
    state: str
    state_reason: str | None
    approval_id: int | None
    terms: Terms
    bank: Bank


def programme(session: Session, incentive_id: int) -> Programme:
    """A version by its number; raises NotFound."""
    found = _read(session, Incentive.incentive_id == incentive_id)
    if not found:
        raise unknown()
    return found[0]


def versions(session: Session, code: str | None = None) -> list[Programme]:
    """Every version of a programme, or of all, in order."""
    return _read(session, True if code is None else Incentive.code == code)


def draft_of(session: Session, code: str) -> Programme | None:
    """The draft of a programme that is being written, if one is."""
    found = _read(session, (Incentive.code == code) & (Incentive.state == "draft"))
    return found[0] if found else None


def active(session: Session) -> list[Programme]:
    """What residents can have now."""
    return _read(session, Incentive.state == "active")


def _read(session: Session, wanted: Any) -> list[Programme]:
    asked = select(Incentive, Bank).join(Bank, Bank.bank_id == Incentive.bank_id).where(wanted)
    rows = session.execute(
        asked.order_by(Incentive.code, Incentive.version).execution_options(populate_existing=True)
    ).all()
    held = (
        select(IncentiveTier)
        .where(IncentiveTier.incentive_id.in_([row.Incentive.incentive_id for row in rows]))
        .order_by(IncentiveTier.from_g)
        .execution_options(populate_existing=True)
    )
    tiers: dict[int, list[Tier]] = {}
    for tier in session.scalars(held):
        told = Tier(tier.code, tier.from_g, tier.amount, Text(tier.name_zh, tier.name_en))
        tiers.setdefault(tier.incentive_id, []).append(told)
    return [_view(row.Incentive, row.Bank, tuple(tiers[row.Incentive.incentive_id])) for row in rows]


def _view(row: Incentive, bank: Bank, tiers: tuple[Tier, ...]) -> Programme:
    agreed = Terms(
        code=row.code,
        bank=bank.code,
        name=Text(row.name_zh, row.name_en),
        benefit=row.benefit,
        benefit_text=Text(row.benefit_zh, row.benefit_en),
        grade=row.grade,
        families=tuple(row.families),
        tiers=tiers,
        window_months=row.window_months,
        valid_days=row.valid_days,
        consent=Text(row.consent_zh, row.consent_en),
        no_adverse_use=Text(row.no_adverse_zh, row.no_adverse_en),
    )
    return Programme(
        row.incentive_id, row.version, row.state, row.state_reason, row.approval_id, agreed, bank
    )


def unknown() -> NotFound:
    """The answer for a programme that is not there, or not for the one who asks."""
    return NotFound("incentive_unknown", Text("没有此方案", "There is no such incentive"))
