"""What became of a campaign: what it added, what it cost, whom it reached, what held it back. It reads and never decides.

Money is exact: bonus points that stand, at the price their fund bought them for, in millionths of a fen. Only what was
added is an estimate, and it says how sure it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.incentives.report import FEWEST, suppressed
from carbon_credits.reporting.effects import LASTING_DAYS, Compared, Extra, Window, compare

MG_A_KG: Final = 1_000_000
MICRO: Final = 1_000_000
NO_STREET: Final = "none"

CAMPAIGN = text("""
select c.campaign_id, c.code, c.name_zh, c.name_en, c.state, c.starts_on, c.ends_on, c.launched_at, c.ended_at, c.end_cause,
       c.methodologies, c.budget_points, c.holdout_ppm, t.points as bought, t.amount_fen
from campaign c
left join fund_transfer t on t.campaign_id = c.campaign_id and t.why = 'campaign_approved'
where c.code = :code
""")
# A bonus stands as long as the decision it was given for.
_STANDING = """
standing as (
  select b.* from bonus b
  join decision d using (resident_id, occurred_on, activity_id, generation, shard_id)
  where b.campaign_id = :campaign and b.occurred_on between :starts and :ends and d.state = 'credited'
)
"""
TOTALS = text(f"""
with {_STANDING}
select count(*) as acts, count(distinct resident_id) filter (where points > 0) as people,
       coalesce(sum(entitled), 0)::bigint as entitled, coalesce(sum(points), 0)::bigint as points,
       coalesce(sum(points) filter (where a.at_launch), 0)::bigint as compared_points
from standing join campaign_audience a using (campaign_id, resident_id, shard_id)
""")
CUTS = text(f"""
with {_STANDING}
select reason, count(*) as acts,
       coalesce(sum(case when reason = 'campaign_exhausted' then due_points - points else entitled - due_points end), 0)::bigint
         as points
from standing cross join lateral (
  -- of several caps of a person's, the one that lasts longest is what held the act back in the end
  select r as reason, row_number() over (order by n desc) as nth from unnest(reasons) with ordinality u (r, n)
  where r <> 'campaign_exhausted'
  union all
  select 'campaign_exhausted', 1 where 'campaign_exhausted' = any(reasons)
) told
where nth = 1
group by reason order by points desc, reason
""")
STREETS = text(f"""
with {_STANDING}, gained as (
  select resident_id, sum(points)::bigint as points from standing where points > 0 group by resident_id
)
select coalesce(r.street, '{NO_STREET}') as street, count(*) filter (where a.side = 'offered') as offered,
       count(g.resident_id) as gained, coalesce(sum(g.points), 0)::bigint as points
from campaign_audience a
join resident r using (resident_id)
left join gained g using (resident_id)
where a.campaign_id = :campaign and a.side in ('offered', 'held_out')
group by 1 order by 1
""")
LATER = text("""
select count(*) from campaign_audience
where campaign_id = :campaign and not at_launch and side in ('offered', 'held_out')
""")


@dataclass(frozen=True)
class Cut:
    """What one cap, or the end of the budget (`campaign_exhausted`), held back: acts it touched, points it cost."""

    reason: str
    acts: int
    points: int


@dataclass(frozen=True)
class StreetLine:
    """A street's people who were offered the campaign, those who gained, their bonus points; None is not shown."""

    street: str
    offered: int | None
    gained: int | None
    points: int | None


@dataclass(frozen=True)
class Price:
    """Micro-fen for an extra kilogram: at best, by the estimate, at worst; None where no extra grams are that sure."""

    best: int | None
    mean: int | None
    worst: int | None


