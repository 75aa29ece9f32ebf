"""Rollups' tables: sums of what journals say, made to be read at a glance. All of it can be computed anew."""

from datetime import date, datetime

from sqlalchemy import CHAR, BigInteger, Date, DateTime, Integer, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_ZERO = text("0")
_INSTANT = DateTime(timezone=True)


class RollupDay(Model):
    """Acts of one day, methodology, street and pool as they are credited now; `reversals` were taken back."""

    __tablename__ = "rollup_day"

    occurred_on: Mapped[date] = mapped_column(Date, primary_key=True)
    methodology: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    street: Mapped[str] = mapped_column(Text, primary_key=True)
    pool: Mapped[str] = mapped_column(CHAR(1), primary_key=True)
    acts: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    people: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    mg: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    points: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    reversals: Mapped[int] = mapped_column(Integer, server_default=_ZERO)


class RollupPeople(Model):
    """Distinct residents with a credited act in one day or month, by street."""

    __tablename__ = "rollup_people"

    period: Mapped[str] = mapped_column(Text, primary_key=True)
    starts_on: Mapped[date] = mapped_column(Date, primary_key=True)
    street: Mapped[str] = mapped_column(Text, primary_key=True)
    people: Mapped[int] = mapped_column(Integer, server_default=_ZERO)


class RollupResident(Model):
    """A resident the rollups know: under which street, and the first and last day of a credited act."""

    __tablename__ = "rollup_resident"

    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    street: Mapped[str] = mapped_column(Text)
    first_on: Mapped[date | None]
    last_on: Mapped[date | None]
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)


class RollupShard(Model):
    """How far one shard is rolled up, and how many of its residents came how far."""

    __tablename__ = "rollup_shard"

    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    journal_id: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
    rolled_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    counted_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    registered: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    acted: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    credited: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    redeemed: Mapped[int] = mapped_column(Integer, server_default=_ZERO)
    active: Mapped[int] = mapped_column(Integer, server_default=_ZERO)


class RollupRegistered(Model):
    """How many enrolled residents of a shard named a street."""

    __tablename__ = "rollup_registered"

    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    street: Mapped[str] = mapped_column(Text, primary_key=True)
    residents: Mapped[int]


class RollupFund(Model):
    """Points a fund granted in what was booked on a day, less what was taken back."""

    __tablename__ = "rollup_fund"

    fund_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    booked_on: Mapped[date] = mapped_column(Date, primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger, server_default=_ZERO)
