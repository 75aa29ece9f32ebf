"""How sure a difference between two sides of a draw is: from exact sums alone, whatever the number of people.

Each person has an outcome y and, from before the draw could matter, a baseline x. The difference of the means of y is
corrected by what the draw had happened to make of x (CUPED), with the weight that people's own past has for them on
either side: where the past says nothing it is 0, where it says all it is 1, and that is difference in differences. The
interval is Welch's, for two sides of different size and spread.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95
# a weight of so many decimals is near enough to the best one, and keeps the exact figures short
WEIGHT_PARTS: Final = 1_000_000
# fewer a side and a handful of people decide what is found; the series for Student's quantile is good far below
FEWEST: Final = 100


@dataclass(frozen=True)
class Sums:
    """Exact sums over a side's people of y, x and their products; whoever has neither counts in `n` alone."""

    n: int
    y: int = 0
    x: int = 0
    yy: int = 0
    yx: int = 0
    xx: int = 0


@dataclass(frozen=True)
class Difference:
    """What the first side has more than the second, a person, and the interval it lies in 95 times of 100.

    `low`, `mean`, `high` and `without`, which is what the first side would have had, are in the outcome's unit a person;
    `weight` is the share of the baseline that was taken off.
    """

    mean: float
    low: float
    high: float
    without: float
    weight: float

    @property
    def is_seen(self) -> bool:
        """Whether chance alone would seldom show as much: the interval leaves nought out."""
        return self.low > 0 or self.high < 0


def difference(first: Sums, second: Sums) -> Difference | None:
    """The first side's mean less the second's, corrected by the baseline; None where nothing varies.

    Raises ValueError for fewer than FEWEST people on a side.
    """
    if min(first.n, second.n) < FEWEST:
        raise ValueError(f"fewer than {FEWEST} people on a side")
    weight = _weight(first, second)
    (mean_1, spread_1), (mean_2, spread_2) = _rest(first, weight), _rest(second, weight)
    spread = spread_1 + spread_2
    if spread <= 0:
        return None
    freedom = spread**2 / (spread_1**2 / (first.n - 1) + spread_2**2 / (second.n - 1))
    half = student(freedom) * sqrt(spread)
    mean = float(mean_1 - mean_2)
    without = float(Fraction(first.y, first.n)) - mean
    return Difference(mean, mean - half, mean + half, without, float(weight))


def student(freedom: float) -> float:
    """Student's two-sided quantile at CONFIDENCE for 29 degrees of freedom or more, to five decimals."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))


def _weight(first: Sums, second: Sums) -> Fraction:
    """The slope of y on x within the sides; 0 where no baseline varies."""
    both = (first, second)
    along = sum(Fraction(s.n * s.yx - s.y * s.x, s.n) for s in both)
    across = sum(Fraction(s.n * s.xx - s.x**2, s.n) for s in both)
    return Fraction(round(along / across * WEIGHT_PARTS), WEIGHT_PARTS) if across else Fraction(0)


def _rest(of: Sums, weight: Fraction) -> tuple[Fraction, float]:
    """Mean of what the weight leaves of a side's outcomes, and the variance of that mean.

    Exact until the end: what two large sums have in common is lost in no rounding.
    """
    one = of.y - weight * of.x
    two = of.yy - 2 * weight * of.yx + weight**2 * of.xx
    mean = one / of.n
    return mean, float((two - one * mean) / ((of.n - 1) * of.n))
