"""Staff accounts for the command line: who there is, and who may do what."""

from collections.abc import Collection
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff.models import Staff


class Role(StrEnum):
    """What a member of staff is there for."""

    PROGRAMME = "programme"
    FINANCE = "finance"
    SUPPORT = "support"
    AUDIT = "audit"
    SCIENCE = "science"
    MERCHANT = "merchant"


def add(session: Session, name: str, roles: Collection[Role], by: str) -> Staff:
    """Add a member of staff; `by` is the actor who does. Raises Conflict when the name is taken."""
    made = (
        insert(Staff)
        .values(name=name, roles=sorted(roles))
        .on_conflict_do_nothing(index_elements=[Staff.name])
        .returning(Staff)
    )
    member = session.execute(made).scalar_one_or_none()
    if member is None:
        raise Conflict("name_taken", Text("该姓名已登记", "There is a member of staff of this name"))
    audit.record(session, by, "staff.added", f"staff:{member.staff_id}", None, {"roles": member.roles})
    return member


def by_name(session: Session, name: str) -> Staff:
    """An active member of staff; raises NotFound."""
    asked = select(Staff).where(Staff.name == name, Staff.status == "active")
    member = session.execute(asked).scalar_one_or_none()
    if member is None:
        raise _unknown()
    return member


def require_role(session: Session, staff_id: int, role: Role) -> None:
    """Raises NotAllowed unless this active member of staff has the role."""
    held = select(Staff.roles).where(Staff.staff_id == staff_id, Staff.status == "active")
    if role.value not in (session.execute(held).scalar_one_or_none() or ()):
        raise NotAllowed("role_missing", Text("没有相应权限", "This needs a role you do not have"))


def close(session: Session, staff_id: int, by: str) -> None:
    """Close an account, from now on; what its holder did stays. Raises NotFound, also when closed already."""
    closed = (
        update(Staff)
        .where(Staff.staff_id == staff_id, Staff.status == "active")
        .values(status="closed")
        .returning(Staff.staff_id)
    )
    if session.execute(closed).scalar_one_or_none() is None:
        raise _unknown()
    audit.record(session, by, "staff.closed", f"staff:{staff_id}", {"status": "active"}, {"status": "closed"})


def _unknown() -> NotFound:
    return NotFound("staff_unknown", Text("没有此工作人员", "There is no such active member of staff"))
