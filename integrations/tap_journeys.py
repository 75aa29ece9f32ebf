"""Taps that belong together are a journey: in and out of a gate, on and off a bus."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from carbon_credits.partners.contract import Item, ParseOptions, Record, Scalar, Unusable
from integrations import telling
from integrations.station_distances import Distances
from integrations.tap_rows import Kind, Tap, kept_tap, read_taps, tap_of_kept

Pairs = Iterator[tuple[Tap | None, Tap | None]]


class Rules(NamedTuple):
    """How the taps of one feed become journeys; `refused` are the kinds that never do, with the reason."""

    methodology: str
    entry: Kind
    exit: Kind
    longest: timedelta
    exit_missing: str
    entry_missing: str
    refused: Mapping[Kind, str]
    paired_by: Callable[[Tap], str]


def parse(stream: BinaryIO, options: ParseOptions, rules: Rules) -> Iterator[Item]:
    """Every tap ends in a journey or in an Unusable. Raises FileFault, also for the distance table.

    The taps of a file need not be in order, so all of them are read before the first journey comes.
    """
    distances = Distances.read(options.distances)
    shift = timedelta(days=options.shift_days)
    grouped: dict[str, list[Tap]] = defaultdict(list)
    for tap in read_taps(stream, options):
        if tap.kind is Kind.CORRECTION:
            yield _correction(tap, shift)
        elif tap.kind in rules.refused:
            yield Unusable(tap.tap_id, tap.line, (rules.refused[tap.kind],))
        else:
            grouped[rules.paired_by(tap)].append(tap)
    for taps in grouped.values():
        yield from _journeys(taps, distances, shift, rules)


def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions, rules: Rules) -> Iterator[Item]:
    """Pair what waits for its other half, and measure what waits for its distance, by today's table."""
    distances = Distances.read(options.distances)
    grouped: dict[str, list[Tap]] = defaultdict(list)
    for each in kept:
        if "corrects" in each:
            yield from telling.still_waiting([each], options)
        else:
            tap = tap_of_kept(each)
            grouped[rules.paired_by(tap)].append(tap)
    for taps in grouped.values():
        # times were shifted when the taps were first read
        yield from _journeys(taps, distances, timedelta(0), rules)


def count(stream: BinaryIO, options: ParseOptions, rules: Rules) -> Mapping[str, int]:
    """Control facts: taps by kind, cards, sums of fares in fen, pairs and those within one station."""
    facts: Counter[str] = Counter()
    cards: set[str] = set()
    grouped: dict[str, list[Tap]] = defaultdict(list)
    for tap in read_taps(stream, options):
        facts["taps"] += 1
        facts[f"taps_{tap.kind}"] += 1
        facts["deal_money_fen"] += tap.paid_fen
        facts["deal_value_fen"] += tap.full_fen
        cards.add(tap.card)
        if tap.kind in (rules.entry, rules.exit):
            grouped[rules.paired_by(tap)].append(tap)
    for taps in grouped.values():
        for entry, exit_ in _pairs(taps, rules):
            if entry is not None and exit_ is not None:
                facts["pairs"] += 1
                facts["same_station"] += entry.station == exit_.station
    return {**facts, "cards": len(cards)}


def _pairs(taps: list[Tap], rules: Rules) -> Pairs:
    """Taps of one card in time order, as (in, out), (in, nothing) or (nothing, out)."""
    entry: Tap | None = None
    for tap in sorted(taps, key=lambda tap: (tap.at, tap.kind is rules.exit, tap.tap_id)):
        if tap.kind is rules.entry:
            if entry is not None:
                yield entry, None
            entry = tap
        elif entry is not None and tap.at - entry.at <= rules.longest:
            yield entry, tap
            entry = None
        else:
            if entry is not None:
                yield entry, None
            entry = None
            yield None, tap
    if entry is not None:
        yield entry, None


def _journeys(taps: list[Tap], distances: Distances, shift: timedelta, rules: Rules) -> Iterator[Item]:
    for entry, exit_ in _pairs(taps, rules):
        if entry is not None and exit_ is not None:
            yield from _journey(entry, exit_, distances, shift, rules)
        elif entry is not None:
            yield _waiting(entry, rules.exit_missing, shift)
        elif exit_ is not None:
            yield _waiting(exit_, rules.entry_missing, shift)


def _journey(entry: Tap, exit_: Tap, distances: Distances, shift: timedelta, rules: Rules) -> Iterator[Item]:
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
        methodology=rules.methodology,
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


def _correction(tap: Tap, shift: timedelta) -> Unusable:
    action = "void" if tap.action == "Void" else "correct"
    at: datetime = tap.at.astimezone(UTC) + shift
    return telling.correction(tap.tap_id, tap.line, tap.refers_to, action, at, amount_fen=tap.paid_fen)
