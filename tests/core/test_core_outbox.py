"""What must leave the house leaves at least once, whatever dies on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock, outbox
from carbon_credits.core.db import transaction
from carbon_credits.core.messages import NotDelivered
from carbon_credits.core.outbox import Delivery, Message

LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Receiver:
    """The other side: takes what it is given, after saying no as often as it was told to."""

    def __init__(self, refusals: int = 0, *, permanent: bool = False) -> None:
        self.taken: list[Message] = []
        self.refusals, self.permanent = refusals, permanent

    def __call__(self, message: Message) -> None:
        if self.refusals:
            self.refusals -= 1
            raise NotDelivered("said_no", permanent=self.permanent)
        self.taken.append(message)


def rows(session: Session) -> list[tuple[str, int, str | None]]:
    """State, attempts and last error of each row."""
    session.rollback()
    found = session.execute(text("select state, attempts, last_error from outbox order by outbox_id"))
    return [(row.state, row.attempts, row.last_error) for row in found]


def test_what_is_due_is_delivered_and_gone(session: Session) -> None:
    number = outbox.put(session, "sms.code", {"n": 1}, b"sealed")
    session.commit()
    receiver = Receiver()
    assert outbox.deliver_due({"sms.code": receiver}, clock.now) == Delivery(delivered=1)
    assert receiver.taken == [Message(number, "sms.code", {"n": 1}, b"sealed", 1)]
    assert rows(session) == []


def test_what_was_rolled_back_never_leaves(session: Session) -> None:
    outbox.put(session, "sms.code", {})
    session.rollback()
    assert outbox.deliver_due({"sms.code": Receiver()}, clock.now) == Delivery()


def test_what_nobody_handles_stays(session: Session) -> None:
    outbox.put(session, "other.topic", {})
    session.commit()
    assert outbox.deliver_due({"sms.code": Receiver()}, clock.now) == Delivery()
    assert rows(session) == [("waiting", 0, None)]


def test_a_refusal_comes_back_each_time_twice_as_late(session: Session) -> None:
    outbox.put(session, "sms.code", {})
    session.commit()
    receiver, now = Receiver(refusals=3), LATER
    waits = []
    for _ in range(3):
        assert outbox.deliver_due({"sms.code": receiver}, lambda at=now: at) == Delivery(failed=1)  # type: ignore[misc]
        due = session.execute(text("select next_at from outbox")).scalar_one()
        session.rollback()
        waits.append((due - now).total_seconds())
        now = due
    assert waits == [2, 4, 8]
    assert rows(session) == [("waiting", 3, "said_no")]
    assert outbox.deliver_due({"sms.code": receiver}, lambda: now) == Delivery(delivered=1)


def test_after_so_many_refusals_a_row_is_dead(session: Session) -> None:
    outbox.put(session, "sms.code", {})
    session.commit()
    receiver, now = Receiver(refusals=100), LATER
    for _ in range(outbox.MOST_ATTEMPTS + 3):
        now += timedelta(days=1)
        outbox.deliver_due({"sms.code": receiver}, lambda at=now: at)  # type: ignore[misc]
    assert rows(session) == [("dead", outbox.MOST_ATTEMPTS, "said_no")]


def test_a_refusal_for_good_is_final(session: Session) -> None:
    outbox.put(session, "sms.code", {})
    session.commit()
    outbox.deliver_due({"sms.code": Receiver(refusals=1, permanent=True)}, clock.now)
    assert rows(session) == [("dead", 1, "said_no")]


def test_a_handler_that_falls_over_is_called_again_and_not_for_ever(session: Session) -> None:
    outbox.put(session, "sms.code", {})
    session.commit()

    def falls_over(message: Message) -> None:
        raise ZeroDivisionError

    now = LATER
    for _ in range(outbox.MOST_ATTEMPTS):
        with pytest.raises(ZeroDivisionError):
            outbox.deliver_due({"sms.code": falls_over}, lambda at=now: at)  # type: ignore[misc]
        assert outbox.deliver_due({"sms.code": falls_over}, lambda at=now: at) == Delivery()  # type: ignore[misc]
        now += outbox.CLAIM
    assert outbox.deliver_due({"sms.code": falls_over}, lambda: now) == Delivery()
    assert rows(session) == [("dead", outbox.MOST_ATTEMPTS, "never_came_back")]


def test_no_transaction_is_open_while_the_call_is_made(session: Session, owner_url: str) -> None:
    outbox.put(session, "sms.code", {})
    session.commit()
    open_now: list[bool] = []
    opened: list[bool] = [False]

    @contextmanager
    def watched() -> Iterator[Session]:
        with transaction() as own:
            opened[0] = True
            yield own
        opened[0] = False

    def handler(message: Message) -> None:
        open_now.append(opened[0])

    outbox.deliver_due({"sms.code": handler}, clock.now, opened=watched)
    assert open_now == [False]


def test_four_deliverers_at_once_deliver_each_row_once(session: Session, bare_app: Flask) -> None:
    for n in range(60):
        outbox.put(session, "sms.code", {"n": n})
    session.commit()
    receiver = Receiver()

    def deliver() -> None:
        with bare_app.app_context():
            outbox.deliver_due({"sms.code": receiver}, clock.now)

    threads = [Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(message.payload["n"] for message in receiver.taken) == list(range(60))
    assert rows(session) == []
