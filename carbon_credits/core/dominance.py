"""When a sum is too much one person's to be shown although many are in it: the p% rule.

A sum X of contributions x1 ≥ x2 ≥ … is an upper estimate of x1 for whoever gave x2: X − x2. The rule hides it where that
is less than p% above the truth, that is where what is left of X without the two largest is less than p% of the largest.

Source: Hundepool et al., Handbook on Statistical Disclosure Control, second edition, August 2024 (Centre of Excellence on
SDC, for Eurostat), section 4.2: the p% rule and why it is preferred to (n,k) dominance, the protection levels, and why
what is hidden together in a line has to be safe as one sum.
"""

from collections.abc import Sequence
from typing import Final

# alone of many, somebody holds five sixths of a sum at most; two alike hold ten elevenths of it
PERCENT: Final = 20


def slack(total: int, largest: Sequence[int]) -> int:
    """How far a sum is from being hidden, in hundredths of its unit; below zero it is.

    `largest` are its two largest contributions, none of them below zero; fewer where there are not two.
    """
    first, second = (*largest, 0, 0)[:2]
    return 100 * (total - first - second) - PERCENT * first


def slack_sql(total: str, two: str) -> str:
    """The same of a statement's sum and an array of its two largest contributions."""
    first, second = f"coalesce(({two})[1], 0)", f"coalesce(({two})[2], 0)"
    return f"(100 * (({total}) - {first} - {second}) - {PERCENT} * {first})"


def guard(short: int) -> int:
    """How far above and below the truth a hidden sum must be able to be, in its unit, by its slack."""
    return -(short // 100) if short < 0 else 0
