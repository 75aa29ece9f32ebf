"""The record of answers already given: one row for an actor, an operation and the key a client chose."""

from datetime import datetime

from sqlalchemy import DateTime, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class IdempotencyKey(Model):
    """Written in the transaction of the effect it stands for, so that both exist or neither."""

    __tablename__ = "idempotency_key"

    actor: Mapped[str] = mapped_column(Text, primary_key=True)
    operation: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
