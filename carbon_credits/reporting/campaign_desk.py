"""Campaigns as their desk looks at them: their state, who made them, what their money has left. One statement each.

What a campaign gave is read off its fund, whatever the number of acts; people and days stand in the night's report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.programme.campaigns import unknown

MOST_GROUPS: Final = 1_000
LIVE: Final = ("running", "paused")
_ROWS: Final = text("""
select c.campaign_id, c.code, c.theme, c.name_zh, c.name_en, c.state, c.state_reason, c.starts_on, c.ends_on,
       c.budget_points, c.version, c.approval_id, a.state as approval_state, c.launched_at, c.ended_at, c.end_cause,
       c.settled_at, m.name as made_by, t.amount_fen as budget_fen, f.budget as fund_budget,
       f.unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = c.fund_id), 0)::bigint
         as points_left
from campaign c
join staff m on m.staff_id = c.made_by
left join approval a on a.approval_id = c.approval_id
left join fund f on f.fund_id = c.fund_id
left join fund_transfer t on t.campaign_id = c.campaign_id and t.why = 'campaign_approved'
where (cast(:campaign as int) is null or c.campaign_id = :campaign)
  and (cast(:states as text[]) is null or c.state = any(cast(:states as text[])))
  and (cast(:before as int) is null or c.campaign_id < :before)
order by c.campaign_id desc limit :most
""")
_GROUPS: Final = text("""
select group_id, name_zh, name_en from resident_group
where state = 'active' and kind <> 'household' order by name_zh collate "C", group_id limit :most
""")


@dataclass(frozen=True)
class CampaignRow:
    """A campaign and its money. Points are whole; `left` and `given` are None while it has no fund of its own.

    `budget_fen` is what its budget was bought for, None before; `approval_state` is that of its proposal.
    """

    campaign_id: int
    code: str
    theme: str
    name: Text
    state: str
    state_reason: str | None
    starts_on: date
    ends_on: date
    budget: int
    budget_fen: int | None
    left: int | None
    given: int | None
    made_by: str
    version: int
    approval_id: int | None
    approval_state: str | None
    launched_at: datetime | None
    ended_at: datetime | None
    end_cause: str | None
    settled_at: datetime | None

    @property
    def left_ppm(self) -> int | None:
        """What is left of the budget, in millionths, cut off."""
        return None if self.left is None else self.left * 1_000_000 // self.budget


def listed(
    session: Session, states: Sequence[str] | None = None, before: int | None = None, most: int = 50
) -> list[CampaignRow]:
    """Campaigns in these states or all, the newest first; `before` is the number of the last one of the page before."""
    given = {"campaign": None, "states": states and list(states), "before": before, "most": most}
    return [_row(row) for row in session.execute(_ROWS, given).mappings()]


def running(session: Session) -> list[CampaignRow]:
    """Campaigns that run or pause, the one that ends first on top."""
    return sorted(listed(session, LIVE), key=lambda row: (row.ends_on, row.campaign_id))


def one(session: Session, campaign_id: int) -> CampaignRow:
    """A campaign; raises NotFound."""
    given = {"campaign": campaign_id, "states": None, "before": None, "most": 1}
    row = session.execute(_ROWS, given).mappings().one_or_none()
    if row is None:
        raise unknown()
    return _row(row)


def groups(session: Session) -> dict[int, Text]:
    """Groups that a campaign may be for, by number, in the order of their names."""
    rows = session.execute(_GROUPS, {"most": MOST_GROUPS})
    return {row.group_id: Text(row.name_zh, row.name_en) for row in rows}


def _row(row: RowMapping) -> CampaignRow:
    left = row["points_left"]
    return CampaignRow(
        campaign_id=row["campaign_id"],
        code=row["code"],
        theme=row["theme"],
        name=Text(row["name_zh"], row["name_en"]),
        state=row["state"],
        state_reason=row["state_reason"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        budget=row["budget_points"],
        budget_fen=row["budget_fen"],
        left=left,
        given=None if left is None else row["fund_budget"] - left,
        made_by=row["made_by"],
        version=row["version"],
        approval_id=row["approval_id"],
        approval_state=row["approval_state"],
        launched_at=row["launched_at"],
        ended_at=row["ended_at"],
        end_cause=row["end_cause"],
        settled_at=row["settled_at"],
    )
