"""Staff accounts: added once, known by name, entitled by role, closed for good."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, NotAllowed, NotFound
from carbon_credits.staff import administering, service
from carbon_credits.staff.service import Role


def test_a_member_is_found_by_name_with_its_roles(session: Session) -> None:
    service.add(session, "陈会计", [Role.FINANCE, Role.AUDIT], "system")
    member = service.by_name(session, "陈会计")
    assert member.roles == ["audit", "finance"]
    service.require_role(session, member.staff_id, Role.FINANCE)
    with pytest.raises(NotAllowed):
        service.require_role(session, member.staff_id, Role.METHODOLOGY)
    with pytest.raises(NotAllowed):
        service.require_role(session, 999, Role.FINANCE)


def test_a_name_is_used_once_even_after_it_was_closed(session: Session) -> None:
    member = service.add(session, "Ada", [Role.PROGRAMME], "system")
    with pytest.raises(Conflict):
        service.add(session, "Ada", [Role.FINANCE], "system")
    administering.close(session, member.staff_id, "staff:9", clock.now())
    with pytest.raises(Conflict):
        service.add(session, "Ada", [Role.FINANCE], "system")
    with pytest.raises(NotFound):
        service.by_name(session, "Ada")
    with pytest.raises(NotFound):
        administering.close(session, member.staff_id, "staff:9", clock.now())
    with pytest.raises(NotAllowed):
        service.require_role(session, member.staff_id, Role.PROGRAMME)


def test_adding_and_closing_are_audited(session: Session) -> None:
    member = service.add(session, "Ada", [Role.PROGRAMME], "system")
    administering.close(session, member.staff_id, "staff:9", clock.now())
    found = session.execute(text("select actor, action from audit_entry order by audit_id"))
    assert [tuple(row) for row in found] == [("system", "staff.added"), ("staff:9", "staff.closed")]
