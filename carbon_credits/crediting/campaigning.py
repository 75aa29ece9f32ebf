"""A campaign's way through money and people: approved with its budget, launched, ended, settled.

Whether an act counts hangs on when it was and on instants that are written down (a pause, an early end), never on when
it is decided: a record that comes late earns what it would have earned in time. So the money that is left stays for a
while after the end, for records that are still to come, and goes back to its source then.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.approvals import Approval
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import audience
from carbon_credits.ledger import transfers
from carbon_credits.programme import campaigns
from carbon_credits.programme.campaign_checks import contradictions, wrong
from carbon_credits.programme.campaign_models import Campaign

# partners tell up to 35 days late; a few more for files that wait to be looked at
KEPT_DAYS: Final = 40
FUND_CODE: Final = "campaign_{code}"
BY_DATE: Final = "到期结束 / its last day is over"
EXHAUSTED: Final = "预算已用完 / the budget is spent"


def enact(
    session: Session, approval_id: int, payload: Mapping[str, Any], today: date | None = None
) -> Campaign:
    """Give an approved campaign its budget, out of what its source has not dealt out.

    Raises Conflict when it is not, or no longer, what was approved; Invalid when it is too late for that by now, or the
    money is not there any more.
    """
    found = campaigns.held(session, payload["campaign_id"])
    if found.approval_id != approval_id or campaigns.payload_of(session, found) != dict(payload):
        raise Conflict("not_what_was_approved", Text("与审批内容不符", "This is not what was approved"))
    faults = contradictions(session, found, today or clock.today())
    if faults:
        raise wrong(faults)
    names = Text(f"活动：{found.name_zh}", f"Campaign: {found.name_en}")
    code = FUND_CODE.format(code=found.code)
    fund_id = transfers.fill(
        session, found.source_fund_id, code, names, found.budget_points, found.campaign_id
    )
    if fund_id is None:
        raise Conflict("fund_short", Text("资金池余额不足", "The fund no longer has these points"))
    campaigns.move(session, found, "approved", None, fund_id=fund_id)
    asked = select(Approval.decided_by).where(Approval.approval_id == approval_id)
    by = session.execute(asked).scalar_one()
    after = {"fund": code, "points": found.budget_points}
    campaigns.note(session, found, by, "campaign.approved", {"state": "proposed"}, after)
    return found


def withdraw(session: Session, campaign_id: int, reason: str, by: int, now: datetime) -> Campaign:
    """Take back a campaign before its first day; its money goes back. Raises NotFound, Conflict, NotAllowed."""
    found = campaigns.held(session, campaign_id)
    if found.state == "approved" and found.starts_on <= clock.day_of(now):
        raise campaigns.cannot("approved", "withdrawn")
    campaigns.drop(session, found, reason, by)
    _settle(session, found, now)
    return found


def launch_due(session: Session, now: datetime) -> int:
    """Launch one campaign whose first day has come: freeze whom it is for; 0 when none is due."""
    due = select(Campaign).where(Campaign.state == "approved", Campaign.starts_on <= clock.day_of(now))
    found = session.scalars(
        due.order_by(Campaign.campaign_id).limit(1).with_for_update(skip_locked=True)
    ).first()
    if found is None:
        return 0
    # a whole district is written: what doors may take is no measure here
    session.execute(text("select set_config('statement_timeout', '0', true)"))
    session.execute(text(audience.LAUNCH), {"campaign": found.campaign_id})
    campaigns.move(session, found, "running", None, launched_at=now)
    campaigns.note(session, found, None, "campaign.launched", {"state": "approved"}, {"state": "running"})
    return 1


def end(session: Session, campaign_id: int, reason: str, by: int, now: datetime) -> Campaign:
    """End a campaign before its time: acts that end later get nothing of it. Raises NotFound, Conflict."""
    found = campaigns.held(session, campaign_id)
    _end(session, found, "staff", reason, now, by)
    return found


def end_due(session: Session, now: datetime) -> int:
    """End one campaign whose last day is over, or whose money is spent; 0 when none is due."""
    live = select(Campaign).where(Campaign.state.in_(("running", "paused"))).order_by(Campaign.campaign_id)
    for found in session.scalars(live.with_for_update(skip_locked=True)):
        assert found.fund_id is not None
        over = datetime.combine(found.ends_on + timedelta(days=1), clock_time(), clock.PROGRAMME_ZONE)
        if now >= over:
            _end(session, found, "date", BY_DATE, over.astimezone(UTC), None)
        elif transfers.left(session, found.fund_id) == 0:
            _end(session, found, "exhausted", EXHAUSTED, now, None)
        else:
            continue
        return 1
    return 0


def settle_due(session: Session, now: datetime) -> int:
    """Give back what one campaign that ended long enough ago still has, or has again; 0 when none has anything."""
    ended = select(Campaign).where(
        Campaign.state == "ended", Campaign.ended_at <= now - timedelta(days=KEPT_DAYS)
    )
    for found in session.scalars(ended.order_by(Campaign.campaign_id)):
        assert found.fund_id is not None
        if found.settled_at is None or transfers.left(session, found.fund_id) > 0:
            _settle(session, campaigns.held(session, found.campaign_id), now)
            return 1
    return 0


def _end(session: Session, found: Campaign, cause: str, reason: str, at: datetime, by: int | None) -> None:
    before = found.state
    campaigns.move(session, found, "ended", reason, ended_at=at, end_cause=cause)
    campaigns.end_pause(session, found.campaign_id, by, at)
    after = {"state": "ended", "cause": cause, "reason": reason}
    campaigns.note(session, found, by, "campaign.ended", {"state": before}, after)


def _settle(session: Session, found: Campaign, now: datetime) -> None:
    if found.fund_id is None:
        return
    points = transfers.give_back(session, found.fund_id, found.source_fund_id, found.campaign_id)
    found.settled_at = now
    session.flush()
    campaigns.note(session, found, None, "campaign.settled", None, {"points": points})
