"""Dated policy. A row is never edited: a successor closes it by its `until` date."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CHAR, BigInteger, Computed, ForeignKey, Identity, Numeric, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class EarningRate(Model):
    """Points for a milligram, by family and evidence class, paid out of one fund, maturing after some days."""

    __tablename__ = "earning_rate"

    rate_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    family: Mapped[str] = mapped_column(Text)
    evidence_class: Mapped[str] = mapped_column(CHAR(1))
    points_per_mg: Mapped[Decimal] = mapped_column(Numeric(18, 12))
    mature_days: Mapped[int] = mapped_column(SmallInteger)
    in_force: Mapped[date]
    until: Mapped[date | None]
    fund_id: Mapped[int] = mapped_column(ForeignKey("fund.fund_id"))
    fund_kind: Mapped[str] = mapped_column(Text, Computed("'general'", persisted=True))
    approval_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))


class Cap(Model):
    """The most that counts in a day, month or year: science caps bind grams and points, policy caps base points."""

    __tablename__ = "cap"

    cap_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    period: Mapped[str] = mapped_column(Text, server_default="day")
    most: Mapped[int] = mapped_column(BigInteger)
    in_force: Mapped[date]
    until: Mapped[date | None]
    approval_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("approval.approval_id"))
