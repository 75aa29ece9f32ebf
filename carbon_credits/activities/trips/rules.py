"""The rule set: every reason a trip's evidence can be given, and what each is worth.

A score of whole points, in the manner of log-odds: what speaks for the claim adds, what speaks against it takes away.
A change of words is free; a change of points, limits or codes raises RULES_VERSION, and decisions taken under an older
version keep theirs. How the numbers were found is told in `docs/decisions/0014`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RULES_VERSION: Final = 1

ACCEPT: Final = 60
REVIEW: Final = 30

ENOUGH_POINTS: Final = 8  # usable ones …
ENOUGH_S: Final = 120  # … over two minutes under way …
ENOUGH_M: Final = 300  # … and 300 m …
ENOUGH_COVERAGE_PPM: Final = 500_000  # … and half of the claimed time without a hole of more than a minute
SLOWEST_RHYTHM_MS: Final[Mapping[str, int]] = MappingProxyType(  # … and usually a fix as often as this
    {"travel.walking": 40_000, "travel.cycling": 15_000, "travel.e_bike": 15_000}
)

INSIDE_PPM: Final = 500_000  # share of points that must lie in the claimed time
GOOD_COVERAGE_PPM: Final = 800_000
JUMP_M: Final = 300
SEEN_EXACT_PPM: Final = 50_000  # the most seen on honest repeats of a route is 12,000
SEEN_MOVES_PPM: Final = 300_000
OVERLAP_REJECT_PPM: Final = 700_000
OVERLAP_REVIEW_PPM: Final = 200_000
CONSTANT_CV_PPM: Final = 50_000  # the steadiest real leg has 63,000
CONSTANT_INTERVALS: Final = 20
STRAIGHT_PERCENT: Final = 101  # path over crow of a line drawn by hand
STRAIGHT_M: Final = 500
NEW_ACCOUNT_DAYS: Final = 7
STEPS_PER_KM: Final = (1_000, 1_700)

DETOUR_PERCENT: Final = 195  # a path longer than this share of the crow's way …
PAID_DETOUR_PERCENT: Final = 130  # … is paid as this
DISTANCE_PERCENT: Final = 105  # told may exceed measured by a twentieth …
DISTANCE_M: Final = 30  # … and the length of a crossing
DISTANCE_REJECT_PERCENT: Final = 200
DISTANCE_REJECT_M: Final = 200


@dataclass(frozen=True)
class Scale:
    """A feature read against two limits: up to `good` it fits, up to `bad` it is narrow, beyond it fails.

    `points` are given at `good`, at `bad` and beyond; between the limits they fall evenly. With `good` above `bad`, high
    values are good. `codes` name the three outcomes.
    """

    feature: str
    good: int
    bad: int
    points: tuple[int, int, int]
    codes: tuple[str, str, str]

    def read(self, value: int) -> tuple[str, int]:
        """The reason and its points for a value."""
        width, past = abs(self.bad - self.good), value - self.good
        past = past if self.bad > self.good else -past
        if past <= 0:
            return self.codes[0], self.points[0]
        if past > width:
            return self.codes[2], self.points[2]
        return self.codes[1], self.points[0] - (self.points[0] - self.points[1]) * past // width


PACE: Final = ("pace_fits", "pace_narrow", "pace_too_fast")
TYPICAL: Final = ("speed_fits", "speed_narrow", "speed_too_fast")
SURGE: Final = ("surge_fits", "surge_strong", "surge_too_strong")
EFFORT: Final = ("effort_fits", "effort_small", "effort_too_small")
SLOWNESS: Final = ("faster_than_a_walk", "slow_as_a_walk", "too_slow_for_a_ride")
PROGRESS: Final = ("progress_fits", "progress_small", "progress_too_small")
EVEN: Final = ("even_speed", "uneven_speed", "too_uneven_speed")
SWING: Final = ("swing_fits", "swing_small", "swing_too_small")
TURNS: Final = ("turns_many", "turns_few", "turns_too_few")
CORNERS: Final = ("corners_fit", "corners_slow", "corners_too_slow")

SCALES: Final[Mapping[str, tuple[Scale, ...]]] = MappingProxyType(
    {
        "travel.walking": (
            Scale("sustained_mm_s", 2_400, 3_600, (15, -30, -40), PACE),
            Scale("p85_mm_s", 2_600, 3_800, (10, -15, -40), TYPICAL),
            Scale("swing_ppm", 760_000, 670_000, (20, -20, -30), SWING),
            Scale("headings_per_km_milli", 6_000, 3_000, (20, -20, -25), TURNS),
            Scale("median_mm_s", 700, 400, (0, -20, -25), PROGRESS),
        ),
        "travel.cycling": (
            Scale("sustained_mm_s", 5_500, 8_000, (15, -40, -60), PACE),
            Scale("cruise_mm_s", 2_200, 1_700, (0, -35, -50), SLOWNESS),
            Scale("uneven_ppm", 380_000, 500_000, (10, -15, -20), EVEN),
            Scale("swing_ppm", 730_000, 640_000, (20, -30, -40), SWING),
            Scale("accel_p75_mm_s2", 180, 320, (5, -10, -20), SURGE),
            Scale("accel_p75_mm_s2", 60, 40, (0, -15, -30), EFFORT),
            Scale("headings_per_km_milli", 4_500, 1_500, (10, -15, -20), TURNS),
            Scale("corner_ppm", 650_000, 400_000, (5, -15, -15), CORNERS),
        ),
        "travel.e_bike": (
            Scale("sustained_mm_s", 8_500, 11_000, (20, -20, -60), PACE),
            Scale("p85_mm_s", 8_000, 9_500, (10, -10, -40), TYPICAL),
            Scale("swing_ppm", 700_000, 580_000, (15, -20, -20), SWING),
        ),
    }
)
PARTNER_ONLY: Final = frozenset(
    {
        "travel.shared_bicycle",
        "travel.bus",
        "travel.metro",
        "travel.carpool",
        "travel.electric_car",
        "travel.no_car_day",
    }
)

POINTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "enough_points": 30,
        "well_covered": 5,
        "too_few_points": 0,
        "too_short": 0,
        "too_thin": 0,
        "claim_not_covered": 0,
        "partner_record": 70,
        "partner_record_needed": 0,
        "not_a_trip": 0,
        "ends_before_start": -100,
        "trace_outside_claim": -100,
        "overlaps_credited_trip": -100,
        "overlaps_another_trip": 0,
        "points_seen_before": -100,
        "movement_seen_before": -60,
        "mock_location": -100,
        "attested": 10,
        "attestation_failed": -60,
        "constant_speed": -40,
        "straight_line": -30,
        "jump": -30,
        "new_account": -10,
        "steps_fit": 15,
        "steps_do_not_fit": -20,
        "distance_above_trace": 0,
        "distance_far_above_trace": -100,
    }
)
AT_MOST_REVIEW: Final = frozenset(
    {"overlaps_another_trip", "movement_seen_before", "distance_above_trace", "jump"}
)
UNVERIFIED: Final = frozenset(
    {"too_few_points", "too_short", "too_thin", "claim_not_covered", "partner_record_needed", "not_a_trip"}
)
DAMNING: Final = frozenset(
    {
        "ends_before_start",
        "trace_outside_claim",
        "overlaps_credited_trip",
        "points_seen_before",
        "mock_location",
        "attestation_failed",
    }
)
