"""Taps as gates and the readers on buses tell them, in both formats, each as one `Tap`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from sys import intern
from typing import BinaryIO, Final, NamedTuple

from carbon_credits.partners.contract import ParseOptions, Scalar
from integrations import delimited

# the zone that the feed declares for times without one: Asia/Shanghai, no summer time since 1992
ZONE: Final = "+08:00"
_TIME_LENGTH: Final = len("2026-03-02 08:00:00")

CARD: Final = (
    "card_no",
    "deal_date",
    "deal_type",
    "deal_money",
    "deal_value",
    "equ_no",
    "company_name",
    "station",
    "car_no",
    "conn_mark",
    "close_date",
)
TIDES: Final = (
    "transaction_id",
    "event_timestamp",
    "fare_action",
    "stop_id",
    "vehicle_id",
    "token_id",
    "amount",
    "currency_type",
)


class Kind(StrEnum):
    """What a tap is to us."""

    ENTRY = "entry"
    EXIT = "exit"
    BUS = "bus"
    BUS_EXIT = "bus_exit"
    CORRECTION = "correction"
    OTHER = "other"
    UNREADABLE = "unreadable"


# their words for it, mapped to ours
_CARD_KINDS: Final = {"地铁入站": Kind.ENTRY, "地铁出站": Kind.EXIT, "巴士": Kind.BUS}
_TIDES_KINDS: Final = {
    "Enter": Kind.ENTRY,
    "Exit": Kind.EXIT,
    "Transfer entrance": Kind.ENTRY,
    "Transfer exit": Kind.EXIT,
    "Void": Kind.CORRECTION,
    "Adjust": Kind.CORRECTION,
}
_ON_A_BUS: Final = {Kind.ENTRY: Kind.BUS, Kind.EXIT: Kind.BUS_EXIT}
REFERS_TO: Final = "ref_transaction_id"
# whose a tap is, in either format
WHOSE: Final = ("token_id", "card_no")


class Tap(NamedTuple):
    """One tap. `card` is what is paired by, `subject_token` whose it is; `at` is UTC, fares are fen.

    A correction says what it does and the number of the tap it is about, where it told that.
    """

    tap_id: str
    line: int | None
    kind: Kind
    card: str
    subject_token: str
    at: datetime
    station: str
    paid_fen: int = 0
    full_fen: int = 0
    vehicle: str = ""
    action: str = ""
    refers_to: str = ""


def read_taps(stream: BinaryIO, options: ParseOptions) -> Iterator[Tap]:
    """Every row of a file as a tap, in the file's order. Raises FileFault."""
    rows = delimited.rows(
        stream, options.encoding, [frozenset(CARD), frozenset(TIDES)], numbered=options.numbered
    )
    _, header = next(rows)
    is_card = set(CARD) <= set(header)
    read, names = (_card_tap, CARD) if is_card else (_tides_tap, TIDES)
    cells = itemgetter(*map(header.index, names))
    subject_at = delimited.column(header, options.bind_column or ("card_no" if is_card else "token_id"))
    refers_at = header.index(REFERS_TO) if REFERS_TO in header else None
    for line, row in rows:
        subject = "" if subject_at is None else row[subject_at]
        try:
            tap = read(cells(row), line, subject)
            is_plain = refers_at is None or tap.kind is not Kind.CORRECTION
            yield tap if is_plain else tap._replace(refers_to=row[refers_at or 0])
        except (ValueError, ArithmeticError):
            yield _unreadable(row, line, subject)


def kept_tap(tap: Tap, shift: timedelta) -> Mapping[str, Scalar]:
    """What is kept of a tap that waits, its time shifted as the file's were."""
    return {
        "tap_id": tap.tap_id,
        "kind": tap.kind.value,
        "card": tap.card,
        "subject_token": tap.subject_token,
        "at": (tap.at + shift).isoformat(),
        "station": tap.station,
        "vehicle": tap.vehicle,
    }


def tap_of_kept(kept: Mapping[str, Scalar]) -> Tap:
    """The tap that was kept."""
    return Tap(
        tap_id=str(kept["tap_id"]),
        line=None,
        kind=Kind(str(kept["kind"])),
        card=str(kept["card"]),
        subject_token=str(kept["subject_token"]),
        at=datetime.fromisoformat(str(kept["at"])),
        station=str(kept["station"]),
        vehicle=str(kept.get("vehicle", "")),
    )


def _card_tap(cells: tuple[str, ...], line: int, subject: str) -> Tap:
    card, told, deal, money, value, device, _, station, vehicle, *_ = cells
    kind = _CARD_KINDS.get(deal, Kind.OTHER)
    if len(told) != _TIME_LENGTH or not card or (not station and kind in (Kind.ENTRY, Kind.EXIT)):
        raise ValueError(told)
    return Tap(
        tap_id=_digest(card, told, deal, device),
        line=line,
        kind=kind,
        card=card,
        subject_token=subject,
        at=datetime.fromisoformat(told + ZONE).astimezone(UTC),
        station=intern(station),
        paid_fen=_fen(money),
        full_fen=_fen(value),
        vehicle=vehicle if kind is Kind.BUS else "",
    )


def _tides_tap(cells: tuple[str, ...], line: int, subject: str) -> Tap:
    number, told, action, stop, vehicle, token, amount, currency = cells
    at = datetime.fromisoformat(told)
    if at.tzinfo is None or not number or not token or currency != "CNY":
        raise ValueError(told)
    at = at.astimezone(UTC)
    # gates have a station and no vehicle; what has a vehicle is a bus
    kind = _TIDES_KINDS.get(action, Kind.OTHER)
    kind = _ON_A_BUS.get(kind, kind) if vehicle else kind
    if not stop and kind in (Kind.ENTRY, Kind.EXIT):
        raise ValueError(stop)
    fen = _yuan(amount)
    return Tap(number, line, kind, token, subject, at, intern(stop), fen, fen, vehicle, action)


def _unreadable(row: list[str], line: int, subject: str) -> Tap:
    never = datetime(1970, 1, 1, tzinfo=UTC)
    return Tap(_digest(*row), line, Kind.UNREADABLE, "", subject, never, "")


def _fen(told: str) -> int:
    if not (told.isascii() and told.isdecimal() and len(told) < 10):
        raise ValueError(told)
    return int(told)


@lru_cache(maxsize=4_096)
def _yuan(told: str) -> int:
    """An amount in fen: fares are few and told often."""
    fen = Decimal(told) * 100
    if fen != int(fen) or not -(10**9) < fen < 10**9:
        raise ValueError(told)
    return int(fen)


def _digest(*parts: str) -> str:
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]
