"""Commands for hubs: the stations they are made of, what was counted there, counting what is due."""

from datetime import datetime
from typing import Final

import click
from sqlalchemy.orm import Session

from carbon_credits.cli.group_drives import BY, deed
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.groups import dossiers, hubs
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reporting import hub_counts, hub_figures

MONTH = click.DateTime(["%Y-%m"])


@click.command("name-station")
@click.argument("group", type=int)
@click.argument("feed")
@click.argument("station")
@click.option(
    "--from", "first", type=MONTH, required=True, help="such as 2026-10; not a month that was counted"
)
@BY
@plainly
def name_station(group: int, feed: str, station: str, first: datetime, name: str) -> None:
    """Make a station or stop of a feed part of a hub."""
    told = hubs.Place(feed, station, first.date())

    def step(session: Session, by: int) -> int:
        hubs.name(session, group, told, by, clock.now())
        return group

    deed("group.station", name, step, {**vars(told), "from_month": str(told.from_month)}, "group")
    click.echo(f"#{group}: {feed} {station} {first:%Y-%m}")


@click.command("end-station")
@click.argument("group", type=int)
@click.argument("number", type=int)
@click.option("--from", "first", type=MONTH, required=True, help="the first month in which it counts no more")
@BY
@plainly
def end_station(group: int, number: int, first: datetime, name: str) -> None:
    """Take a station off a hub, by its number in `flask groups stations`."""

    def step(session: Session, by: int) -> int:
        hubs.end(session, group, number, first.date(), by, clock.now())
        return group

    deed("group.station_ended", name, step, {"station": number, "to_month": f"{first:%Y-%m-%d}"}, "group")
    click.echo(f"#{group}: -{number} {first:%Y-%m}")


@click.command("stations")
@click.argument("group", type=int)
@plainly
def stations(group: int) -> None:
    """A hub's stations, and the trips counted there as they may be shown: at the least, for residents bind by choice."""
    with reading() as session:
        for row in hubs.stations_of(session, group):
            until = "" if row.to_month is None else f"{row.to_month:%Y-%m}"
            last = "never" if row.last_month is None else f"{row.last_month:%Y-%m}"
            click.echo(
                f"{row.hub_station_id} {row.feed} {row.station}  {row.from_month:%Y-%m}–{until}  told of: {last}"
            )
        lines = dossiers.dossier(session, group, clock.today().year)
        found = hub_figures.of_hub(session, group, lines, clock.today())
    for month in found.months:
        parts = ", ".join(
            f"{BY_NUMBER[of][-1].code} {_told(month.part(of).trips)}" for of in found.methodologies
        )
        people = _told(month.whole.people)
        click.echo(f"{month.month:%Y-%m}  ≥ {_told(month.whole.trips)} trips of {people} people  {parts}")
    for part in found.coverage:
        click.echo(
            f"覆盖 coverage: {part.of.zh} {part.of.en}: {_told(part.seen)} / {_told(part.whole)} {part.as_of or ''}"
        )


@click.command("count-hubs")
@plainly
def count_hubs() -> None:
    """Count what is due now; the scheduler does it every six hours."""
    done = 0
    while found := in_transaction(lambda session: hub_counts.count_due(session, clock.now())):
        done += found
    in_transaction(lambda session: hub_counts.see_stations(session, clock.now()))
    click.echo(f"已计数 / counted: {done}")


COMMANDS: Final = (name_station, end_station, stations, count_hubs)


def _told(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
