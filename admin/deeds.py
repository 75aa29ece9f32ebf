"""What a member of staff does by one verb of a room that keeps no audit of its own: the verb and its line, together."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from admin import guard
from carbon_credits.core import audit
from carbon_credits.core.db import transaction

T = TypeVar("T")


def deed(
    action: str,
    subject: str,
    step: Callable[[Session, int], T],
    told: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> T:
    """Do it in one transaction; `{}` in the subject is the number that the verb answers. Raises what the verb raises."""
    by = guard.member().staff_id
    with transaction() as session:
        done = step(session, by)
        audit.record(session, f"staff:{by}", action, subject.format(done), None, told, reason=reason)
    return done
