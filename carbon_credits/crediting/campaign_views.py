"""Campaigns as a resident sees them: those that are for them, and what one gave for an act of theirs.

Whoever is held out sees what somebody sees whom a campaign is not for: it is not on the list. Nothing says why.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.crediting.audience import MAY_JOIN, fits
from carbon_credits.methodologies.catalogue import BY_NUMBER

PPM: Final = 1_000_000
EARLY_END: Final = Text(
    "预算用完时活动提前结束：已发的加赠不收回，其余不再加赠。因故提前结束的，此前完成的行为在预算内照常加赠。基础积分不受影响。",
    "It ends early when its budget is spent: what was given stays, and nothing more is given. Where it is ended early for"
    " another reason, acts done before still get their bonus while the budget lasts. Base points are not touched.",
)
# groups and newcomers are looked at on the day; all else was settled when the campaign began, or is by their first act
_OFFERED: Final = text(f"""
select c.*, f.unallocated + coalesce((select sum(remaining) from fund_slot s where s.fund_id = c.fund_id), 0)::bigint
         as points_left
from campaign c
join fund f using (fund_id)
join resident r on r.resident_id = :resident
left join campaign_audience a
  on a.campaign_id = c.campaign_id and a.resident_id = r.resident_id and a.shard_id = r.shard_id
where c.state in ('approved', 'running', 'paused') and c.ends_on >= :today
  and coalesce(a.side = 'offered', {MAY_JOIN} and not held_out(c.salt, r.resident_id, c.holdout_ppm))
  and (a.side is not null and c.audience not in ('group', 'new')
       or {fits("greatest(c.starts_on, cast(:today as date))")})
order by c.starts_on, c.campaign_id
""")  # noqa: S608 - made of constants
_GIVEN: Final = text("""
select c.code, c.name_zh, c.name_en, c.reward, c.multiplier, c.bonus_points, b.entitled, b.points, b.reasons,
       d.points as base_points
from (select * from decision d
      where d.resident_id = :resident and d.occurred_on = :day and d.activity_id = :activity
      order by generation desc limit 1) d
join bonus b using (resident_id, occurred_on, activity_id, generation)
join campaign c using (campaign_id)
where d.state = 'credited'
""")
_FUNDS: Final = text("""
select fund_id, code, name_zh, name_en from campaign where fund_id = any(:funds)
""")


@dataclass(frozen=True)
class Listed:
    """A campaign on a resident's list. `left_ppm` is the part of its budget that is left, per million, floored."""

    code: str
    theme: str
    name: Text
    text: Text
    rules: Text
    state: str
    starts_on: date
    ends_on: date
    methodologies: tuple[str, ...]
    reward: str
    multiplier: Decimal | None
    bonus_points: int | None
    caps: Mapping[str, int | None]
    left_ppm: int
    evaluated: bool


@dataclass(frozen=True)
class GivenBonus:
    """What a campaign gave for an act: what it came to, what was paid, how, and why less."""

    code: str
    name: Text
    entitled: int
    points: int
    how: Text
    reasons: tuple[str, ...]


def offered_to(session: Session, resident_id: int, today: date) -> list[Listed]:
    """Campaigns for a resident that run or are announced, the earliest first."""
    rows = session.execute(_OFFERED, {"resident": resident_id, "today": today}).mappings()
    return [_listed(row) for row in rows]


def given_for(session: Session, resident_id: int, day: date, activity_id: int) -> GivenBonus | None:
    """What a campaign gave for an act as it is decided now; None where none did."""
    given = {"resident": resident_id, "day": day, "activity": activity_id}
    row = session.execute(_GIVEN, given).mappings().first()
    if row is None:
        return None
    name = Text(row["name_zh"], row["name_en"])
    return GivenBonus(
        row["code"], name, row["entitled"], row["points"], _how(row), tuple(row["reasons"] or ())
    )


def behind_funds(session: Session, fund_ids: Collection[int]) -> Mapping[int, tuple[str, Text]]:
    """Code and name of the campaign behind each of these funds that is a campaign's."""
    if not fund_ids:
        return {}
    rows = session.execute(_FUNDS, {"funds": sorted(fund_ids)})
    return {row.fund_id: (row.code, Text(row.name_zh, row.name_en)) for row in rows}


def _listed(row: RowMapping) -> Listed:
    return Listed(
        code=row["code"],
        theme=row["theme"],
        name=Text(row["name_zh"], row["name_en"]),
        text=Text(row["text_zh"], row["text_en"]),
        rules=Text(row["rules_zh"], row["rules_en"]),
        state="announced" if row["state"] == "approved" else row["state"],
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        methodologies=tuple(sorted(BY_NUMBER[number][-1].code for number in row["methodologies"])),
        reward=row["reward"],
        multiplier=row["multiplier"],
        bonus_points=row["bonus_points"],
        caps={period: row[f"cap_{period}"] for period in ("day", "week", "total")},
        left_ppm=row["points_left"] * PPM // row["budget_points"],
        evaluated=row["holdout_ppm"] > 0,
    )


def _how(row: RowMapping) -> Text:
    if row["reward"] == "bonus":
        return Text(
            f"每次加赠 {row['bonus_points']} 积分",
            f"{row['bonus_points']} points for each act of the campaign",
        )
    times = f"{row['multiplier'].normalize():f}"
    return Text(
        f"按 {times} 倍计，在基础积分之外加赠（向下取整）",
        f"{times} times the base, less the base, rounded down",
    )
