"""The audit keeps what was done, and keeps it as it was."""

from datetime import date
from typing import Any

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


def test_deeds_are_found_by_the_programmes_days_to_the_instant(session: Session) -> None:
    session.execute(
        text("""
            insert into audit_entry (at, actor, action, subject) values
              ('2026-05-31 15:59:59.999Z', 'a', 'x.y', 'before'), ('2026-05-31 16:00Z', 'a', 'x.y', 'first'),
              ('2026-06-01 15:59:59.999Z', 'b', 'x.z', 'last'), ('2026-06-01 16:00Z', 'b', 'x.z', 'after')
        """)
    )
    day = date(2026, 6, 1)

    def found(most: int = 9, before: int | None = None, **wanted: Any) -> list[str]:
        return [one.subject for one in audit.search(session, audit.Wanted(**wanted), most, before)]

    assert found(first=day, last=day) == ["last", "first"]
    assert found(first=day) == ["after", "last", "first"]
    assert found(last=day) == ["last", "first", "before"]
    assert found(first=date(2027, 1, 1)) == []
    assert found(actor="a", last=day) == ["first", "before"]
    newest = audit.search(session, audit.Wanted(), 1)[0]
    assert found(2, newest.audit_id) == ["last", "first"]
    assert audit.actions(session) == ["x.y", "x.z"]
