"""What stands against a campaign as things are: the money, the group, the day, another campaign; each at its field."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Row, column, exists, select, table, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups.models import Group
from carbon_credits.programme.campaign_limits import fault
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.programme.campaign_terms import Terms

# what is needed of a table that lives a floor above
_fund = table("fund", column("fund_id"), column("code"), column("kind"), column("unallocated"))
# the campaigns that have an act of the same methodology and street on the same day for themselves
_OVERLAPS: Final = text("""
select distinct on (c.campaign_id) c.campaign_id, c.code, c.name_zh, c.name_en, c.starts_on, c.ends_on
from campaign mine
join campaign_scope s on s.methodology = any(mine.methodologies)
  and s.street = any(coalesce(mine.streets, array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang', 'none']))
  and s.period && daterange(mine.starts_on, mine.ends_on, '[]') and s.campaign_id <> mine.campaign_id
join campaign c on c.campaign_id = s.campaign_id
where mine.campaign_id = :campaign
order by c.campaign_id
""")


def known(session: Session, terms: Terms) -> int:
    """The number of the fund that pays; raises Invalid where there is no such fund, or no such group."""
    asked = select(_fund.c.fund_id).where(_fund.c.code == terms.source_fund, _fund.c.kind == "general")
    source = session.execute(asked).scalar_one_or_none()
    faults = _of_group(session, terms.group_id)
    if source is None:
        faults.append(fault("source_fund", "unknown_fund", "没有这个资金池", "no such fund"))
    if source is None or faults:
        raise wrong(faults)
    return int(source)


def require_fund(session: Session, fund_id: int) -> None:
    """Raises NotFound unless there is such a fund that is nobody's campaign's."""
    found = exists().where(_fund.c.fund_id == fund_id, _fund.c.kind == "general")
    if not session.execute(select(found)).scalar_one():
        raise NotFound("fund_unknown", Text(f"没有资金池 {fund_id}", f"There is no fund {fund_id}"))


def fund_code(session: Session, fund_id: int) -> str:
    """The code of a fund."""
    return str(session.execute(select(_fund.c.code).where(_fund.c.fund_id == fund_id)).scalar_one())


def contradictions(session: Session, campaign: Campaign, today: date) -> list[FieldFault]:
    """Everything that stands against a campaign today; another campaign for the same acts is named."""
    faults = []
    if campaign.starts_on <= today:
        faults.append(fault("starts_on", "too_late", "须晚于今天开始", "it has to begin after today"))
    faults += _of_group(session, campaign.group_id)
    asked = select(_fund.c.unallocated).where(_fund.c.fund_id == campaign.source_fund_id)
    rest = session.execute(asked).scalar_one()
    if rest < campaign.budget_points:
        told = (f"资金池只剩 {rest} 积分", f"the fund has {rest} points left")
        faults.append(fault("budget_points", "fund_short", *told))
    return faults + overlaps(session, campaign.campaign_id)


def overlaps(session: Session, campaign_id: int) -> list[FieldFault]:
    """Campaigns that are proposed, or were approved, for an act that this one is for."""
    return [
        fault(
            "methodologies",
            "overlaps",
            f"与活动「{row.name_zh}」（{row.code}，{row.starts_on} 至 {row.ends_on}）针对同一行为",
            f"the same acts as “{row.name_en}” ({row.code}, {row.starts_on} to {row.ends_on})",
        )
        for row in rivals(session, campaign_id)
    ]


def rivals(session: Session, campaign_id: int) -> Sequence[Row[Any]]:
    """Those campaigns themselves: `campaign_id`, `code`, both names, first and last day."""
    return session.execute(_OVERLAPS, {"campaign": campaign_id}).all()


def wrong(faults: Sequence[FieldFault]) -> Invalid:
    """The refusal of a campaign with these faults."""
    return Invalid("wrong_campaign", Text("活动内容有误", "The campaign is wrong"), faults=tuple(faults))


def _of_group(session: Session, group_id: int | None) -> list[FieldFault]:
    if group_id is None:
        return []
    active = exists().where(Group.group_id == group_id, Group.state == "active", Group.kind != "household")
    if session.execute(select(active)).scalar_one():
        return []
    return [fault("group_id", "unknown_group", "没有这个团体", "no such group")]