@dataclass(frozen=True)
class AfterAction:
    """The report. `acts`, `points`, `cost_micro_fen` are of everybody; `compared_*` of those frozen at the launch.

    `effect` says for whom and what was added; `price` is by avoided grams of the campaign's methodologies.
    """

    code: str
    state: str
    window: Window
    acts: int
    people: int | None
    entitled: int
    points: int
    cost_micro_fen: int
    compared_points: int
    compared_micro_fen: int
    later: int
    effect: Compared
    price: Price | None
    cuts: tuple[Cut, ...]
    streets: tuple[StreetLine, ...]


def after_action(session: Session, code: str, today: date) -> AfterAction:
    """The report of a campaign over its days that are over.

    Raises NotFound for an unknown campaign, Conflict (`campaign_not_begun`) while no day of it is over.
    """
    campaign = _campaign(session, code)
    window = _window(campaign, today)
    given = {
        "campaign": campaign["campaign_id"],
        "starts": campaign["starts_on"],
        "ends": campaign["ends_on"],
    }
    effect = compare(session, campaign["campaign_id"], list(campaign["methodologies"]), window)
    totals = session.execute(TOTALS, given).mappings().one()
    compared = totals["compared_points"]
    return AfterAction(
        code=code,
        state=campaign["state"],
        window=window,
        acts=totals["acts"],
        people=totals["people"] if totals["people"] == 0 or totals["people"] >= FEWEST else None,
        entitled=totals["entitled"],
        points=totals["points"],
        cost_micro_fen=_cost(campaign, totals["points"]),
        compared_points=compared,
        compared_micro_fen=_cost(campaign, compared),
        later=session.execute(LATER, given).scalar_one(),
        effect=effect,
        price=_price(effect, _cost(campaign, compared)),
        cuts=tuple(Cut(**row) for row in session.execute(CUTS, given).mappings()),
        streets=_streets(session.execute(STREETS, given).mappings().all()),
    )


def _campaign(session: Session, code: str) -> RowMapping:
    found = session.execute(CAMPAIGN, {"code": code}).mappings().one_or_none()
    if found is None:
        raise NotFound("campaign_unknown", Text("没有此活动", "There is no such campaign"))
    return found


def _window(campaign: RowMapping, today: date) -> Window:
    """The days that are compared: those of the campaign, until it ended or yesterday."""
    last = campaign["ends_on"]
    if campaign["ended_at"] is not None:
        last = min(last, campaign["ended_at"].astimezone(PROGRAMME_ZONE).date())
    until = min(last, today - timedelta(days=1))
    if campaign["launched_at"] is None or until < campaign["starts_on"]:
        said = Text("活动尚无已结束的日期", "No day of the campaign is over yet")
        raise Conflict("campaign_not_begun", said)
    return Window(campaign["starts_on"], until, today > last + timedelta(days=LASTING_DAYS))


def _cost(campaign: RowMapping, points: int) -> int:
    """Micro-fen of so many points at the price of the campaign's fund, rounded up."""
    if not points:
        return 0
    price = Fraction(campaign["amount_fen"] * MICRO, campaign["bought"])
    return -(-points * price.numerator // price.denominator)


def _price(effect: Compared, cost: int) -> Price | None:
    found = effect.of("avoided")
    if found is None or found.during is None:
        return None
    extra: Extra = found.during
    return Price(*(_per_kg(cost, mg) for mg in (extra.high_mg, extra.extra_mg, extra.low_mg)))


def _per_kg(cost: int, mg: int) -> int | None:
    return cost * MG_A_KG // mg if mg > 0 else None


def _streets(rows: Any) -> tuple[StreetLine, ...]:
    """Streets in which few were offered it, or few gained, are not shown, nor what would give them away."""
    offered, gained = (_shown({row["street"]: row[name] for row in rows}) for name in ("offered", "gained"))
    return tuple(
        StreetLine(
            row["street"],
            offered[row["street"]],
            gained[row["street"]],
            None if gained[row["street"]] is None else row["points"],
        )
        for row in rows
    )


def _shown(people: Mapping[str, int]) -> Mapping[str, int | None]:
    return suppressed(people)
