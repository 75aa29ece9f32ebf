"""A table with totals as a network: how far a hidden cell can be from the truth, and which others would hide it.

Parts flow from rows to columns and totals flow back. What is shown stands; hidden cells can be otherwise along circles of
hidden cells (Gusfield), as far as none of them falls under the least it can hold: a maximum flow.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

from carbon_credits.core.dominance import guard
from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Measure, Place, Table

Node = tuple[str, str]


def span(found: Iterable[Place], place: Place, measure: Measure) -> tuple[int, int]:
    """How far below and above the truth a hidden amount could be, given what is shown; above is bounded by the table."""
    concealed = (frozenset(found) | measure.untold) - {place}
    most = 2 * sum(measure.of.values()) + FEWEST
    start, end = _ends(place)
    below = min(measure.of.get(place, 0) - measure.least, _flow(concealed, start, end, measure, most))
    return max(below, 0), _flow(concealed, end, start, measure, most)


def is_bare(table: Table, found: Iterable[Place], place: Place, measure: Measure) -> bool:
    """Whether a hidden amount is known too well.

    One of a few must be able to be as many others as itself, any other one other at least; one that is a person's must be
    able to lie as far off, above and below, as the rule about that demands.
    """
    below, above = span(found, place, measure)
    each_way = guard(measure.slack.get(place, 0))
    return below + above < _others(table, place, measure) or min(below, above) < each_way


def circle(
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


def smallest_next(table: Table, places: Sequence[Place], found: set[Place], place: Place) -> set[Place]:
    """The smallest cell that is still shown, of the lines of this one before others, parts before totals."""

    def turn(other: Place) -> tuple[bool, int, int, int]:
        apart = other.row != place.row and other.column != place.column
        return apart, _worth(other), table.people[other], places.index(other)

    shown = [other for other in places if other not in found]
    return {min(shown, key=turn)} if shown else set()


def _others(table: Table, place: Place, measure: Measure) -> int:
    """How many other amounts a hidden one must be able to be: as many as itself where it is of a few."""
    value, people = measure.of.get(place, 0), table.people[place]
    return min(value, 1) if people >= FEWEST else value


def _has_room(table: Table, other: Place, place: Place, measure: Measure) -> bool:
    """Whether a cell could lend a hidden one what it is short of."""
    if other in measure.untold or (measure.untold and other.column != place.column):
        return True
    needed = max(_others(table, place, measure), guard(measure.slack.get(place, 0)))
    return measure.of.get(other, 0) >= needed + measure.least


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


def _worth(place: Place) -> int:
    """How unwillingly a cell is hidden: a column's total is what the table is for, the whole is last."""
    if place.row != TOTAL:
        return 0 if place.column != TOTAL else 1
    return 2 if place.column != TOTAL else 3
