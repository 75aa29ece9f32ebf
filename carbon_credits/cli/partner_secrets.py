"""Secrets of feeds that push: set, listed without what they are, ended. What is made here is shown once."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import IO, Any

import click

from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs.surroundings import feeds, settings
from carbon_credits.partners import feed_secrets, service


@click.group("secrets")
def group() -> None:
    """推送密钥 / What feeds that push in their own format are known by."""


@group.command("set")
@click.argument("feed")
@click.argument("scheme")
@click.option(
    "--from",
    "source",
    type=click.File("r"),
    help="a JSON object of values, - for standard input; what is missing is made and shown once",
)
@click.option(
    "--overlap-days",
    type=click.IntRange(0, 90),
    default=feed_secrets.OVERLAP.days,
    show_default=True,
    help="how long the set before this one lives on",
)
@plainly
def set_secrets(feed: str, scheme: str, source: IO[str] | None, overlap_days: int) -> None:
    """Put a new set of secrets of a feed's SCHEME in force; the one before it ends after the overlap."""
    known, now = feeds().feed(feed), clock.now()
    whole, made = feed_secrets.completed(known, scheme, _given(source))
    with transaction() as session:
        service.install(session, feeds())
        source_id = service.source_by_feed(session, feed).source_id
        secret_id = feed_secrets.put_in_force(
            session, settings().vault, source_id, scheme, whole, now, timedelta(days=overlap_days)
        )
        told = {"secret": secret_id, "scheme": scheme}
        audit.record(session, "operator", "feed_secret.set", f"feed:{feed}", None, told)
    click.echo(f"{secret_id}  {feed}  {scheme}")
    for name, value in made.items():
        click.echo(f"{name:<16} {value}")
    if made:
        click.echo("以上只显示这一次 / shown this once")


@group.command("list")
@click.argument("feed")
@plainly
def list_secrets(feed: str) -> None:
    """Every set of a feed: when it was set, when it ends or ended, what it is for; never what it is."""
    known, now = feeds().feed(feed), clock.now()
    with reading() as session:
        rows = feed_secrets.listed(session, service.source_by_feed(session, feed).source_id)
    for row in rows:
        is_over = row.ends_at is not None and row.ends_at <= now
        end = "" if row.ends_at is None else f"  至 / until {row.ends_at:%Y-%m-%d %H:%M}Z"
        state = "已停用 / ended" if is_over else "有效 / in force"
        click.echo(f"{row.secret_id}  {row.scheme:<12} {row.set_at:%Y-%m-%d %H:%M}Z  {state}{end}")
    for scheme, way in known.schemes.items():
        of_it = sorted(code for code, one in known.operations.items() if one.scheme == scheme)
        click.echo(f"{scheme}: {', '.join(way.forms)} → {', '.join(of_it)}")


@group.command("end")
@click.argument("secret_id")
@plainly
def end_secrets(secret_id: str) -> None:
    """End a set at once; what is signed by it is refused from now on."""
    with transaction() as session:
        feed_secrets.end(session, secret_id, clock.now())
        audit.record(session, "operator", "feed_secret.ended", f"secret:{secret_id}")
    click.echo(f"已停用 / ended: {secret_id}")


def _given(source: IO[str] | None) -> Mapping[str, str]:
    if source is None:
        return {}
    try:
        told: Any = json.load(source)
    except ValueError as error:
        raise click.UsageError("应为 JSON 对象 / give a JSON object") from error
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise click.UsageError("应为 JSON 对象，值为文字 / give a JSON object of texts")
    return told
