"""Journeys in shared cars and the seats they come to: one journey is one driver and one passenger.

The journeys of one drive share `operator_trip_id`; each seat is an act of its own. Where one journey's time holds
all others, the car's way with riders is that journey's; otherwise it is taken as the sum, which deducts more for
the detour. `operator_class` says what the platform can prove, and is our evidence class: C both phones (A), B one
phone (B), A declared (D). Companions without a name ride along and nobody claims their share.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final, NamedTuple

from carbon_credits.partners.contract import Item, ParseOptions, Record, RecordClass
from integrations import documents, readings
from integrations.telling import Told, refused, takes_back, unreadable

METHODOLOGY: Final = "travel.carpool"
# the registry's word for what is proven, mapped to our evidence class
CLASSES: Final[Mapping[str, RecordClass]] = {"C": "A", "B": "B", "A": "D"}
SUBJECT: Final = "operator_user_id"
LONGEST: Final = timedelta(hours=6)
MOST_SEATS: Final = 6


class Journey(NamedTuple):
    """One couple's ride; `seats` are those the passenger took, companions included."""

    number: str
    trip: str
    line: int
    letter: RecordClass
    start: datetime
    stop: datetime
    distance_m: int
    driver: str
    passenger: str
    seats: int


class Drive(NamedTuple):
    """What the seats of one drive share."""

    distance_m: int
    ridden_m: int
    people: int


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every seat of every drive; what is no journey comes first. Raises FileFault."""
    yield from of_documents(documents.elements(stream), options)


def of_documents(told: Iterable[tuple[int, Any]], options: ParseOptions) -> Iterator[Told]:
    """The same of documents that were decoded, each with its line."""
    drives: dict[str, list[Journey]] = defaultdict(list)
    for line, document in told:
        try:
            journey = _journey(document, line, options.bind_column or SUBJECT)
        except (KeyError, TypeError, ValueError, AttributeError):
            yield unreadable(document, line)
            continue
        if isinstance(journey, Told):
            yield journey
        else:
            drives[journey.trip].append(journey)
    for journeys in drives.values():
        yield from _seats(journeys)


def _journey(told: Any, line: int, subject: str) -> Journey | Told:
    number = readings.named(told["operator_journey_id"])
    back = takes_back(told, number, line)
    if back is not None:
        return Told(back, {"corrections": 1})
    journey = Journey(
        number=number,
        trip=readings.named(told["operator_trip_id"]),
        line=line,
        letter=CLASSES[told["operator_class"]],
        start=readings.zoned(told["start"]["datetime"]),
        stop=readings.zoned(told["end"]["datetime"]),
        distance_m=readings.integer(told["distance"]),
        driver=readings.optional(told["driver"]["identity"].get(subject)),
        passenger=readings.optional(told["passenger"]["identity"].get(subject)),
        seats=readings.integer(told["passenger"].get("seats", 1)),
    )
    places = dict.fromkeys(_misplaced(told[end]) for end in ("start", "end"))
    length = journey.stop - journey.start
    flaws = {
        "ends_before_start": length <= timedelta(0),
        "absurd_duration": length > LONGEST,
        "unknown_seats": not 1 <= journey.seats <= MOST_SEATS,
        "one_person_twice": bool(journey.driver) and journey.driver == journey.passenger,
    }
    reasons = [reason for reason, is_found in flaws.items() if is_found]
    reasons += [place for place in places if place is not None]
    return Told(refused(number, line, *reasons), {"journeys": 1}) if reasons else journey


def _misplaced(end: Any) -> str | None:
    area = readings.AREAS["CHN"]
    return readings.misplaced(readings.degrees(end["lat"]), readings.degrees(end["lon"]), area)


def _seats(journeys: list[Journey]) -> Iterator[Told]:
    """The driver's seat and the passengers'; a drive told with two drivers or too many people is none."""
    people = 1 + sum(journey.seats for journey in journeys)
    if len({journey.driver for journey in journeys}) != 1 or people > 1 + MOST_SEATS:
        for journey in journeys:
            yield Told(refused(journey.number, journey.line, "contradictory_drive"), {"journeys": 1})
        return
    drive = Drive(_way_m(journeys), sum(each.distance_m * each.seats for each in journeys), people)
    first = journeys[0]
    whole = first._replace(
        number=f"{first.trip}:driver",
        # a drive proves no more than the worst of its journeys
        letter=max(journey.letter for journey in journeys),
        start=min(journey.start for journey in journeys),
        stop=max(journey.stop for journey in journeys),
    )
    yield Told(_seat(whole, first.driver, drive.distance_m, drive), {"drives": 1})
    for journey in journeys:
        seat = journey._replace(number=f"{journey.number}:passenger")
        facts = {"journeys": 1, "distance_m": journey.distance_m}
        yield Told(_seat(seat, journey.passenger, journey.distance_m, drive), facts)


def _way_m(journeys: list[Journey]) -> int:
    longest = max(journeys, key=lambda journey: journey.stop - journey.start)
    is_held = all(longest.start <= each.start and each.stop <= longest.stop for each in journeys)
    distances = [journey.distance_m for journey in journeys]
    return max(distances) if is_held else sum(distances)


def _seat(seat: Journey, subject: str, own_m: int, drive: Drive) -> Item:
    together_m = drive.distance_m + drive.ridden_m
    if not subject or together_m == 0:
        return refused(seat.number, seat.line, "subject_missing" if together_m else "not_readable")
    return Record(
        record_id=seat.number,
        subject_token=subject,
        methodology=METHODOLOGY,
        occurred_from=seat.start,
        occurred_to=seat.stop,
        monitored={
            "distance_m": drive.distance_m,
            "ridden_m": drive.ridden_m,
            "share_ppm": own_m * 1_000_000 // together_m,
            "count": drive.people,
        },
        references={"order_no": seat.number},
        evidence={"datum": "WGS-84", "distance": "given_by_operator", "trip": seat.trip},
        line=seat.line,
        evidence_class=seat.letter,
    )
