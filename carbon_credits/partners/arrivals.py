"""A file with its manifest arrives, by the door or the drop folder: the same rules, the same row.

What can be known at once is said at once and nothing is kept: whose it is, the signature, digest and length, sequence,
version and age. What is in it is looked at later. Who sends other bytes under a number that is taken, or signs with a
key that is not theirs, is refused and the refusal stands in the audit as an alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.errors import Conflict, Invalid, ProgrammeError, TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.partners.inbox import Inbox, Stored
from carbon_credits.partners.keys import Signature, check_signature
from carbon_credits.partners.manifest import Manifest, canonical_bytes
from carbon_credits.partners.models import Partner, PartnerFile, Source
from carbon_credits.partners.service import Register, source_by_feed

How = Literal["door", "drop"]
UNFINISHED: Final = ("seen", "verified", "staged")
MOST_UNFINISHED: Final = 500
ALARM: Final = "file.alarm"
ALARMING: Final = frozenset({"partner_differs", "signature_wrong", "key_revoked", "version_taken"})


@dataclass(frozen=True)
class Arrival:
    """A file's row; `known` when the same bytes had come before."""

    file_id: int
    state: str
    known: bool


@dataclass(frozen=True)
class Arriving:
    """All that came: who brings it (by number), how, the manifest, the signature's bytes and the stored file."""

    partner_id: int
    how: How
    manifest: Manifest
    signature: bytes
    stored: Stored


def check_sender(session: Session, partner_id: int, manifest: Manifest, signature: bytes) -> Signature:
    """That the manifest is this partner's and signed by them. Raises Invalid; nothing of the file need be read yet."""
    code = session.execute(select(Partner.code).where(Partner.partner_id == partner_id)).scalar_one()
    if manifest.partner != code:
        detail = Text("清单中的合作方不是您", "The manifest names another partner than the one who sends it")
        raise Invalid("partner_differs", detail)
    return check_signature(session, partner_id, canonical_bytes(manifest.told), signature)


def arrive(session: Session, inbox: Inbox, register: Register, came: Arriving, now: datetime) -> Arrival:
    """Write a file's row and name its bytes by it; the same bytes again are the row they have.

    Raises NotFound (feed), Invalid (signature, digest, length, age, what it replaces), Conflict (version) or TooMany.
    """
    manifest = came.manifest
    signed = check_sender(session, came.partner_id, manifest, came.signature)
    source = source_by_feed(session, register.feed(manifest.feed).code, came.partner_id)
    _check_bytes(manifest, came.stored)
    # two who bring the same feed's files wait for one another here
    session.execute(select(Source.source_id).where(Source.source_id == source.source_id).with_for_update())
    known = _same_bytes(session, source.source_id, manifest, came.stored)
    if known is not None:
        return known
    _check_age(manifest, source.late_days, now)
    _check_version(session, source.source_id, manifest)
    _check_room(session, source.source_id)
    file_id = _row(session, source.source_id, came, signed, now)
    inbox.keep(came.stored, file_id)
    return Arrival(file_id, "seen", known=False)


def note_alarm(
    session: Session, partner_id: int, manifest: Mapping[str, Any], refusal: ProgrammeError
) -> bool:
    """Write a refusal that somebody must look at into the audit; whether it was one."""
    if refusal.code not in ALARMING:
        return False
    said = {name: manifest.get(name) for name in ("partner", "feed", "seq", "version", "sha256")}
    audit.record(
        session, f"partner:{partner_id}", ALARM, f"partner:{partner_id}", None, {"code": refusal.code, **said}
    )
    return True


def _check_bytes(manifest: Manifest, stored: Stored) -> None:
    if stored.length != manifest.bytes:
        detail = Text(
            f"清单声明 {manifest.bytes} 字节，收到 {stored.length}",
            f"The manifest says {manifest.bytes} bytes; {stored.length} came",
        )
        raise Invalid("bytes_differ", detail)
    if stored.sha256.hex() != manifest.sha256:
        found = stored.sha256.hex()
        raise Invalid(
            "sha256_differs", Text(f"文件摘要为 {found}，与清单不符", f"The file's digest is {found}")
        )


