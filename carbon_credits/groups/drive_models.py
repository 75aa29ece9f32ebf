"""The tables of creation drives and of dossiers: what is asked, who asked, who applied, what was found."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class Drive(Model):
    """One of the plan's seven creation drives, and which kinds of group may take part."""

    __tablename__ = "drive"

    drive: Mapped[str] = mapped_column(Text, primary_key=True)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))


class Criterion(Model):
    """What a drive asks from a day on. `threshold` is in the unit that ends the figure's name; never changed."""

    __tablename__ = "drive_criterion"

    drive: Mapped[str] = mapped_column(Text, ForeignKey("drive.drive"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    in_force: Mapped[date] = mapped_column(Date, primary_key=True)
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    filled: Mapped[str] = mapped_column(Text)
    figure: Mapped[str | None] = mapped_column(Text)
    threshold: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    assumed: Mapped[bool] = mapped_column(Boolean)
    approval_id: Mapped[int | None] = mapped_column(BigInteger)


class DriveApplication(Model):
    """A group asks to be on a drive's list of a year."""

    __tablename__ = "drive_application"

    application_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    drive: Mapped[str] = mapped_column(Text, ForeignKey("drive.drive"))
    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    criteria_on: Mapped[date] = mapped_column(Date)
    made_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'applied'"))
    reviewed_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    review: Mapped[str | None] = mapped_column(Text)
    approval_id: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class DriveRequest(Model):
    """Who runs a group asks that it be put forward for a drive's list of a year. Answered, it is history."""

    __tablename__ = "drive_request"

    request_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    drive: Mapped[str] = mapped_column(Text, ForeignKey("drive.drive"))
    group_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    year: Mapped[int] = mapped_column(SmallInteger)
    asked_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    state: Mapped[str] = mapped_column(Text, server_default=text("'asked'"))
    decided_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    reason: Mapped[str | None] = mapped_column(Text)
    application_id: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class DriveAnswer(Model):
    """What was found or declared of one criterion; the newest counts. Never changed."""

    __tablename__ = "drive_answer"

    answer_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    application_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("drive_application.application_id"))
    drive: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    in_force: Mapped[date] = mapped_column(Date)
    value: Mapped[int | None] = mapped_column(BigInteger)
    met: Mapped[bool | None] = mapped_column(Boolean)
    document: Mapped[str | None] = mapped_column(Text)
    document_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    said_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class DossierFigure(Model):
    """Where a hub or a pilot began, or wants to be: a whole number with unit, year and source. Never changed."""

    __tablename__ = "dossier_figure"

    figure_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    year: Mapped[int] = mapped_column(SmallInteger)
    value: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text)
    said_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
