"""The table of reports of campaigns, one a night while anything of them may still change."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Integer, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from carbon_credits.core.db import Model


class CampaignEffect(Model):
    """What was known of a campaign on a day. Never changed."""

    __tablename__ = "campaign_effect"

    campaign_id: Mapped[int] = mapped_column(Integer, ForeignKey("campaign.campaign_id"), primary_key=True)
    as_of: Mapped[date] = mapped_column(primary_key=True)
    computed_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=text("clock_timestamp()")
    )
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
