"""What of a table may be shown: no cell of a few people, nor any other from which one could be worked out.

A table has rows, columns and their totals. A cell of fewer than FEWEST people is hidden; nobody is no group, so 0 is
shown. A hidden cell could be had by subtraction, so others are hidden with it, the smallest that do: every hidden cell
lies on a circle of hidden cells, along which amounts can be moved without changing anything that is shown (Gusfield).
How far they can be moved is measured too: an amount of a few people could be anything from nothing to twice of itself
at least. Deterministic: the same table hides the same cells.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, NamedTuple

FEWEST: Final = 10
# the row, or the column, of totals
TOTAL: Final = ""


class Place(NamedTuple):
    """A cell by its row and column; TOTAL is the margin."""

    row: str
    column: str


Node = tuple[str, str]


class Measure(NamedTuple):
    """What is counted in each cell, where it is told nowhere, and how little a hidden cell can be known to hold."""

    of: Mapping[Place, int]
    untold: frozenset[Place]
    least: int


@dataclass(frozen=True)
class Table:
    """People of each cell and what they did: amounts that add up to the totals, in the order of the caller's choice.

    People need not add up: who does two things is one person. Absent cells are of nobody. Raises ValueError where
    amounts do not add up, or are below zero.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    people: Mapping[Place, int]
    amounts: Mapping[Place, tuple[int, ...]] = field(default_factory=dict)
    # so many of the amounts, the last ones, are of their column alone: metres and grams are not added up over a row
    apart: int = 0

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

    def measures(self) -> list["Measure"]:
        """Each amount by itself; people too where they add up."""
        width = max((len(of) for of in self.amounts.values()), default=0)
        untold = frozenset(Place(row, TOTAL) for row in (*self.rows, TOTAL))
        found = [
            Measure(
                {place: of[n] for place, of in self.amounts.items()},
                untold if n >= width - self.apart else frozenset(),
                0,
            )
            for n in range(width)
        ]
        adds_up = all(
            sum(self.people.get(part, 0) for part in parts) == self.people.get(total, 0)
            for total, parts in self.lines()
        )
        # that nobody is shown as 0 tells that a hidden cell is of somebody
        return [*found, Measure(self.people, frozenset(), 1)] if adds_up else found

    def _sum(self, parts: Iterable[Place]) -> list[int]:
        width = max(len(of) for of in self.amounts.values())
        none = (0,) * width
        return [sum(of) for of in zip(*(self.amounts.get(part, none) for part in parts), strict=True)] or [
            0
        ] * width


def hidden(table: Table, also: Iterable[Place] = ()) -> frozenset[Place]:
    """The cells that are not to be shown; `also` are hidden elsewhere, and may not be worked out from here."""
    places = table.places()
    if 0 < table.people.get(Place(TOTAL, TOTAL), 0) < FEWEST:
        return frozenset(places)
    given = set(also)
    found = {place for place in places if table.people[place] < FEWEST or place in given}
    measures = table.measures()
    while bare := _first_bare(table, measures, found, places):
        place, short = bare
        more = _circle(table, places, found, place, short) - found or _next(table, places, found, place)
        if not more:
            break
        found |= more
    return frozenset(found)


def line_hidden(people: Mapping[str, int], *, total_hidden: bool = False) -> frozenset[str]:
    """The same of a single line whose total is shown elsewhere: the smallest others join until enough is hidden."""
    some = sorted((name for name, n in people.items() if n > 0), key=lambda name: (people[name], name))
    if total_hidden:
        return frozenset(some)
    found = [name for name in some if people[name] < FEWEST]
    for name in some[len(found) :]:
        if not found or _enough([people[of] for of in found]):
            break
        found.append(name)
    return frozenset(found)


def span(found: Iterable[Place], place: Place, measure: Measure) -> tuple[int, int]:
    """How far below and above the truth a hidden amount could be, given what is shown; above is bounded by the table."""
    concealed = (frozenset(found) | measure.untold) - {place}
    most = 2 * sum(measure.of.values()) + FEWEST
    start, end = _ends(place)
    below = min(measure.of.get(place, 0) - measure.least, _flow(concealed, start, end, measure, most))
    return max(below, 0), _flow(concealed, end, start, measure, most)


def _first_bare(
    table: Table, measures: Sequence[Measure], found: set[Place], places: Sequence[Place]
) -> tuple[Place, list[Measure]] | None:
    """The first hidden cell that could be worked out, and of which measures."""
    for place in places:
        if place not in found:
            continue
        short = [
            measure
            for measure in measures
            if place not in measure.untold
            and sum(span(found, place, measure)) < _room_needed(table, place, measure)
        ]
        if short or not _lines_hide_enough(table, found, place):
            return place, short
    return None


