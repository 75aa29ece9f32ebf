"""What groups have done, as it may be shown: by month, a head, and on boards; never of a few.

A figure of fewer than ten members, of one or two who were active, or nearly all one person's (`core.dominance`), is
nobody's to see but a household's own. Parts of a whole are shown only when what remains of the whole is none or ten
people as well, and is not nearly one person's, for otherwise it could be subtracted. A month is shown when it is over: of
one under way, today less yesterday would be somebody's day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

from carbon_credits.core.dominance import slack_sql
from carbon_credits.groups.service import GroupKind

FEWEST: Final = 10
FEWEST_ACTIVE: Final = 3
MONTHS_SHOWN: Final = 13
# classes are compared with nobody, and neither are families
BOARDS: Final = tuple(kind for kind in GroupKind if kind is not GroupKind.HOUSEHOLD)

# `may` is whether a stranger may see the row
_SHOWN = """
with shown as (
  select m.*, g.kind, g.parent_id, g.street, g.listed, g.name_zh, g.name_en, g.state,
         m.members >= :fewest and (m.active = 0 or m.active >= :fewest_active) and {verified} >= 0 as enough,
         {claimed} >= 0 as claimed_of_many, {removal} >= 0 as removal_of_many
  from group_month m join resident_group g using (group_id)
  where m.month >= :first and m.month < :until and ({which})
), apart as (
  select w.group_id, w.month,
         w.members - coalesce(sum(p.members) filter (where p.enough), 0) as rest,
         {rest_verified} as verified, {rest_claimed} as claimed, {rest_removal} as removal
  from shown w join shown p on p.parent_id = w.group_id and p.month = w.month
  group by w.group_id, w.month, w.members, w.verified_mg, w.claimed_mg, w.removal_mg,
           w.verified_two, w.claimed_two, w.removal_two
), visible as (
  select s.*, s.enough and s.kind <> 'household'
              and (s.parent_id is null or coalesce(a.rest = 0 or (a.rest >= :fewest and a.verified), false)) as may,
         s.claimed_of_many and coalesce(a.claimed, true) as may_claimed,
         s.removal_of_many and coalesce(a.removal, true) as may_removal
  from shown s left join apart a on a.group_id = s.parent_id and a.month = s.month
)
"""
# a group, its whole, and the other parts of that
_AROUND = """
  g.group_id = :group or g.group_id = (select parent_id from resident_group where group_id = :group)
  or g.parent_id = (select parent_id from resident_group where group_id = :group)
"""
_ONE = "{shown} select * from visible where group_id = :group order by month desc"
# ties are ties of what is shown: whole milligrams a head
_BOARD = """
{shown}, standing as (
  select *, verified_mg / people as per_head from visible
  where may and listed and parent_id is null and state = 'active' and kind = :kind
)
select s.*, case when kind <> 'school' then rank() over (order by per_head desc) end as place,
       kind <> 'school' and count(*) over (partition by per_head) > 1 as tied
from standing s
order by case when kind = 'school' then null else per_head end desc nulls last, name_zh collate "C", group_id
limit :most
"""
_SUMS = """
{shown}
select max(people) as people, sum(verified_mg)::bigint as verified_mg, sum(travel_mg)::bigint as travel_mg,
       sum(recycling_mg)::bigint as recycling_mg,
       case when bool_and(may_claimed) then sum(claimed_mg)::bigint end as claimed_mg
