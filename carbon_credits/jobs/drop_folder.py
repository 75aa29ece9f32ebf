"""The drop folder: PARTNER/in, where files are put by SFTP or the like; the rules are the door's.

A file is written under a passing name and renamed, then its signature, and its manifest last: a manifest says that all
is there. What was taken moves to `done`, what was not to `quarantine`; `out` holds an ack for each, kept up to date.
"""

import json
import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from carbon_credits.activities.acks import ack_of
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import Invalid, ProgrammeError, Unavailable
from carbon_credits.core.i18n import Text
from carbon_credits.partners import arrivals
from carbon_credits.partners.arrivals import Arrival, Arriving
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import MOST_BYTES, read_manifest
from carbon_credits.partners.models import Partner, PartnerFile, Source
from carbon_credits.partners.service import Register, partner_by_code
from carbon_credits.partners.unpacking import CHUNK

log = logging.getLogger(__name__)

MANIFEST: Final = ".manifest.json"
SIGNATURE: Final = ".manifest.sig"
# so long a manifest waits for a file or a signature that a slow copy brings in the wrong order
PATIENCE_S: Final = 60.0
MOST_AT_ONCE: Final = 200


@dataclass(frozen=True)
class Dropped:
    """A manifest in a partner's folder, with the paths of what goes with it."""

    partner: str
    folder: Path
    manifest: Path

    @property
    def stem(self) -> str:
        """The name without its endings; the signature's and the ack's begin with it."""
        return self.manifest.name.removesuffix(MANIFEST)

    @property
    def signature(self) -> Path:
        """Where the signature is."""
        return self.manifest.with_name(self.stem + SIGNATURE)


def anything_dropped(drop: Path) -> bool:
    """Whether a manifest lies in any partner's folder."""
    return next(_manifests(drop), None) is not None


def take_dropped(drop: Path, inbox: Inbox, register: Register) -> int:
    """Take in what is complete, at most two hundred at once; returns how many manifests were dealt with."""
    done = 0
    for _, found in zip(range(MOST_AT_ONCE), list(_manifests(drop)), strict=False):
        done += _take(found, inbox, register)
    return done


def answer_in_folder(drop: Path) -> int:
    """Write the ack anew of each dropped file whose state has changed; returns how many."""
    asked = (
        select(PartnerFile, Partner.code)
        .join(Source, Source.source_id == PartnerFile.source_id)
        .join(Partner, Partner.partner_id == Source.partner_id)
        .where(PartnerFile.arrived == "drop", PartnerFile.acked.is_distinct_from(PartnerFile.state))
        .limit(MOST_AT_ONCE)
    )

    def answer(session: Session) -> int:
        rows = session.execute(asked).all()
        for row, partner in rows:
            _write_ack(drop / partner, _stem_of(row.name), ack_of(session, row, None))
            noted = update(PartnerFile).where(PartnerFile.file_id == row.file_id).values(acked=row.state)
            session.execute(noted)
        return len(rows)

    return in_transaction(answer)


def _manifests(drop: Path) -> Iterator[Dropped]:
    for manifest in sorted(drop.glob("*/in/*" + MANIFEST)):
        folder = manifest.parent.parent
        yield Dropped(folder.name, folder, manifest)


def _take(found: Dropped, inbox: Inbox, register: Register) -> bool:
    """One manifest and what goes with it; False when something is still on its way."""
    manifest: dict[str, Any] = {}
    names = [found.manifest.name, found.signature.name]
    try:
        manifest, file = _told(found)
        names.append(file)
        arrival = _arrive(found, manifest, inbox, register)
    except Unavailable:
        return False
    except ProgrammeError as refusal:
        if refusal.code in {"file_missing", "signature_missing"} and _is_new(found.manifest):
            return False
        log.error("dropped file refused", extra={"partner": found.partner, "problem": refusal.code})
        _write_ack(found.folder, found.stem, _refusal(manifest, refusal))
        _move(found.folder, names, "quarantine")
        return True
    if arrival.known:
        log.info("dropped file known", extra={"file": arrival.file_id})
        in_transaction(lambda session: _forget_ack(session, arrival.file_id))
    _move(found.folder, names, "done")
    return True


def _told(found: Dropped) -> tuple[dict[str, Any], str]:
    with _opened(found.manifest) as stream:
        manifest = read_manifest(stream.read(MOST_BYTES + 1))
    return dict(manifest.told), manifest.file


def _arrive(found: Dropped, told: dict[str, Any], inbox: Inbox, register: Register) -> Arrival:
    manifest = read_manifest(json.dumps(told).encode())
    with _opened(found.signature, "signature_missing") as stream:
        signature = read_signature(stream.read(1_000))
    partner_id = in_transaction(lambda session: partner_by_code(session, found.partner).partner_id)
    try:
        in_transaction(lambda session: arrivals.check_sender(session, partner_id, manifest, signature))
        with _opened(found.folder / "in" / manifest.file, "file_missing") as stream:
            stored = inbox.store(iter(lambda: stream.read(CHUNK), b""))
        try:
            came = Arriving(partner_id, "drop", manifest, signature, stored)
            return in_transaction(
                lambda session: arrivals.arrive(session, inbox, register, came, clock.now())
            )
        finally:
            stored.discard()
    except ProgrammeError as error:
        refusal = error
        in_transaction(lambda session: arrivals.note_alarm(session, partner_id, told, refusal))
        raise


def _opened(path: Path, code: str = "file_missing") -> BinaryIO:
    """A plain file and nothing that only looks like one: a link may lead out of the partner's folder."""
    missing = Invalid(code, Text(f"缺少 {path.name}", f"{path.name} is missing"))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise missing from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise missing
    return os.fdopen(descriptor, "rb")


def _is_new(manifest: Path) -> bool:
    return time.time() - manifest.lstat().st_mtime < PATIENCE_S


def _forget_ack(session: Session, file_id: int) -> None:
    """The ack of a file that came again is written again."""
    session.execute(update(PartnerFile).where(PartnerFile.file_id == file_id).values(acked=None))


def _move(folder: Path, names: list[str], to: str) -> None:
    """The manifest moves last: whoever is killed before finds it again, and the same bytes cost nothing."""
    (folder / to).mkdir(exist_ok=True)
    for name in reversed(names):
        path = folder / "in" / name
        if os.path.lexists(path):
            path.rename(folder / to / name)


def _refusal(manifest: dict[str, Any], refusal: ProgrammeError) -> dict[str, Any]:
    words = f"{refusal.detail.zh} / {refusal.detail.en}"
    faults = [
        {"pointer": fault.pointer, "code": fault.code, "text": f"{fault.detail.zh} / {fault.detail.en}"}
        for fault in refusal.faults
    ]
    return {
        "id": None,
        **{name: manifest.get(name) for name in ("feed", "seq", "version")},
        "status": "refused",
        "reason": {"code": refusal.code, "line": None, "text": words, "faults": faults},
    }


def _write_ack(folder: Path, stem: str, ack: dict[str, Any]) -> None:
    out = folder / "out"
    out.mkdir(parents=True, exist_ok=True)
    part = out / f"{stem}.ack.json.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(ack), indent=2) + b"\n")
    part.rename(out / f"{stem}.ack.json")


def _stem_of(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0]
