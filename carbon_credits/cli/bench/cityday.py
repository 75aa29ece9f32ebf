"""A day of a city's metro with its truth: who rode what, what the gates told of it, and what the phones did.

Invented from a seed and the same for the same seed and size. Some riders are residents who agreed to the operator's
records, most are not. What goes wrong on a real day goes wrong here in known shares: an exit that is missing, a walk
out of the station one came in by, a tap told twice, taps told late, gates whose clocks are off; phones that tell
nothing, tell it twice, tell it some minutes and metres off, or tell rides that never were.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final, Literal

from carbon_credits.core.clock import PROGRAMME_ZONE

STATIONS: Final = 24
HOP_M: Final = 900  # between neighbours; with at most ten hops nobody's day reaches a cap
MOST_HOPS: Final = 10
# a resident rides at most once in each of these hours of the day, so that no two rides come near each other
SLOTS: Final = (6, 10, 14, 18)
SLOT_S: Final = 3 * 3600
RIDES_OF_RESIDENT: Final = 2
TOLD_OFF_S: Final = 240

Taps = Literal["both", "no_exit", "same_station"]
Told = Literal["exact", "noisy", "order", "none", "twice", "overlapping"]


@dataclass(frozen=True)
class Size:
    """How many claims and taps a day has; residents and other riders follow."""

    claims: int
    taps: int

    @property
    def residents(self) -> int:
        """Those whose accounts at the operator are bound: two rides each, most of them claimed."""
        return max(4, self.claims // RIDES_OF_RESIDENT)

    def of(self, share: int) -> "Size":
        """A `share`-th of it."""
        return Size(self.claims // share, self.taps // share)


FULL: Final = Size(300_000, 2_000_000)


@dataclass(frozen=True, slots=True)
class Ride:
    """One ride through the gates. `resident` is an enrolment number, None for somebody who agreed to nothing.

    Instants are seconds after midnight in Shanghai, as the gates' clocks have them.
    """

    number: int
    rider: int
    resident: int | None
    enters_s: int
    leaves_s: int
    origin: int
    destination: int
    taps: Taps = "both"

    @property
    def distance_m(self) -> int:
        """Along the line."""
        return HOP_M * abs(self.origin - self.destination)

    @property
    def order_no(self) -> str:
        """The number by which gate and phone know the ride."""
        return f"{tap_id(self, 0)}+{tap_id(self, 1)}"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a phone told. `ride` is the ride it was about, None for one that never was.

    `sure` says that no other ride could be meant and that no other claim means this one better.
    """

    resident: int
    begins_s: int
    ends_s: int
    distance_m: int
    ride: Ride | None
    sure: bool
    order_no: str | None = None


@dataclass(frozen=True)
class CityDay:
    """A day: its rides and claims. Which claim means which ride is in the claims."""

    day: date
    size: Size
    rides: list[Ride] = field(repr=False)
    claims: list[Claimed] = field(repr=False)

    def at(self, second: int) -> datetime:
        """An instant of the day, in the programme's zone."""
        return datetime.combine(self.day, time(), PROGRAMME_ZONE) + timedelta(seconds=second)

    def pairs(self) -> dict[tuple[int, int, int], str]:
        """The sure pairs: (resident, begins, ends) of the claim, as told, to the ride's order number."""
        return {
            (claim.resident, claim.begins_s, claim.ends_s): claim.ride.order_no
            for claim in self.claims
            if claim.sure and claim.ride is not None
        }

    def credited_m(self) -> dict[int, list[int]]:
        """The metres of each resident's rides that the gates prove, in order of time. A phone proves none."""
        metres: dict[int, list[int]] = {}
        for ride in sorted(self.rides, key=lambda ride: ride.enters_s):
            if ride.resident is not None and ride.taps == "both":
                metres.setdefault(ride.resident, []).append(ride.distance_m)
        return metres


def token(rider: int) -> str:
    """What the operator calls a rider when it speaks with us."""
    return f"o_{rider * 7_919 % 9_999_991:07}"


def tap_id(ride: Ride, half: int) -> str:
    """The operator's number of a tap; 0 is in, 1 is out."""
    return f"FM-{2 * ride.number + half:09}"


def station(number: int) -> str:
    """The code of a station."""
    return f"FS-{number:02}"


