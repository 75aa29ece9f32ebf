"""A programme's way: drafted, put before a second person, active, paused, ended; another version ends the one before."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import approvals, audit
from carbon_credits.core.approvals import Approval
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import banks, terms
from carbon_credits.incentives.models import Bank, Incentive, IncentiveTier
from carbon_credits.incentives.programmes import Programme, programme, unknown
from carbon_credits.incentives.terms import Terms, Tier

KIND: Final = "incentive.programme"
REPLACED: Final = "由新版本替代 / replaced by another version"
STEP: Final = text("""
select exists (select from reward_state where machine = 'incentive' and follows = :old and state = :new)
""")
_LOCK: Final = 440_630


def draft(session: Session, document: Mapping[str, Any], by: int, seen: str | None = None) -> Programme:
    """Write a draft, or write it anew; the next version of its code. `by` is the member of staff.

    `seen` is the digest of the draft that was looked at, empty for none. Raises Invalid, NotFound (the bank), Conflict
    when a version of it waits for approval, or the draft is another by now.
    """
    wanted = terms.read(document)
    bank = banks.by_code(session, wanted.bank)
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    making = select(Incentive.incentive_id, Incentive.state).where(
        Incentive.code == wanted.code, Incentive.state.in_(("draft", "proposed"))
    )
    found = session.execute(making).one_or_none()
    if found is not None and found.state == "proposed":
        raise _conflict("waits_for_approval", "该方案待审批，不可修改", "A version of it waits for approval")
    if seen is not None and seen != _digest_of(session, None if found is None else found.incentive_id):
        raise _conflict("draft_changed", "草案已被他人修改", "Somebody else has changed the draft meanwhile")
    number = (
        _insert(session, wanted, bank)
        if found is None
        else _rewrite(session, found.incentive_id, wanted, bank)
    )
    session.execute(insert(IncentiveTier), [_tier_row(number, tier) for tier in wanted.tiers])
    made = programme(session, number)
    _audit(session, by, "incentive.drafted", made)
    return made


def propose(session: Session, incentive_id: int, reason: str, by: int) -> Approval:
    """Put a draft before a second person, with all its terms. Raises NotFound, Conflict, NotAllowed."""
    found = programme(session, incentive_id)
    payload = _payload(found)
    proposed = approvals.propose(session, KIND, payload, reason, by)
    _move(session, found, "proposed", None, approval_id=proposed.approval_id)
    _audit(session, by, "incentive.proposed", found)
    return proposed


def reopen(session: Session, incentive_id: int, by: int) -> None:
    """Make a draft again of what was rejected, or of one's own proposal. Raises NotFound, Conflict, NotAllowed."""
    found = programme(session, incentive_id)
    asked = select(Approval.state).where(Approval.approval_id == found.approval_id)
    state = session.execute(asked).scalar_one_or_none()
    if found.state != "proposed" or state == "approved":
        raise _cannot(found.state, "draft")
    if state == "proposed" and found.approval_id is not None:
        approvals.withdraw(session, found.approval_id, by)
    _move(session, found, "draft", None, approval_id=None)
    _audit(session, by, "incentive.reopened", found)


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of proposed terms."""
    terms.read(payload["terms"])


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> Programme:
    """Put approved terms in force; the version before ends, and statements under it stay what they are.

    Raises Conflict when the programme is not, or no longer, what was approved.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    found = programme(session, payload["incentive_id"])
    if found.approval_id != approval_id or _payload(found) != dict(payload):
        raise _conflict("not_what_was_approved", "与审批内容不符", "This is not what was approved")
    session.execute(
        update(Incentive)
        .where(Incentive.code == found.terms.code, Incentive.state.in_(("active", "paused")))
        .values(state="ended", state_reason=REPLACED, changed_at=func.clock_timestamp())
    )
    _move(session, found, "active", None)
    approved = select(Approval.decided_by).where(Approval.approval_id == approval_id)
    _audit(session, session.execute(approved).scalar_one() or 0, "incentive.activated", found)
    return programme(session, found.id)


