"""The day as the operator's files: TIDES taps by hour, some late, some twice, each with a signed manifest."""

import base64
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carbon_credits.cli.bench.cityday import STATIONS, CityDay, Ride, station, tap_id, token
from carbon_credits.partners.manifest import canonical_bytes

HEADER: Final = "transaction_id,event_timestamp,fare_action,stop_id,vehicle_id,token_id,amount,currency_type"
LATE: Final = 0.01
REPEATED: Final = 0.005
CLOCK_OFF_S: Final = 2


@dataclass(frozen=True)
class TapRow:
    """One line, and when in the day it was told."""

    second: int
    line: str


@dataclass
class Operator:
    """Who signs the files: a partner's code, its feed, and a key of its own."""

    partner: str
    feed: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that are registered."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def day(self, day: date, dealt: Sequence[Sequence[str]], first: int = 1) -> list["SignedFile"]:
        """The files of a day, numbered from `first`; the last of them says that nothing is missing any more."""
        last = len(dealt) - 1
        return [
            self.sign(day, first + place, lines, is_last=place == last) for place, lines in enumerate(dealt)
        ]

    def sign(
        self,
        day: date,
        seq: int,
        lines: Sequence[str],
        *,
        is_last: bool = True,
        replaces: "SignedFile | None" = None,
    ) -> "SignedFile":
        """A file of these rows with its control figures, the first version of its number or the one after another."""
        version = 1 if replaces is None else replaces.told["version"] + 1
        raw = "\n".join((HEADER, *lines, "")).encode()
        packed = gzip.compress(raw, 1, mtime=0)
        enters = sum(",Enter," in line for line in lines)
        told: dict[str, Any] = {
            "partner": self.partner,
            "feed": self.feed,
            "seq": seq,
            "version": version,
            "replaces_sha256": None if replaces is None else replaces.told["sha256"],
            "service_date": str(day),
            "window": {"from": f"{day}T00:00:00+08:00", "to": f"{day}T23:59:59+08:00"},
            "created_at": f"{day + timedelta(days=1)}T02:00:00+08:00",
            "schema_id": "tides-fare-transactions-1",
            "crs": None,
            "tz": "Asia/Shanghai",
            "units": {"amount": "CNY"},
            "file": f"{self.partner}_{self.feed}_{day:%Y%m%d}_{seq:06}_v{version}.csv.gz",
            "bytes": len(packed),
            "sha256": sha256(packed).hexdigest(),
            "sha256_raw": sha256(raw).hexdigest(),
            "rows": len(lines),
            "totals": {"amount": str(3 * (len(lines) - enters))},
            "by_type": {"Enter": enters, "Exit": len(lines) - enters},
            "complete_through": f"{day + timedelta(days=is_last)}T00:00:00+08:00",
        }
        signature = self.key.sign(canonical_bytes(told))
        return SignedFile(told, base64.b64encode(signature), packed)


@dataclass(frozen=True)
class SignedFile:
    """The manifest's document, its signature in base64, and the file as it is sent."""

    told: dict[str, Any]
    signature: bytes = field(repr=False)
    packed: bytes = field(repr=False)

    @property
    def manifest(self) -> bytes:
        """The manifest's bytes."""
        return canonical_bytes(self.told)


def by_hours(city: CityDay, files: int, seed: int) -> list[list[str]]:
    """The day's rows dealt to `files` files by time, and one more of those that came late; some rows twice."""
    chance = Random(f"{seed} files")  # noqa: S311 - invented, not secret
    dealt: list[list[str]] = [[] for _ in range(files + 1)]
    for ride in city.rides:
        for tap in rows_of(city, ride):
            place = min(files - 1, (tap.second - 5 * 3600) * files // (17 * 3600))
            dealt[files if chance.random() < LATE else place].append(tap.line)
            if chance.random() < REPEATED:
                dealt[place].append(tap.line)
    for lines in dealt:
        chance.shuffle(lines)
    return dealt


def otherwise(lines: Iterable[Sequence[str]], files: int, seed: int) -> list[list[str]]:
    """The same rows in any order, dealt to other files without looking."""
    whole = [line for some in lines for line in some]
    Random(f"{seed} otherwise").shuffle(whole)  # noqa: S311 - invented, not secret
    return [whole[place::files] for place in range(files)]


def rows_of(city: CityDay, ride: Ride) -> Iterator[TapRow]:
    """What the gates tell of a ride, each by its own clock."""
    halves = (ride.enters_s, ride.leaves_s)[: 1 if ride.taps == "no_exit" else 2]
    for half, at in enumerate(halves):
        # a gate's clock is off by the same for everybody who passes it
        second = at + (ride.origin, ride.destination)[half] % (2 * CLOCK_OFF_S + 1) - CLOCK_OFF_S
        yield TapRow(second, _line(city, ride, half, second))


def _line(city: CityDay, ride: Ride, half: int, second: int) -> str:
    stop = station((ride.origin, ride.destination)[half] % STATIONS)
    told = f"{city.day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+08:00"
    action, amount = ("Exit", "3.00") if half else ("Enter", "0")
    return f"{tap_id(ride, half)},{told},{action},{stop},,{token(ride.rider)},{amount},CNY"
