"""The one session: what was read stays as it was read, and a reading writes nothing."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.db import reading
from tests.statements import asked_of


def test_rows_may_be_looked_at_after_a_reading_without_asking_again(session: Session) -> None:
    for number in range(5):
        audit.record(session, "staff:1", "cap.changed", f"cap:{number}")
    session.commit()
    session.expunge_all()
    with asked_of(session.get_bind()) as asked:
        with reading() as read:
            found = read.scalars(select(AuditEntry).order_by(AuditEntry.audit_id)).all()
        assert [row.subject for row in found] == [f"cap:{number}" for number in range(5)]
    assert len(asked) == 1


def test_what_a_reading_writes_by_mistake_is_undone(session: Session) -> None:
    with reading() as read:
        audit.record(read, "staff:1", "cap.changed", "cap:7")
        read.flush()
    assert session.execute(text("select count(*) from audit_entry")).scalar_one() == 0
