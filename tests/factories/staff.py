"""Staff for tests."""

from itertools import count

from sqlalchemy.orm import Session

from carbon_credits.staff import service
from carbon_credits.staff.service import Role

_names = count(1)


def a_member(session: Session, *roles: Role) -> int:
    """The number of a member of staff; of the programme unless told otherwise."""
    return service.add(session, f"staff {next(_names)}", roles or (Role.PROGRAMME,), "test").staff_id
