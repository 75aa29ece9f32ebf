"""The audit keeps what was done, and keeps it as it was."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import audit


def test_a_deed_is_written_with_before_and_after(session: Session) -> None:
    audit.record(session, "staff:1", "cap.changed", "cap:7", {"points": 100}, {"points": 200}, "req-1")
    audit.record(session, "system", "cap.seen", "cap:7")
    found = session.execute(
        text(
            "select actor, action, before, after, request_id from audit_entry where subject = 'cap:7' order by 1"
        )
    )
    assert [tuple(row) for row in found] == [
        ("staff:1", "cap.changed", {"points": 100}, {"points": 200}, "req-1"),
        ("system", "cap.seen", None, None, None),
    ]
    nulls = session.execute(text("select count(*) from audit_entry where before is null")).scalar_one()
    assert nulls == 1


@pytest.mark.parametrize(
    "change", ["update audit_entry set actor = 'x'", "delete from audit_entry", "truncate audit_entry"]
)
def test_a_deed_cannot_be_altered(session: Session, change: str) -> None:
    audit.record(session, "staff:1", "cap.changed", "cap:7")
    session.commit()
    with pytest.raises(DBAPIError):
        session.execute(text(change))
