"""What is wrong with a city's day on purpose: rides that the operator corrects, and what nobody can tell apart.

Both come with their truth: the day as it is once the corrected files are in, and what must stay undecided.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from carbon_credits.cli.bench.cityday import HOP_M, CityDay, Claimed, Ride, tap_id
from carbon_credits.cli.bench.cityday_files import CLOCK_OFF_S, Operator, SignedFile, rows_of
from carbon_credits.core.ids import resident_id

AMENDED = 0.03
ALIKE = 0.02
# after the last ride and the last claim of a resident's day
LATE_EVENING_S, SHORT_S, BESIDE_S = 22 * 3600, 150, 20
SECOND_CARDS = 9_000_000

Dealt = list[list[str]]


@dataclass(frozen=True)
class Amended:
    """A day as it is in truth, its files told right, and how many journeys were changed and records taken back."""

    city: CityDay
    dealt: Dealt
    changed: int
    voided: int


@dataclass(frozen=True)
class Alike:
    """What is added to a day: rows and claims, the rides that are sure all the same, and what nobody may decide.

    `torn` claims fit two rides, `mirrored` ones fit a ride as well as another claim does; the taps of `twins` were told
    by two gates in one second. `cards` are second ones, as (resident's number, rider's number).
    """

    rows: list[str]
    rides: list[Ride]
    torn: list[Claimed]
    mirrored: list[Claimed]
    twins: list[str]
    cards: list[tuple[int, int]]


def amend(city: CityDay, dealt: Sequence[Sequence[str]], seed: int) -> Amended:
    """Let some residents' rides turn out otherwise: another exit, none at all, or no ride. Each was told in one file."""
    chance = Random(f"{seed} amended")
    told_in: dict[str, set[int]] = defaultdict(set)
    for place, lines in enumerate(dealt):
        for line in lines:
            told_in[line.partition(",")[0]].add(place)
    right: dict[int, Ride | None] = {}
    rows: dict[str, str | None] = {}
    kinds = [0, 0, 0]
    for ride in city.rides:
        taps = [tap_id(ride, half) for half in (0, 1)]
        is_whole = len(set.union(*(told_in[tap] for tap in taps))) == 1
        if not is_whole or ride.resident is None or ride.taps != "both" or ride.distance_m <= 2 * HOP_M:
            continue
        if chance.random() < AMENDED:
            kind = sum(kinds) % 3
            kinds[kind] += 1
            now = right[ride.number] = (_one_stop_less(ride), replace(ride, taps="no_exit"), None)[kind]
            lines = [] if now is None else [tap.line for tap in rows_of(city, now)]
            rows |= dict.fromkeys(taps) | {line.partition(",")[0]: line for line in lines}
    told = [[row for line in lines if (row := rows.get(line.partition(",")[0], line))] for lines in dealt]
    return Amended(_as_it_is(city, right), told, kinds[0], 2 * kinds[1] + 3 * kinds[2])


def alike(city: CityDay) -> Alike:
    """Some residents' late evening, of which nobody can say what it was."""
    number = max(ride.number for ride in city.rides) + 1
    found = Alike([], [], [], [], [], [])
    for resident in range(1, max(2, int(city.size.residents * ALIKE))):
        add = (_torn, _mirrored, _twin_entries, _twin_exits)[resident % 4]
        add(city, Ride(number, resident, resident, LATE_EVENING_S, LATE_EVENING_S + SHORT_S, 4, 6), found)
        number += 2
    return found


def corrected(
    operator: Operator,
    files: Sequence[SignedFile],
    dealt: Sequence[Sequence[str]],
    now: Sequence[Sequence[str]],
) -> list[SignedFile]:
    """The next versions of those files of a day that are told otherwise now."""
    return [
        operator.sign(
            date.fromisoformat(first.told["service_date"]),
            first.told["seq"],
            lines,
            is_last=lines is now[-1],
            replaces=first,
        )
        for first, before, lines in zip(files, dealt, now, strict=True)
        if lines != before
    ]


def worth(city: CityDay) -> dict[int, tuple[int, int]]:
    """What everybody should have of a day: milligrams and points of each ride that the gates prove."""
    return {
        resident_id(resident): (sum(m * 467 // 10 for m in metres), sum(m * 467 // 10_000 for m in metres))
        for resident, metres in city.credited_m().items()
    }


def _one_stop_less(ride: Ride) -> Ride:
    back = 1 if ride.destination > ride.origin else -1
    return replace(ride, destination=ride.destination - back)


def _as_it_is(city: CityDay, right: dict[int, Ride | None]) -> CityDay:
    rides = [now for ride in city.rides if (now := right.get(ride.number, ride)) is not None]
    claims = []
    for claim in city.claims:
        ride = None if claim.ride is None else right.get(claim.ride.number, claim.ride)
        claims.append(replace(claim, ride=ride, sure=claim.sure and ride is not None and ride.taps == "both"))
    return CityDay(city.day, city.size, rides, claims)


def _torn(city: CityDay, ride: Ride, found: Alike) -> None:
    """Two rides, the second by another card a little before the first ends, and one claim over both: half fits each."""
    card = SECOND_CARDS + ride.rider
    begins = ride.leaves_s - BESIDE_S
    after = Ride(ride.number + 1, card, ride.resident, begins, begins + SHORT_S, 6, 8)
    for each in (ride, after):
        found.rides.append(each)
        found.rows.extend(_rows(city, each))
    metres = ride.distance_m + after.distance_m
    found.torn.append(Claimed(ride.rider, ride.enters_s, after.leaves_s, metres, None, False))
    found.cards.append((ride.rider, card))


def _mirrored(city: CityDay, ride: Ride, found: Alike) -> None:
    """Two claims of one ride, one as much too early as the other is too late."""
    found.rides.append(ride)
    found.rows.extend(_rows(city, ride))
    for off in (-30, 30):
        times = ride.enters_s + off, ride.leaves_s + off
        found.mirrored.append(Claimed(ride.rider, *times, ride.distance_m, ride, False))


def _twin_entries(city: CityDay, ride: Ride, found: Alike) -> None:
    """In by two gates at once, then out by one."""
    _twins(
        city,
        ride,
        found,
        [*_rows(city, ride), next(_rows(city, replace(ride, number=ride.number + 1, origin=9)))],
    )


def _twin_exits(city: CityDay, ride: Ride, found: Alike) -> None:
    """In by one gate, then out by two at once."""
    _twins(
        city,
        ride,
        found,
        [*_rows(city, ride), [*_rows(city, replace(ride, number=ride.number + 1, destination=9))][1]],
    )


def _twins(city: CityDay, ride: Ride, found: Alike, rows: list[str]) -> None:
    found.rows.extend(rows)
    found.twins.extend(row.partition(",")[0] for row in rows)


def _rows(city: CityDay, ride: Ride) -> Iterator[str]:
    """Rows whose gates' clocks are right: what is alike by construction must be so to the second."""
    offs = [each % (2 * CLOCK_OFF_S + 1) - CLOCK_OFF_S for each in (ride.origin, ride.destination)]
    true = replace(ride, enters_s=ride.enters_s - offs[0], leaves_s=ride.leaves_s - offs[1])
    for tap in rows_of(city, true):
        yield tap.line