def turn(
    session: Session, code: str, state: Literal["active", "paused", "ended"], reason: str, by: int
) -> Programme:
    """Pause, resume or end what is in force, and say why. Raises NotFound, Conflict."""
    asked = select(Incentive.incentive_id).where(
        Incentive.code == code, Incentive.state.in_(("active", "paused"))
    )
    number = session.execute(asked).scalar_one_or_none()
    if number is None:
        raise unknown()
    found = programme(session, number)
    _move(session, found, state, None if state == "active" else reason)
    _audit(session, by, f"incentive.{state}", found, reason)
    return programme(session, number)


def _digest_of(session: Session, incentive_id: int | None) -> str:
    return "" if incentive_id is None else programme(session, incentive_id).terms.digest


def _insert(session: Session, wanted: Terms, bank: Bank) -> int:
    highest = select(func.coalesce(func.max(Incentive.version), 0)).where(Incentive.code == wanted.code)
    version = session.execute(highest).scalar_one() + 1
    made = insert(Incentive).values(code=wanted.code, version=version, **_columns(wanted, bank))
    return session.execute(made.returning(Incentive.incentive_id)).scalar_one()


def _rewrite(session: Session, incentive_id: int, wanted: Terms, bank: Bank) -> int:
    session.execute(delete(IncentiveTier).where(IncentiveTier.incentive_id == incentive_id))
    changed = update(Incentive).where(Incentive.incentive_id == incentive_id)
    session.execute(changed.values(changed_at=func.clock_timestamp(), **_columns(wanted, bank)))
    return incentive_id


def _columns(wanted: Terms, bank: Bank) -> dict[str, Any]:
    return {
        "bank_id": bank.bank_id,
        "name_zh": wanted.name.zh,
        "name_en": wanted.name.en,
        "benefit": wanted.benefit,
        "benefit_zh": wanted.benefit_text.zh,
        "benefit_en": wanted.benefit_text.en,
        "grade": wanted.grade,
        "families": list(wanted.families),
        "window_months": wanted.window_months,
        "valid_days": wanted.valid_days,
        "consent_zh": wanted.consent.zh,
        "consent_en": wanted.consent.en,
        "consent_version": wanted.consent_version,
        "no_adverse_zh": wanted.no_adverse_use.zh,
        "no_adverse_en": wanted.no_adverse_use.en,
    }


def _tier_row(incentive_id: int, tier: Tier) -> dict[str, Any]:
    return {
        "incentive_id": incentive_id,
        "code": tier.code,
        "from_g": tier.from_g,
        "amount": tier.amount,
        "name_zh": tier.name.zh,
        "name_en": tier.name.en,
    }


def _payload(found: Programme) -> dict[str, Any]:
    told = {"audience": found.bank.audience, "consent_version": found.terms.consent_version}
    return {"incentive_id": found.id, "version": found.version, "terms": found.terms.as_document(), **told}


def _move(session: Session, found: Programme, state: str, reason: str | None, **more: Any) -> None:
    """One winner: from the state it was read in, where the table of states has the step."""
    step = {"old": found.state, "new": state}
    if not session.execute(STEP, step).scalar_one():
        raise _cannot(found.state, state)
    moved = (
        update(Incentive)
        .where(Incentive.incentive_id == found.id, Incentive.state == found.state)
        .values(state=state, state_reason=reason, changed_at=func.clock_timestamp(), **more)
        .returning(Incentive.incentive_id)
    )
    if session.execute(moved).scalar_one_or_none() is None:
        raise _cannot(found.state, state)


def _audit(session: Session, by: int, action: str, found: Programme, reason: str | None = None) -> None:
    told = {"version": found.version, "consent_version": found.terms.consent_version}
    if reason is not None:
        told["reason"] = reason
    audit.record(
        session, f"staff:{by}", action, f"incentive:{found.terms.code}", {"state": found.state}, told
    )


def _cannot(old: str, new: str) -> Conflict:
    return _conflict("wrong_state", f"当前状态 {old} 不能变为 {new}", f"What is {old} cannot become {new}")


def _conflict(code: str, zh: str, en: str) -> Conflict:
    return Conflict(code, Text(zh, en))
