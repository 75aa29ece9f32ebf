"""Partners' tables: who they are, their feeds and clients, the files they sent, the records set aside."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    CHAR,
    BigInteger,
    Date,
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


class PartnerKey(Model):
    """An Ed25519 key by which a partner's manifests are known; a revoked one is kept and refused."""

    __tablename__ = "partner_key"

    key_id: Mapped[str] = mapped_column(Text, primary_key=True)
    partner_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("partner.partner_id"))
    public_key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    added_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    revoked_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class PartnerFile(Model):
    """A file by the digest of its bytes. What goes with a manifest is null for one brought by hand."""

    __tablename__ = "partner_file"

    file_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str] = mapped_column(Text)
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)
    bytes: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="seen")
    fault: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    counts: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    received_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    finished_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    seq: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int | None] = mapped_column(SmallInteger)
    service_date: Mapped[date | None] = mapped_column(Date)
    rows: Mapped[int | None] = mapped_column(BigInteger)
    complete_through: Mapped[datetime | None] = mapped_column(_INSTANT)
    manifest: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    key_id: Mapped[str | None] = mapped_column(Text, ForeignKey("partner_key.key_id"))
    arrived: Mapped[str | None] = mapped_column(Text)
    waived: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    corrected: Mapped[int | None]
    voided: Mapped[int | None]
    acked: Mapped[str | None] = mapped_column(Text)
    left_out: Mapped[int | None] = mapped_column(BigInteger)


class PartnerFileState(Model):
    """Which state of a file may follow which."""

    __tablename__ = "partner_file_state"

    state: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)


class FeedWatermark(Model):
    """How far a feed is known to be complete; it never goes back."""

    __tablename__ = "feed_watermark"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    complete_through: Mapped[datetime] = mapped_column(_INSTANT)
    moved_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class PartnerFileReject(Model):
    """A refused row of a file, by its place among the file's items."""

    __tablename__ = "partner_file_reject"

    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("partner_file.file_id"), primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int | None]
    reasons: Mapped[list[str]] = mapped_column(ARRAY(Text))


class RecordCorrection(Model):
    """A record that a later version of its file took back (`void`) or told otherwise (`correct`)."""

    __tablename__ = "record_correction"

    file_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("partner_file.file_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    kind: Mapped[str] = mapped_column(Text)
    noted_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    settled_at: Mapped[datetime | None] = mapped_column(_INSTANT)


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


class FeedSecret(Model):
    """What a feed's pushes are known by, a set of values sealed as one; a set that ended is kept and refused."""

    __tablename__ = "feed_secret"

    secret_id: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    scheme: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    ends_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class FeedPushSeen(Model):
    """A number that a push used, and the digest of what it was used for."""

    __tablename__ = "feed_push_seen"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    nonce: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    until: Mapped[datetime] = mapped_column(_INSTANT)
