"""Commands of the numbers the science leans on."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import click

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, grams, table
from carbon_credits.core.db import reading
from carbon_credits.crediting.leaning import NumberInUse, OfGrade, numbers_in_use


@click.group()
def factors() -> None:
    """Numbers with their sources."""


@factors.command("report")
@click.option("--json", "as_json", is_flag=True, help="one object a line")
@plainly
def report(as_json: bool) -> None:
    """List every number in use by grade and by the grams that depend on it, the weakest first."""
    with reading() as session:
        numbers, totals = numbers_in_use(session)
    if as_json:
        _print_lines(numbers, totals)
    else:
        _print_tables(numbers, totals)


def _print_lines(numbers: Iterable[NumberInUse], totals: Iterable[OfGrade]) -> None:
    for kind, rows in (("number", numbers), ("grade", totals)):
        for row in rows:
            told = asdict(row)
            click.echo(json.dumps({"kind": kind, **told.pop("grams"), **told}, ensure_ascii=False))


def _print_tables(numbers: Iterable[NumberInUse], totals: Iterable[OfGrade]) -> None:
    made = table(
        "在用数值，最弱者在前 / Numbers in use, the weakest first",
        "等级 Grade",
        "名称 Number",
        "用于 Used by",
        "克 g avoided",
        "克 g removed",
        tight=True,
    )
    for number in numbers:
        made.add_row(
            f"{number.grade} {number.confidence}",
            f"{number.name} = {number.value}\n{number.unit}, {number.since}",
            _codes(number.used_by),
            grams(number.grams.avoided_mg),
            grams(number.grams.removal_mg),
        )
    console().print(made)
    summed = table(
        "依赖该等级数值的克数 / Grams that lean on a number of the grade",
        "等级 Grade",
        "数 Numbers",
        "克 g avoided",
        "克 g removed",
    )
    for total in totals:
        summed.add_row(
            total.grade,
            f"{total.numbers:,}",
            grams(total.grams.avoided_mg),
            grams(total.grams.removal_mg),
        )
    console().print(summed)


def _codes(used_by: Iterable[str]) -> str:
    """Each methodology once; the lines in JSON name the releases."""
    return "\n".join(sorted({name.partition("/")[0] for name in used_by}))
