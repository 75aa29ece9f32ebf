"""`flask methodologies`: the versions there are, and what a change would mean for past acts before it is made."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, grams, table, words
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.impact import Impact, impact
from carbon_credits.methodologies.alternatives import with_factor
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import VERSIONS, version_of
from carbon_credits.methodologies.declaration import DeclarationError
from carbon_credits.methodologies.lifecycle import may_credit, stage_on


@click.command("list")
@plainly
def list_versions() -> None:
    """Every version with its stage and dates, drafts too."""
    made = table("方法学版本 / Versions", "代码 Code", "版本 Version", "阶段 Stage", "自 From", "至 Until")
    for code, versions in sorted(VERSIONS.items()):
        for m in versions:
            stage = stage_on(m, clock.today())
            made.add_row(
                code, str(m.version), stage, str(m.in_force), "—" if m.until is None else str(m.until)
            )
    console().print(made)


@click.command("impact")
@click.argument("code")
@click.option(
    "--against", "version", type=click.IntRange(1), help="a version of the catalogue, a draft included"
)
@click.option("--factor", help="name=value: one parameter at another value")
@click.option("--months", type=click.IntRange(1, 120), default=12, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
@plainly
def show_impact(code: str, version: int | None, factor: str | None, months: int, as_json: bool) -> None:
    """Recompute past acts under another version or factor; writes nothing."""
    now, instead = _chosen(code, version, factor)
    until = clock.today()
    with reading() as session:
        found = impact(session, now, instead, _months_before(until, months), until)
    if as_json:
        told = {
            "code": code,
            "against": version,
            "factor": factor,
            "since": str(found.since),
            "until": str(found.until),
        }
        click.echo(json.dumps({**told, **found.figures, "points": "unaffected"}, ensure_ascii=False))
        return
    for shown in _tables(found):
        console().print(shown)


def _chosen(code: str, version: int | None, factor: str | None) -> tuple[Methodology, Methodology]:
    """What decides now, and what is held against it."""
    if (version is None) == (factor is None):
        raise click.UsageError("--against V or --factor name=value")
    try:
        versions = VERSIONS[code]
        now = next((m for m in reversed(versions) if may_credit(m)), versions[-1])
        if version is not None:
            return now, version_of(code, version)
        name, _, amount = str(factor).partition("=")
        return now, with_factor(now, name, Decimal(amount))
    except KeyError as error:
        raise click.UsageError(f"没有 / there is no {error.args[0]}") from error
    except (InvalidOperation, DeclarationError) as error:
        raise click.UsageError(f"无法采用 / cannot be used: {error}") from error


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months ago."""
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)


def _tables(found: Impact) -> list[Any]:
    f = found.figures
    made = table(f"影响 / Impact {found.since} … {found.until}", "名称 Fact", "数值 Value")
    for name in ("acts", "acts_changed", "residents", "residents_changed", "gaining", "losing"):
        made.add_row(name, f"{f[name]:,}")
    for name, mg in (
        ("before", f["before_mg"]),
        ("after", f["after_mg"]),
        ("difference", f["after_mg"] - f["before_mg"]),
    ):
        made.add_row(f"{name} (g)", _signed(mg))
    made.add_row("points", "不变 unaffected")
    parts = table(
        "按账户与月份 / By pool and month",
        "账户 Pool",
        "月份 Month",
        "数 Acts",
        "克 g before",
        "克 g after",
        "克 g ±",
    )
    for part in f["parts"]:
        before, after = part["before_mg"], part["after_mg"]
        row = (
            part["pool"],
            part["month"],
            f"{part['acts']:,}",
            _signed(before),
            _signed(after),
            _signed(after - before),
        )
        parts.add_row(*row)
    spread = table("每位居民的差额 / Difference by resident", "百分位 Percentile", "克 g ±")
    for place, mg in zip((0, 5, 25, 50, 75, 95, 100), f["by_resident_mg"], strict=False):
        spread.add_row(f"{place} %", _signed(mg))
    fates = [
        _fates("将被拒绝 / Would be refused", f["refused"]),
        _fates("将可计入（封顶前）/ Would be allowed, before caps", f["allowed"]),
    ]
    return [made, parts, spread, *fates]


def _fates(title: str, rows: list[Mapping[str, Any]]) -> Any:
    made = table(title, "原因 Reason", "数 Acts", "克 g")
    for row in rows:
        made.add_row(words((row["reason"],)), f"{row['acts']:,}", _signed(row["mg"]))
    return made


def _signed(mg: int) -> str:
    return ("−" if mg < 0 else "") + grams(abs(mg))
