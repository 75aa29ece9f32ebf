"""The tables of hubs: the stations they are made of, what a month of trips there came to, names that feeds tell."""

from datetime import date, datetime

from sqlalchemy import Date, DateTime, ForeignKey, Identity, Integer, LargeBinary, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)


class HubStation(Model):
    """A station or stop of a feed is part of a hub from a month on, to the month before `to_month`."""

    __tablename__ = "hub_station"

    hub_station_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    group_id: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"))
    station: Mapped[str] = mapped_column(Text)
    from_month: Mapped[date] = mapped_column(Date)
    to_month: Mapped[date | None] = mapped_column(Date)
    named_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    ended_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    changed_at: Mapped[datetime] = mapped_column(_INSTANT)


class HubMonth(Model):
    """Trips that began or ended at a hub in a month, as they may be shown; None where they may not. Never changed."""

    __tablename__ = "hub_month"

    group_id: Mapped[int] = mapped_column(Integer, ForeignKey("resident_group.group_id"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    people: Mapped[int | None] = mapped_column(Integer)
    trips: Mapped[int | None] = mapped_column(Integer)
    bound: Mapped[int | None] = mapped_column(Integer)
    query_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    counted_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=text("clock_timestamp()"))


class HubMonthPart(Model):
    """The same of one methodology, where anybody travelled by it. Never changed."""

    __tablename__ = "hub_month_part"

    group_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    methodology: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    people: Mapped[int | None] = mapped_column(Integer)
    trips: Mapped[int | None] = mapped_column(Integer)


class FeedStation(Model):
    """A station's name as a feed tells it, with the newest month in which a trip began or ended there."""

    __tablename__ = "feed_station"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    station: Mapped[str] = mapped_column(Text, primary_key=True)
    last_month: Mapped[date] = mapped_column(Date)
