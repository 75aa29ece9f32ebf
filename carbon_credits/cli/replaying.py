"""`flask credits replay`: every credit recomputed from what is stored, each difference by the act's number."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from itertools import pairwise
from multiprocessing import get_context
from typing import Any

import click
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, table
from carbon_credits.core.db import connect, reading
from carbon_credits.crediting.replay import EVERYBODY, LISTED, Replayed, Scope, replay
from carbon_credits.jobs.surroundings import settings

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("replay")
@click.option("--since", type=DAY, help="first day of the acts")
@click.option("--until", type=DAY, help="last day of the acts")
@click.option("--shard", type=click.IntRange(0), help="one shard alone")
@click.option("--limit", type=click.IntRange(1), help="at most so many credits (to each process)")
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@plainly
def command(
    since: datetime | None,
    until: datetime | None,
    shard: int | None,
    limit: int | None,
    processes: int,
    as_json: bool,
) -> None:
    """Recompute every credit by the second path; ends with 1 when any does not agree."""
    scope = Scope(shard=shard, limit=limit)
    if since:
        scope = replace(scope, since=since.date())
    if until:
        scope = replace(scope, until=until.date())
    began = time.perf_counter()
    found = _replayed(scope, processes)
    seconds = time.perf_counter() - began
    _say(found, seconds, processes, as_json)
    if found.mismatches:
        raise click.exceptions.Exit(1)


def _replayed(scope: Scope, processes: int) -> Replayed:
    """In this process, or dealt by residents' numbers to several."""
    if processes == 1:
        with reading() as session:
            return replay(session, scope)
    with reading() as session:
        parts = list(_dealt(session, scope, processes))
    url = settings().database_url
    total = Replayed()
    with get_context("spawn").Pool(len(parts)) as pool:
        for part in pool.starmap(_part, [(url, part) for part in parts]):
            total.add(part)
    return replace(total, findings=total.findings[:LISTED])


def _part(url: str, scope: Scope) -> Replayed:
    """What one process of several does, with a connection of its own."""
    app = Flask("replay")
    connect(app, url, pool_size=1)
    with app.app_context(), reading() as session:
        return replay(session, scope)


def _dealt(session: Session, scope: Scope, processes: int) -> Iterator[Scope]:
    """Ranges of residents with about as many wallets in each."""
    rows = session.execute(
        text("""select max(resident_id) from (select resident_id, ntile(:parts) over (order by resident_id) as part
                from wallet) w group by part order by 1"""),
        {"parts": processes},
    )
    bounds = [EVERYBODY[0], *list(rows.scalars())[:-1], EVERYBODY[1]]
    for after, upto in pairwise(bounds):
        yield replace(scope, residents=(after, upto))


def _say(found: Replayed, seconds: float, processes: int, as_json: bool) -> None:
    figures = found.credits + found.restated
    rate = round(figures / seconds) if seconds else 0
    if as_json:
        told: dict[str, Any] = {
            **asdict(found),
            "seconds": f"{seconds:.3f}",
            "per_second": rate,
            "processes": processes,
        }
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(
        f"重算 {found.credits:,} 笔，重述 {found.restated:,} 笔，不符 {found.mismatches:,} / "
        f"{found.credits:,} credits and {found.restated:,} restated figures recomputed,"
        f" {found.mismatches:,} do not agree; {seconds:.1f} s, {rate:,}/s"
    )
    if not found.findings:
        return
    made = table(
        "不符 / Differences", "记录 Act", "方法学版本 Release", "项 What", "应为 Expected", "实为 Found"
    )
    for finding in found.findings:
        act = f"{finding.activity} #{finding.generation}" if finding.activity else "—"
        made.add_row(act, finding.release, finding.what, finding.expected, finding.found)
    console().print(made)
