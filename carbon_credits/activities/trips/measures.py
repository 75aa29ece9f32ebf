"""What was measured on a trip beside the limits it was read against, for the person who looks at it after the rules."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from carbon_credits.activities.trips import rules
from carbon_credits.activities.trips.judging import payable_of
from carbon_credits.activities.trips.wording import REASONS
from carbon_credits.core.i18n import Text

# each measure in words, the unit it is told in, and how many of it make one of that unit
WORDS: Final[Mapping[str, tuple[Text, str, int]]] = {
    "usable_points": (Text("有效轨迹点", "Usable points"), "count", 1),
    "duration_s": (Text("移动时长", "Time under way"), "s", 1),
    "path_m": (Text("轨迹里程", "Length of the way"), "m", 1),
    "pieces_m": (Text("五分钟直线里程", "Length over five-minute pieces"), "m", 1),
    "coverage_ppm": (Text("覆盖申报时间", "Share of the claimed time covered"), "%", 10_000),
    "interval_ms": (Text("点间隔（中位）", "Time between points, median"), "s", 1_000),
    "max_gap_s": (Text("最长间断", "Longest hole"), "s", 1),
    "jump_m": (Text("最大跳跃", "Longest impossible step"), "m", 1),
    "speed_cv_ppm": (Text("速度离散度", "Spread of speed"), "%", 10_000),
    "overall_mm_s": (Text("平均速度", "Mean speed"), "m/s", 1_000),
    "median_mm_s": (Text("速度中位数", "Median speed"), "m/s", 1_000),
    "p85_mm_s": (Text("通常速度（85 分位）", "Usual speed, 85th percentile"), "m/s", 1_000),
    "p95_mm_s": (Text("速度 95 分位", "Speed, 95th percentile"), "m/s", 1_000),
    "cruise_mm_s": (Text("半程速度", "Speed over half of the way"), "m/s", 1_000),
    "sustained_mm_s": (Text("最快一分钟", "Fastest minute"), "m/s", 1_000),
    "accel_p75_mm_s2": (Text("加速程度（75 分位）", "Change of speed, 75th percentile"), "m/s²", 1_000),
    "uneven_ppm": (Text("速度不均匀度", "Unevenness of speed"), "%", 10_000),
    "swing_ppm": (Text("短时速度起伏", "Swing of speed"), "%", 10_000),
    "headings_per_km_milli": (Text("每公里转弯", "Turns a kilometre"), "count", 1_000),
    "corner_ppm": (Text("转弯时速度", "Speed in turns, of the usual"), "%", 10_000),
}
LEAST: Final[Mapping[str, int]] = {
    "usable_points": rules.ENOUGH_POINTS,
    "duration_s": rules.ENOUGH_S,
    "pieces_m": rules.ENOUGH_M,
    "coverage_ppm": rules.ENOUGH_COVERAGE_PPM,
    "speed_cv_ppm": rules.CONSTANT_CV_PPM,
}
MOST: Final[Mapping[str, int]] = {"jump_m": rules.JUMP_M}


@dataclass(frozen=True)
class Measure:
    """A measure with its limits, all in the unit, written out; `points` and `found` are what the rules made of it."""

    words: Text
    unit: str
    value: str
    good: str
    bad: str
    points: int | None
    found: Text | None
    holds: bool


def measures_of(methodology: str, features: Mapping[str, int], distance_m: int) -> list[Measure]:
    """What the rules look at of a trip of this kind of which `distance_m` was told, in their order."""
    told = [_distance(features, distance_m), *_limits(methodology, features)]
    # what an older set of rules did not measure cannot be shown
    scales = (one for one in rules.SCALES.get(methodology, ()) if one.feature in features)
    return told + [_scaled(scale, features) for scale in scales]


def _distance(features: Mapping[str, int], distance_m: int) -> Measure:
    """What was told against what the trace could be paid for: a little above is doubted, far above refused."""
    paid = payable_of(features["path_m"], features["pieces_m"])
    narrow = rules.DISTANCE_PERCENT * paid // 100 + rules.DISTANCE_M
    far = rules.DISTANCE_REJECT_PERCENT * paid // 100 + rules.DISTANCE_REJECT_M
    code = "distance_far_above_trace" if distance_m > far else "distance_above_trace"
    holds = distance_m <= narrow
    return Measure(
        Text("申报里程", "Distance told"),
        "m",
        written(distance_m, 1),
        "≤ " + written(narrow, 1),
        "≤ " + written(far, 1),
        None if holds else rules.POINTS[code],
        None if holds else REASONS[code],
        holds,
    )


def _limits(methodology: str, features: Mapping[str, int]) -> Iterator[Measure]:
    rhythm = rules.SLOWEST_RHYTHM_MS.get(methodology)
    most = {**MOST, **({} if rhythm is None else {"interval_ms": rhythm})}
    for name in WORDS:
        if name not in features or name not in {**LEAST, **most}:
            continue
        words, unit, scale = WORDS[name]
        value, least = features[name], name in LEAST
        limit = LEAST[name] if least else most[name]
        holds = value >= limit if least else value <= limit
        edge = ("≥ " if least else "≤ ") + written(limit, scale)
        yield Measure(words, unit, written(value, scale), edge, "", None, None, holds)


def _scaled(scale: rules.Scale, features: Mapping[str, int]) -> Measure:
    words, unit, of_one = WORDS[scale.feature]
    code, points = scale.read(features[scale.feature])
    sign = "≤ " if scale.bad > scale.good else "≥ "
    return Measure(
        words,
        unit,
        written(features[scale.feature], of_one),
        sign + written(scale.good, of_one),
        sign + written(scale.bad, of_one),
        points,
        REASONS[code],
        code == scale.codes[0],
    )


def written(value: int, scale: int) -> str:
    """A whole number of small parts in the unit that people read, to two places at most."""
    whole, rest = divmod(abs(value), scale)
    places = f"{rest * 100 // scale:02}".rstrip("0") if scale > 1 else ""
    return ("-" if value < 0 else "") + f"{whole:,}" + (f".{places}" if places else "")
