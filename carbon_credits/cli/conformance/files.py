"""Whole files at our door: a wrong signature, hash and total, a gap and its closing, the same file again, the ack."""

import base64
import csv
import gzip
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from carbon_credits.cli.conformance.checks import Report
from carbon_credits.cli.conformance.fetching import Fetched
from carbon_credits.cli.conformance.ours import Api
from carbon_credits.cli.conformance.reading import yesterday
from carbon_credits.core import clock
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, ParseOptions
from carbon_credits.partners.manifest import canonical_bytes

FILES: Final = "/partner/v1/files"
DONE: Final = frozenset({"applied", "quarantined", "superseded", "refused"})


@dataclass
class Sender:
    """Who sends files of a feed's first sample: the key that signs, and the first free number."""

    api: Api
    feed: Feed
    key: Ed25519PrivateKey
    seq: int
    patience_s: float = 60.0

    def manifest(self, seq: int, version: int = 1, **changes: Any) -> dict[str, Any]:
        """A manifest that is right unless changes say otherwise."""
        day, name = yesterday(), next(iter(self.feed.samples))
        raw, sent = self.content()
        ending = name.rpartition(".")[2]
        end = f"{day}T23:59:59+08:00"
        told = {
            "partner": self.feed.partner,
            "feed": self.feed.code,
            "seq": seq,
            "version": version,
            "replaces_sha256": None,
            "service_date": str(day),
            "window": {"from": f"{day}T00:00:00+08:00", "to": end},
            "created_at": end,
            "schema_id": f"conformance-{self.feed.code}",
            "crs": None,
            "tz": "Asia/Shanghai",
            "units": {},
            "file": f"{self.feed.partner}_{self.feed.code}_{day:%Y%m%d}_{seq:06}_v{version}.{ending}.gz",
            "bytes": len(sent),
            "sha256": sha256(sent).hexdigest(),
            "sha256_raw": sha256(raw).hexdigest(),
            "rows": self.rows(raw, ending),
            "totals": {},
            "by_type": {},
            "complete_through": end,
        }
        return {**told, **changes}

    def content(self, mark: int = 0) -> tuple[bytes, bytes]:
        """The sample of yesterday, plain and packed; the mark changes the packing's bytes and nothing else."""
        raw = next(iter(self.feed.samples.values()))(yesterday())
        return raw, gzip.compress(raw, 6, mtime=mark)

    def rows(self, raw: bytes, ending: str) -> int:
        """Rows as a manifest counts them: lines of a table, things told of a document."""
        if ending == "csv":
            return sum(1 for _ in csv.reader(io.StringIO(raw.decode()))) - 1
        return len(list(self.feed.parse_file(io.BytesIO(raw), ParseOptions())))

    def send(
        self, told: Mapping[str, Any], sent: bytes | None = None, signature: bytes | None = None
    ) -> Fetched:
        """Send a file under a manifest."""
        canonical = canonical_bytes(told)
        signed = self.key.sign(canonical) if signature is None else signature
        parts = {
            "manifest": ("manifest.json", canonical, "application/json"),
            "signature": (None, base64.b64encode(signed).decode()),
            "file": (told["file"], self.content()[1] if sent is None else sent, "application/gzip"),
        }
        return self.api.call("POST", FILES, key=uuid4().hex, files=parts)

    def ack(self, answer: Fetched) -> Mapping[str, Any]:
        """The ack of a file once it is done, or as it is when patience ends."""
        told = answer.kept()
        until = time.monotonic() + self.patience_s
        while isinstance(told, dict) and told.get("status") not in DONE and time.monotonic() < until:
            if "links" not in told:
                break
            time.sleep(0.2)
            told = self.api.call("GET", told["links"]["self"]).kept()
        return told if isinstance(told, dict) else {}


