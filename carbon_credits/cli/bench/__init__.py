"""`flask bench`: each figure beside its floor, measured in one run, on databases of its own.

Trust the ratios: they are of one machine in one hour. The rates are that machine's and no other's.
"""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from carbon_credits.cli.bench import (
    bulk,
    cityday,
    claims,
    district,
    pages,
    reconciling,
    records,
    redeeming,
    replaying,
    traces,
    wallets,
)
from carbon_credits.cli.bench.figures import Figure
from carbon_credits.cli.bench.ground import Ground, fresh, server_settings
from carbon_credits.cli.saying import plainly
from carbon_credits.config import owner_url
from carbon_credits.core import clock
from carbon_credits.core.crypto import KEY_BYTES, Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.surroundings import console, feeds, settings

WEB: Final = ("claims_vs_insert", "claims_vs_tpcb", "credited_p95", "memory")
BULK: Final = ("bulk_credit", "bulk_vs_floor")
NAMES: Final = (
    *WEB,
    *BULK,
    "replay",
    "console_pages",
    "wallet_read",
    "trace_points",
    *reconciling.NAMES,
    *redeeming.NAMES,
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    residents: int
    records: int
    rounds: int
    web: claims.Length
    postings: int = 100_000
    reads: int = 500
    traces: int = 1_000
    city: cityday.Size = cityday.FULL

    def of(self, records: int) -> "Size":
        """As this, with so many records of proportionally many residents, and a city's day in the same proportion."""
        city = self.city.of(max(1, self.records // records))
        residents = max(1_000, self.residents * records // self.records)
        return replace(self, records=records, residents=residents, city=city)


FULL: Final = Size(200_000, 1_000_000, 3, claims.Length(6, 5, 20))
QUICK: Final = Size(
    10_000, 50_000, 1, claims.Length(2, 3, 5), postings=5_000, reads=20, traces=50, city=cityday.FULL.of(20)
)


@click.command("bench")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line and nothing else")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="this figure alone; may be repeated")
@click.option(
    "--records",
    "sample",
    type=click.IntRange(1_000),
    help="partner records, instead of a million; a city's day in the same proportion",
)
@click.option("--quick", is_flag=True, help="a twentieth of everything: to see that it works, not how fast")
@plainly
def command(as_json: bool, only: tuple[str, ...], sample: int | None, quick: bool) -> None:
    """Measure, each figure beside its floor."""
    wanted = frozenset(only or NAMES)

    def say(words: str) -> None:
        click.echo(f"  {words}", err=as_json)

    if not as_json:
        said = ", ".join(f"{name}={value}" for name, value in server_settings(owner_url()).items())
        click.echo(f"PostgreSQL: {said}")
    found = []
    size = QUICK if quick else FULL
    for figure in measure(wanted, size if sample is None else size.of(sample), say):
        found.append(figure)
        if as_json:
            click.echo(figure.as_json())
    if not as_json:
        click.echo(_table(found))


def measure(wanted: frozenset[str], size: Size, say: Say) -> Iterator[Figure]:
    """The wanted figures, the shortest first; every database and file made for them is gone afterwards."""
    if "trace_points" in wanted:
        yield from traces.figures(size.traces, size.rounds)
    if wanted == {"trace_points"}:
        return  # arithmetic alone: no database is made for it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="carbon-bench-")))
        # keys of its own: what they blind is invented too, and a floor gives some of them to the database
        invented = replace(settings(), vault=Vault({1: secrets.token_bytes(KEY_BYTES)}))
        template = stack.enter_context(fresh(owner_url(), invented))
        if "wallet_read" in wanted:
            with fresh(owner_url(), invented, template) as ground:
                yield from wallets.figures(ground, clock.today(), size.postings, size.reads)
        with template.at_work(), transaction() as session:
            district.rule(session, clock.today() - timedelta(days=60))
        if wanted & {*WEB, "redeem_vs_claims"}:
            yield from _web(template, folder, wanted, size, say)
        if wanted & set(reconciling.NAMES):
            yield from _day(template, folder / "day", wanted, size, say)
        if wanted & {*BULK, "replay", "redeem_p99_during_bulk", "console_pages"}:
            yield from _bulk(_load(template, folder / "records", size, say), wanted, size, say)


def _day(template: Ground, folder: Path, wanted: frozenset[str], size: Size, say: Say) -> Iterator[Figure]:
    say(f"a day of {size.city.taps:,} taps and {size.city.claims:,} claims is being made")
    folder.mkdir()
    with fresh(owner_url(), template.settings, template) as ground:
        day = reconciling.prepare(ground, feeds().feed("metro_taps"), folder, size.city, clock.today())
        yield from reconciling.figures(day, owner_url(), size.rounds, wanted, say)


def _bulk(load: bulk.Load, wanted: frozenset[str], size: Size, say: Say) -> Iterator[Figure]:
    if "redeem_p99_during_bulk" in wanted:
        yield from redeeming.during_bulk(load, owner_url(), load.folder / "redeeming", say)
    if "console_pages" in wanted:
        yield from pages.figures(load, owner_url(), console(), say)
    if "replay" in wanted:
        yield from replaying.figures(load, owner_url(), size.rounds, say)
    if wanted & set(BULK):
        for figure in bulk.figures(load, owner_url(), size.rounds, say):
            if any(figure.name.startswith(name) for name in wanted):
                yield figure


def _web(template: Ground, folder: Path, wanted: frozenset[str], size: Size, say: Say) -> Iterator[Figure]:
    with fresh(owner_url(), template.settings, template) as ground:
        with ground.owner() as owner:
            district.populate(owner, claims.RESIDENTS)
        if "redeem_vs_claims" in wanted:
            yield from redeeming.against_claims(ground, owner_url(), folder / "redeeming", size.web, say)
        if wanted & set(WEB):
            (folder / "web").mkdir()
            yield from claims.figures(ground, folder / "web", wanted, size.web, say)


def _load(template: Ground, folder: Path, size: Size, say: Say) -> bulk.Load:
    say(f"{size.records:,} records of {size.residents:,} residents are being made")
    folder.mkdir()
    with template.owner() as owner:
        district.populate(owner, size.residents)
        records.write(owner, folder, size.residents, size.records, clock.today())
    return bulk.Load(template, folder, size.records)


def _table(found: list[Figure]) -> str:
    headings = ("指标 figure", "数值 value", "下限 floor", "比 ratio", "目标 goal")
    rows = [headings, *(figure.as_row() for figure in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
