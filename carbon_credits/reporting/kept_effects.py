"""Reports of campaigns as the night finds them, so that a page reads a row and not a million acts.

A campaign is reported on from the day after its first until its lasting effect and its late records are in.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import day_of
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.reporting.campaigns import AfterAction, after_action, as_document, of_document
from carbon_credits.reporting.effect_models import CampaignEffect
from carbon_credits.reporting.effects import LASTING_DAYS

# partners tell up to 35 days late, and a file may wait a few more
LATE_DAYS: Final = 40
DUE: Final = text("""
select c.campaign_id, c.code from campaign c
where c.launched_at is not null and c.starts_on < :today
  and :today <= coalesce((c.ended_at at time zone 'Asia/Shanghai')::date, c.ends_on) + :days
  and not exists (select from campaign_effect e where e.campaign_id = c.campaign_id and e.as_of = :today)
order by c.campaign_id limit 1
""")


@dataclass(frozen=True)
class Kept:
    """A report and the day as of which it speaks."""

    as_of: date
    report: AfterAction


def compute_next(session: Session, now: datetime) -> int:
    """Report on one campaign that has had no report today; 0 when there is none."""
    today = day_of(now)
    due = session.execute(DUE, {"today": today, "days": LASTING_DAYS + LATE_DAYS}).one_or_none()
    if due is None:
        return 0
    report = as_document(after_action(session, due.code, today))
    session.execute(insert(CampaignEffect).values(campaign_id=due.campaign_id, as_of=today, report=report))
    return 1


def newest(session: Session, code: str) -> Kept | None:
    """The newest report of a campaign; None before the first."""
    asked = select(CampaignEffect).join(Campaign, Campaign.campaign_id == CampaignEffect.campaign_id)
    asked = asked.where(Campaign.code == code).order_by(CampaignEffect.as_of.desc()).limit(1)
    found = session.scalars(asked).first()
    return None if found is None else Kept(found.as_of, of_document(found.report))