from visible where group_id = :group and (may or kind = 'household')
"""
# of a pool, how far its sum is from being one person's; and whether what is left of a whole's is not: in that nobody
# did more than in the whole
_POOLS: Final = ("verified", "claimed", "removal")
_FAR: Final = {pool: slack_sql(f"m.{pool}_mg", f"m.{pool}_two") for pool in _POOLS}
_TOLD: Final = {
    pool: "p.enough" if pool == "verified" else f"p.enough and p.{pool}_of_many" for pool in _POOLS
}
_LEFT: Final = {
    pool: f"w.{pool}_mg - coalesce(sum(p.{pool}_mg) filter (where {told}), 0)" for pool, told in _TOLD.items()
}
_REST: Final = {
    f"rest_{pool}": f"({left} = 0 or {slack_sql(left, f'w.{pool}_two')} >= 0)" for pool, left in _LEFT.items()
}


def _statement(form: str, which: str) -> TextClause:
    return text(form.format(shown=_SHOWN.format(which=which, **_FAR, **_REST)))


ONE = _statement(_ONE, _AROUND)
BOARD = _statement(_BOARD, "g.kind = :kind")
SUMS = _statement(_SUMS, _AROUND)


@dataclass(frozen=True)
class Month:
    """A month of a group in milligrams and per mille; `people` is what a head is counted by.

    What was claimed or removed is None where it is nearly one person's.
    """

    month: date
    members: int
    active: int
    people: int
    verified_mg: int
    claimed_mg: int | None
    removal_mg: int | None

    @property
    def verified_mg_per_head(self) -> int:
        """Whole milligrams verified a head."""
        return self.verified_mg // self.people if self.people else 0

    @property
    def claimed_mg_per_head(self) -> int | None:
        """Whole milligrams claimed a head; None where they are not shown."""
        if self.claimed_mg is None:
            return None
        return self.claimed_mg // self.people if self.people else 0

    @property
    def active_share_pm(self) -> int:
        """Those with a credited act, in a thousand."""
        return self.active * 1_000 // self.people if self.people else 0


@dataclass(frozen=True)
class Place:
    """A line of a board. `rank` is None where nobody is ranked; `tied` says that others have the same."""

    group_id: int
    name_zh: str
    name_en: str
    street: str | None
    rank: int | None
    tied: bool
    figures: Month


def months_of(session: Session, group_id: int, today: date, *, own_household: bool = False) -> list[Month]:
    """A group's months that may be shown, the newest first; a household sees its own, the month under way too."""
    this = today.replace(day=1)
    until = today if own_household else this
    found = session.execute(ONE, {**_window(back(this, MONTHS_SHOWN - 1), until), "group": group_id})
    return [_month(row, own=own_household) for row in found.mappings() if row["may"] or own_household]


def board(session: Session, kind: GroupKind, month: date, most: int = 100) -> list[Place]:
    """Groups of a kind that let their name stand, by verified milligrams a head in a month; schools by name alone."""
    asked = {**_window(month, back(month, -1)), "kind": kind.value, "most": most}
    return [
        Place(
            row["group_id"],
            row["name_zh"],
            row["name_en"],
            row["street"],
            row["place"],
            row["tied"],
            _month(row, own=False),
        )
        for row in session.execute(BOARD, asked).mappings()
    ]


def measured(session: Session, group_id: int, today: date) -> dict[str, int]:
    """What a criterion may ask of our figures, by name, of months that are over; empty when they are of too few."""
    this = today.replace(day=1)
    months = _own(session, group_id, back(this, 3), this)
    if not months:
        return {}
    last = months[0]
    sums = session.execute(SUMS, {**_window(back(this, 12), this), "group": group_id}).mappings().one()
    return {
        "members": last.members,
        "members_share_pm": last.members * 1_000 // last.people if last.people else 0,
        # a month without a figure is a month in which nobody is known to have been active
        "active_share_pm": sum(month.active_share_pm for month in months) // 3,
        **{
            f"{name}_mg_per_head": int(sums[f"{name}_mg"] // sums["people"]) if sums["people"] else 0
            for name in ("verified", "travel", "recycling")
        },
    }


def of_year(session: Session, group_id: int, year: int) -> dict[str, int]:
    """What a year came to, in milligrams, of the months that may be shown; empty when there are none."""
    asked = {**_window(date(year, 1, 1), date(year + 1, 1, 1)), "group": group_id}
    row = session.execute(SUMS, asked).mappings().one()
    names = ("verified_mg", "claimed_mg", "travel_mg", "recycling_mg")
    return {name: int(row[name]) for name in names if row["people"] is not None and row[name] is not None}


def back(month: date, months: int) -> date:
    """The first day of the month so many months before."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def last_month(today: date) -> date:
    """The first day of the newest month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _own(session: Session, group_id: int, first: date, until: date) -> Sequence[Month]:
    found = session.execute(ONE, {**_window(first, until), "group": group_id}).mappings()
    return [
        _month(row, own=row["kind"] == GroupKind.HOUSEHOLD)
        for row in found
        if row["may"] or row["kind"] == GroupKind.HOUSEHOLD
    ]


def _window(first: date, until: date) -> dict[str, Any]:
    return {"first": first, "until": until, "fewest": FEWEST, "fewest_active": FEWEST_ACTIVE}


def _month(row: RowMapping, own: bool = False) -> Month:
    whole = {name: row[name] for name in ("month", "members", "active", "people", "verified_mg")}
    pools = {
        f"{pool}_mg": row[f"{pool}_mg"] if own or row[f"may_{pool}"] else None
        for pool in ("claimed", "removal")
    }
    return Month(**{**whole, **pools})
