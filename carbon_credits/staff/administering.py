"""Administering staff: what is proposed to a second person, and what one administrator may do at once.

Taking somebody in, changing roles or streets and resetting what somebody signs in with give power to a person, so two
decide, neither of them the person concerned. Closing an account and ending sessions take it away and cannot wait.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import any_, func, literal, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.approvals import Approval
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff import credentials, identities, invitations, sessions
from carbon_credits.staff.models import Credential, Staff
from carbon_credits.staff.service import Role, add, territory_of, unknown, written

ADMIT: Final = "staff.admit"
CHANGE: Final = "staff.change"
RESET: Final = "staff.reset"
# who runs the accounts of staff
ADMINISTRATOR: Final = Role.PROGRAMME
GOOD_FOR: Final = timedelta(days=7)
_LONGEST_NAME: Final = 60
# the operator is alone while the first administrator is made
_FIRST: Final = 280_001


def check_admit(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless `{name, roles, streets}` can be taken in."""
    name = payload.get("name")
    if not isinstance(name, str) or not 0 < len(written(name)) <= _LONGEST_NAME:
        raise _wrong("name", Text(f"1 至 {_LONGEST_NAME} 个字", f"1 to {_LONGEST_NAME} characters"))
    _check_rights(payload)


def check_change(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless `{staff_id, roles, streets, before}` says a change; `before` is what it was proposed on."""
    _check_number(payload)
    _check_rights(payload)
    before = payload.get("before")
    if not isinstance(before, Mapping) or set(before) != {"roles", "streets"}:
        raise _wrong("before", Text("应为变更前的权限", "What the rights were before"))


def check_reset(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless `{staff_id}` names somebody."""
    _check_number(payload)


def admit(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Take somebody in, as two people decided. Raises Conflict when the name is taken."""
    roles = [Role(role) for role in payload["roles"]]
    add(session, payload["name"], roles, f"approval:{approval_id}", payload["streets"])


def change(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Give somebody other roles or streets, as two others decided; their sessions end.

    Raises Conflict when they are no longer what the proposal was made on, or no administrator would be left;
    NotAllowed when the second person is the one concerned; NotFound.
    """
    _refuse_own(session, approval_id, payload["staff_id"])
    administrators = _lock_administrators(session)
    member = session.get(Staff, payload["staff_id"], with_for_update=True, populate_existing=True)
    if member is None or member.status != "active":
        raise unknown()
    before = {"roles": sorted(member.roles), "streets": member.streets}
    if before != {"roles": sorted(payload["before"]["roles"]), "streets": payload["before"]["streets"]}:
        raise Conflict(
            "changed_meanwhile", Text("权限已被另行变更", "The rights have been changed meanwhile")
        )
    roles = [Role(role) for role in payload["roles"]]
    if ADMINISTRATOR not in roles:
        _refuse_none_left(administrators, member.staff_id)
    member.roles = sorted(roles)
    member.streets = territory_of(roles, payload["streets"])
    session.flush()
    by = f"approval:{approval_id}"
    after = {"roles": member.roles, "streets": member.streets}
    audit.record(session, by, "staff.changed", f"staff:{member.staff_id}", before, after)
    sessions.end_all(session, member.staff_id, "roles_changed", by, clock.now())


def reset(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Two others decided that somebody sets a new password and authenticator: the old ones end now.

    Raises NotAllowed when the second person is the one concerned, NotFound.
    """
    staff_id = payload["staff_id"]
    _refuse_own(session, approval_id, staff_id)
    _active(session, staff_id)
    by = f"approval:{approval_id}"
    credentials.forget(session, staff_id)
    sessions.end_all(session, staff_id, "reset", by, clock.now())
    audit.record(session, by, "staff.reset", f"staff:{staff_id}")


def invite(session: Session, vault: Vault, approval_id: int, by: int, now: datetime) -> str:
    """The invitation's code of an approved admission or reset, once and within a week, to hand to the person.

    Raises NotFound, NotAllowed (the person concerned), Conflict (made already, or too old).
    """
    approval = session.get(Approval, approval_id)
    if approval is None or approval.kind not in (ADMIT, RESET) or approval.state != "approved":
        raise NotFound("approval_unknown", Text("没有可用的审批事项", "There is no such approval"))
    if approval.decided_at is None or now - approval.decided_at > GOOD_FOR:
        raise Conflict("approval_too_old", Text("审批已超过七天", "The approval is more than a week old"))
    staff_id = approval.payload.get("staff_id") or _number_of(session, approval.payload["name"])
    if staff_id == by:
        raise _not_oneself()
    return invitations.issue(session, vault, staff_id, f"staff:{by}", now, approval_id)


def first(session: Session, vault: Vault, name: str, now: datetime) -> str:
    """The first administrator's invitation code. Raises Conflict when somebody already signs in as one.

    Again for the same name makes another link; for a member without the role it is a Conflict too.
    """
    session.execute(select(func.pg_advisory_xact_lock(_FIRST)))
    signs_in = (
        select(Staff.staff_id)
        .join(Credential, Credential.staff_id == Staff.staff_id)
        .where(literal(ADMINISTRATOR.value) == any_(Staff.roles), Staff.status == "active")
    )
    if session.execute(signs_in.limit(1)).scalar_one_or_none() is not None:
        raise Conflict("administrator_exists", Text("已有管理员", "There is an administrator already"))
    asked = select(Staff).where(Staff.name == written(name))
    member = session.scalars(asked).one_or_none() or add(session, name, [ADMINISTRATOR], "operator")
    if ADMINISTRATOR.value not in member.roles or member.status != "active":
        raise Conflict("name_taken", Text("该姓名已登记且不是管理员", "This name is somebody else's"))
    return invitations.issue(session, vault, member.staff_id, "operator", now)


def close(session: Session, staff_id: int, by: str, now: datetime, reason: str | None = None) -> None:
    """Close an account at once: nothing signs in, every session is over; what its holder did stays.

    Raises NotFound, also when closed already, Conflict when no administrator would be left, NotAllowed for one's own.
    """
    if by == f"staff:{staff_id}":
        raise _not_oneself()
    _refuse_none_left(_lock_administrators(session), staff_id)
    closed = (
        update(Staff)
        .where(Staff.staff_id == staff_id, Staff.status == "active")
        .values(status="closed")
        .returning(Staff.staff_id)
    )
    if session.execute(closed).scalar_one_or_none() is None:
        raise unknown()
    invitations.end_open(session, staff_id, now)
    credentials.forget(session, staff_id)
    identities.end(session, staff_id, by, now)
    subject = f"staff:{staff_id}"
    audit.record(
        session, by, "staff.closed", subject, {"status": "active"}, {"status": "closed"}, reason=reason
    )
    sessions.end_all(session, staff_id, "closed", by, now)


def pending(session: Session) -> list[Approval]:
    """What is proposed about staff and waits for a second person, oldest first."""
    asked = select(Approval).where(Approval.kind.in_((ADMIT, CHANGE, RESET)), Approval.state == "proposed")
    return list(session.scalars(asked.order_by(Approval.approval_id)))


def _check_rights(payload: Mapping[str, Any]) -> None:
    roles, streets = payload.get("roles"), payload.get("streets")
    if not isinstance(roles, list) or not roles or not {str(role) for role in Role}.issuperset(roles):
        raise _wrong("roles", Text("请选择角色", "Choose among the roles"))
    if streets is not None and not (
        isinstance(streets, list) and all(isinstance(one, str) for one in streets)
    ):
        raise _wrong("streets", Text("请选择镇街", "Choose among the streets"))
    territory_of([Role(role) for role in roles], streets)


def _check_number(payload: Mapping[str, Any]) -> None:
    if type(payload.get("staff_id")) is not int or not 0 < payload["staff_id"] < 2**31:
        raise _wrong("staff_id", Text("应为工作人员编号", "The number of a member of staff"))


def _wrong(field: str, told: Text) -> Invalid:
    faults = (FieldFault("/" + field, "out_of_range", told),)
    return Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def _refuse_own(session: Session, approval_id: int, staff_id: int) -> None:
    """Whoever decides is not whom it is about."""
    decided = select(Approval.decided_by).where(Approval.approval_id == approval_id)
    if session.execute(decided).scalar_one_or_none() == staff_id:
        raise _not_oneself()


def _not_oneself() -> NotAllowed:
    return NotAllowed(
        "wrong_person", Text("不得处理本人账号", "Not for one's own account: another person does it")
    )


def _active(session: Session, staff_id: int) -> None:
    held = select(Staff.staff_id).where(Staff.staff_id == staff_id, Staff.status == "active")
    if session.execute(held).scalar_one_or_none() is None:
        raise unknown()


def _number_of(session: Session, name: str) -> int:
    held = select(Staff.staff_id).where(Staff.name == written(name), Staff.status == "active")
    staff_id = session.execute(held).scalar_one_or_none()
    if staff_id is None:
        raise unknown()
    return staff_id


def _lock_administrators(session: Session) -> frozenset[int]:
    """Who signs in as an administrator; two who close one another meet here."""
    held = (
        select(Staff.staff_id)
        .join(Credential, Credential.staff_id == Staff.staff_id)
        .where(literal(ADMINISTRATOR.value) == any_(Staff.roles), Staff.status == "active")
        .order_by(Staff.staff_id)
        .with_for_update(of=Staff)
    )
    return frozenset(session.scalars(held))


def _refuse_none_left(administrators: frozenset[int], staff_id: int) -> None:
    if administrators == {staff_id}:
        told = Text("至少须保留一名管理员", "The last administrator stays")
        raise Conflict("last_administrator", told)
