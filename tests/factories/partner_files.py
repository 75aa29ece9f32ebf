"""A partner who sends signed files: a small feed of rides read row by row, manifests that are right unless changed."""

import base64
import codecs
import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, FileFault, Item, ParseOptions, Record, Scalar, Unusable
from carbon_credits.partners.manifest import canonical_bytes
from integrations.telling import correction, still_waiting

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
COLUMNS = ("ride_no", "rider", "vehicle", "began", "distance_m", "kind")
HEADER = ",".join(COLUMNS)


def parse_file(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:
    """One item for each row, none kept; a row of kind Void takes the ride of its number back."""
    del options
    reader = csv.reader(codecs.iterdecode(stream, "utf-8-sig"))
    if next(reader, None) != list(COLUMNS):
        raise FileFault("wrong_header", Text("表头不符", "The header is not that of this feed"), 1)
    for row in reader:
        try:
            began = datetime.fromisoformat(row[3])
            distance_m = int(row[4])
        except ValueError:
            yield Unusable(f"line-{row[0]}", reader.line_num, ("not_readable",))
            continue
        if row[5] == "Void":
            yield correction(f"void-{row[0]}", reader.line_num, row[0], "void", began)
            continue
        yield Record(
            row[0],
            row[1],
            "travel.shared_bicycle",
            began,
            began + timedelta(minutes=12),
            {"distance_m": distance_m},
            {"vehicle": row[2]},
            line=reader.line_num,
        )


def summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
    """Trips."""
    return {"trips": sum(1 for _ in parse_file(stream, options))}


def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:
    """Rides never wait in pieces; a void that waits goes on waiting."""
    return still_waiting(kept, options)


FEED = Feed(
    code="test_rides",
    partner="rides",
    partner_names=Text("测试单车", "Rides for tests"),
    names=Text("测试骑行", "Rides"),
    evidence_class="A",
    methodologies=("travel.shared_bicycle",),
    late_days=35,
    parse_file=parse_file,
    summary=summary,
    place=place,
)


def a_ride(
    number: int, rider: str = "rider-1", distance_m: int = 1500, kind: str = "Ride", day: date = DAY
) -> str:
    """A row of a ride of its own bicycle, each a minute after the one before."""
    began = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=20 * (number % 70))
    return f"{number},{rider},B{number},{began.isoformat()},{distance_m},{kind}"


def a_table(rows: Iterable[str], end: str = "\n") -> bytes:
    """A CSV of these rows."""
    return ("\n".join([HEADER, *rows]) + end).encode()


@dataclass(frozen=True)
class Sent:
    """What goes out: the manifest's document and bytes, the signature in base64, the file as it is sent."""

    told: dict[str, Any]
    signature: bytes
    file: bytes

    @property
    def manifest(self) -> bytes:
        """The manifest's bytes."""
        return canonical_bytes(self.told)


@dataclass
class Sender:
    """Somebody who signs manifests for a partner's feed."""

    partner: str = "rides"
    feed: str = "test_rides"
    day: date = DAY
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that are registered."""
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def send(
        self, raw: bytes, seq: int = 1, version: int = 1, *, packed: bool = True, **changes: Any
    ) -> Sent:
        """A file and its manifest, right unless `changes` say otherwise."""
        file = gzip.compress(raw, 6, mtime=0) if packed else raw
        end = ".csv.gz" if packed else ".csv"
        noon = f"{self.day}T12:00:00+08:00"
        told = {
            "partner": self.partner,
            "feed": self.feed,
            "seq": seq,
            "version": version,
            "replaces_sha256": None,
            "service_date": str(self.day),
            "window": {"from": noon, "to": noon},
            "created_at": noon,
            "schema_id": "rides-1",
            "crs": None,
            "tz": "Asia/Shanghai",
            "units": {},
            "file": f"{self.partner}_{self.feed}_{self.day:%Y%m%d}_{seq:06}_v{version}{end}",
            "bytes": len(file),
            "sha256": sha256(file).hexdigest(),
            "sha256_raw": sha256(raw).hexdigest(),
            "rows": max(0, raw.count(b"\n") - 1),
            "totals": {},
            "by_type": {},
            "complete_through": f"{self.day + timedelta(days=seq)}T00:00:00+08:00",
            **changes,
        }
        return Sent(told, self.sign(told), file)

    def sign(self, told: dict[str, Any]) -> bytes:
        """The signature of a manifest, in base64."""
        return base64.b64encode(self.key.sign(canonical_bytes(told)))

    def parts(self, sent: Sent) -> dict[str, Any]:
        """The parts of an upload, for a test client."""
        return {
            "manifest": (io.BytesIO(sent.manifest), "m.json", "application/json"),
            "signature": sent.signature.decode(),
            "file": (io.BytesIO(sent.file), sent.told["file"], "application/gzip"),
        }
