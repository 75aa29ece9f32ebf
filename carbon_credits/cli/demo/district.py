"""One invented day of Chancheng: residents, their trips and orders, and the faults that any day has.

Every share, hour and distance here is an assumption for a demonstration and no statistic; they are listed with
their reasons in docs/decisions/0007-demonstration-district.md. The same seed and moment give the same day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from carbon_credits.cli import people
from carbon_credits.cli.demo import journeys
from carbon_credits.cli.demo.partners import PLANTING, RECYCLING, TAKEAWAY
from carbon_credits.cli.demo.seed import subject_of
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.residents.service import Street

# of a hundred residents, how many go to work and back by; the others walk
METRO, SHARED_BICYCLE, BICYCLE = 35, 25, 25
# of a hundred residents, how many on one day
ORDERS, RECYCLES, HAS_TREES = 30, 12, 2
# of a hundred acts, how many
SENT_TWICE, OVERLAPPING, TOO_FAST, TOO_EARLY, STRANGER, FORGETS_EXIT, SAME_STATION = 6, 5, 4, 2, 5, 3, 2
# of a hundred residents, how many ride or order far more than a day can count
TIRELESS: Final = 3
CLAIMS_METRO_TOO: Final = 10
# of a hundred rides on an own bicycle, how many bring a trace; of a hundred of those, how many were a bus
RECORDS_THE_WAY, TOOK_THE_BUS = 50, 10
MORNING, EVENING, NOON, LATE = (
    (7 * 60, 9 * 60),
    (17 * 60, 20 * 60),
    (11 * 60 + 30, 13 * 60),
    (19 * 60, 21 * 60),
)
STATIONS: Final = 14
STATION_GAP_M: Final = 1_300
UNMEASURED: Final = STATIONS  # the last station is in no table of distances
GRACE: Final = timedelta(minutes=3)


@dataclass(frozen=True)
class Person:
    """A resident: the n-th demonstration phone."""

    number: int
    phone: str
    street: Street


@dataclass(frozen=True)
class Claimed:
    """An act as its resident's phone tells it, so many times."""

    person: int
    body: dict[str, Any]
    times: int = 1


@dataclass(frozen=True)
class Pushed:
    """A record that a partner pushes."""

    feed: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Tap:
    """A card at a gate."""

    card: str
    at: datetime
    is_entry: bool
    station: int


@dataclass(frozen=True)
class Ride:
    """A shared bicycle between two racks; `rider` is empty in the operator's own file, ours names the account."""

    rider: str
    bike: str
    begins: datetime
    ends: datetime
    racks: tuple[int, int]


@dataclass
class Day:
    """All that happens."""

    people: list[Person] = field(default_factory=list)
    claims: list[Claimed] = field(default_factory=list)
    pushes: list[Pushed] = field(default_factory=list)
    taps: list[Tap] = field(default_factory=list)
    rides: list[Ride] = field(default_factory=list)


def day_of(residents: int, seed: int, now: datetime, bicycle: str) -> Day:
    """The day before `now`; `bicycle` is the methodology of the bike-share feed."""
    author = _Author(Random(seed), now.astimezone(PROGRAMME_ZONE), bicycle)  # noqa: S311 - a play, not a secret
    for number in range(1, residents + 1):
        author.live(Person(number, people.phone(number), people.STREETS[number % len(people.STREETS)]))
    return author.day


