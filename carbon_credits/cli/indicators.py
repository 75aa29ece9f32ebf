"""`flask indicators` and `flask evaluation`: the plan's figures with their sources, and a year's evaluation pack."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, table
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs.surroundings import settings
from carbon_credits.reporting import (
    evaluation,
    evaluation_pdf,
    evaluation_xlsx,
    indicators,
    indicators_official,
    indicators_readings,
)
from carbon_credits.reporting.evaluation_layout import UNSHOWN, quantity
from carbon_credits.reporting.indicators_query import AMOUNTS, QUERY
from carbon_credits.staff.service import Role, by_name, require_role

YEAR = click.option("--year", type=click.IntRange(2020, 2100), default=lambda: clock.today().year)
AS = click.option("--as", "name", required=True, help="a member of staff with the role programme")
REASON = click.option("--reason", required=True)
DAY = click.DateTime(["%Y-%m-%d"])


@click.group("indicators")
def group() -> None:
    """方案指标 / The district plan's figures."""


@group.command("list")
@YEAR
@plainly
def list_indicators(year: int) -> None:
    """Each figure: what the plan wants, what a bureau says, what our records come to."""
    with reading() as session:
        page = indicators.page(session, year)
    made = table(
        f"{year}",
        "代码 Code",
        "指标 Indicator",
        "目标 Target",
        "官方 Official",
        "平台 Ours",
        "截至 Through",
    )
    for line in page:
        declared, official, own = line.indicator, line.official, line.own
        targets = "; ".join(
            f"{target.year} ≥ {quantity(target.at_least, declared.unit)}" for target in declared.targets
        )
        made.add_row(
            declared.code,
            declared.title.zh,
            targets or UNSHOWN,
            UNSHOWN if official is None else f"{quantity(official.value, official.unit)} ({official.as_of})",
            UNSHOWN if own is None else quantity(own.value, own.unit),
            UNSHOWN if line.through is None else line.through.isoformat(),
        )
    console().print(made)
    click.echo("官方与平台数据分列，不相加 / official values and ours stand apart and are never added up")


@group.command("show")
@click.argument("code")
@YEAR
@plainly
def show(code: str, year: int) -> None:
    """One figure: its wording, every official value, coverage, and the cells ours is made of."""
    with reading() as session:
        declared = indicators.indicator_of(code)
        line = next(line for line in indicators.page(session, year) if line.indicator is declared)
        history = indicators_official.history(session, code)
        rows = indicators.drill_down(session, code, year)
    click.echo(f"{declared.title.zh} / {declared.title.en}\n{declared.section} {declared.says}")
    click.echo(f"算法 method: {declared.method.zh} {declared.method.en}")
    click.echo(f"不是 it is not: {declared.not_this.zh} {declared.not_this.en}")
    for street, value in history:
        place = f" {street}" if street else ""
        click.echo(
            f"官方 official{place}: {quantity(value.value, value.unit)} {value.as_of}  {value.source_title}"
            f"  {value.entered_by} → {value.approved_by} #{value.approval_id}"
        )
    for part in () if line.own is None else line.own.coverage:
        seen, whole = (UNSHOWN if n is None else f"{n:,}" for n in (part.seen, part.whole))
        as_of = f" ({part.as_of})" if part.as_of else ""
        click.echo(
            f"覆盖 coverage: {part.of.zh} {part.of.en}: {seen} / {whole} = {quantity(part.ppm, 'ppm')}{as_of}"
        )
    # the rest of what is counted is in the evaluation's spreadsheet
    amounts = AMOUNTS[:3]
    made = table("明细 Cells", "类 Kind", "键 Key", "行为 Acts", "人数 People", *amounts)
    for row in rows:
        cells = (row.cell.people, *(row.cell.of(name) for name in amounts))
        made.add_row(row.kind, row.key or "合计 total", row.strand_name.zh, *(_told(n) for n in cells))
    console().print(made)


@group.command("query")
@plainly
def query() -> None:
    """The statement that our figures are counted with."""
    click.echo(QUERY)


@group.command("propose")
@click.argument("indicator")
@click.option("--value", type=int, required=True, help="a whole number in the indicator's unit")
@click.option("--as-of", required=True, help="the day it is of, such as 2026-12-31")
@click.option("--source", "source_title", required=True, help="the document's title")
@click.option("--address", "source_address", help="where it can be read")
@click.option("--page", "source_page")
@click.option("--street", help="for the population alone")
@REASON
@AS
@plainly
def propose(reason: str, name: str, **payload: Any) -> None:
    """Propose a bureau's value; a second person checks it against its source and approves."""
    put_before(indicators_official.KIND, payload, reason, name)


@group.command("read")
@click.option(
    "--again", "through", type=DAY, help="read a period once more, by its last day; with --reason and --as"
)
@click.option("--reason")
@click.option("--as", "name", help="a member of staff with the role programme")
@plainly
def read(through: datetime | None, reason: str | None, name: str | None) -> None:
    """Count what is due: months that are over, years that are settled. Each period is read once."""
    if through is None:
        with transaction() as session:
            taken = sum(iter(lambda: indicators_readings.read_due(session, clock.today()), 0))
        click.echo(f"已读数 / read: {taken}")
        return
    if reason is None or name is None:
        raise click.UsageError("--again needs --reason and --as")
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        made = indicators_readings.read_again(session, through.date(), reason, member.staff_id)
        click.echo(f"#{made.reading_id} {made.through} v{made.version}")


@click.group("evaluation")
def evaluation_group() -> None:
    """年度评估 / The yearly evaluation pack."""


@evaluation_group.command("list")
@plainly
def list_packs() -> None:
    """The newest packs."""
    with reading() as session:
        rows = evaluation.packs(session)
    if not rows:
        click.echo("没有评估包 / none")
    for row in rows:
        click.echo(f"#{row.pack_id} {row.year} v{row.version} {row.state:<5} {row.digest.hex()}")


@evaluation_group.command("freeze")
@click.argument("year", type=click.IntRange(2020, 2100))
@AS
@plainly
def freeze(year: int, name: str) -> None:
    """Make a draft of a year, out of its newest reading."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        made = evaluation.freeze(session, year, member.staff_id)
        click.echo(f"#{made.pack_id} {made.year} v{made.version} {made.state} {made.digest.hex()}")


@evaluation_group.command("propose")
@click.argument("pack", type=int)
@REASON
@AS
@plainly
def propose_final(pack: int, reason: str, name: str) -> None:
    """Propose to make a draft final; a second person approves."""
    with reading() as session:
        payload = evaluation.payload_of(session, pack)
    put_before(evaluation.KIND, payload, reason, name)


@evaluation_group.command("write")
@click.argument("pack", type=int)
@click.argument("into", type=click.Path(dir_okay=False, path_type=Path))
@plainly
def write(pack: int, into: Path) -> None:
    """Write a pack as .pdf or .xlsx; the same pack is the same bytes. PDF needs the font of CARBON_FONT."""
    with reading() as session:
        found = evaluation.pack_of(session, pack)
    if into.suffix == ".xlsx":
        into.write_bytes(evaluation_xlsx.xlsx(found))
    elif into.suffix == ".pdf":
        into.write_bytes(evaluation_pdf.pdf(found, settings().font))
    else:
        raise click.UsageError("FILE.xlsx or FILE.pdf")
    click.echo(f"{into} {into.stat().st_size:,} bytes, SHA-256 {found.digest.hex()}")


def _told(n: int | None) -> str:
    return UNSHOWN if n is None else f"{n:,}"