def _lines_hide_enough(table: Table, found: set[Place], place: Place) -> bool:
    """Whether what is hidden in the lines of a cell is two cells at least and enough people, or all there are."""
    for total, parts in table.lines():
        concealed = [part for part in parts if part in found]
        some = [part for part in parts if table.people.get(part, 0) > 0]
        if place not in concealed or total in found:
            continue
        if len(concealed) < 2:
            return False
        if len(concealed) < len(some) and not _enough([table.people[part] for part in concealed]):
            return False
    return True


def _room_needed(table: Table, place: Place, measure: Measure) -> int:
    """How many other amounts a hidden one must be able to be: as many as itself where it is of a few."""
    value, people = measure.of.get(place, 0), table.people[place]
    return min(value, 1) if people >= FEWEST else value


def _enough(people: Sequence[int]) -> bool:
    """Two at least, and each could be FEWEST different numbers, knowing that none is 0."""
    return len(people) > 1 and sum(people) - (len(people) - 1) >= FEWEST


def _ends(place: Place) -> tuple[Node, Node]:
    """A cell as an arc of a circulation: parts flow from rows to columns, totals flow back."""
    row, column = ("row", place.row), ("column", place.column)
    return (row, column) if (place.row == TOTAL) == (place.column == TOTAL) else (column, row)


def _flow(concealed: frozenset[Place], source: Node, sink: Node, measure: Measure, most: int) -> int:
    """The most that can be moved from one node to another along hidden cells, none of them falling under the least."""
    room: dict[Node, dict[Node, int]] = {}
    for place in concealed:
        start, end = _ends(place)
        room.setdefault(start, {})[end] = most
        room.setdefault(end, {})[start] = max(measure.of.get(place, 0) - measure.least, 0)
    moved = 0
    while moved < most and (way := _way(room, source, sink)):
        step = min(room[a][b] for a, b in way)
        for a, b in way:
            room[a][b] -= step
            room[b][a] += step
        moved += step
    return min(moved, most)


def _way(room: Mapping[Node, Mapping[Node, int]], source: Node, sink: Node) -> list[tuple[Node, Node]]:
    """The shortest way with room on it; empty where there is none."""
    came: dict[Node, Node] = {source: source}
    queue = deque([source])
    while queue and sink not in came:
        here = queue.popleft()
        for there, left in room.get(here, {}).items():
            if left > 0 and there not in came:
                came[there] = here
                queue.append(there)
    if sink not in came:
        return []
    way, here = [], sink
    while here != source:
        way.append((came[here], here))
        here = came[here]
    return way


def _circle(
    table: Table, places: Sequence[Place], found: set[Place], place: Place, short: Sequence[Measure]
) -> set[Place]:
    """The cells of the cheapest circle through a cell: hidden ones cost nothing, others their people.

    Those that have too little themselves of what the cell is short of are passed by.
    """
    order = {of: n for n, of in enumerate(places)}
    near: dict[Node, list[tuple[Node, Place]]] = {}
    for of in places:
        if of != place and all(_has_room(table, of, place, measure) for measure in short):
            start, end = _ends(of)
            near.setdefault(start, []).append((end, of))
            near.setdefault(end, []).append((start, of))
    source, sink = _ends(place)
    heap: list[tuple[int, tuple[int, ...], Node]] = [(0, (), source)]
    seen: set[Node] = set()
    while heap:
        cost, path, here = heappop(heap)
        if here == sink:
            return {places[n] for n in path}
        if here in seen:
            continue
        seen.add(here)
        for there, of in near.get(here, []):
            price = 0 if of in found else table.people[of] * (1, 1, 1_000, 1_000_000)[_worth(of)]
            heappush(heap, (cost + price, (*path, order[of]), there))
    return set()


def _has_room(table: Table, other: Place, place: Place, measure: Measure) -> bool:
    """Whether a cell could lend a hidden one what it is short of."""
    if other in measure.untold or (measure.untold and other.column != place.column):
        return True
    return measure.of.get(other, 0) >= _room_needed(table, place, measure) + measure.least


def _worth(place: Place) -> int:
    """How unwillingly a cell is hidden: a column's total is what the table is for, the whole is last."""
    if place.row != TOTAL:
        return 0 if place.column != TOTAL else 1
    return 2 if place.column != TOTAL else 3


def _next(table: Table, places: Sequence[Place], found: set[Place], place: Place) -> set[Place]:
    """The smallest cell that is still shown, of the lines of this one before others, parts before totals."""

    def turn(other: Place) -> tuple[bool, int, int, int]:
        apart = other.row != place.row and other.column != place.column
        return apart, _worth(other), table.people[other], places.index(other)

    shown = [other for other in places if other not in found]
    return {min(shown, key=turn)} if shown else set()