def check_files(report: Report, sender: Sender) -> None:
    """The file door, from refusals that keep nothing to a gap that is closed again."""
    _refused_at_once(report, sender)
    first, told = sender.seq, sender.manifest(sender.seq)
    answer = sender.send(told)
    ack = sender.ack(answer)
    mend = Text("按 ack 的 reason 改正", "Mend what the ack's reason says")
    if not report.expect("file_good", ack.get("status") == "applied", _of(ack, answer), mend):
        return
    same_rows = ack["rows_read"] == ack["rows_declared"] == told["rows"] and ack["rejected"] == 0
    report.expect(
        "file_ack", same_rows, _counts(ack), Text("行数应一致，无拒收", "Counts agree, none is rejected")
    )
    again = sender.ack(sender.send(told))
    mend = Text("相同内容是同一文件", "The same bytes are the same file")
    report.expect("file_again", again.get("id") == ack["id"], _of(again, answer), mend)
    _other_bytes(report, sender, told)
    _gap(report, sender, first)


def _refused_at_once(report: Report, sender: Sender) -> None:
    told = sender.manifest(sender.seq)
    later = str(clock.today() + timedelta(days=2))
    future = {
        **told,
        "service_date": later,
        "file": told["file"].replace(f"{yesterday():%Y%m%d}", later.replace("-", "")),
    }
    cases = {
        "file_wrong_signature": (sender.send(told, signature=bytes(64)), "signature_wrong"),
        "file_wrong_hash": (sender.send({**told, "sha256": "0" * 64}), "sha256_differs"),
        "file_wrong_manifest": (sender.send({**told, "rows": -1}), "manifest_wrong"),
        "file_of_the_future": (sender.send(future), "service_date_in_future"),
    }
    for name, (answer, code) in cases.items():
        body = answer.kept()
        said = body.get("code") if isinstance(body, dict) else None
        mend = Text(f"应为 422 {code}", f"Should be 422 {code}")
        report.expect(name, (answer.status, said) == (422, code), _of({}, answer), mend)


def _other_bytes(report: Report, sender: Sender, told: Mapping[str, Any]) -> None:
    _, other = sender.content(mark=1)
    changed = {**told, "bytes": len(other), "sha256": sha256(other).hexdigest()}
    answer = sender.send(changed, other)
    mend = Text("应为 409 version_taken", "Should be 409 version_taken")
    report.expect("file_other_bytes", answer.status == 409, _of({}, answer), mend)


def _gap(report: Report, sender: Sender, first: int) -> None:
    """A wrong total holds the mark, a later file does not move it, and a corrected version lets it go on."""
    wrong = sender.manifest(first + 1, rows=sender.manifest(first + 1)["rows"] + 7)
    answer = sender.send(wrong)
    ack = sender.ack(answer)
    reason = (ack.get("reason") or {}).get("code")
    mend = Text("行数不符应隔离整份文件", "A wrong count puts the whole file aside")
    report.expect(
        "file_wrong_total", ack.get("status") == "quarantined" and bool(reason), _of(ack, answer), mend
    )
    ack = sender.ack(sender.send(sender.manifest(first + 2)))
    mark = (ack.get("watermark") or {}).get("seq")
    mend = Text("缺号之后水位不动", "The mark stays before what is missing")
    held = ack.get("status") == "applied" and mark == first
    report.expect("file_gap", held, Text(f"水位 {mark}", f"the mark is at {mark}"), mend)
    # a corrected version has other bytes; those of the one that was put aside are that one again
    _, other = sender.content(mark=1)
    right = {"bytes": len(other), "sha256": sha256(other).hexdigest(), "replaces_sha256": wrong["sha256"]}
    ack = sender.ack(sender.send(sender.manifest(first + 1, 2, **right), other))
    mark = (ack.get("watermark") or {}).get("seq")
    mend = Text("更正版应补上缺口", "A corrected version closes the gap")
    report.expect("file_gap_closed", mark == first + 2, Text(f"水位 {mark}", f"the mark is at {mark}"), mend)


def _of(ack: Mapping[str, Any], answer: Fetched) -> Text:
    told = answer.kept()
    code = told.get("code", "") if isinstance(told, dict) else ""
    reason = (ack.get("reason") or {}).get("code", "")
    words = " ".join(word for word in (f"HTTP {answer.status}", code, ack.get("status", ""), reason) if word)
    return Text(words, words)


def _counts(ack: Mapping[str, Any]) -> Text:
    names = ("rows_declared", "rows_read", "accepted", "duplicate", "waiting", "rejected")
    words = ", ".join(f"{name} {ack[name]}" for name in names)
    return Text(words, words)
