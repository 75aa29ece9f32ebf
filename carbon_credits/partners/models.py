"""Partners' tables: who they are, their feeds and clients, the files they sent, the records set aside."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_NOW = text("clock_timestamp()")
_INSTANT = DateTime(timezone=True)


class Partner(Model):
    """Who sends records."""

    __tablename__ = "partner"

    partner_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(Text, unique=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")


class Source(Model):
    """One stream of acts: 0 is the residents' own app, every other a partner's feed."""

    __tablename__ = "source"

    source_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    partner_id: Mapped[int | None] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"))
    feed: Mapped[str] = mapped_column(Text, unique=True)
    evidence_class: Mapped[str] = mapped_column(CHAR(1))
    methodologies: Mapped[list[str]] = mapped_column(ARRAY(Text))
    late_days: Mapped[int] = mapped_column(SmallInteger)


class PartnerClient(Model):
    """What a partner signs in with; only the keyed digest of its secret is kept."""

    __tablename__ = "partner_client"

    client_id: Mapped[str] = mapped_column(Text, primary_key=True)
    partner_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"))
    secret_mac: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class PartnerFile(Model):
    """A file by the digest of its bytes; `seen` until it is applied or refused."""

    __tablename__ = "partner_file"

    file_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="seen")
    fault: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    counts: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    received_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    finished_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class RecordSetAside(Model):
    """A record that is no act: refused, waiting, or placed since."""

    __tablename__ = "record_set_aside"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    file_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("partner_file.file_id"))
    line: Mapped[int | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
