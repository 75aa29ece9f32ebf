"""What an act would come to, said at once: the exact reading and the rate in force, before caps and other acts."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal, localcontext

from sqlalchemy.orm import Session

from carbon_credits.activities.claims import Claim
from carbon_credits.methodologies.base import derive
from carbon_credits.methodologies.catalogue import on as methodology_on
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.programme.rate_card import Rate, RateCard


@dataclass(frozen=True)
class Estimate:
    """Milligrams of CO2e and points an act would earn, or why it would earn none."""

    reduction_mg: int
    points: int
    reasons: tuple[str, ...]


def estimate(
    session: Session, rates: RateCard, told: Claim, occurred_on: date, evidence_class: str
) -> Estimate:
    """Quantify a claim without recording it.

    The decision may be lower (caps, overlaps); it is higher only where a rate began within the rate card's last moments.
    """
    methodology = methodology_on(told.methodology, occurred_on)
    if methodology is None:
        return Estimate(0, 0, ("not_in_force",))
    given = {**told.monitored, **derive(methodology, told.occurred_from, told.occurred_to)}
    found = quantify(methodology, given, occurred_on)
    if found.reasons or found.reduction_mg == 0:
        return Estimate(0, 0, found.reasons or ("no_reduction",))
    rate = rates.rate_for(session, methodology.family, evidence_class, occurred_on)
    reasons = () if rate is not None else ("no_earning_rate",)
    if methodology.needs_partner and evidence_class in "CD":
        reasons = (*reasons, "awaiting_partner_record")
    return Estimate(found.reduction_mg, points_for(found.reduction_mg, rate), reasons)


def points_for(reduction_mg: int, rate: Rate | None) -> int:
    """Whole points for milligrams: one exact product, one rounding down."""
    if rate is None:
        return 0
    with localcontext(prec=60):
        return int((Decimal(reduction_mg) * rate.points_per_mg).to_integral_value(ROUND_FLOOR))
