"""What of a table may be shown: no cell of a few people, no sum that is nearly one person's, nothing that gives one away.

A table has rows, columns and their totals. A cell of fewer than FEWEST people is hidden with all it holds; nobody is no
group, so 0 is shown. An amount to which one person, or two, gave nearly all is hidden by itself (`core.dominance`). It
could be had by subtraction, so others are hidden with it, the smallest that do: every hidden cell lies on a circle of
hidden cells with room on it (`circulation.py`), and what is hidden in a line is not nearly one person's together.
Deterministic: the same table hides the same cells.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, TypeVar

from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Measure, Place, Table
from carbon_credits.reporting.circulation import circle, is_bare, smallest_next

WHOLE: Final = Place(TOTAL, TOTAL)
Name = TypeVar("Name", str, Place)


def hidden(table: Table, also: Iterable[Place] = ()) -> frozenset[Place]:
    """The cells that are not to be shown; `also` are hidden elsewhere, and may not be worked out from here."""
    places = table.places()
    if 0 < table.people.get(WHOLE, 0) < FEWEST:
        return frozenset(places)
    given = set(also)
    found = {place for place in places if table.people[place] < FEWEST or place in given}
    measures = table.measures()
    while bare := _first_bare(table, measures, found, places):
        place, short = bare
        more = circle(table, places, found, place, short) - found or smallest_next(
            table, places, found, place
        )
        if not more:
            break
        found |= more
    return frozenset(found)


def amount_hidden(
    table: Table, n: int, concealed: Collection[Place], also: Iterable[Place] = ()
) -> frozenset[Place]:
    """The cells of one amount that are not to be shown: those `concealed` anyway, and what one person nearly fills.

    `also` are hidden elsewhere, and may not be worked out from here.
    """
    measure = table.measure(n)
    places = [place for place in table.places() if measure.of.get(place, 0) > 0]
    if measure.slack.get(WHOLE, 0) < 0 and WHOLE not in measure.untold:
        return frozenset(concealed) | frozenset(places)
    given = set(concealed) | set(also) | measure.untold
    found = {place for place in table.places() if place in given or measure.slack.get(place, 0) < 0}
    while True:
        more = _beside(table, measure, found) or _around(table, measure, found, places)
        if not more:
            return frozenset(concealed) | (found - measure.untold)
        found |= more


def together(
    first: Table, second: Table, hide: Callable[[Table, Iterable[Place]], frozenset[Place]]
) -> tuple[frozenset[Place], frozenset[Place]]:
    """Two tables end in the same totals of columns: what one hides of them the other hides too, until they agree."""
    of_first, of_second = hide(first, ()), hide(second, ())
    while _totals(of_first) != _totals(of_second):
        both = _totals(of_first) | _totals(of_second)
        of_first, of_second = hide(first, both), hide(second, both)
    return of_first, of_second


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


def line_amount_hidden(
    people: Mapping[str, int],
    slack: Mapping[str, int],
    concealed: Collection[str],
    *,
    total_hidden: bool = False,
) -> frozenset[str]:
    """Of one amount of a single line: those `concealed` anyway, what one person nearly fills, and the others it takes.

    `slack` is of the parts that hold something (`dominance.slack`).
    """
    if total_hidden:
        return frozenset(concealed) | frozenset(slack)
    found = {name for name, far in slack.items() if far < 0 or name in concealed}
    while found and len(found) < len(slack) and sum(slack[name] for name in found) < 0:
        found.add(_relief([name for name in slack if name not in found], people, slack, found))
    return frozenset(concealed) | frozenset(found)


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
            if place not in measure.untold and is_bare(table, found, place, measure)
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


def _beside(table: Table, measure: Measure, found: set[Place]) -> set[Place]:
    """Who joins a line in which what is hidden is nearly one person's together: it is known, being the rest of the total.

    Whoever is the largest of one cell may be that of another: their sums are taken as one person's, and those of the
    second largest likewise, which hides too much rather than too little.
    """
    for total, parts in table.lines():
        some = [part for part in parts if measure.of.get(part, 0) > 0]
        concealed = [part for part in some if part in found]
        if total in found or total in measure.untold or not concealed or len(concealed) == len(some):
            continue
        if sum(measure.slack.get(part, 0) for part in concealed) < 0:
            shown = [part for part in some if part not in found]
            return {_relief(shown, table.people, measure.slack, concealed)}
    return set()


def _around(table: Table, measure: Measure, found: set[Place], places: Sequence[Place]) -> set[Place]:
    """Who joins for the first hidden cell that is known too well; nobody where none is."""
    for place in places:
        if place in found and place not in measure.untold and is_bare(table, found, place, measure):
            return circle(table, places, found, place, [measure]) - found or smallest_next(
                table, places, found, place
            )
    return set()


def _relief(
    shown: Sequence[Name],
    people: Mapping[Name, int],
    slack: Mapping[Name, int],
    concealed: Iterable[Name],
) -> Name:
    """Of those that are shown the smallest that makes up for what the hidden ones lack; where none does, the nearest."""
    lacking = -sum(slack.get(name, 0) for name in concealed)
    enough = [name for name in shown if slack.get(name, 0) >= lacking]
    if enough:
        return min(enough, key=lambda name: (people.get(name, 0), name))
    return max(shown, key=lambda name: (slack.get(name, 0), name))


def _enough(people: Sequence[int]) -> bool:
    """Two at least, and each could be FEWEST different numbers, knowing that none is 0."""
    return len(people) > 1 and sum(people) - (len(people) - 1) >= FEWEST


def _totals(concealed: Iterable[Place]) -> set[Place]:
    return {place for place in concealed if place.row == TOTAL}
