"""Which station's weights run away from the others', though each of its bags is within tolerance.

A station's bags, in the order of time, give residuals r (per mille of the net). Of a feed and material:

* centre: the median of the other stations' medians, so that one station cannot move what it is compared with, and what
  all share (moisture lost on the way, a weighbridge that is off) accuses nobody;
* scale: the median step from bag to bag over 0.954 (the median moving range, which a lasting shift does not widen:
  Wheeler and Chambers, Understanding Statistical Process Control, 1992), the larger of the station's own and that of all;
* what is honest: boxes' scales differ by themselves, so twice 1.4826 · MAD of the others' medians (Hampel, The influence
  curve and its role in robust estimation, JASA 69, 1974), less what those medians scatter by chance, is no drift;
* z = (|r - centre| - honest) / scale, signed, cut at 3: one wild bag is the single bag's affair and names nobody;
* Page's cumulative sums (Continuous inspection schemes, Biometrika 41, 1954), one for each side:
  S = max(0, S + z - k), alarm where S > h, with k = 1/2 and h = 8.

False alarms: by Siegmund's approximation (Sequential Analysis, 1985), ARL0 = (e^(2kb) - 2kb - 1) / (2k^2), b = h + 1.166:
one in about 19,000 bags a side for normal residuals of known scale. A shift of d scales is named after about
(2(d-k)b - 1) / (2(d-k)^2) bags: a weight inflated by 5 % where bags scatter by 3 % (d = 1.67) after about 8, where they
scatter by 5 % (d = 1) after about 17. Simulated over 20 seeds of 40 stations and 60 bags, whose scales honestly differ
by 0.5 %: 2 to 4 false alarms in 48,000 bags; 5 % named after a median of 7, 12 and 18 bags at a scatter of 2, 3 and 5 %.

All sums are whole thousandths of a scale, so that every machine names the same stations.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isqrt
from statistics import median_low
from typing import Final

REFERENCE: Final = 500
LIMIT: Final = 8_000
CUT: Final = 3_000
LEAST_SCALE_PM: Final = 5
HONEST: Final = 2
FEWEST_OTHERS: Final = 4
FEWEST_BAGS: Final = 3
# what a median distance is multiplied by to estimate a standard deviation, in ten-thousandths
OF_MAD: Final = 14_826
OF_MOVING_RANGE: Final = 10_482


@dataclass(frozen=True)
class Drift:
    """A station whose sum passed the limit.

    `side` is `over` where it tells more than was weighed. `begins_at` is the place of the first bag of the last run that
    passed, `passed_at` that of the bag with which it did, `bags` how many the run has. `residual_pm` is the run's median,
    `centre_pm`, `honest_pm` and `scale_pm` what it is measured by, `sum_milli` the sum's greatest height in thousandths
    of the scale.
    """

    station: str
    side: str
    begins_at: int
    passed_at: int
    bags: int
    residual_pm: int
    centre_pm: int
    honest_pm: int
    scale_pm: int
    sum_milli: int


def drifts(residuals: Mapping[str, Sequence[int]], starts: Mapping[str, int] | None = None) -> list[Drift]:
    """Stations of one feed and material that drift, in their order; residuals per mille, in the order of time.

    `starts` is the place from which a station's sums begin, when a person has dealt with what was before. With fewer than
    four other stations to compare with nobody is named.
    """
    known = {name: list(told) for name, told in sorted(residuals.items()) if len(told) >= FEWEST_BAGS}
    if len(known) <= FEWEST_OTHERS:
        return []
    medians = {name: median_low(told) for name, told in known.items()}
    steps = {name: [abs(later - each) for each, later in pairwise(told)] for name, told in known.items()}
    typical = median_low([len(told) for told in known.values()])
    pooled = _sigma([step for of_one in steps.values() for step in of_one], OF_MOVING_RANGE)
    found = []
    for name, told in known.items():
        others = [value for other, value in medians.items() if other != name]
        centre = median_low(others)
        within = max(pooled, _sigma(steps[name], OF_MOVING_RANGE))
        scale = max(LEAST_SCALE_PM, within)
        honest = HONEST * _between(others, centre, pooled, typical)
        start = (starts or {}).get(name, 0)
        for side, sign in (("over", 1), ("under", -1)):
            run = _run([(sign * (each - centre) - honest) * 1000 // scale for each in told], start)
            if run is not None:
                middle = median_low(told[run.begins_at : run.ends_at])
                bags = run.ends_at - run.begins_at
                of = (
                    name,
                    side,
                    run.begins_at,
                    run.passed_at,
                    bags,
                    middle,
                    centre,
                    honest,
                    scale,
                    run.height,
                )
                found.append(Drift(*of))
    return found


@dataclass(frozen=True)
class _Run:
    """Bags from `begins_at` to before `ends_at` during which the sum stood above zero; it passed the limit at one."""

    begins_at: int
    passed_at: int
    ends_at: int
    height: int


def _run(z: Sequence[int], start: int) -> _Run | None:
    """The last run from a place on that passed the limit; it may have come back to zero since."""
    height, begins_at, found = 0, start, None
    for place in range(start, len(z)):
        if height == 0:
            begins_at = place
        height = max(0, height + max(-CUT, min(CUT, z[place])) - REFERENCE)
        if height > LIMIT:
            is_same = found is not None and found.begins_at == begins_at
            passed_at = found.passed_at if found is not None and is_same else place
            highest = max(height, found.height) if found is not None and is_same else height
            found = _Run(begins_at, passed_at, place + 1, highest)
        elif found is not None and found.begins_at == begins_at and height > 0:
            found = _Run(begins_at, found.passed_at, place + 1, found.height)
    return found


def _between(medians: Sequence[int], centre: int, within: int, bags: int) -> int:
    """How far stations' own centres scatter, beyond what medians of so many bags scatter by themselves."""
    seen = _sigma([abs(each - centre) for each in medians], OF_MAD)
    # the variance of a median of n normal values is pi/2 of that of a mean
    by_chance = within * within * 157 // (100 * bags)
    return isqrt(max(0, seen * seen - by_chance))


