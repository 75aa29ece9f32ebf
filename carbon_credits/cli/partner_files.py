"""Commands for partners' signing keys and delivered files: what came, what waits for a person, what was alarming."""

import json
import resource
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import click
from rich.table import Table
from sqlalchemy import select

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console
from carbon_credits.core import audit, clock
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.doorbell import PARTNER_FILES
from carbon_credits.jobs.surroundings import feeds, redis_of
from carbon_credits.partners import arrivals, contents, keys, progress, service
from carbon_credits.partners.contract import FileFault, ParseOptions
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.unpacking import CHUNK
from carbon_credits.staff.service import Role, by_name, require_role

OPEN = ("seen", "verified", "staged", "quarantined")
EVERY = (*OPEN, "applied", "superseded", "refused")
HEADINGS = (
    "编号 id",
    "数据源 feed",
    "序号 seq",
    "版 v",
    "状态 state",
    "行 rows",
    "收到 received",
    "原因 reason",
)
MEGABYTE = 1 << 20


@click.group("keys")
def key_group() -> None:
    """签名公钥 / Ed25519 public keys that partners sign manifests with."""


@key_group.command("add")
@click.argument("partner")
@click.argument("public_key", type=click.File("rb"))
@plainly
def add_key(partner: str, public_key: BinaryIO) -> None:
    """Let a partner sign with this key (PEM, or base64 of 32 bytes) beside those in force."""
    raw = keys.read_public_key(public_key.read(10_000))
    with transaction() as session:
        service.install(session, feeds())
        found = service.partner_by_code(session, partner)
        key_id = keys.add_key(session, found.partner_id, raw, clock.now())
        audit.record(session, "operator", "key.added", f"partner:{partner}", None, {"key": key_id})
    click.echo(f"已登记 / added: {key_id}")


@key_group.command("revoke")
@click.argument("key_id")
@plainly
def revoke_key(key_id: str) -> None:
    """Refuse whatever is signed by this key from now on."""
    with transaction() as session:
        keys.revoke_key(session, key_id, clock.now())
        audit.record(session, "operator", "key.revoked", f"key:{key_id}")
    click.echo(f"已吊销 / revoked: {key_id}")


@key_group.command("list")
@click.argument("partner")
@plainly
def list_keys(partner: str) -> None:
    """A partner's keys, oldest first."""
    with reading() as session:
        found = service.partner_by_code(session, partner)
        for key in keys.keys_of(session, found.partner_id):
            state = "有效 in force" if key.revoked_at is None else f"已吊销 revoked {key.revoked_at:%Y-%m-%d}"
            click.echo(f"{key.key_id}  {key.added_at:%Y-%m-%d}  {state}")


@click.group("files")
def file_group() -> None:
    """合作方文件 / Files that came with a manifest."""


@file_group.command("list")
@click.option("--all", "every", is_flag=True, help="finished ones too")
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True)
@plainly
def list_files(every: bool, most: int) -> None:
    """Files that are not done, the newest first, and why they wait."""
    with reading() as session:
        rows = progress.listed(session, EVERY if every else OPEN, most)
    table = Table(*HEADINGS, title="合作方文件 partners' files")
    for row, feed in rows:
        since = row.received_at.astimezone(clock.PROGRAMME_ZONE).strftime("%m-%d %H:%M")
        why = "" if row.fault is None else f"{row.fault['detail']['zh']}\n{row.fault['detail']['en']}"
        table.add_row(
            str(row.file_id), feed, str(row.seq), str(row.version), row.state, f"{row.rows:,}", since, why
        )
    console().print(table)


@file_group.command("alarms")
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True)
@plainly
def list_alarms(most: int) -> None:
    """Refusals that somebody must look at: foreign signatures, other bytes under a number that is taken."""
    asked = select(AuditEntry).where(AuditEntry.action == arrivals.ALARM)
    with reading() as session:
        for entry in session.execute(asked.order_by(AuditEntry.audit_id.desc()).limit(most)).scalars():
            said = json.dumps(entry.after, ensure_ascii=False, sort_keys=True)
            click.echo(f"{entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.actor}  {said}")


@file_group.command("release")
@click.argument("file_id", type=int)
@click.option("--waive", is_flag=True, help="overlook the control figures it was put aside for")
@click.option("--as", "name", required=True, help="a member of staff of the programme")
@plainly
def release(file_id: int, waive: bool, name: str) -> None:
    """Look at a quarantined file again; with --waive its control figures may differ."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        progress.release(session, file_id, waive=waive)
        done = {"waive": waive}
        audit.record(session, f"staff:{member.staff_id}", "file.released", f"file:{file_id}", None, done)
    redis = redis_of()
    doorbell.ring_bell(redis, PARTNER_FILES)
    click.echo(f"已放行，将重新处理 / released, to be looked at again: {file_id}")


@file_group.command("refuse")
@click.argument("file_id", type=int)
@click.option("--as", "name", required=True, help="a member of staff of the programme")
@plainly
def refuse(file_id: int, name: str) -> None:
    """Refuse a quarantined file for good; its sequence may come again."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        progress.refuse(session, file_id, clock.now())
        audit.record(session, f"staff:{member.staff_id}", "file.refused", f"file:{file_id}")
    click.echo(f"已拒绝 / refused: {file_id}")


@file_group.command("check")
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@plainly
def check(manifest: Path, file: Path) -> None:
    """Hold a file against its manifest as the door would, and let its feed read it; nothing is stored.

    Says how long that took and the most memory this process had. Ends with 1 when the file would be put aside.
    """
    told, begun = read_manifest(manifest.read_bytes()), time.monotonic()
    feed = feeds().feed(told.feed)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as plain:
        with file.open("rb") as stream:
            stored = Inbox(Path(folder)).store(iter(lambda: stream.read(CHUNK), b""))
        faults = []
        if (stored.length, stored.sha256.hex()) != (told.bytes, told.sha256):
            click.echo(f"bytes {stored.length}, sha256 {stored.sha256.hex()}")
            raise click.ClickException("长度或摘要不符 / length or digest differs from the manifest")
        try:
            with stored.path.open("rb") as sent:
                found = contents.unpack(sent, [plain], told)
            faults = contents.faults_of(told, found)
            plain.seek(0)
            items = sum(1 for _ in feed.parse_file(plain, ParseOptions()))
            click.echo(f"{found.length:,} 字节 bytes, {items:,} 项 items")
        except FileFault as found_fault:
            faults = [found_fault]
    for fault in faults:
        click.echo(f"{fault.code}: {fault.detail.zh} / {fault.detail.en}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // MEGABYTE
    click.echo(f"{time.monotonic() - begun:.1f} s, 内存峰值 peak memory {peak} MB")
    if faults:
        raise click.exceptions.Exit(1)
