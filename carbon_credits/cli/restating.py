"""`flask credits restate`: propose to state past grams anew under another version; once approved, carry it out."""

from datetime import date, datetime
from functools import partial

import click
from sqlalchemy.orm import Session

from carbon_credits.approving import propose
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading, transaction
from carbon_credits.crediting.models import Restatement
from carbon_credits.crediting.restating import RESTATE, STEP_RESIDENTS, Step, order_of, restate_next, shards

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("restate")
@click.argument("code", required=False)
@click.option(
    "--against", "version", type=click.IntRange(1), help="the version the past is to be stated under"
)
@click.option("--since", type=DAY, help="first day of the acts")
@click.option("--until", type=DAY, help="last day of the acts; today if not given")
@click.option("--reason", help="why, as every receipt will show it")
@click.option("--as", "name", help="the member of staff who proposes")
@click.option("--approval", type=int, help="carry out what was approved under this number")
@plainly
def command(
    code: str | None,
    version: int | None,
    since: datetime | None,
    until: datetime | None,
    reason: str | None,
    name: str | None,
    approval: int | None,
) -> None:
    """State past grams anew: CODE --against V --since … --reason … --as NAME proposes, --approval N carries out.

    In between another member of staff approves: `flask approvals approve N --as OTHER`. Points are untouched. Carrying
    out may be stopped and started again at any time; what is done is done once.
    """
    if approval is not None and code is None:
        acts, postings = _carry_out(approval)
        click.echo(
            f"重述 {acts:,} 笔，过账 {postings:,} 笔 / {acts:,} acts restated, {postings:,} postings; points untouched"
        )
        return
    if approval is not None or not (code and version and since and reason and name):
        raise click.UsageError(
            "CODE --against --since --reason --as to propose, or --approval alone to carry out"
        )
    last = until.date() if until else clock.today()
    payload = {"code": code, "version": version, "since": since.date().isoformat(), "until": last.isoformat()}
    with transaction() as session:
        proposed = propose(session, RESTATE, payload, reason, name)
    number = proposed.approval_id
    click.echo(f"提案 #{number} 待另一人批准 / proposal #{number} waits for a second person")


def _carry_out(approval: int) -> tuple[int, int]:
    """Every shard to its end; acts restated and postings written now."""
    with reading() as session:
        ordered, everywhere = order_of(session, approval), shards(session)
    done = [restate_shard(ordered, shard, clock.today()) for shard in everywhere]
    return sum(acts for acts, _ in done), sum(postings for _, postings in done)


def restate_shard(
    ordered: Restatement, shard: int, today: date, most: int = STEP_RESIDENTS
) -> tuple[int, int]:
    """One shard to its end, a transaction for each step; (acts, postings)."""
    acts = postings = 0
    after: int | None = 0
    while after is not None:
        step = in_transaction(
            partial(_step, ordered=ordered, shard=shard, after=after, today=today, most=most)
        )
        acts, postings, after = acts + step.acts, postings + step.postings, step.after
    return acts, postings


def _step(session: Session, ordered: Restatement, shard: int, after: int, today: date, most: int) -> Step:
    return restate_next(session, ordered, shard, after, today, most)
