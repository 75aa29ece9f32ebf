"""Commands for partners: who they are, what they sign in with, whose accounts are bound, and their files."""

import csv
import shutil
import sys
import tempfile
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.activities.files import Delivery, place
from carbon_credits.cli.imports import demonstrated, report_placed, ring, take_in
from carbon_credits.cli.later import LaterGroup
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.surroundings import feeds, settings
from carbon_credits.partners import clients, service
from carbon_credits.partners.contract import Encoding, Feed, FileFault, ParseOptions
from carbon_credits.partners.models import PartnerClient
from carbon_credits.residents import bindings
from carbon_credits.residents.models import ResidentPhone
from carbon_credits.residents.phones import normalised, phone_index

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(
    "partners",
    cls=LaterGroup,
    places={
        "conformance": "conformance:command",
        "files": "partner_files:file_group",
        "keys": "partner_files:key_group",
        "secrets": "partner_secrets:group",
    },
)
def group() -> None:
    """合作方 / Partners, their clients, bindings and files."""


@group.command("list")
@plainly
def list_feeds() -> None:
    """Every feed, its partner, and the partner's live clients."""
    with reading() as session:
        live = select(PartnerClient.client_id, PartnerClient.partner_id)
        held = session.execute(live.where(PartnerClient.ended_at.is_(None))).all()
        number_of = {partner.code: partner.partner_id for partner in service.partners(session)}
    for feed in feeds():
        click.echo(f"{feed.code:<16} {feed.names.zh} / {feed.names.en}")
        click.echo(f"  {feed.partner:<14} {feed.partner_names.zh} / {feed.partner_names.en}")
        click.echo(
            f"  证据等级 class {feed.evidence_class}, 最多补报 {feed.late_days} 天 / {feed.late_days} days late"
        )
        for row in held:
            if row.partner_id == number_of.get(feed.partner):
                click.echo(f"  {row.client_id}")


@group.command("add-client")
@click.argument("partner")
@plainly
def add_client(partner: str) -> None:
    """Make a client for a partner; its secret is shown once and kept nowhere."""
    with transaction() as session:
        service.install(session, feeds())
        found = service.partner_by_code(session, partner)
        made = clients.add_client(session, settings().vault, found.partner_id, clock.now())
        audit.record(
            session, "operator", "client.added", f"partner:{partner}", None, {"client": made.client_id}
        )
    click.echo(f"client_id      {made.client_id}\nclient_secret  {made.client_secret}")
    click.echo("密钥只显示这一次 / the secret is shown this once")


@group.command("end-client")
@click.argument("client_id")
@plainly
def end_client(client_id: str) -> None:
    """End a client; its tokens are refused from now on."""
    with transaction() as session:
        clients.end_client(session, client_id, clock.now())
        audit.record(session, "operator", "client.ended", f"client:{client_id}")
    click.echo(f"已停用 / ended: {client_id}")


@group.command("bind")
@click.argument("partner")
@click.argument("subject")
@click.argument("phone")
@plainly
def bind(partner: str, subject: str, phone: str) -> None:
    """Bind a partner's customer to the resident of a phone, who has consented; what waited is placed."""
    vault, now = settings().vault, clock.now()
    with transaction() as session:
        service.install(session, feeds())
        found = service.partner_by_code(session, partner)
        resident_id = _resident_of(session, phone)
        index = bindings.subject_index(vault, partner, subject)
        bindings.bind(session, found.partner_id, index, resident_id, now)
        audit.record(
            session, "operator", "partner.bound", f"resident:{resident_id}", None, {"partner": partner}
        )
    click.echo("已绑定 / bound")
    for feed in feeds():
        if feed.partner == partner:
            report_placed(place(vault, feed, ParseOptions(), now, ring))


@group.command("import")
@click.argument("feed")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--distances", type=FILE, help="CSV: from_station,to_station,distance_m")
@click.option("--encoding", type=click.Choice(["utf-8", "gb18030"]), default="utf-8", show_default=True)
@click.option("--no-wait", is_flag=True, help="leave before the acts are decided")
@click.option("--bind", "bind_column", metavar="COLUMN", help="demonstration: each value becomes a resident")
@click.option(
    "--shift-days", type=click.IntRange(-100_000, 100_000), default=0, help="demonstration: move the dates"
)
@plainly
def import_file(
    feed: str,
    path: Path,
    distances: Path | None,
    encoding: Encoding,
    no_wait: bool,
    bind_column: str | None,
    shift_days: int,
) -> None:
    """Take a partner's file in and show what became of each row. Ends with 1 when the file is refused."""
    known = feeds().feed(feed)
    if (bind_column is not None or shift_days) and not settings().is_demo:
        wrong = (
            "--bind 与 --shift-days 仅限演示模式 / --bind and --shift-days are for the demonstration alone"
        )
        raise click.UsageError(wrong)
    with transaction() as session:
        service.install(session, feeds())
    options = ParseOptions(shift_days, bind_column, distances, encoding)
    # a private copy: what is checked is what is taken in, whatever happens to the file meanwhile
    with path.open("rb") as original, tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(original, copy)
        delivery = Delivery(known, copy, path.name, options)
        if settings().is_demo:
            demonstrated(settings().vault, delivery)
        is_complete = take_in(settings().vault, delivery, waits=not no_wait)
    if not is_complete:
        raise click.exceptions.Exit(1)


@group.command("table")
@click.argument("feed")
@click.argument("name")
@click.argument("path", metavar="FILE", type=click.Path(exists=True, path_type=Path))
@plainly
def write_table(feed: str, name: str, path: Path) -> None:
    """Write what a feed reads beside its records (stations, distances) as CSV, for `--distances` and the like."""
    known = feeds().feed(feed)
    if name not in known.tables:
        there = ", ".join(sorted(known.tables)) or "无 / none"
        raise click.UsageError(f"没有此表 / no such table: {name}. {there}")
    try:
        rows = list(known.tables[name](path))
    except FileFault as fault:
        raise click.ClickException(_words(fault)) from fault
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows)


@group.command("place")
@click.argument("feed")
@click.option("--distances", type=FILE, help="CSV: from_station,to_station,distance_m")
@plainly
def place_waiting(feed: str, distances: Path | None) -> None:
    """Try again what waits: for a binding, for its other half, or for a distance."""
    known: Feed = feeds().feed(feed)
    try:
        done = place(settings().vault, known, ParseOptions(distances=distances), clock.now(), ring)
    except FileFault as fault:
        raise click.ClickException(_words(fault)) from fault
    report_placed(done)


def _words(fault: FileFault) -> str:
    place_in_file = "" if fault.line is None else f" 第 {fault.line} 行 / line {fault.line}:"
    return f"{place_in_file} {fault.detail.zh} / {fault.detail.en} ({fault.code})"


def _resident_of(session: Session, phone: str) -> int:
    asked = select(ResidentPhone.resident_id).where(
        ResidentPhone.phone_index == phone_index(settings().vault, normalised(phone))
    )
    found = session.execute(asked).scalar_one_or_none()
    if found is None:
        raise NotFound("resident_unknown", Text("没有此居民", "There is no such resident"))
    return found
