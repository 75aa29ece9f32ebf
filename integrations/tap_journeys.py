"""Taps that belong together are a journey: in and out of a gate, on and off a bus."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from operator import attrgetter
from typing import BinaryIO, Final, NamedTuple

from carbon_credits.partners.contract import Item, ParseOptions, Record, Scalar, Unusable
from integrations import telling
from integrations.station_distances import Distances
from integrations.tap_rows import Kind, Tap, kept_tap, read_taps, tap_of_kept

_WHEN: Final = attrgetter("at")
Pairs = Iterator[tuple[Tap | None, Tap | None, str | None]]
# two gates tell of one card in one second: which of them it passed is not for us to guess
ALIKE: Final = "taps_alike"


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
    # who goes slower than this, beside the time to spare, may have gone out and in again by taps that are still to come
    slow_m_per_s: int = 4
    spare: timedelta = timedelta(minutes=20)


def parse(stream: BinaryIO, options: ParseOptions, rules: Rules) -> Iterator[Item]:
    """Every tap ends in a journey or in an Unusable. Raises FileFault, also for the distance table.

    The taps of a file need not be in order, so all of them are read before the first journey comes.
    """
    journeys = _Journeys(
        Distances.read(options.distances), timedelta(days=options.shift_days), rules, options
    )
    grouped: dict[str, list[Tap]] = defaultdict(list)
    for tap in read_taps(stream, options):
        if tap.kind is Kind.CORRECTION:
            yield _correction(tap, journeys.shift)
        elif tap.kind in rules.refused:
            yield Unusable(tap.tap_id, tap.line, (rules.refused[tap.kind],))
        else:
            grouped[rules.paired_by(tap)].append(tap)
    for taps in grouped.values():
        yield from journeys.of(taps)


def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions, rules: Rules) -> Iterator[Item]:
    """Pair what waits for its other half, and measure what waits for its distance, by today's table."""
    # times were shifted when the taps were first read
    journeys = _Journeys(Distances.read(options.distances), timedelta(0), rules, options)
    grouped: dict[str, list[Tap]] = defaultdict(list)
    for each in kept:
        if "corrects" in each:
            yield from telling.still_waiting([each], options)
        else:
            tap = tap_of_kept(each)
            grouped[rules.paired_by(tap)].append(tap)
    for taps in grouped.values():
        yield from journeys.of(taps)


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
        for entry, exit_, _ in _pairs(taps, rules):
            if entry is not None and exit_ is not None:
                facts["pairs"] += 1
                facts["same_station"] += entry.station == exit_.station
    return {**facts, "cards": len(cards)}


def _pairs(taps: list[Tap], rules: Rules) -> Pairs:
    """Taps of one card in time order, as (in, out), (in, nothing) or (nothing, out), and why there is nothing."""
    entry: Tap | None = None
    ordered, alike = sorted(taps, key=_WHEN), set[Tap]()
    if len(set(map(_WHEN, taps))) < len(taps):
        ordered.sort(key=lambda tap: (tap.at, tap.kind is rules.exit, tap.tap_id))
        alike = _alike(ordered)
    for tap in ordered:
        if (
            tap.kind is rules.exit
            and entry is not None
            and tap.at - entry.at <= rules.longest
            and not (alike and tap in alike)
        ):
            yield entry, tap, None
            entry = None
            continue
        if entry is not None:
            yield entry, None, rules.exit_missing
        entry = None
        # few are alike, and to look for a tap among none costs as much
        if alike and tap in alike:
            yield (tap, None, ALIKE) if tap.kind is rules.entry else (None, tap, ALIKE)
        elif tap.kind is rules.entry:
            entry = tap
        else:
            yield None, tap, rules.entry_missing
    if entry is not None:
        yield entry, None, rules.exit_missing


def _alike(ordered: list[Tap]) -> set[Tap]:
    """Taps of the same kind in the same second at different places; nothing before one of them is joined to what
    comes after.
    """
    return {
        tap
        for one, other in pairwise(ordered)
        if one.at == other.at and one.kind is other.kind and one.station != other.station
        for tap in (one, other)
    }


class _Journeys(NamedTuple):
    """What the taps of one card come to."""

    distances: Distances
    shift: timedelta
    rules: Rules
    options: ParseOptions

    def of(self, taps: list[Tap]) -> Iterator[Item]:
        """Each tap in a journey, refused, or waiting for what may still come."""
        for entry, exit_, missing in _pairs(taps, self.rules):
            if entry is not None and exit_ is not None:
                yield from self._journey(entry, exit_)
            elif alone := entry or exit_:
                yield _waiting(alone, missing or ALIKE, self.shift)

    def _journey(self, entry: Tap, exit_: Tap) -> Iterator[Item]:
        distance_m = self.distances.between(entry.station, exit_.station)
        reason = self._reason(entry, exit_, distance_m)
        if reason is not None:
            # both taps are kept, and pair again when more is known
            yield _waiting(entry, reason, self.shift)
            yield _waiting(exit_, reason, self.shift)
        elif entry.station == exit_.station:
            for tap in (entry, exit_):
                yield Unusable(tap.tap_id, tap.line, ("same_station",))
        elif distance_m is not None:
            yield self._record(entry, exit_, distance_m)

    def _reason(self, entry: Tap, exit_: Tap, distance_m: int | None) -> str | None:
        """Why two taps are not yet a journey: the table does not know it, or a tap between them may still come."""
        is_same = entry.station == exit_.station
        if distance_m is None and not is_same:
            return "distance_unknown"
        until = self.options.complete_through
        if until is None or exit_.at <= until:
            return None
        plausible = timedelta(seconds=(distance_m or 0) // self.rules.slow_m_per_s) + self.rules.spare
        return "journey_not_sure" if exit_.at - entry.at > plausible else None

    def _record(self, entry: Tap, exit_: Tap, distance_m: int) -> Record:
        journey = f"{entry.tap_id}+{exit_.tap_id}"
        return Record(
            record_id=journey,
            subject_token=entry.subject_token,
            methodology=self.rules.methodology,
            occurred_from=entry.at + self.shift,
            occurred_to=exit_.at + self.shift,
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
    at = tap.at + shift
    return telling.correction(tap.tap_id, tap.line, tap.refers_to, action, at, amount_fen=tap.paid_fen)
