"""`flask credits bounds`: central and conservative grams, per methodology and in all."""

import json
from dataclasses import asdict
from datetime import date, datetime

import click

from carbon_credits.cli.saying import plainly
from carbon_credits.cli.tables import console, grams, table
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.crediting.bounding import Bounded, bounds

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("bounds")
@click.option("--since", type=DAY, help="first day of the acts")
@click.option("--until", type=DAY, help="last day of the acts; today if not given")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line")
@plainly
def command(since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Show how much of the grams stands when factors that err together have erred."""
    first = since.date() if since else date(2000, 1, 1)
    last = until.date() if until else clock.today()
    with reading() as session:
        lines = bounds(session, first, last)
    if as_json:
        for line in lines:
            told = {
                **asdict(line.bound),
                "conservative_mg": line.bound.conservative_mg,
                "sd_ppm": line.bound.sd_ppm,
            }
            click.echo(json.dumps({"code": line.code or None, "pool": line.pool, "acts": line.acts, **told}))
        return
    made = table("中值与保守值 / Central and conservative", "代码 Code", "账户 Pool", "数 Acts", "克 g central",
                 "克 g conservative", "数值 sd %", "规则 Rule", tight=True)  # fmt: skip
    for line in lines:
        made.add_row(*_row(line))
    console().print(made)


def _row(line: Bounded) -> tuple[str, ...]:
    found = line.bound
    share = f"{found.sd_ppm // 10_000}.{found.sd_ppm // 100 % 100:02}"
    code = line.code or "合计 total"
    return (
        code,
        line.pool,
        f"{line.acts:,}",
        grams(found.central_mg),
        grams(found.conservative_mg),
        share,
        found.rule,
    )
