"""What bonuses come to, added up in one statement: by day, by street, by what cut them, and how unequally they fall.

One reading for the bonuses a campaign gave and for those a simulation says it would give, so that the two can be held
against each other to the point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.dominance import slack

NO_STREET: Final = "none"
EXHAUSTED: Final = "campaign_exhausted"

# `rows` has resident_id, street, day, entitled, due_points, points, reasons. Of several caps of a person's on one act the
# one that lasts longest is named: without the shorter ones it would have held the act back all the same.
FIGURES: Final = """
with bonus_row as materialized ({rows}
), person as materialized (
  select resident_id, street, sum(points)::bigint as points, row_number() over (order by sum(points) desc) as place
  from bonus_row group by resident_id, street having sum(points) > 0
), by_day as (
  select day, count(*) as acts, sum(entitled)::bigint as entitled, sum(points)::bigint as points
  from bonus_row group by day
), by_street as (
  select coalesce(street, 'none') as street, count(*) as people, sum(points)::bigint as points,
         (array_agg(points order by points desc))[1:2] as largest
  from person group by 1
), cut as (
  select reasons[array_upper(array_remove(reasons, 'campaign_exhausted'), 1)] as reason, entitled - due_points as points
  from bonus_row where due_points < entitled
  union all
  select 'campaign_exhausted', due_points - points from bonus_row where points < due_points
), by_cut as (
  select reason, count(*) as acts, sum(points)::bigint as points from cut group by reason
)
select jsonb_build_object(
  'acts', (select count(*) from bonus_row),
  'people', (select count(*) from person),
  'entitled', (select coalesce(sum(entitled), 0)::bigint from bonus_row),
  'points', (select coalesce(sum(points), 0)::bigint from bonus_row),
  'top_people', (select ceil(count(*) / 100.0)::bigint from person),
  'top_points', (select coalesce(sum(points), 0)::bigint from person
                 where place <= (select ceil(count(*) / 100.0) from person)),
  'days', (select coalesce(jsonb_agg(to_jsonb(by_day) order by day), '[]') from by_day),
  'streets', (select coalesce(jsonb_agg(to_jsonb(by_street) order by street), '[]') from by_street),
  'cuts', (select coalesce(jsonb_agg(to_jsonb(by_cut) order by points desc, reason), '[]') from by_cut))
"""
# A bonus stands as long as the decision it was given for.
STANDING: Final = """
  select b.resident_id, r.street, b.occurred_on as day, b.entitled, b.due_points, b.points, b.reasons
  from bonus b
  join decision d using (resident_id, occurred_on, activity_id, generation, shard_id)
  join resident r using (resident_id)
  where b.campaign_id = :campaign and b.occurred_on between :since and :until and d.state = 'credited'
"""


@dataclass(frozen=True)
class OfDay:
    """Bonuses for the acts of one day: how many acts, points before the caps, points paid."""

    day: date
    acts: int
    entitled: int
    points: int


@dataclass(frozen=True)
class OfStreet:
    """Who gained in a street (`none` for those who named no street), and how many points. Not to be shown of few.

    Nor of one: `largest` are the two who gained most, empty in what was written down before they were told.
    """

    street: str
    people: int
    points: int
    largest: Sequence[int] = ()

    @property
    def slack(self) -> int:
        """How far the points are from being one person's (`core.dominance`)."""
        return slack(self.points, self.largest)


@dataclass(frozen=True)
class Cut:
    """What one cap, or the end of the budget (`campaign_exhausted`), held back: acts it touched, points it cost."""

    reason: str
    acts: int
    points: int


@dataclass(frozen=True)
class BonusFigures:
    """Sums of bonuses in points. `top_points` went to the `top_people`, the one in a hundred who gained most."""

    acts: int
    people: int
    entitled: int
    points: int
    top_people: int
    top_points: int
    days: tuple[OfDay, ...]
    streets: tuple[OfStreet, ...]
    cuts: tuple[Cut, ...]

    @property
    def binds_most(self) -> str | None:
        """What held back most points; None where nothing did."""
        return self.cuts[0].reason if self.cuts else None

    @property
    def top_share_ppm(self) -> int:
        """The share of all points that went to the top people, in millionths."""
        return self.top_points * 1_000_000 // self.points if self.points else 0


def standing(session: Session, campaign_id: int, since: date, until: date) -> BonusFigures:
    """The bonuses of a campaign that stand today, for acts from `since` through `until`."""
    session.execute(
        text("select set_config('statement_timeout', '600s', true), set_config('jit', 'off', true)")
    )
    given = {"campaign": campaign_id, "since": since, "until": until}
    return of_document(session.execute(text(FIGURES.format(rows=STANDING)), given).scalar_one())


def of_document(found: Mapping[str, Any]) -> BonusFigures:
    """The figures as the statement tells them."""
    return BonusFigures(
        **{
            name: found[name] for name in ("acts", "people", "entitled", "points", "top_people", "top_points")
        },
        days=tuple(OfDay(**{**row, "day": date.fromisoformat(row["day"])}) for row in found["days"]),
        streets=tuple(OfStreet(**row) for row in found["streets"]),
        cuts=tuple(Cut(**row) for row in found["cuts"]),
    )