class _Author:
    def __init__(self, chance: Random, now: datetime, bicycle: str) -> None:
        self.chance = chance
        self.now = now
        self.bicycle = bicycle
        self.day = Day()
        self.serial = 0

    def live(self, person: Person) -> None:
        """One resident's day."""
        self.day.people.append(person)
        mode = self.chance.randrange(100)
        for hours in (MORNING, EVENING):
            self._commute(person, mode, hours)
        is_tireless = self._happens(TIRELESS)
        if is_tireless:
            for hour in (10, 13, 15, 22):
                self._ride(person, (hour * 60, hour * 60 + 5), self.chance.randint(8_000, 9_500), 28)
        if is_tireless or self._happens(ORDERS):
            for _ in range(5 if is_tireless else 1):
                self._order(person)
        if self._happens(RECYCLES):
            self._recycle(person)
        if self._happens(HAS_TREES):
            self._trees(person)

    def _commute(self, person: Person, mode: int, hours: tuple[int, int]) -> None:
        if mode < METRO:
            self._metro(person, hours)
        elif mode < METRO + SHARED_BICYCLE:
            self._shared_bicycle(person, hours)
        elif mode < METRO + SHARED_BICYCLE + BICYCLE:
            (self._recorded if self._happens(RECORDS_THE_WAY) else self._bicycle)(person, hours)
        else:
            self._walk(person, hours)

    def _walk(self, person: Person, hours: tuple[int, int]) -> None:
        metres = self.chance.randint(500, 3_600)
        span = self._when(hours, timedelta(minutes=max(1, metres // 75)))
        self._claim(person, "travel.walking", span, {"distance_m": metres})

    def _bicycle(self, person: Person, hours: tuple[int, int]) -> None:
        metres = self.chance.randint(300, 7_000)
        minutes = max(2, metres // 220)
        self._ride(person, hours, metres, 1 if self._happens(TOO_FAST) else minutes)

    def _recorded(self, person: Person, hours: tuple[int, int]) -> None:
        """A ride with its trace; now and then somebody took the bus and says it was a ride."""
        number = self.chance.randrange(2**32)
        trace = journeys.bus(number) if self._happens(TOOK_THE_BUS) else journeys.ride(number)
        span = self._when(hours, journeys.length_of(trace))
        evidence = {"trace": journeys.told_at(trace, span[0])}
        self._claim(person, "travel.cycling", span, {"distance_m": journeys.metres_of(trace)}, evidence)

    def _ride(self, person: Person, hours: tuple[int, int], metres: int, minutes: int) -> None:
        begins, ends = self._when(hours, timedelta(minutes=minutes))
        self._claim(person, "travel.cycling", (begins, ends), {"distance_m": metres})

    def _claim(
        self,
        person: Person,
        methodology: str,
        span: tuple[datetime, datetime],
        monitored: dict[str, int],
        evidence: dict[str, Any] | None = None,
    ) -> None:
        begins, ends = span
        if self._happens(TOO_EARLY):
            # a phone with a wrong clock: the door says no
            begins, ends = begins + timedelta(days=2), ends + timedelta(days=2)
        body = {"methodology": methodology, **_times(begins, ends), "monitored": monitored}
        if evidence is not None:
            body["evidence"] = evidence
        self.day.claims.append(Claimed(person.number, body, 2 if self._happens(SENT_TWICE) else 1))

    def _shared_bicycle(self, person: Person, hours: tuple[int, int]) -> None:
        first, second = self.chance.sample(range(36), 2)
        minutes = self.chance.randint(6, 28)
        begins, ends = self._when(hours, timedelta(minutes=minutes))
        rider = self._subject(person, "bike_share")
        if self._happens(OVERLAPPING):
            self._claim(person, "travel.cycling", (begins, ends), {"distance_m": minutes * 200})
        if self._happens(50):
            self.day.rides.append(Ride(rider, f"B{self._next():06}", begins, ends, (first, second)))
            return
        self._push(
            "bike_share",
            rider,
            self.bicycle,
            (begins, ends),
            {"distance_m": minutes * self.chance.randint(120, 260)},
            {"vehicle": f"B{self._next():06}"},
        )

    def _metro(self, person: Person, hours: tuple[int, int]) -> None:
        first, second = self.chance.sample(range(1, STATIONS + 1), 2)
        if self._happens(SAME_STATION):
            second = first
        minutes = 4 + abs(first - second) * 3
        begins, ends = self._when(hours, timedelta(minutes=minutes))
        card = self._subject(person, "metro")
        self.day.taps.append(Tap(card, begins, True, first))
        if not self._happens(FORGETS_EXIT):
            self.day.taps.append(Tap(card, ends, False, second))
        if first != second and self._happens(CLAIMS_METRO_TOO):
            metres = abs(first - second) * STATION_GAP_M
            self._claim(person, "travel.metro", (begins, ends), {"distance_m": metres})

    def _order(self, person: Person) -> None:
        span = self._when(NOON, timedelta(0))
        order = {"order_no": f"T{self._next():08}"}
        subject = self._subject(person, TAKEAWAY.partner)
        self._push(TAKEAWAY.code, subject, TAKEAWAY.methodologies[0], span, {"count": 1}, order)

    def _recycle(self, person: Person) -> None:
        grams = self.chance.choice((120, 800, 1_500, 2_600, 4_000, 36_000))
        told = {"mass_g": grams, "contamination_ppm": self.chance.choice((0, 20_000, 80_000))}
        drop = {"order_no": f"R{self._next():08}"}
        subject = self._subject(person, RECYCLING.partner)
        span = self._when(LATE, timedelta(0))
        # half of it is paper
        material = self.chance.choice(
            (RECYCLING.methodologies[0], self.chance.choice(RECYCLING.methodologies))
        )
        self._push(RECYCLING.code, subject, material, span, told, drop)

    def _trees(self, person: Person) -> None:
        told = {
            "biomass_gain_g": self.chance.randint(600, 1_600),
            "half_width_g": self.chance.randint(40, 300),
            "count": self.chance.randint(1, 3),
            "age_days": self.chance.randint(400, 3_000),
        }
        item = {"item": f"W{person.number:06}-{self.now.year}"}
        subject = self._subject(person, PLANTING.partner)
        span = self._when(MORNING, timedelta(0))
        self._push(PLANTING.code, subject, PLANTING.methodologies[0], span, told, item)

    def _push(
        self,
        feed: str,
        subject: str,
        methodology: str,
        span: tuple[datetime, datetime],
        monitored: dict[str, int],
        references: dict[str, str],
    ) -> None:
        record = {
            "record_id": f"{feed}-{self._next():08}-{span[0]:%Y%m%d}",
            "subject": subject,
            "methodology": methodology,
            **_times(*span),
            "monitored": monitored,
            "references": references,
        }
        for _ in range(2 if self._happens(SENT_TWICE) else 1):
            self.day.pushes.append(Pushed(feed, record))

    def _subject(self, person: Person, partner: str) -> str:
        """What the partner calls the person; now and then somebody the programme does not know."""
        return (
            f"stranger-{self._next():06}" if self._happens(STRANGER) else subject_of(partner, person.number)
        )

    def _when(self, hours: tuple[int, int], length: timedelta) -> tuple[datetime, datetime]:
        """The last time it was such an hour and the act was over; always within a day."""
        minute = self.chance.randint(*hours)
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        begins = midnight + timedelta(minutes=minute, seconds=self.chance.randrange(60))
        if begins + length > self.now - GRACE:
            begins -= timedelta(days=1)
        return begins, begins + length

    def _happens(self, of_a_hundred: int) -> bool:
        return self.chance.randrange(100) < of_a_hundred

    def _next(self) -> int:
        self.serial += 1
        return self.serial


def distances() -> Iterator[tuple[int, int, int]]:
    """Metres between invented stations in one line, but for the one nobody has measured."""
    for first in range(1, UNMEASURED):
        for second in range(first + 1, UNMEASURED):
            yield first, second, (second - first) * STATION_GAP_M


def _times(begins: datetime, ends: datetime) -> dict[str, str]:
    return {"occurred_from": begins.isoformat(), "occurred_to": ends.isoformat()}
