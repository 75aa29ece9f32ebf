"""Tables of campaigns: their terms and states, what they take for themselves, when they paused, whom they are for."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model

_INSTANT = DateTime(timezone=True)
_NOW = text("clock_timestamp()")


class CampaignStep(Model):
    """Which state may follow which."""

    __tablename__ = "campaign_state"

    follows: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, primary_key=True)


class Campaign(Model):
    """Points per act beside the base, from one day through another; its terms change in a draft alone."""

    __tablename__ = "campaign"

    campaign_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    theme: Mapped[str] = mapped_column(Text)
    name_zh: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str] = mapped_column(Text)
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    rules_zh: Mapped[str] = mapped_column(Text)
    rules_en: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    methodologies: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    reward: Mapped[str] = mapped_column(Text)
    multiplier: Mapped[Decimal | None] = mapped_column(Numeric(6, 3))
    bonus_points: Mapped[int | None] = mapped_column(BigInteger)
    audience: Mapped[str] = mapped_column(Text)
    streets: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    group_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("resident_group.group_id"))
    audience_days: Mapped[int | None] = mapped_column(SmallInteger)
    cap_day: Mapped[int | None] = mapped_column(BigInteger)
    cap_week: Mapped[int | None] = mapped_column(BigInteger)
    cap_total: Mapped[int | None] = mapped_column(BigInteger)
    budget_points: Mapped[int] = mapped_column(BigInteger)
    source_fund_id: Mapped[int] = mapped_column(Integer)
    source_kind: Mapped[str] = mapped_column(Text, Computed("'general'", persisted=True))
    fund_id: Mapped[int | None] = mapped_column(Integer)
    fund_kind: Mapped[str] = mapped_column(Text, Computed("'campaign'", persisted=True))
    holdout_ppm: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    made_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    state: Mapped[str] = mapped_column(Text, server_default=text("'draft'"))
    state_reason: Mapped[str | None] = mapped_column(Text)
    approval_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
    launched_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    ended_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    end_cause: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    made_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    changed_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)


class CampaignScope(Model):
    """Acts that a campaign has for itself: a methodology, a street (or `none`), a period. Written by a trigger alone."""

    __tablename__ = "campaign_scope"

    campaign_id: Mapped[int] = mapped_column(Integer, ForeignKey("campaign.campaign_id"), primary_key=True)
    methodology: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    street: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[Range[Any]] = mapped_column(DATERANGE)


class CampaignPause(Model):
    """While a campaign paused: acts that end meanwhile get nothing of it."""

    __tablename__ = "campaign_pause"

    campaign_id: Mapped[int] = mapped_column(Integer, ForeignKey("campaign.campaign_id"), primary_key=True)
    from_at: Mapped[datetime] = mapped_column(_INSTANT, primary_key=True)
    to_at: Mapped[datetime | None] = mapped_column(_INSTANT)
    why: Mapped[str] = mapped_column(Text)
    paused_by: Mapped[int] = mapped_column(Integer, ForeignKey("staff.staff_id"))
    resumed_by: Mapped[int | None] = mapped_column(Integer, ForeignKey("staff.staff_id"))


class CampaignAudience(Model):
    """Who was in a campaign, on which side, since its launch or their first act of it. Never changed."""

    __tablename__ = "campaign_audience"

    campaign_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    resident_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    side: Mapped[str] = mapped_column(Text)
    at_launch: Mapped[bool] = mapped_column(Boolean)
    frozen_at: Mapped[datetime] = mapped_column(_INSTANT, server_default=_NOW)
    shard_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
