"""Coverage's tables: what stood behind the points at a moment, for the whole and for each fund."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class CoverageReading(Model):
    """One moment: points outstanding, and what they would cost (micro-fen) at the value in force. Never changed."""

    __tablename__ = "coverage_reading"

    reading_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    read_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    value_micro_fen: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    owed_micro_fen: Mapped[int] = mapped_column(BigInteger)


class CoverageFund(Model):
    """The same of one fund: its points, what they were paid with, how fast it is granted. Never changed."""

    __tablename__ = "coverage_fund"

    reading_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("coverage_reading.reading_id"), primary_key=True, autoincrement=False
    )
    fund_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("fund.fund_id"), primary_key=True, autoincrement=False
    )
    points: Mapped[int] = mapped_column(BigInteger)
    not_granted: Mapped[int] = mapped_column(BigInteger)
    deposits_fen: Mapped[int] = mapped_column(BigInteger)
    spent_micro_fen: Mapped[int] = mapped_column(BigInteger)
    reserved_micro_fen: Mapped[int] = mapped_column(BigInteger)
    granted_28: Mapped[int] = mapped_column(BigInteger)
