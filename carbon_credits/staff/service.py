"""Staff accounts for the command line: who there is, and who may do what."""

import unicodedata
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotAllowed, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.staff.models import Staff

# the district's three streets and one town, as the residents' room names them
STREETS: Final = frozenset({"zumiao", "shiwan", "zhangcha", "nanzhuang"})


class Role(StrEnum):
    """What a member of staff is there for."""

    PROGRAMME = "programme"
    METHODOLOGY = "methodology"
    FINANCE = "finance"
    PARTNER = "partner"
    MERCHANT = "merchant"
    STREET = "street"
    SUPPORT = "support"
    AUDIT = "audit"

    @property
    def text(self) -> Text:
        """What it is called."""
        return _ROLES[self]


_ROLES: Final = {
    Role.PROGRAMME: Text("项目管理", "Programme"),
    Role.METHODOLOGY: Text("方法学", "Methodology"),
    Role.FINANCE: Text("财务", "Finance"),
    Role.PARTNER: Text("合作方", "Partners"),
    Role.MERCHANT: Text("商户", "Merchants"),
    Role.STREET: Text("镇街", "Street"),
    Role.SUPPORT: Text("客服", "Support"),
    Role.AUDIT: Text("审计", "Audit"),
}


def add(
    session: Session, name: str, roles: Collection[Role], by: str, streets: Collection[str] | None = None
) -> Staff:
    """Add a member of staff; `by` is the actor who does, no `streets` the whole district.

    Raises Conflict when the name is taken and Invalid when the role `street` has no street.
    """
    territory = territory_of(roles, streets)
    made = (
        insert(Staff)
        .values(name=written(name), roles=sorted(roles), streets=territory)
        .on_conflict_do_nothing(index_elements=[Staff.name])
        .returning(Staff)
    )
    member = session.execute(made).scalar_one_or_none()
    if member is None:
        raise Conflict("name_taken", Text("该姓名已登记", "There is a member of staff of this name"))
    added = {"roles": member.roles, "streets": member.streets}
    audit.record(session, by, "staff.added", f"staff:{member.staff_id}", None, added)
    return member


def territory_of(roles: Collection[Role], streets: Collection[str] | None) -> list[str] | None:
    """The streets as they are kept; raises Invalid for one there is not, and for the role `street` without any."""
    if not streets:
        if Role.STREET in roles:
            raise _wrong_streets(
                "street_missing", Text("镇街角色须指定镇街", "The role street needs a street")
            )
        return None
    if not STREETS.issuperset(streets):
        raise _wrong_streets("street_unknown", Text("没有此镇街", "There is no such street"))
    return sorted(set(streets))


def written(name: str) -> str:
    """A name in the one form it is kept and looked up in."""
    return unicodedata.normalize("NFC", name.strip())


def by_name(session: Session, name: str) -> Staff:
    """An active member of staff; raises NotFound."""
    asked = select(Staff).where(Staff.name == written(name), Staff.status == "active")
    member = session.execute(asked).scalar_one_or_none()
    if member is None:
        raise unknown()
    return member


def number_of(session: Session, name: str) -> int | None:
    """The number of whoever has or had this name."""
    return session.execute(select(Staff.staff_id).where(Staff.name == written(name))).scalar_one_or_none()


def names_of(session: Session, staff_ids: Collection[int]) -> dict[int, str]:
    """The names of members of staff, also of those who have gone."""
    asked = select(Staff.staff_id, Staff.name).where(Staff.staff_id.in_(staff_ids))
    return {row.staff_id: row.name for row in session.execute(asked)} if staff_ids else {}


def require_role(session: Session, staff_id: int, role: Role) -> None:
    """Raises NotAllowed unless this active member of staff has the role."""
    held = select(Staff.roles).where(Staff.staff_id == staff_id, Staff.status == "active")
    if role.value not in (session.execute(held).scalar_one_or_none() or ()):
        raise NotAllowed("role_missing", Text("没有相应权限", "This needs a role you do not have"))


def _wrong_streets(code: str, told: Text) -> Invalid:
    return Invalid(code, told, faults=(FieldFault("/streets", code, told),))


def unknown() -> NotFound:
    """Nobody of this name or number, or nobody any more."""
    return NotFound("staff_unknown", Text("没有此工作人员", "There is no such active member of staff"))
