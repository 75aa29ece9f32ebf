"""The tables of what is told of one record more than once: its versions, its pieces, and what took it back."""

from datetime import date, datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

Instant = DateTime(timezone=True)


class ActVersion(Model):
    """Which act a version of a record told; what was told first has no row and is version 1."""

    __tablename__ = "act_version"

    source_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    resident_id: Mapped[int] = mapped_column(BigInteger)
    occurred_on: Mapped[date]
    told_at: Mapped[datetime] = mapped_column(Instant)


class ActPiece(Model):
    """A thing told apart that is part of a record by now."""

    __tablename__ = "act_piece"

    source_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    piece_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class ActWithdrawal(Model):
    """What took a record back: a later version of its file, a piece that is gone, or a record that says so."""

    __tablename__ = "act_withdrawal"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    by_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cause: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
