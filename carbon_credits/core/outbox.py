"""What must leave the house is a row of the transaction that decided it, and goes out afterwards.

Delivery is at least once: a row is claimed by moving its next time forward, the call is made with no
transaction open, and the row is deleted when the other side has taken it. A process that dies in between
leaves the row to be claimed again.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    DateTime,
    Identity,
    LargeBinary,
    SmallInteger,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core.db import Model, transaction
from carbon_credits.core.messages import NotDelivered

MOST_ATTEMPTS: Final = 10
CLAIM: Final = timedelta(seconds=60)
FIRST_WAIT: Final = timedelta(seconds=2)
LONGEST_WAIT: Final = timedelta(minutes=10)


class OutboxRow(Model):
    """One thing to deliver. `payload` holds nothing personal; `sealed` may."""

    __tablename__ = "outbox"

    outbox_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    topic: Mapped[str] = mapped_column(Text)
    payload: Mapped[Any] = mapped_column(JSONB, server_default=text("'{}'"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    next_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    last_error: Mapped[str | None] = mapped_column(Text)


@dataclass(frozen=True)
class Message:
    """A claimed row, as its handler sees it. `attempt` counts from 1; `outbox_id` never repeats."""

    outbox_id: int
    topic: str
    payload: Mapping[str, Any]
    sealed: bytes | None
    attempt: int


Clock = Callable[[], datetime]
Handler = Callable[[Message], None]
Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Delivery:
    """What one round did."""

    delivered: int = 0
    failed: int = 0


def put(session: Session, topic: str, payload: Mapping[str, Any], sealed: bytes | None = None) -> int:
    """Write down what must leave the house; returns its number."""
    statement = insert(OutboxRow).values(topic=topic, payload=dict(payload), sealed=sealed)
    return session.execute(statement.returning(OutboxRow.outbox_id)).scalar_one()


def deliver_due(
    handlers: Mapping[str, Handler],
    clock: Clock,
    *,
    most: int = 500,
    opened: Transaction = transaction,
) -> Delivery:
    """Deliver what is due, one at a time, until nothing is or `most` have been tried.

    A handler raises NotDelivered to be called again later. Anything else it raises is a fault of ours and
    passes through: the row stays claimed, comes back, and is dead after MOST_ATTEMPTS like any other.
    """
    delivered = failed = 0
    while delivered + failed < most:
        with opened() as session:
            message = claim(session, list(handlers), clock())
        if message is None:
            break
        try:
            handlers[message.topic](message)
        except NotDelivered as error:
            failed += 1
            with opened() as session:
                put_off(session, message, error, clock())
            continue
        delivered += 1
        with opened() as session:
            session.execute(delete(OutboxRow).where(OutboxRow.outbox_id == message.outbox_id))
    return Delivery(delivered, failed)


def claim(session: Session, topics: list[str], now: datetime) -> Message | None:
    """Take the oldest due row of these topics for CLAIM; rows that were tried too often become dead."""
    while True:
        row = session.execute(_next_due(topics, now)).scalar_one_or_none()
        if row is None:
            return None
        if row.attempts < MOST_ATTEMPTS:
            row.attempts += 1
            row.next_at = now + CLAIM
            session.flush()
            return Message(row.outbox_id, row.topic, row.payload, row.sealed, row.attempts)
        # it was claimed for the last time and never came back: its handler fell over
        row.state, row.last_error = "dead", row.last_error or "never_came_back"
        session.flush()


def put_off(session: Session, message: Message, error: NotDelivered, now: datetime) -> None:
    """Not taken: again later, each time twice as late, or dead."""
    dead = error.permanent or message.attempt >= MOST_ATTEMPTS
    state: Literal["dead", "waiting"] = "dead" if dead else "waiting"
    wait = min(FIRST_WAIT * 2 ** (message.attempt - 1), LONGEST_WAIT)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.outbox_id == message.outbox_id, OutboxRow.attempts == message.attempt)
        .values(state=state, next_at=now + wait, last_error=error.reason[:200])
    )


def _next_due(topics: list[str], now: datetime) -> Any:
    return (
        select(OutboxRow)
        .where(OutboxRow.state == "waiting", OutboxRow.next_at <= now, OutboxRow.topic.in_(topics))
        .order_by(OutboxRow.next_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
