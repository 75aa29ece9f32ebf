"""Metro gates and city cards: taps, paired in-then-out for each card, are journeys.

Two formats: the eleven text columns of the Shenzhen open data (`card_no`, `deal_type`, …; fares in fen, times
without a zone), and TIDES `fare_transactions` (TIDES-transit/TIDES), where `token_id` is the rider's token at
our programme and never a card number. A journey's distance comes from a table of station distances. What
cannot be paired or placed yet waits; a bus tap tells where a ride began and nothing of its end, so it is no
journey.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, Item, ParseOptions, Record, Scalar, Unusable
from integrations.metro_distances import Distances
from integrations.metro_rows import Kind, Tap, kept_tap, read_taps, tap_of_kept

METHODOLOGY: Final = "travel.metro"
# longer between in and out, they are not one journey: the gates themselves charge for overstaying after less
LONGEST: Final = timedelta(hours=6)
_REFUSED: Final = {
    Kind.BUS: "bus_has_no_alighting",
    Kind.OTHER: "unknown_transaction",
    Kind.UNREADABLE: "not_readable",
}


def parse_file(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:
    """Every tap ends in a journey or in an Unusable. Raises FileFault, also for the distance table.

    The taps of a file need not be in order, so all of them are read before the first journey comes.
    """
    distances = Distances.read(options.distances)
    by_card: dict[str, list[Tap]] = defaultdict(list)
    for tap in read_taps(stream, options):
        if tap.kind in _REFUSED:
            yield Unusable(tap.tap_id, tap.line, (_REFUSED[tap.kind],))
        else:
            by_card[tap.card].append(tap)
    shift = timedelta(days=options.shift_days)
    for taps in by_card.values():
        yield from _journeys(taps, distances, shift)


def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:
    """Pair what waits for its other half, and measure what waits for its distance, by today's table."""
    distances = Distances.read(options.distances)
    by_card: dict[str, list[Tap]] = defaultdict(list)
    for tap in map(tap_of_kept, kept):
        by_card[tap.card].append(tap)
    for taps in by_card.values():
        # times were shifted when the taps were first read
        yield from _journeys(taps, distances, timedelta(0))


def summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
    """Control facts: taps by kind, cards, sums of fares in fen, pairs and those within one station."""
    facts: Counter[str] = Counter()
    by_card: dict[str, list[Tap]] = defaultdict(list)
    for tap in read_taps(stream, options):
        facts["taps"] += 1
        facts[f"taps_{tap.kind}"] += 1
        facts["deal_money_fen"] += tap.paid_fen
        facts["deal_value_fen"] += tap.full_fen
        by_card[tap.card].append(tap)
    for taps in by_card.values():
        for entry, exit_ in _pairs([tap for tap in taps if tap.kind in (Kind.ENTRY, Kind.EXIT)]):
            if entry is not None and exit_ is not None:
                facts["pairs"] += 1
                facts["same_station"] += entry.station == exit_.station
    return {**facts, "cards": len(by_card)}


def _pairs(taps: list[Tap]) -> Iterator[tuple[Tap | None, Tap | None]]:
    """One card's taps in time order, as (in, out), (in, nothing) or (nothing, out)."""
    entry: Tap | None = None
    for tap in sorted(taps, key=_in_order):
        if tap.kind is Kind.ENTRY:
            if entry is not None:
                yield entry, None
            entry = tap
        elif entry is not None and tap.at - entry.at <= LONGEST:
            yield entry, tap
            entry = None
        else:
            if entry is not None:
                yield entry, None
            entry = None
            yield None, tap
    if entry is not None:
        yield entry, None


def _in_order(tap: Tap) -> tuple[datetime, bool, str]:
    return tap.at, tap.kind is Kind.EXIT, tap.tap_id


def _journeys(taps: list[Tap], distances: Distances, shift: timedelta) -> Iterator[Item]:
    for entry, exit_ in _pairs(taps):
        if entry is not None and exit_ is not None:
            yield from _journey(entry, exit_, distances, shift)
        elif entry is not None:
            yield _waiting(entry, "exit_missing", shift)
        elif exit_ is not None:
            yield _waiting(exit_, "entry_missing", shift)


def _journey(entry: Tap, exit_: Tap, distances: Distances, shift: timedelta) -> Iterator[Item]:
    if entry.station == exit_.station:
        for tap in (entry, exit_):
            yield Unusable(tap.tap_id, tap.line, ("same_station",))
        return
    distance_m = distances.between(entry.station, exit_.station)
    if distance_m is None:
        # both taps are kept, and pair again when the table has grown
        for tap in (entry, exit_):
            yield _waiting(tap, "distance_unknown", shift)
        return
    journey = f"{entry.tap_id}+{exit_.tap_id}"
    yield Record(
        record_id=journey,
        subject_token=entry.subject_token,
        methodology=METHODOLOGY,
        occurred_from=entry.at.astimezone(UTC) + shift,
        occurred_to=exit_.at.astimezone(UTC) + shift,
        monitored={"distance_m": distance_m},
        references={"order_no": journey},
        evidence={"distance": "station_table", "from": entry.station, "to": exit_.station},
        line=entry.line,
        settles=(entry.tap_id, exit_.tap_id),
    )


def _waiting(tap: Tap, reason: str, shift: timedelta) -> Unusable:
    return Unusable(tap.tap_id, tap.line, (reason,), waiting=True, kept=kept_tap(tap, shift))


FEED: Final = Feed(
    code="metro_taps",
    partner="metro",
    partner_names=Text("地铁运营方", "Metro operator"),
    names=Text("地铁进出站记录", "Metro gate taps"),
    evidence_class="A",
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=parse_file,
    summary=summary,
    place=place,
)
