"""Exports' tables: what was asked for (tables, an evaluation's papers), what became of it, and its bytes."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)


class ExportState(Model):
    """Which state of an export may follow which."""

    __tablename__ = "export_state"

    follows: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True)


class ExportAsked(Model):
    """A file somebody asked for: asked → running → done or failed; done → expired, when its bytes are erased.

    Of one `once` there is one that waits, is written or is kept. `rows_done` goes up to `parts` where those are known.
    """

    __tablename__ = "export"

    export_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    asked_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    kind: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    filters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    streets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(Text, server_default=text("'asked'"))
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    once: Mapped[str | None] = mapped_column(Text)
    rows_done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    parts: Mapped[int | None] = mapped_column(Integer)
    size: Mapped[int | None] = mapped_column(BigInteger)
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    fault: Mapped[str | None] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=text("clock_timestamp()"))
    started_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    finished_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    expires_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    erased_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))


class ExportPiece(Model):
    """A piece of what was written, at most a mebibyte, in order."""

    __tablename__ = "export_piece"

    export_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("export.export_id"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
