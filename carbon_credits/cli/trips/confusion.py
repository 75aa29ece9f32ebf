"""Claimed mode × true mode: how the rules decide on trips whose mode is known."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from carbon_credits.activities.trips.judging import Verdict
from carbon_credits.cli.trips import naive
from carbon_credits.cli.trips.records import Leg, judged

CLAIMS: Final = ("travel.walking", "travel.cycling", "travel.e_bike", "travel.bus", "travel.metro")
TRUE_MODES: Final = ("walk", "bicycle", "e-bike", "e-scooter", "bus", "car", "rail")
MOTORISED: Final = frozenset({"bus", "car", "rail"})
TOO_LITTLE: Final = frozenset({"too_few_points", "too_short", "too_thin", "claim_not_covered"})


@dataclass(frozen=True)
class Judged:
    """A leg claimed as something, and what became of it."""

    leg: Leg
    claimed: str
    verdict: Verdict

    @property
    def enough(self) -> bool:
        """Whether the trace had enough points for this claim."""
        return not TOO_LITTLE & {code for code, _ in self.verdict.reasons}


@dataclass(frozen=True)
class Goal:
    """A share of accepted legs among those with enough points, and the bound it should keep."""

    words: str
    claimed: str
    true: frozenset[str]
    bound: float
    at_least: bool = False

    def share(self, found: Iterable[Judged]) -> tuple[int, int]:
        """(accepted, legs with enough points)."""
        mine = [
            one for one in found if one.claimed == self.claimed and one.leg.mode in self.true and one.enough
        ]
        return sum(one.verdict.decision == "accept" for one in mine), len(mine)

    def naive_share(self, found: Iterable[Judged]) -> tuple[int, int]:
        """The same legs by the naive envelopes."""
        mine = [
            one for one in found if one.claimed == self.claimed and one.leg.mode in self.true and one.enough
        ]
        return sum(naive.fits(one.leg, one.claimed) for one in mine), len(mine)

    def holds(self, accepted: int, legs: int) -> bool:
        """Whether the bound is kept; no legs prove nothing."""
        if not legs:
            return False
        return accepted >= self.bound * legs if self.at_least else accepted <= self.bound * legs


GOALS: Final = (
    Goal("步行通过 true walk accepted", "travel.walking", frozenset({"walk"}), 0.80, at_least=True),
    Goal("骑行通过 true bicycle accepted", "travel.cycling", frozenset({"bicycle"}), 0.85, at_least=True),
    Goal("机动车冒充步行 motorised as walk", "travel.walking", MOTORISED, 0.02),
    Goal("小汽车冒充骑行 car as bicycle", "travel.cycling", frozenset({"car"}), 0.02),
    Goal("公交冒充骑行 bus as bicycle", "travel.cycling", frozenset({"bus"}), 0.06),
)


def decide(legs: Sequence[Leg]) -> list[Judged]:
    """Every leg of a known mode, claimed as each mode."""
    return [
        Judged(leg, claimed, judged(leg, claimed))
        for claimed in CLAIMS
        for leg in legs
        if leg.mode in TRUE_MODES
    ]


def rows(found: Sequence[Judged]) -> list[tuple[str, ...]]:
    """(claimed, true, legs, below enough points, accepted, review, rejected, unverified, accepted share, naive)."""
    table: list[tuple[str, ...]] = []
    for claimed in CLAIMS:
        for mode in TRUE_MODES:
            mine = [one for one in found if one.claimed == claimed and one.leg.mode == mode]
            if not mine:
                continue
            enough = [one for one in mine if one.enough]
            decided = Counter(one.verdict.decision for one in mine)
            naively = sum(naive.fits(one.leg, claimed) for one in enough)
            table.append(
                (
                    claimed.removeprefix("travel."),
                    mode,
                    str(len(mine)),
                    str(len(mine) - len(enough)),
                    *(str(decided[name]) for name in ("accept", "review", "reject", "unverified")),
                    share(decided["accept"], len(enough)),
                    share(naively, len(enough)) if claimed in naive.ENVELOPES else "—",
                )
            )
    return table


def share(part: int, whole: int) -> str:
    """A share with two decimals; a dash of nothing."""
    return f"{part / whole:.3f}" if whole else "—"
