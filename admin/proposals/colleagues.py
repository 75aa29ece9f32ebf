"""Proposals about members of staff, in words."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from admin.proposals.shape import Line, Told
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.staff import roster
from carbon_credits.staff.service import Role

ROLES: Final = Text("角色", "Roles")
TERRITORY: Final = Text("辖区", "Territory")
DISTRICT: Final = Text("全区", "the whole district")


def admission(_: Session, payload: Mapping[str, Any]) -> Told:
    """Somebody taken in."""
    name = payload["name"]
    return Told(
        Text(f"新增工作人员“{name}”", f"Take “{name}” in"),
        (Line(ROLES, _roles(payload["roles"])), Line(TERRITORY, _streets(payload["streets"]))),
        page=("staff.everybody", {}),
    )


def change(session: Session, payload: Mapping[str, Any]) -> Told:
    """Other roles or streets."""
    now = roster.one(session, payload["staff_id"], clock.now())
    return Told(
        Text(f"变更“{now.name}”的角色或辖区", f"Other roles or streets for “{now.name}”"),
        (
            Line(ROLES, _roles(payload["roles"]), _roles(now.roles)),
            Line(TERRITORY, _streets(payload["streets"]), _streets(now.streets)),
        ),
        page=("staff.one", {"staff_id": now.staff_id}),
    )


def reset(session: Session, payload: Mapping[str, Any]) -> Told:
    """A new password and authenticator."""
    now = roster.one(session, payload["staff_id"], clock.now())
    return Told(
        Text(
            f"重置“{now.name}”的登录方式：原密码和验证器立即失效",
            f"Reset how “{now.name}” signs in: password and authenticator end at once",
        ),
        (Line(ROLES, _roles(now.roles), is_of_now=True),),
        page=("staff.one", {"staff_id": now.staff_id}),
    )


def _roles(held: Iterable[str]) -> Text:
    told = [Role(role).text for role in held]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told))


def _streets(held: Iterable[str] | None) -> Text:
    if held is None:
        return DISTRICT
    told = [Street(street).text for street in held]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told))
