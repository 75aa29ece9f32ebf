"""What the bench says: a figure beside its floor, each the median of rounds taken in turn."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

MISSED: Final = "未达 / missed"


@dataclass(frozen=True)
class Figure:
    """A measured value in its unit. `ratio` is to `floor`, measured in the same run; `ok` is None without a goal."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    goal: float | None = None
    ok: bool | None = None

    def as_json(self) -> str:
        """One object on one line."""
        rounded = {k: round(v, 3) if type(v) is float else v for k, v in asdict(self).items()}
        return json.dumps(rounded, ensure_ascii=False)

    def as_row(self) -> tuple[str, str, str, str, str]:
        """(name, value, floor, ratio, goal) in words."""
        goal = "" if self.goal is None else f"{_number(self.goal)} {'✓' if self.ok else MISSED}"
        floor = "" if self.floor is None else _number(self.floor)
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return self.name, f"{_number(self.value)} {self.unit}", floor, ratio, goal


def at_least(name: str, value: float, unit: str, goal: float | None, *, floor: float | None = None) -> Figure:
    """A rate that should reach its goal; where there is a floor, the ratio to it should."""
    ratio = None if floor is None else value / floor
    judged = value if ratio is None else ratio
    return Figure(name, value, unit, floor, ratio, goal, None if goal is None else judged >= goal)


def at_most(name: str, value: float, unit: str, goal: float | None, *, floor: float | None = None) -> Figure:
    """A cost that should stay within its goal; where there is a floor, the ratio to it should."""
    ratio = None if floor is None else value / floor
    judged = value if ratio is None else ratio
    return Figure(name, value, unit, floor, ratio, goal, None if goal is None else judged <= goal)


def interleaved(rounds: int, ways: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Measure each way once a round, A B A B …, so that a slow minute of the machine falls on all; the medians."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, measure in ways.items():
            taken[name].append(measure())
    return {name: median(values) for name, values in taken.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
