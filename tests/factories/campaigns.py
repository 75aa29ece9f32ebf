"""Campaigns on any days, past ones too, that went the whole way: drafted, proposed, approved by another, launched."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from carbon_credits.core import approvals
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.crediting import campaigning
from carbon_credits.programme import campaigns
from carbon_credits.programme.campaign_models import Campaign


def a_document(**given: Any) -> dict[str, Any]:
    """The terms of a campaign as a person writes them; what is given takes the place of what is here."""
    return {
        "code": "earth",
        "theme": "earth_day",
        "name_zh": "世界地球日",
        "name_en": "Earth Day",
        "text_zh": "绿色出行，积分加倍。",
        "text_en": "Travel green and earn more points.",
        "rules_zh": "预算用完即提前结束。",
        "rules_en": "It ends early when its budget is spent.",
        "starts_on": "2027-04-20",
        "ends_on": "2027-04-26",
        "methodologies": ["travel.cycling", "travel.metro"],
        "reward": "multiplier",
        "multiplier": "1.5",
        "audience": "everyone",
        "budget_points": 10_000,
        "source_fund": "base",
        **given,
    }


def pin_lots(patch: pytest.MonkeyPatch, salt: bytes) -> None:
    """Have every campaign draw this salt, so that the same people are held out whenever the test is run.

    A test that compares two groups of people needs it: of salts drawn by chance one in twenty shows an effect that is
    none.
    """
    patch.setattr("carbon_credits.programme.campaigns.draw_salt", lambda: salt)


def approved(session: Session, people: tuple[int, int], **given: Any) -> Campaign:
    """A campaign that a second person approved on the day before it starts."""
    drafted = campaigns.draft(session, a_document(**given), people[0])
    eve = drafted.starts_on - timedelta(days=1)
    proposed = campaigns.propose(session, drafted.campaign_id, 1, "for a test", people[0], eve)
    approvals.decide(session, proposed.approval_id, people[1], approve=True)
    return campaigning.enact(session, proposed.approval_id, proposed.payload, eve)


def launched(session: Session, people: tuple[int, int], **given: Any) -> Campaign:
    """A campaign that runs, launched as its first day began."""
    campaign = approved(session, people, **given)
    begins = datetime.combine(campaign.starts_on, datetime.min.time(), PROGRAMME_ZONE)
    assert campaigning.launch_due(session, begins) == 1
    session.refresh(campaign)
    return campaign
