"""A session for reads: what was read is not asked for again, and what was written by mistake is undone."""

from flask import Flask
from sqlalchemy import event, select

from carbon_credits.core import audit
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.db import database, reading, transaction


def test_what_was_read_is_not_asked_for_again(bare_app: Flask, empty: None) -> None:
    asked: list[str] = []
    with bare_app.app_context():
        with transaction() as session:
            for number in range(5):
                audit.record(session, "tests", "tried", f"thing:{number}")
        with reading() as session:
            found = session.scalars(select(AuditEntry).order_by(AuditEntry.audit_id)).all()

        def note(*given: object) -> None:
            asked.append(str(given[2]))

        event.listen(database.engine, "before_cursor_execute", note)
        assert [entry.subject for entry in found] == [f"thing:{number}" for number in range(5)]
        event.remove(database.engine, "before_cursor_execute", note)
        database.session.remove()
        database.engine.dispose()
    assert asked == []


def test_what_was_written_while_reading_is_undone(bare_app: Flask, empty: None) -> None:
    with bare_app.app_context():
        with reading() as session:
            audit.record(session, "tests", "tried", "thing:1")
        with reading() as session:
            assert session.scalars(select(AuditEntry.subject)).all() == []
        database.session.remove()
        database.engine.dispose()
