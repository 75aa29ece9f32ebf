"""What groups have done, as it may be shown: by month, a head, and on boards; never of a few.

A figure of fewer than ten members, or of one or two who were active, is nobody's to see but a household's own. Parts of a
whole are shown only when what remains of the whole is none or ten people as well, for otherwise it could be subtracted. A
month is shown when it is over: of one under way, today less yesterday would be somebody's day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

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
         m.members >= :fewest and (m.active = 0 or m.active >= :fewest_active) as enough
  from group_month m join resident_group g using (group_id)
  where m.month >= :first and m.month < :until and ({which})
), apart as (
  select w.group_id, w.month,
         w.members - coalesce(sum(p.members) filter (where p.enough), 0) as rest
  from shown w join shown p on p.parent_id = w.group_id and p.month = w.month
  group by w.group_id, w.month, w.members
), visible as (
  select s.*, s.enough and s.kind <> 'household'
              and (s.parent_id is null or coalesce(a.rest = 0 or a.rest >= :fewest, false)) as may
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
       sum(recycling_mg)::bigint as recycling_mg, sum(claimed_mg)::bigint as claimed_mg
from visible where group_id = :group and (may or kind = 'household')
"""
ONE = text(_ONE.format(shown=_SHOWN.format(which=_AROUND)))
BOARD = text(_BOARD.format(shown=_SHOWN.format(which="g.kind = :kind")))
SUMS = text(_SUMS.format(shown=_SHOWN.format(which=_AROUND)))


@dataclass(frozen=True)
class Month:
    """A month of a group in milligrams and per mille; `people` is what a head is counted by."""

    month: date
    members: int
    active: int
    people: int
    verified_mg: int
    claimed_mg: int
    removal_mg: int

    @property
    def verified_mg_per_head(self) -> int:
        """Whole milligrams verified a head."""
        return self.verified_mg // self.people if self.people else 0

    @property
    def claimed_mg_per_head(self) -> int:
        """Whole milligrams claimed a head."""
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
    return [_month(row) for row in found.mappings() if row["may"] or own_household]


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
            _month(row),
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
    return {} if row["people"] is None else {name: int(row[name]) for name in names}


def back(month: date, months: int) -> date:
    """The first day of the month so many months before."""
    count = month.year * 12 + month.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def last_month(today: date) -> date:
    """The first day of the newest month that is over."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _own(session: Session, group_id: int, first: date, until: date) -> Sequence[Month]:
    found = session.execute(ONE, {**_window(first, until), "group": group_id}).mappings()
    return [_month(row) for row in found if row["may"] or row["kind"] == GroupKind.HOUSEHOLD]


def _window(first: date, until: date) -> dict[str, Any]:
    return {"first": first, "until": until, "fewest": FEWEST, "fewest_active": FEWEST_ACTIVE}


def _month(row: RowMapping) -> Month:
    names = ("month", "members", "active", "people", "verified_mg", "claimed_mg", "removal_mg")
    return Month(**{name: row[name] for name in names})
