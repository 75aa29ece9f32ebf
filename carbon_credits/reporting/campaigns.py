"""What became of a campaign: what it added, what it cost, whom it reached, what held it back. It reads and never decides.

Money is exact: bonus points that stand, at the price their fund bought them for, in millionths of a fen. Only what was
added is an estimate, and it says how sure it is.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.crediting.bonus_figures import BonusFigures, OfStreet, standing
from carbon_credits.crediting.bonus_figures import of_document as figures_of
from carbon_credits.incentives.report import suppressed
from carbon_credits.ledger.transfers import cost_micro_fen
from carbon_credits.reporting.effects import LASTING_DAYS, Compared, Extra, Window, compare, compared_of
from carbon_credits.reporting.suppression import line_amount_hidden

MG_A_KG: Final = 1_000_000

CAMPAIGN = text("""
select c.campaign_id, c.code, c.name_zh, c.name_en, c.state, c.starts_on, c.ends_on, c.launched_at, c.ended_at,
       c.end_cause, c.methodologies, c.budget_points, c.holdout_ppm, t.points as bought, t.amount_fen
from campaign c
left join fund_transfer t on t.campaign_id = c.campaign_id and t.why = 'campaign_approved'
where c.code = :code
""")
COMPARED = text("""
select coalesce(sum(b.points), 0)::bigint
from bonus b
join decision d using (resident_id, occurred_on, activity_id, generation, shard_id)
join campaign_audience a using (campaign_id, resident_id, shard_id)
where b.campaign_id = :campaign and b.occurred_on between :since and :until and d.state = 'credited' and a.at_launch
""")
OFFERED = text("""
select coalesce(r.street, 'none') as street, count(*) as people
from campaign_audience a join resident r using (resident_id)
where a.campaign_id = :campaign and a.side = 'offered'
group by 1
""")
LATER = text("""
select count(*) from campaign_audience
where campaign_id = :campaign and not at_launch and side in ('offered', 'held_out')
""")


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
    """The report. `bonuses` and `cost_micro_fen` are of everybody, `compared_*` of those who were there at the launch.

    `effect` says for whom and what was added; `price` is that of avoided grams of its methodologies, or of removals where
    it is about nothing else. `later` came in afterwards and is in no comparison. `bonuses` has no streets: those that may
    be shown are in `streets`.
    """

    code: str
    state: str
    window: Window
    bonuses: BonusFigures
    cost_micro_fen: int
    compared_points: int
    compared_micro_fen: int
    later: int
    effect: Compared
    price: Price | None
    streets: tuple[StreetLine, ...]


def after_action(session: Session, code: str, today: date) -> AfterAction:
    """The report of a campaign over its days that are over.

    Raises NotFound for an unknown campaign, Conflict (`campaign_not_begun`) while no day of it is over.
    """
    campaign = _campaign(session, code)
    number = campaign["campaign_id"]
    window = _window(campaign, today)
    effect = compare(session, number, list(campaign["methodologies"]), window)
    bonuses = standing(session, number, window.since, window.until)
    given = {"campaign": number, "since": window.since, "until": window.until}
    compared = session.execute(COMPARED, given).scalar_one()
    compared_cost = _cost(campaign, compared)
    return AfterAction(
        code=code,
        state=campaign["state"],
        window=window,
        bonuses=replace(bonuses, streets=()),
        cost_micro_fen=_cost(campaign, bonuses.points),
        compared_points=compared,
        compared_micro_fen=compared_cost,
        later=session.execute(LATER, given).scalar_one(),
        effect=effect,
        price=_price(effect, compared_cost),
        streets=streets_shown(
            {row.street: row.people for row in session.execute(OFFERED, given)}, bonuses.streets
        ),
    )


def as_document(report: AfterAction) -> dict[str, Any]:
    """The report as JSON has it: days as text, lists for tuples, the same names."""
    told: dict[str, Any] = json.loads(json.dumps(asdict(report), default=date.isoformat))
    return told


def of_document(told: Mapping[str, Any]) -> AfterAction:
    """The report that was written as a document."""
    days = {name: date.fromisoformat(told["window"][name]) for name in ("since", "until")}
    price = told["price"]
    parts = {
        "window": Window(**{**told["window"], **days}),
        "bonuses": figures_of(told["bonuses"]),
        "effect": compared_of(told["effect"]),
        "price": None if price is None else Price(**price),
        "streets": tuple(StreetLine(**line) for line in told["streets"]),
    }
    return AfterAction(**{**told, **parts})


def streets_shown(offered: Mapping[str, int], gained: Iterable[OfStreet]) -> tuple[StreetLine, ...]:
    """Streets in which fewer than ten were offered it, or gained, are not shown, nor what would give them away.

    Nor are points that are nearly one person's, and others with them, for all points together are told.
    """
    found = {line.street: line for line in gained}
    streets = sorted({*offered, *found})
    reached = suppressed({street: offered.get(street, 0) for street in streets})
    people = suppressed({street: found[street].people if street in found else 0 for street in streets})
    points = points_shown(found.values(), people)
    return tuple(
        StreetLine(street, reached[street], people[street], points.get(street, 0)) for street in streets
    )


def points_shown(lines: Iterable[OfStreet], people: Mapping[str, int | None]) -> dict[str, int | None]:
    """Bonus points by street, of the people that are shown; None for what is not."""
    found = {line.street: line for line in lines}
    few = {street for street in found if people[street] is None}
    far = {street: line.slack for street, line in found.items() if line.points}
    away = line_amount_hidden({street: line.people for street, line in found.items()}, far, few)
    return {street: None if street in away else line.points for street, line in found.items()}


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
    """Micro-fen of so many points at the price of the campaign's fund."""
    return cost_micro_fen(points, campaign["bought"], campaign["amount_fen"])


def _price(effect: Compared, cost: int) -> Price | None:
    found = effect.of("avoided") or effect.of("removal")
    if found is None or found.during is None:
        return None
    extra: Extra = found.during
    return Price(*(_per_kg(cost, mg) for mg in (extra.high_mg, extra.extra_mg, extra.low_mg)))


def _per_kg(cost: int, mg: int) -> int | None:
    return cost * MG_A_KG // mg if mg > 0 else None
