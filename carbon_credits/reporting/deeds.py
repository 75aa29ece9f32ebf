"""What was done to one thing, by whom and when, as the audit has it: for its page, and for who came second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_OF: Final = text("""
select e.at, e.actor, e.action, e.before, e.after, e.reason, s.name
from audit_entry e
left join staff s on e.actor = 'staff:' || s.staff_id
where e.subject = :subject and (cast(:actions as text[]) is null or e.action = any(cast(:actions as text[])))
order by e.audit_id desc
limit :most
""")


@dataclass(frozen=True)
class Deed:
    """One deed. `name` is that of the member of staff, where it was one."""

    at: datetime
    actor: str
    name: str | None
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None


def deeds_of(
    session: Session, subject: str, actions: Sequence[str] | None = None, most: int = 50
) -> list[Deed]:
    """The deeds on a subject (`case:7`), the newest first; of some actions, or all."""
    given = {"subject": subject, "actions": None if actions is None else list(actions), "most": most}
    return [
        Deed(row.at, row.actor, row.name, row.action, row.before, row.after, row.reason)
        for row in session.execute(_OF, given)
    ]
