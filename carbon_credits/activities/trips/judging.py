"""From a trace and a claim to a decision, with its reasons."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from carbon_credits.activities.trips import rules
from carbon_credits.activities.trips.features import SLACK_MS, Features, measure
from carbon_credits.activities.trips.rules import RULES_VERSION
from carbon_credits.activities.trips.trace import Trace, epoch_ms
from carbon_credits.activities.trips.wording import REASONS

__all__ = [
    "REASONS",
    "Attestation",
    "Decision",
    "Surroundings",
    "TripClaim",
    "Verdict",
    "judge",
    "payable_m",
    "payable_of",
]

Decision = Literal["accept", "review", "reject", "unverified"]
Attestation = Literal["ok", "absent", "failed"]
WALKING = "travel.walking"
E_BIKE = "travel.e_bike"


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
    from_ms, to_ms = epoch_ms(claim.occurred_from), epoch_ms(claim.occurred_to)
    features = measure(trace, from_ms, to_ms) if to_ms > from_ms else None
    reasons = [(code, rules.POINTS[code]) for code in _contradictions(trace, from_ms, to_ms)]
    reasons += [(code, rules.POINTS[code]) for code in _surroundings(trace, around)]
    thin = _too_little(features, claim)
    if thin is not None:
        reasons.append((thin, 0))
    if features is not None:
        reasons += _measured(features, claim) if thin is None else []
    if claim.methodology not in rules.SCALES and not around.partner_matched:
        known = claim.methodology in rules.PARTNER_ONLY
        reasons.append(("partner_record_needed" if known else "not_a_trip", 0))
    return _verdict(reasons, claim, around, features)


def payable_m(features: Features) -> int:
    """The length that may be paid, in metres."""
    return payable_of(features.path_m, features.pieces_m)


def payable_of(path_m: int, pieces_m: int) -> int:
    """The path, unless it winds more than streets do."""
    if 100 * path_m <= rules.DETOUR_PERCENT * pieces_m:
        return path_m
    return rules.PAID_DETOUR_PERCENT * pieces_m // 100


def _contradictions(trace: Trace, from_ms: int, to_ms: int) -> Iterator[str]:
    if to_ms <= from_ms:
        yield "ends_before_start"
    elif len(trace):
        inside = (trace.t_ms >= from_ms - SLACK_MS) & (trace.t_ms <= to_ms + SLACK_MS)
        if 1_000_000 * np.count_nonzero(inside) < rules.INSIDE_PPM * len(trace):
            yield "trace_outside_claim"


def _surroundings(trace: Trace, around: Surroundings) -> Iterator[str]:
    """What speaks for or against the trace before it is measured."""
    found = {
        "partner_record": around.partner_matched,
        "overlaps_credited_trip": around.overlap_ppm > rules.OVERLAP_REJECT_PPM,
        "overlaps_another_trip": rules.OVERLAP_REVIEW_PPM < around.overlap_ppm <= rules.OVERLAP_REJECT_PPM,
        "points_seen_before": around.seen_exact_ppm >= rules.SEEN_EXACT_PPM,
        "movement_seen_before": around.seen_moves_ppm >= rules.SEEN_MOVES_PPM,
        "mock_location": bool(trace.mock.any()),
        "attested": around.attestation == "ok",
        "attestation_failed": around.attestation == "failed",
        "new_account": around.account_age_days < rules.NEW_ACCOUNT_DAYS,
    }
    return (code for code, holds in found.items() if holds)


def _too_little(features: Features | None, claim: TripClaim) -> str | None:
    """Why a trace cannot be judged, or None."""
    if features is None or features.usable_points < rules.ENOUGH_POINTS:
        return "too_few_points"
    if features.duration_s < rules.ENOUGH_S or features.pieces_m < rules.ENOUGH_M:
        return "too_short"
    rhythm_ms = rules.SLOWEST_RHYTHM_MS.get(claim.methodology, features.interval_ms)
    if features.interval_ms > rhythm_ms:
        return "too_thin"
    if features.coverage_ppm < rules.ENOUGH_COVERAGE_PPM:
        return "claim_not_covered"
    return None


def _measured(features: Features, claim: TripClaim) -> list[tuple[str, int]]:
    reasons = [
        scale.read(getattr(features, scale.feature)) for scale in rules.SCALES.get(claim.methodology, ())
    ]
    codes = ["enough_points", *_quality(features), *_distance(features, claim), *_steps(features, claim)]
    return [(code, rules.POINTS[code]) for code in codes] + reasons


def _quality(features: Features) -> Iterator[str]:
    if features.coverage_ppm >= rules.GOOD_COVERAGE_PPM:
        yield "well_covered"
    constant = features.speed_cv_ppm < rules.CONSTANT_CV_PPM
    if constant and features.moving_intervals >= rules.CONSTANT_INTERVALS:
        yield "constant_speed"
    straight = 100 * features.path_m < rules.STRAIGHT_PERCENT * features.crow_m
    if straight and features.crow_m >= rules.STRAIGHT_M:
        yield "straight_line"
    if features.jump_m > rules.JUMP_M:
        yield "jump"


def _distance(features: Features, claim: TripClaim) -> Iterator[str]:
    """Told against measured; compared in hundredths so that nothing is divided."""
    paid = payable_m(features)
    if 100 * (claim.distance_m - rules.DISTANCE_REJECT_M) > rules.DISTANCE_REJECT_PERCENT * paid:
        yield "distance_far_above_trace"
    elif 100 * (claim.distance_m - rules.DISTANCE_M) > rules.DISTANCE_PERCENT * paid:
        yield "distance_above_trace"


def _steps(features: Features, claim: TripClaim) -> Iterator[str]:
    if claim.methodology == WALKING and claim.steps is not None:
        low, high = rules.STEPS_PER_KM
        fits = low * features.path_m <= 1000 * claim.steps <= high * features.path_m
        yield "steps_fit" if fits else "steps_do_not_fit"


def _verdict(
    reasons: list[tuple[str, int]], claim: TripClaim, around: Surroundings, features: Features | None
) -> Verdict:
    """The score decides; what cannot be proved by a trace stays short of acceptance whatever it scores."""
    total = sum(points for _, points in reasons)
    codes = {code for code, _ in reasons}
    decision: Decision = (
        "accept" if total >= rules.ACCEPT else "review" if total >= rules.REVIEW else "reject"
    )
    undecided = codes & rules.UNVERIFIED and not around.partner_matched
    if undecided and not any(points < 0 and code in rules.DAMNING for code, points in reasons):
        decision = "unverified"
    capped = bool(codes & rules.AT_MOST_REVIEW) or (
        claim.methodology == E_BIKE and not around.partner_matched
    )
    if capped and decision == "accept":
        decision = "review"
    return Verdict(decision, max(0, min(100, total)), tuple(reasons), features)
