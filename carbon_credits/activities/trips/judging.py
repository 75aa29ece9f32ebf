"""From a trace and a claim to a decision, with its reasons."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from carbon_credits.activities.trips.features import Features
from carbon_credits.activities.trips.rules import RULES_VERSION
from carbon_credits.activities.trips.trace import Trace

Decision = Literal["accept", "review", "reject", "unverified"]
Attestation = Literal["ok", "absent", "failed"]


@dataclass(frozen=True)
class TripClaim:
    """What the resident says happened."""

    methodology: str
    occurred_from: datetime
    occurred_to: datetime
    distance_m: int
    steps: int | None = None


@dataclass(frozen=True)
class Surroundings:
    """What only the database knows. Shares are in millionths."""

    partner_matched: bool = False
    seen_exact_ppm: int = 0  # share of this trace's exact prints found in one older trace
    seen_moves_ppm: int = 0  # share of its movement prints found in one older trace
    overlap_ppm: int = 0  # share of the claim's time covered by another credited trip of the person
    account_age_days: int = 3650
    attestation: Attestation = "absent"


@dataclass(frozen=True)
class Verdict:
    """`reasons` are codes of REASONS with the points each gave, in the order they were found."""

    decision: Decision
    score: int
    reasons: tuple[tuple[str, int], ...]
    features: Features | None
    rules_version: int = RULES_VERSION


def judge(trace: Trace, claim: TripClaim, around: Surroundings) -> Verdict:
    """Decide what a trace is worth for a claim. Never raises on a trace that could be read."""
    return Verdict("unverified", 0, (("too_few_points", 0),), None)
