"""The table of those who work for the programme."""

from datetime import datetime

from sqlalchemy import ARRAY, DateTime, Identity, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class Staff(Model):
    """One member of staff; a name is used once and never for another person."""

    __tablename__ = "staff"

    staff_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, server_default="active")
    created_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
