"""Commands for what groups ask of drives by themselves: who waits, taken up, declined with a reason."""

from typing import Final

import click

from carbon_credits.cli.group_drives import BY, deed, show
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.groups import drive_requests, group_list


@click.command("drive-requests")
@click.option("--after", type=int, default=0, help="the number of the last one of the page before")
@plainly
def list_requests(after: int) -> None:
    """Groups that ask to be put forward for a drive, the oldest first, a hundred at a time."""
    with reading() as session:
        for row in group_list.drive_requests(session, after, most=100):
            group = f"group #{row.group_id} {row.kind} {row.name_zh} / {row.name_en}"
            click.echo(f"#{row.request_id} {row.drive} {row.year} {group}  {row.asked_at:%Y-%m-%d}")


@click.command("take-up")
@click.argument("request", type=int)
@BY
@plainly
def take_up(request: int, name: str) -> None:
    """Put a group forward as it asked; whoever takes it up does not review it."""
    made = deed(
        "drive.applied",
        name,
        lambda s, by: drive_requests.take_up(s, request, by, clock.now()).application_id,
        {"request": request},
    )
    show(made)


@click.command("decline-request")
@click.argument("request", type=int)
@click.option("--reason", required=True, help="the group reads it")
@BY
@plainly
def decline(request: int, reason: str, name: str) -> None:
    """Say no to a group that asks."""
    deed(
        "drive.request_declined",
        name,
        lambda s, by: drive_requests.decline(s, request, by, reason).request_id,
        subject="drive_request",
        reason=reason,
    )
    click.echo(f"#{request}: declined")


COMMANDS: Final = (list_requests, take_up, decline)