def _sigma(distances: Sequence[int], ten_thousandths: int) -> int:
    """A robust standard deviation of what these are distances in, rounded up."""
    return -(-median_low(distances) * ten_thousandths // 10_000) if distances else 0


@dataclass(frozen=True)
class Share:
    """So many of so many things at a station."""

    station: str
    part: int
    whole: int


@dataclass(frozen=True)
class Outlier:
    """A station whose share stands out: its share and the others' median in per mille, z in thousandths."""

    station: str
    part: int
    whole: int
    usual_pm: int
    z_milli: int


# four scales above what is usual: 3 in 100,000 where shares are normal about it
OUTSTANDING: Final = 4_000


def outliers(shares: Iterable[Share], fewest: int, least_part: int) -> list[Outlier]:
    """Stations with a share far above that of all, against the robust scatter of shares or that of counting, if larger.

    Counting alone scatters a share p of n by sqrt(p(1-p)/n). Stations with fewer than `fewest` things, or `least_part` of
    the kind in question, are not named; with fewer than five stations nobody is.
    """
    known = [share for share in sorted(shares, key=lambda s: s.station) if share.whole >= fewest]
    if len(known) <= FEWEST_OTHERS:
        return []
    # in millionths, so that small shares keep their digits
    millionths = {share.station: share.part * 1_000_000 // share.whole for share in known}
    usual = median_low(millionths.values())
    spread = _sigma([abs(each - usual) for each in millionths.values()], OF_MAD)
    found = []
    for share in known:
        # a share of none scatters too: as one in a thousand would
        counting = isqrt(max(usual, 1_000) * (1_000_000 - min(usual, 999_000)) // share.whole)
        z = (millionths[share.station] - usual) * 1000 // max(spread, counting, 1)
        if z > OUTSTANDING and share.part >= least_part:
            found.append(Outlier(share.station, share.part, share.whole, usual // 1000, z))
    return found


# chi-squared with nine degrees of freedom passes this once in 10,000
CHI_SQUARED_9: Final = 33_720


def uneven_digits(counts: Sequence[int]) -> int | None:
    """Pearson's chi-squared of ten last digits against even chances, in thousandths, where it passes one in 10,000.

    Last digits of what a scale reads are even where masses spread over many of its steps; numbers that people make up are
    not (Mosimann et al., Terminal digits and the examination of questioned data, Accountability in Research 9, 2002).
    """
    total = sum(counts)
    if total == 0:
        return None
    squared = sum(each * each for each in counts)
    found = (10 * squared * 1000) // total - total * 1000
    return found if found > CHI_SQUARED_9 else None


def grouped(rows: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Values by name, in the order they come."""
    found: dict[str, list[int]] = defaultdict(list)
    for name, value in rows:
        found[name].append(value)
    return dict(found)
