"""What a campaign added: grams of those it was offered to against those held out by lot, taking part or not.

Compared are the people of the audience as it was frozen at the launch, every one of them: who came in later did so by
an act, and a campaign that works brings more of them on one side. Outcome are a person's grams of the campaign's days,
baseline those of as many days before; what lasts is what they did in the 28 days after, against the 28 before. The
database adds up exact sums for each side; only the last step leaves whole numbers, and nothing of it enters a ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.reporting.intervals import FEWEST, Difference, Sums, difference

LASTING_DAYS: Final = 28
# in this order: what counts first; verified grams cannot be had by telling more of what one does anyway; with all that
# people do, what merely moved from one act to another is taken off again; trees are grams of another account
Measure = Literal["avoided", "verified", "avoided_in_all", "removal"]
MEASURES: Final[tuple[Measure, ...]] = ("avoided", "verified", "avoided_in_all", "removal")
_WHICH: Final[Mapping[Measure, str]] = {
    "avoided": "in_scope and pool <> 'r'",
    "verified": "in_scope and pool = 'v'",
    "avoided_in_all": "pool <> 'r'",
    "removal": "in_scope and pool = 'r'",
}
_SPANS: Final = {
    "during": "occurred_on between :since and :until",
    "before": "occurred_on between :before and :since - 1",
    "after": "occurred_on between :until + 1 and :until + :lasting",
    "shortly_before": "occurred_on between :since - :lasting and :since - 1",
}
_SUMMED = ",\n         ".join(
    f"coalesce(sum(mg) filter (where {which} and {span}), 0) as {measure}_{name}"
    for measure, which in _WHICH.items()
    for name, span in _SPANS.items()
)
_PAIRED = ",\n    ".join(
    f"('{measure}', '{pair[0]}', {measure}_{pair[0]}, {measure}_{pair[1]})"
    for measure in MEASURES
    for pair in (("during", "before"), ("after", "shortly_before"))
)
# Whoever did nothing at all is counted and adds nothing. Of an act's passages one at most is credited; its grams are
# those of its newest restatement, looked for only where something was restated, and once an act: hence the fence.
SUMS = text(f"""
with person as materialized (
  select resident_id, side from campaign_audience
  where campaign_id = :campaign and at_launch and side in ('offered', 'held_out')
), act as (
  select p.resident_id, p.side, d.pool, d.occurred_on, d.methodology = any(:methodologies) as in_scope,
         case when exists (select from restated where occurred_on between :first and :last)
              then coalesce((select new_mg from restated r
                             where r.resident_id = d.resident_id and r.activity_id = d.activity_id
                               and r.generation = d.generation
                             order by restatement_id desc limit 1), d.credited_mg)
              else d.credited_mg end as mg
  from person p
  join decision d on d.resident_id = p.resident_id
  where d.state = 'credited' and d.occurred_on between :first and :last
  offset 0
), done as (
  select resident_id, side,
         {_SUMMED}
  from act group by resident_id, side
), paired as (
  select side, measure, span, y, x
  from done cross join lateral (values
    {_PAIRED}
  ) as v (measure, span, y, x)
  where y <> 0 or x <> 0
)
select side, null as measure, null as span, count(*) as n, 0 as y, 0 as x, 0 as yy, 0 as yx, 0 as xx
from person group by side
union all
select side, measure, span, 0, sum(y), sum(x), sum(y * y), sum(y * x), sum(x * x)
from paired group by side, measure, span
""")  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Window:
    """A campaign's days that are over, both included, and whether the 28 days after them are over too."""

    since: date
    until: date
    has_lasted: bool

    @property
    def days(self) -> int:
        """How many days are compared with as many before."""
        return (self.until - self.since).days + 1


@dataclass(frozen=True)
class Extra:
    """Milligrams of CO2e that all who were offered had more than they would have had, with a 95 % interval.

    `without_mg` is what they would have had; `is_seen` says that the interval leaves nought out; `weight_ppm` is how
    much of their past was taken off.
    """

    extra_mg: int
    low_mg: int
    high_mg: int
    without_mg: int
    weight_ppm: int
    is_seen: bool


@dataclass(frozen=True)
class Measured:
    """One kind of grams: during the campaign, and in the 28 days after; None where nobody had any."""

    measure: Measure
    during: Extra | None
    after: Extra | None


@dataclass(frozen=True)
class Compared:
    """How many people a side, and what was found. `refused` says why there is no finding: no_hold_out, too_few_people."""

    offered: int
    held_out: int
    measures: tuple[Measured, ...]
    refused: Literal["no_hold_out", "too_few_people"] | None = None

    def of(self, measure: Measure) -> Measured | None:
        """What was found of one kind of grams."""
        return next((found for found in self.measures if found.measure == measure), None)


def compare(session: Session, campaign_id: int, methodologies: list[int], window: Window) -> Compared:
    """Those offered a campaign against those held out, over its methodologies' numbers. Reads only."""
    session.execute(
        text("select set_config('statement_timeout', '600s', true), set_config('jit', 'off', true)")
    )
    rows = session.execute(SUMS, _asked(campaign_id, methodologies, window)).mappings().all()
    people = {row["side"]: int(row["n"]) for row in rows if row["measure"] is None}
    offered, held_out = people.get("offered", 0), people.get("held_out", 0)
    if held_out == 0:
        return Compared(offered, 0, (), "no_hold_out")
    if min(offered, held_out) < FEWEST:
        return Compared(offered, held_out, (), "too_few_people")
    sums = {
        (row["side"], row["measure"], row["span"]): tuple(
            int(row[name]) for name in ("y", "x", "yy", "yx", "xx")
        )
        for row in rows
        if row["measure"] is not None
    }

    def extra(measure: Measure, span: str) -> Extra | None:
        of_offered, of_held_out = (
            Sums(people[side], *sums.get((side, measure, span), ())) for side in ("offered", "held_out")
        )
        found = difference(of_offered, of_held_out)
        return None if found is None else _for_all(found, offered)

    measures = tuple(
        Measured(m, extra(m, "during"), extra(m, "after") if window.has_lasted else None) for m in MEASURES
    )
    return Compared(offered, held_out, tuple(m for m in measures if m.during is not None))


def compared_of(told: Mapping[str, Any]) -> Compared:
    """What was found, from a document of the same names."""

    def extra(part: Mapping[str, Any] | None) -> Extra | None:
        return None if part is None else Extra(**part)

    measures = tuple(Measured(m["measure"], extra(m["during"]), extra(m["after"])) for m in told["measures"])
    return Compared(**{**told, "measures": measures})


def _asked(campaign_id: int, methodologies: list[int], window: Window) -> dict[str, Any]:
    before = window.since - timedelta(days=window.days)
    return {
        "campaign": campaign_id,
        "methodologies": methodologies,
        "since": window.since,
        "until": window.until,
        "before": before,
        "first": min(before, window.since - timedelta(days=LASTING_DAYS)),
        "last": window.until + timedelta(days=LASTING_DAYS),
        "lasting": LASTING_DAYS,
    }


def _for_all(found: Difference, people: int) -> Extra:
    extra, low, high, without = (
        round(mean * people) for mean in (found.mean, found.low, found.high, found.without)
    )
    return Extra(extra, low, high, without, round(found.weight * 1_000_000), found.is_seen)