def distances() -> Iterator[tuple[str, str, int]]:
    """The table of station distances."""
    for origin in range(STATIONS):
        for destination in range(origin + 1, STATIONS):
            yield station(origin), station(destination), HOP_M * (destination - origin)


def make(day: date, size: Size, seed: int) -> CityDay:
    """The day of a seed: exactly as many claims as asked for, and taps to within the last ride's."""
    chance = Random(f"{seed} {size}")  # noqa: S311 - invented, not secret
    rides = list(_of_residents(chance, size))
    claims = [claim for ride in rides for claim in _told(chance, ride)][: size.claims]
    claims += _never_ridden(chance, rides, size.claims - len(claims))
    ours = sum(1 if ride.taps == "no_exit" else 2 for ride in rides)
    rides += _of_others(chance, size, len(rides), max(0, size.taps - ours) // 2)
    return CityDay(day, size, rides, claims)


def _of_residents(chance: Random, size: Size) -> Iterator[Ride]:
    number = 0
    for resident in range(1, size.residents + 1):
        # every resident leaves one slot free, for a claim of a ride that never was
        for slot in chance.sample(SLOTS[:-1], RIDES_OF_RESIDENT):
            dice = chance.random()
            taps: Taps = "no_exit" if dice < 0.01 else "same_station" if dice < 0.015 else "both"
            yield _ride(chance, number, resident, resident, slot, taps)
            number += 1


def _of_others(chance: Random, size: Size, first: int, many: int) -> Iterator[Ride]:
    riders = max(1, many // 2)
    for place in range(many):
        rider = size.residents + 1 + place % riders
        yield _ride(chance, first + place, rider, None, SLOTS[place // riders % 4], "both")


def _ride(chance: Random, number: int, rider: int, resident: int | None, slot: int, taps: Taps) -> Ride:
    origin, hops = chance.randrange(STATIONS), chance.randint(2, MOST_HOPS)
    destination = origin + hops if origin + hops < STATIONS else origin - hops
    enters = slot * 3600 + chance.randrange(SLOT_S - 3600)
    # nine metres a second and some minutes on stairs and platforms
    lasts = HOP_M * hops // 9 + chance.randint(240, 600)
    at = origin if taps == "same_station" else destination
    return Ride(number, rider, resident, enters, enters + lasts, origin, at, taps)


def _told(chance: Random, ride: Ride) -> list[Claimed]:
    """What the phone tells of a ride. Where the gates made no ride of it, no pair is sure."""
    kinds: tuple[Told, ...] = ("exact", "noisy", "order", "none", "twice", "overlapping")
    kind = chance.choices(kinds, (25, 40, 22, 9, 2, 2))[0]
    if kind == "none":
        return []
    off = chance.choice((-1, 1)) * chance.randint(20, min(TOLD_OFF_S, (ride.leaves_s - ride.enters_s) // 4))
    metres = max(HOP_M, ride.distance_m)
    exact = Claimed(ride.resident or 0, ride.enters_s, ride.leaves_s, metres, ride, ride.taps == "both")
    noisy = _off(exact, off, metres * chance.randint(93, 107) // 100)
    if kind == "exact":
        return [exact]
    if kind == "noisy":
        return [noisy]
    if kind == "order":
        return [
            Claimed(
                exact.resident,
                noisy.begins_s,
                noisy.ends_s,
                noisy.distance_m,
                ride,
                exact.sure,
                ride.order_no,
            )
        ]
    if kind == "twice":
        return [exact, exact]
    # two stories about one ride: the one that fits it is meant, the other is nobody's
    return [exact, Claimed(exact.resident, noisy.begins_s + off, noisy.ends_s + off, metres, None, False)]


def _off(claim: Claimed, seconds: int, metres: int) -> Claimed:
    return Claimed(
        claim.resident, claim.begins_s + seconds, claim.ends_s + seconds, metres, claim.ride, claim.sure
    )


def _never_ridden(chance: Random, rides: list[Ride], many: int) -> list[Claimed]:
    """Claims in the evening, when no resident of this day rides."""
    people = sorted({ride.resident for ride in rides if ride.resident is not None})
    told = []
    for place in range(many):
        begins = SLOTS[-1] * 3600 + 1800 * (place // len(people) % 6) + chance.randrange(600)
        told.append(Claimed(people[place % len(people)], begins, begins + 900, 5_400, None, False))
    return told
