"""The tables of groups: who they are, who belongs from when to when, and what a month came to."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Computed,
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


class GroupStep(Model):
    """Which state may follow which, for every machine of this room."""

    __tablename__ = "group_state"

    machine: Mapped[str] = mapped_column(Text, primary_key=True)
    follows: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True)


class Group(Model):
    """People who act together. A part (a class, a building) is of the kind of its whole; there is no third level."""

    __tablename__ = "resident_group"

    group_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    parent_id: Mapped[int | None] = mapped_column(Integer)
    is_part: Mapped[bool] = mapped_column(Boolean, Computed("parent_id is not null", persisted=True))
    of_whole: Mapped[bool | None] = mapped_column(
        Boolean, Computed("case when parent_id is not null then false end", persisted=True)
    )
    listed: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    founder_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    made_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'applied'"))
    state_reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    made_on: Mapped[date] = mapped_column(Date)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class GroupSize(Model):
    """How many people a group has on a day, and who says so. Never changed."""

    __tablename__ = "group_size"

    size_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"))
    as_of: Mapped[date] = mapped_column(Date)
    people: Mapped[int] = mapped_column(Integer)
    source: Mapped[str] = mapped_column(Text)
    said_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))


class JoinCode(Model):
    """The keyed digest of a code that lets people in, so many times, until an instant."""

    __tablename__ = "join_code"

    code_mac: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"))
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    expires_at: Mapped[datetime] = mapped_column(_INSTANT)
    most: Mapped[int] = mapped_column(Integer)
    used: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)


class GroupRequest(Model):
    """A resident asks to be let in without a code."""

    __tablename__ = "group_request"

    request_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"))
    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"))
    asked_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    state: Mapped[str] = mapped_column(Text, server_default=text("'asked'"))
    decided_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))


class Membership(Model):
    """Somebody belongs to a group from a day on, to the day before `to_on`. Ended, it is history."""

    __tablename__ = "membership"

    resident_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("resident.resident_id"), primary_key=True)
    membership_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date] = mapped_column(Date)
    to_on: Mapped[date | None] = mapped_column(Date)
    how: Mapped[str] = mapped_column(Text)
    sealed_name: Mapped[bytes | None] = mapped_column(LargeBinary)


class GroupMonth(Model):
    """What members did in a month, on days on which they belonged; milligrams. `people` is what a head is counted by."""

    __tablename__ = "group_month"

    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    members: Mapped[int] = mapped_column(Integer)
    active: Mapped[int] = mapped_column(Integer)
    people: Mapped[int] = mapped_column(Integer)
    verified_mg: Mapped[int] = mapped_column(BigInteger)
    claimed_mg: Mapped[int] = mapped_column(BigInteger)
    removal_mg: Mapped[int] = mapped_column(BigInteger)
    # the two largest of those whose sums they are; empty in months computed before they were kept
    verified_two: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    claimed_two: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    removal_two: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    travel_mg: Mapped[int] = mapped_column(BigInteger)
    recycling_mg: Mapped[int] = mapped_column(BigInteger)
    computed_on: Mapped[date] = mapped_column(Date)
