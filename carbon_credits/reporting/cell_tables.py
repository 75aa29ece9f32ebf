"""Tables of people and what they did, with their totals: what is known of each cell before anything is hidden."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from carbon_credits.core.dominance import slack

FEWEST: Final = 10
# the row, or the column, of totals
TOTAL: Final = ""


class Place(NamedTuple):
    """A cell by its row and column; TOTAL is the margin."""

    row: str
    column: str


class Measure(NamedTuple):
    """What is counted in each cell, where it is told nowhere, and how little a hidden cell can be known to hold.

    `slack` is how far each cell is from being one person's (`dominance.slack`); empty where that is not asked.
    """

    of: Mapping[Place, int]
    untold: frozenset[Place]
    least: int
    slack: Mapping[Place, int]


@dataclass(frozen=True)
class Table:
    """People of each cell and what they did: amounts that add up to the totals, in the order of the caller's choice.

    People need not add up: who does two things is one person. Absent cells are of nobody. `largest` are the two largest
    contributions to each amount of a cell. Raises ValueError where amounts do not add up, or are below zero.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    people: Mapping[Place, int]
    amounts: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)
    # so many of the amounts, the last ones, are of their column alone: metres and grams are not added up over a row
    apart: int = 0
    largest: Mapping[Place, tuple[tuple[int, ...], ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if any(n < 0 for of in self.amounts.values() for n in of):
            raise ValueError("an amount below zero")
        for total, parts in self.lines():
            if self.amounts and self._sum(parts) != self._sum([total]):
                raise ValueError(f"the amounts of {total} do not add up")

    def lines(self) -> Iterator[tuple[Place, list[Place]]]:
        """Each total and the cells it is the sum of, the line of totals included."""
        for row in (*self.rows, TOTAL):
            yield Place(row, TOTAL), [Place(row, column) for column in self.columns]
        for column in (*self.columns, TOTAL):
            yield Place(TOTAL, column), [Place(row, column) for row in self.rows]

    def places(self) -> list[Place]:
        """The cells in which there is anybody, in the order of the table, totals last."""
        every = (Place(row, column) for row in (*self.rows, TOTAL) for column in (*self.columns, TOTAL))
        return [place for place in every if self.people.get(place, 0) > 0]

    def measures(self) -> list[Measure]:
        """Each amount by itself; people too where they add up."""
        found = [self.measure(n)._replace(slack={}) for n in range(self._width())]
        adds_up = all(
            sum(self.people.get(part, 0) for part in parts) == self.people.get(total, 0)
            for total, parts in self.lines()
        )
        # that nobody is shown as 0 tells that a hidden cell is of somebody
        return [*found, Measure(self.people, frozenset(), 1, {})] if adds_up else found

    def measure(self, n: int) -> Measure:
        """One of the amounts, with how far each cell of it is from being one person's."""
        of = {place: amounts[n] for place, amounts in self.amounts.items()}
        untold = frozenset(Place(row, TOTAL) for row in (*self.rows, TOTAL))
        told = n < self._width() - self.apart
        far = {place: slack(of[place], largest[n]) for place, largest in self.largest.items()}
        return Measure(of, frozenset() if told else untold, 0, far)

    def _width(self) -> int:
        return max((len(of) for of in self.amounts.values()), default=0)

    def _sum(self, parts: Iterable[Place]) -> list[int]:
        width = self._width()
        none = (0,) * width
        return [sum(of) for of in zip(*(self.amounts.get(part, none) for part in parts), strict=True)] or [
            0
        ] * width
