"""What else a year's evaluation holds beside the indicators: residents, points, money, awards, campaigns.

Figures are the district's. What people did is left out where it is of a few, or nearly all one person's; names are those
of groups, never of families.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.dominance import slack
from carbon_credits.groups.service import GroupKind
from carbon_credits.reporting.cell_tables import FEWEST
from carbon_credits.reporting.suppression import line_amount_hidden, line_hidden

# instants fall into days of the programme
_RESIDENTS: Final = text("""
select count(*) filter (where enrolled_at < cast(:after as timestamp) at time zone 'Asia/Shanghai') as enrolled,
       count(*) filter (where enrolled_at >= cast(:first as timestamp) at time zone 'Asia/Shanghai'
                        and enrolled_at < cast(:after as timestamp) at time zone 'Asia/Shanghai') as enrolled_in_year
from resident
""")
# what each head comes to, and its two largest contributions
_HEADS: Final[Mapping[str, str]] = {
    "granted": "sum(points) filter (where contra_kind = 1)",
    "bonus": "sum(points) filter (where contra_kind = 2)",
    "taken_back": "-sum(points) filter (where contra_kind = 6)",
    "spent": "-sum(points) filter (where contra_kind = 3)",
    "lapsed": "-sum(points) filter (where contra_kind = 5)",
    "written_off": "-sum(points) filter (where contra_kind = 4)",
}
_BY_PERSON: Final = ", ".join(f"{expression} as {name}" for name, expression in _HEADS.items())
_TWO: Final = "(array_agg({name} order by {name} desc) filter (where {name} > 0))[1:2] as {name}_two"
_ADDED_UP: Final = ", ".join(
    f"coalesce(sum({name}), 0)::bigint as {name}, {_TWO.format(name=name)}" for name in _HEADS
)
_POINTS: Final = text(f"""
with person as (
  select resident_id, {_BY_PERSON}
  from posting where booked_on >= :first and booked_on < :after and points <> 0
  group by resident_id
)
select count(*) as people, {_ADDED_UP} from person
""")  # noqa: S608 - made of constants
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
_CAMPAIGNS: Final = text(
    """
select c.code, c.name_zh, c.name_en, c.starts_on, c.ends_on, c.state, c.budget_points,
       b.people, b.points, b.points_two
from campaign c
cross join lateral (
  select count(*) as people, coalesce(sum(points), 0)::bigint as points, {two}
  from (select resident_id, sum(points)::bigint as points from posting p
        where p.contra_kind in (2, 6) and p.contra_ref = c.fund_id group by resident_id) person
) b
where c.state in ('running', 'paused', 'ended') and c.starts_on < :after and c.ends_on >= :first
order by c.starts_on, c.code
""".format(two=_TWO.format(name="points"))  # noqa: S608 - made of constants
)


def programme(session: Session, first: date, after: date) -> dict[str, Any]:
    """Residents, points and money of a period, `after` being the day after its last; None for what is of a few."""
    asked = {"first": first, "after": after}
    people = session.execute(_RESIDENTS, asked).mappings().one()
    found = session.execute(_POINTS, asked).mappings().one()
    few = 0 < found["people"] < FEWEST
    points = {name: None if few or _far(found, name) < 0 else found[name] for name in _HEADS}
    return {
        "residents": {name: None if 0 < n < FEWEST else n for name, n in people.items()},
        "points": points,
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
    """Campaigns that ran in a period, with what they gave; None where that was to a few, or nearly all to one.

    Their points may add up to the bonus points of the year, which are told: others are hidden with them.
    """
    rows = session.execute(_CAMPAIGNS, {"first": first, "after": after}).mappings().all()
    people = {row["code"]: row["people"] for row in rows}
    far = {row["code"]: _far(row, "points") for row in rows if row["points"]}
    away = line_amount_hidden(people, far, line_hidden(people))
    return [
        {
            "code": row["code"],
            "name": {"zh": row["name_zh"], "en": row["name_en"]},
            "starts_on": row["starts_on"].isoformat(),
            "ends_on": row["ends_on"].isoformat(),
            "state": row["state"],
            "budget_points": row["budget_points"],
            "people": None if 0 < row["people"] < FEWEST else row["people"],
            "points": None if row["code"] in away else row["points"],
        }
        for row in rows
    ]


def _far(row: Mapping[Any, Any], name: str) -> int:
    """How far a sum of points is from being one person's."""
    return slack(row[name], row[f"{name}_two"] or ())
