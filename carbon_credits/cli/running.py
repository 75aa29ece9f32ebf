"""Commands that run the programme: settings, workers, the scheduler, signing keys, methodologies' releases."""

import signal
import threading
from types import FrameType

import click
from flask import current_app

from carbon_credits import config as settings_module
from carbon_credits.cli.later import LaterGroup
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import forget_connections, transaction
from carbon_credits.core.signing import PURPOSES, Purpose, ensure_keys, rotate
from carbon_credits.crediting.releases import all_releases, publish
from carbon_credits.jobs import scheduler as scheduling
from carbon_credits.jobs.doorbell import QUEUES
from carbon_credits.jobs.surroundings import settings
from carbon_credits.jobs.worker import work


@click.command()
def config() -> None:
    """List every setting, what it is for and what it is now; secrets are hidden."""
    rows = settings_module.listing()
    width = max(len(name) for name, _, _ in rows)
    for name, value, meaning in rows:
        click.echo(f"{name:<{width}}  {value}\n{'':<{width}}    {meaning}")


@click.command()
@click.argument("queue", type=click.Choice(QUEUES))
@plainly
def worker(queue: str) -> None:
    """Work on one queue until told to stop."""
    with current_app.app_context():
        forget_connections()
        work(queue)


@click.command()
@plainly
def scheduler() -> None:
    """Ring for what is overdue and queue periodic tasks, once a second, until told to stop."""
    stop = threading.Event()

    def told(_: int, __: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    scheduling.run(stop)


@click.group()
def keys() -> None:
    """Signing keys of access tokens and of statements to banks."""


@keys.command("rotate")
@click.option("--for", "purpose", default="access", show_default=True, type=click.Choice(PURPOSES))
@plainly
def rotate_keys(purpose: Purpose) -> None:
    """Let the next key sign; the old one stays published until the last it signed has run out."""
    with transaction() as session:
        ensure_keys(session, settings().vault)
        kid = rotate(session, settings().vault, clock.now(), purpose)
    click.echo(f"现由密钥 {kid} 签名 / now signing with {kid}")


@click.group(cls=LaterGroup, places={"impact": "impact:show_impact", "list": "impact:list_versions"})
def methodologies() -> None:
    """The catalogue of methodologies."""


@methodologies.command("publish")
@plainly
def publish_releases() -> None:
    """Write the catalogue's releases to the database, where decisions refer to them; safe to repeat."""
    with transaction() as session:
        publish(session)
    for release in all_releases():
        until = release.until or "—"
        click.echo(
            f"{release.methodology:<28} v{release.version}  {release.since} … {until}  {release.digest[:23]}…"
        )
