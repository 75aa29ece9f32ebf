"""What may be proposed to a second person: one table, of what is checked, who may, and what puts it in force."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core import approvals
from carbon_credits.core.approvals import Approval
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import campaigning, restating
from carbon_credits.groups import drive_criteria, drives
from carbon_credits.incentives import lifecycle
from carbon_credits.jobs.surroundings import settings
from carbon_credits.ledger import funds as fund_service
from carbon_credits.ledger import money_tags
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme import campaigns
from carbon_credits.programme import service as programme_service
from carbon_credits.reconciliation import fraud, periods, purchases
from carbon_credits.reporting import evaluation, indicators_official
from carbon_credits.rewards import (
    accounts,
    funding_refunds,
    fundings,
    leaving,
    merchants,
    offer_approval,
    point_value,
    purses,
    settlement_approval,
    take_backs,
)
from carbon_credits.staff import administering
from carbon_credits.staff.service import Role, by_name, require_role

FAMILIES = frozenset(versions[-1].family for versions in BY_CODE.values())
CODES = frozenset(BY_CODE)
DEPOSIT = "fund.deposit"


@dataclass(frozen=True)
class Kind:
    """What may be proposed: how it is checked, who may, and what puts it in force."""

    role: Role
    check: Callable[[Mapping[str, Any]], None]
    enact: Callable[[Session, int, Mapping[str, Any]], object]


def _check_deposit(payload: Mapping[str, Any]) -> None:
    faults = [
        FieldFault("/" + name, "out_of_range", Text("应为正整数", "a whole number above zero"))
        for name, least in (("fund_id", 1), ("points", 1), ("amount_fen", 0))
        if type(payload.get(name)) is not int or not least <= payload[name] < 2**53
    ]
    faults += money_tags.faults(payload)
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=tuple(faults))


def _enact_deposit(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    fund_service.deposit(session, payload["fund_id"], payload["points"], payload["amount_fen"], approval_id)
    money_tags.record(session, approval_id, payload)


KINDS: Mapping[str, Kind] = {
    programme_service.RATE: Kind(
        Role.PROGRAMME,
        lambda payload: programme_service.check_rate(payload, FAMILIES),
        programme_service.enact_rate,
    ),
    programme_service.CAP: Kind(
        Role.PROGRAMME,
        lambda payload: programme_service.check_cap(payload, FAMILIES, CODES),
        programme_service.enact_cap,
    ),
    DEPOSIT: Kind(Role.FINANCE, _check_deposit, _enact_deposit),
    purchases.PURCHASES: Kind(Role.FINANCE, purchases.check, purchases.enact),
    campaigns.KIND: Kind(Role.PROGRAMME, campaigns.check, campaigning.enact),
    restating.RESTATE: Kind(Role.PROGRAMME, restating.check_order, restating.order),
    settlement_approval.KIND: Kind(Role.FINANCE, settlement_approval.check, settlement_approval.enact),
    take_backs.KIND: Kind(Role.FINANCE, take_backs.check, take_backs.enact),
    periods.CLOSE: Kind(Role.FINANCE, periods.check_close, periods.close_approved),
    lifecycle.KIND: Kind(Role.PROGRAMME, lifecycle.check, lifecycle.enact),
    fraud.KIND: Kind(
        Role.PROGRAMME,
        fraud.check,
        lambda session, approval, payload: fraud.carry_out(session, settings().vault, approval, payload),
    ),
    merchants.ADMIT: Kind(Role.MERCHANT, merchants.check_admission, merchants.admit),
    leaving.RESUME: Kind(Role.MERCHANT, leaving.check_resume, leaving.resume),
    fundings.KIND: Kind(Role.FINANCE, fundings.check, fundings.enact),
    funding_refunds.KIND: Kind(Role.FINANCE, funding_refunds.check, funding_refunds.enact),
    accounts.CHANGE: Kind(Role.FINANCE, accounts.check_change, accounts.enact_change),
    point_value.SET: Kind(Role.FINANCE, point_value.check, point_value.enact),
    purses.PAY_IN: Kind(Role.FINANCE, purses.check_pay_in, purses.enact_pay_in),
    drives.AWARD: Kind(Role.PROGRAMME, drives.check_award, drives.enact_award),
    drive_criteria.CRITERION: Kind(Role.PROGRAMME, drive_criteria.check, drive_criteria.enact),
    administering.ADMIT: Kind(administering.ADMINISTRATOR, administering.check_admit, administering.admit),
    administering.CHANGE: Kind(administering.ADMINISTRATOR, administering.check_change, administering.change),
    administering.RESET: Kind(administering.ADMINISTRATOR, administering.check_reset, administering.reset),
    money_tags.RETAG: Kind(Role.FINANCE, money_tags.check, money_tags.enact),
    indicators_official.KIND: Kind(Role.PROGRAMME, indicators_official.check, indicators_official.enact),
    evaluation.KIND: Kind(Role.PROGRAMME, evaluation.check, evaluation.enact),
    offer_approval.APPROVE: Kind(Role.MERCHANT, offer_approval.check, offer_approval.enact),
}


def propose(session: Session, kind: str, payload: Mapping[str, Any], reason: str, by: str) -> Approval:
    """Check a proposal and put it before a second person. Raises Invalid, NotAllowed, NotFound."""
    member = by_name(session, by)
    require_role(session, member.staff_id, KINDS[kind].role)
    KINDS[kind].check(payload)
    return approvals.propose(session, kind, payload, reason, member.staff_id)


def decide(
    session: Session,
    approval_id: int,
    by: str,
    *,
    approve: bool,
    why: str | None = None,
    seen: str | None = None,
) -> Approval:
    """Decide on a proposal; an approved one is in force when the transaction ends. `why` is kept in the audit.

    `seen` is the digest of what was shown. Raises NotFound, Conflict, NotAllowed, InvariantBroken, and what the kind's
    room refuses.
    """
    member = by_name(session, by)
    decided = approvals.decide(session, approval_id, member.staff_id, approve=approve, why=why, seen=seen)
    require_role(session, member.staff_id, KINDS[decided.kind].role)
    if approve:
        KINDS[decided.kind].enact(session, approval_id, decided.payload)
    return decided