def _same_bytes(session: Session, source_id: int, manifest: Manifest, stored: Stored) -> Arrival | None:
    """The row these bytes have; none where a higher version goes back to what an earlier one had said."""
    asked = select(PartnerFile.file_id, PartnerFile.state, PartnerFile.version).where(
        PartnerFile.source_id == source_id,
        PartnerFile.sha256 == stored.sha256,
        PartnerFile.seq == manifest.seq,
    )
    row = session.execute(asked.order_by(PartnerFile.version.desc()).limit(1)).one_or_none()
    if row is None or (row.state == "superseded" and manifest.version > row.version):
        return None
    return Arrival(row.file_id, row.state, known=True)


def _check_age(manifest: Manifest, late_days: int, now: datetime) -> None:
    age = (clock.day_of(now) - manifest.service_date).days
    if age < 0:
        raise Invalid("service_date_in_future", Text("服务日期在未来", "The service date lies in the future"))
    if age > late_days:
        detail = Text(
            f"服务日期距今 {age} 天，超过 {late_days} 天，请联系运营人员",
            f"The service date is {age} days ago; {late_days} is the most: ask the operators",
        )
        raise Invalid("file_too_old", detail)


def _check_version(session: Session, source_id: int, manifest: Manifest) -> None:
    asked = (
        select(PartnerFile.version, PartnerFile.sha256)
        .where(
            PartnerFile.source_id == source_id,
            PartnerFile.seq == manifest.seq,
            PartnerFile.state != "refused",
        )
        .order_by(PartnerFile.version.desc())
        .limit(1)
    )
    latest = session.execute(asked).one_or_none()
    if latest is None:
        return
    if manifest.version == latest.version:
        detail = Text(
            f"序号 {manifest.seq} 第 {latest.version} 版已收到其他内容，请提高版本号",
            f"Other bytes came as version {latest.version} of sequence {manifest.seq}: raise the version",
        )
        raise Conflict("version_taken", detail)
    if manifest.version < latest.version:
        detail = Text(f"已有第 {latest.version} 版", f"Version {latest.version} is here already")
        raise Conflict("version_old", detail)
    if manifest.replaces_sha256 != latest.sha256.hex():
        detail = Text("replaces_sha256 不是上一版的摘要", f"replaces_sha256 must be {latest.sha256.hex()}")
        raise Invalid("replaces_differs", detail)


def _check_room(session: Session, source_id: int) -> None:
    asked = select(PartnerFile.file_id).where(
        PartnerFile.source_id == source_id, PartnerFile.seq.is_not(None), PartnerFile.state.in_(UNFINISHED)
    )
    if len(session.execute(asked.limit(MOST_UNFINISHED)).all()) >= MOST_UNFINISHED:
        detail = Text("待处理文件过多，请稍后再送", "Too many files of this feed wait already")
        raise TooMany("files_waiting", detail, retry_after_s=60)


def _row(session: Session, source_id: int, came: Arriving, signed: Signature, now: datetime) -> int:
    manifest = came.manifest
    noted = (
        insert(PartnerFile)
        .values(
            source_id=source_id,
            sha256=came.stored.sha256,
            name=manifest.file,
            bytes=came.stored.length,
            received_at=now,
            seq=manifest.seq,
            version=manifest.version,
            service_date=manifest.service_date,
            rows=manifest.rows,
            complete_through=manifest.complete_through,
            manifest=dict(manifest.told),
            signature=signed.raw,
            key_id=signed.key_id,
            arrived=came.how,
        )
        .returning(PartnerFile.file_id)
    )
    return session.execute(noted).scalar_one()
