"""What else a year's evaluation holds beside the indicators: residents, points, money, awards, campaigns.

Figures are the district's. What people did is left out where it is of a few (`suppression.FEWEST`); names are those of
groups, never of families.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.groups.service import GroupKind
from carbon_credits.reporting.suppression import FEWEST

# instants fall into days of the programme
_RESIDENTS: Final = text("""
select count(*) filter (where enrolled_at < cast(:after as timestamp) at time zone 'Asia/Shanghai') as enrolled,
       count(*) filter (where enrolled_at >= cast(:first as timestamp) at time zone 'Asia/Shanghai'
                        and enrolled_at < cast(:after as timestamp) at time zone 'Asia/Shanghai') as enrolled_in_year
from resident
""")
_POINTS: Final = text("""
select count(distinct resident_id) as people,
       coalesce(sum(points) filter (where contra_kind = 1), 0)::bigint as granted,
       coalesce(sum(points) filter (where contra_kind = 2), 0)::bigint as bonus,
       coalesce(-sum(points) filter (where contra_kind = 6), 0)::bigint as taken_back,
       coalesce(-sum(points) filter (where contra_kind = 3), 0)::bigint as spent,
       coalesce(-sum(points) filter (where contra_kind = 5), 0)::bigint as lapsed,
       coalesce(-sum(points) filter (where contra_kind = 4), 0)::bigint as written_off
from posting where booked_on >= :first and booked_on < :after and points <> 0
""")
_MONEY: Final = text("""
with bounds as (
  select cast(:first as timestamp) at time zone 'Asia/Shanghai' as begins,
         cast(:after as timestamp) at time zone 'Asia/Shanghai' as ends
)
select (select coalesce(sum(amount_fen) filter (where points > 0), 0)::bigint from fund_deposit, bounds
        where at >= begins and at < ends) as paid_into_funds_fen,
       (select coalesce(-sum(amount_fen) filter (where points < 0), 0)::bigint from fund_deposit, bounds
        where at >= begins and at < ends) as returned_from_funds_fen,
       (select coalesce(sum(points), 0)::bigint from fund_deposit, bounds
        where at >= begins and at < ends) as points_bought,
       (select coalesce(sum(amount_fen), 0)::bigint from purse_entry, bounds
        where kind = 'paid_in' and at >= begins and at < ends) as paid_into_purses_fen,
       (select coalesce(sum(amount_fen), 0)::bigint from settlement
        where state = 'paid' and day >= :first and day < :after) as paid_to_merchants_fen
""")
_AWARDS: Final = text("""
select d.drive, d.name_zh, d.name_en, g.kind, g.name_zh as group_zh, g.name_en as group_en, g.street
from drive d
left join drive_application a on a.drive = d.drive and a.state = 'awarded' and a.year = :year
left join resident_group g on g.group_id = a.group_id
order by d.drive, g.name_zh collate "C", g.group_id
""")
_CAMPAIGNS: Final = text("""
select c.code, c.name_zh, c.name_en, c.starts_on, c.ends_on, c.state, c.budget_points,
       b.people, b.points
from campaign c
cross join lateral (
  select count(distinct resident_id) as people, coalesce(sum(points), 0)::bigint as points
  from posting p where p.contra_kind in (2, 6) and p.contra_ref = c.fund_id
) b
where c.state in ('running', 'paused', 'ended') and c.starts_on < :after and c.ends_on >= :first
order by c.starts_on, c.code
""")


def programme(session: Session, first: date, after: date) -> dict[str, Any]:
    """Residents, points and money of a period, `after` being the day after its last; None for what is of a few."""
    asked = {"first": first, "after": after}
    people = session.execute(_RESIDENTS, asked).mappings().one()
    points = dict(session.execute(_POINTS, asked).mappings().one())
    told = _unless_few(points.pop("people"), points)
    return {
        "residents": {name: None if 0 < n < FEWEST else n for name, n in people.items()},
        "points": told,
        "money": dict(session.execute(_MONEY, asked).mappings().one()),
    }


def awards(session: Session, year: int) -> list[dict[str, Any]]:
    """The year's lists of the seven drives; families are counted and not named."""
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(_AWARDS, {"year": year}).mappings():
        names = {"zh": row["name_zh"], "en": row["name_en"]}
        drive = found.setdefault(
            row["drive"], {"drive": row["drive"], "name": names, "count": 0, "groups": []}
        )
        if row["kind"] is None:
            continue
        drive["count"] += 1
        if row["kind"] != GroupKind.HOUSEHOLD:
            drive["groups"].append({"zh": row["group_zh"], "en": row["group_en"], "street": row["street"]})
    return list(found.values())


def campaigns(session: Session, first: date, after: date) -> list[dict[str, Any]]:
    """Campaigns that ran in a period, with what they gave; None where that was to a few."""
    told = []
    for row in session.execute(_CAMPAIGNS, {"first": first, "after": after}).mappings():
        given = {"people": row["people"], "points": row["points"]}
        told.append(
            {
                "code": row["code"],
                "name": {"zh": row["name_zh"], "en": row["name_en"]},
                "starts_on": row["starts_on"].isoformat(),
                "ends_on": row["ends_on"].isoformat(),
                "state": row["state"],
                "budget_points": row["budget_points"],
                **_unless_few(row["people"], given),
            }
        )
    return told


def _unless_few(people: int, told: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(told) if 0 < people < FEWEST else told
