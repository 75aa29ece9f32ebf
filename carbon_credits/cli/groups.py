"""Commands for groups: made, let in, said how large they are, given codes, computed; those of drives stand beside."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
from sqlalchemy.orm import Session

from carbon_credits.cli import drive_requests, group_drives, group_hubs
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading, transaction
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import group_months
from carbon_credits.groups import codes_file, figures, membership, service
from carbon_credits.groups.service import GroupKind, GroupState, NewGroup
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents import consents
from carbon_credits.residents.service import Street
from carbon_credits.staff.service import Role, by_name, require_role

T = TypeVar("T")
BY = click.option("--as", "name", required=True, help="a member of staff with the role programme")
DAY = click.DateTime(["%Y-%m-%d"])
MONTH = click.DateTime(["%Y-%m"])


@click.group("groups")
def group() -> None:
    """组 / Households, estates, schools, firms; creation drives; dossiers."""


for command in (*group_drives.COMMANDS, *drive_requests.COMMANDS, *group_hubs.COMMANDS):
    group.add_command(command)


@group.command("list")
@click.option("--state", type=click.Choice([state.value for state in GroupState]))
@plainly
def list_groups(state: str | None) -> None:
    """Groups, all or in one state; what residents applied for is `--state applied`."""
    with reading() as session:
        for row in service.all_of_them(session, None if state is None else GroupState(state)):
            of = f" of #{row.parent_id}" if row.parent_id else ""
            listed = " listed" if row.listed else ""
            click.echo(
                f"#{row.group_id} {row.kind:<12} {row.state:<8} {row.name_zh} / {row.name_en}{of}{listed}"
            )


@group.command("show")
@click.argument("number", type=int)
@plainly
def show(number: int) -> None:
    """A group, its size, and its months as they may be shown."""
    with reading() as session:
        row, size = service.group(session, number), service.size_of(session, number)
        click.echo(f"#{row.group_id} {row.kind} {row.state} {row.name_zh} / {row.name_en} {row.street or ''}")
        if size is not None:
            click.echo(f"  {size.people:,} people on {size.as_of}: {size.source}")
        for month in figures.months_of(session, number, clock.today()):
            share, verified = month.active_share_pm, month.verified_mg_per_head
            click.echo(
                f"  {month.month:%Y-%m}  {month.members:,} members of {month.people:,}, {share} ‰ active"
            )
            claimed = "–" if month.claimed_mg_per_head is None else f"{month.claimed_mg_per_head:,}"
            click.echo(f"    a head {verified:,} mg verified, {claimed} mg claimed")


@group.command("make")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in GroupKind]))
@click.option("--zh", help="a household has no name")
@click.option("--en")
@click.option("--street", type=click.Choice([street.value for street in Street]))
@click.option(
    "--part-of", type=int, help="the school of a class, the estate of a building; two levels at most"
)
@click.option("--listed", is_flag=True, help="its name may stand on boards")
@BY
@plainly
def make(
    kind: str,
    zh: str | None,
    en: str | None,
    street: str | None,
    part_of: int | None,
    listed: bool,
    name: str,
) -> None:
    """Make a group, active at once."""
    names = None if zh is None and en is None else Text(zh or "", en or "")
    told = NewGroup(GroupKind(kind), names, street, part_of, listed)
    made = _deed("group.made", name, lambda s, by: service.make(s, told, by, clock.now()).group_id)
    click.echo(f"#{made}")


@group.command("approve")
@click.argument("numbers", type=int, nargs=-1, required=True)
@BY
@plainly
def approve(numbers: tuple[int, ...], name: str) -> None:
    """Let groups begin that residents applied for; each founder is the first member."""

    def step(session: Session, by: int, number: int) -> int:
        begun = service.approve(session, number, by, clock.now())
        if begun.founder_id is not None:
            _take_in_founder(session, number, begun.founder_id)
        return number

    for number in numbers:
        _deed("group.approved", name, partial(step, number=number))
        click.echo(f"#{number}: active")


@group.command("refuse")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="whoever applied reads it")
@BY
@plainly
def refuse(number: int, reason: str, name: str) -> None:
    """Say no to a group that was applied for."""
    _deed("group.refused", name, lambda s, by: service.refuse(s, number, by, reason, clock.now()).group_id)
    click.echo(f"#{number}: refused")


@group.command("close")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@BY
@plainly
def close(number: int, reason: str, name: str) -> None:
    """End a group: memberships and codes end today, history stays."""
    _deed("group.closed", name, lambda s, by: service.close(s, number, by, reason, clock.now()).group_id)
    click.echo(f"#{number}: closed")


@group.command("listed")
@click.argument("number", type=int)
@click.option("--yes/--no", "listed", required=True)
@BY
@plainly
def list_on_boards(number: int, listed: bool, name: str) -> None:
    """Let a group's name stand on boards, or no longer."""

    def step(session: Session, _: int) -> int:
        service.list_on_boards(session, number, clock.now(), listed=listed)
        return number

    _deed("group.listed", name, step, {"listed": listed})
    click.echo(f"#{number}: {'listed' if listed else 'not listed'}")


@group.command("size")
@click.argument("number", type=int)
@click.option("--people", type=int, required=True)
@click.option("--as-of", type=DAY, required=True, help="such as 2026-01-31")
@click.option("--source", required=True)
@BY
@plainly
def size(number: int, people: int, as_of: datetime, source: str, name: str) -> None:
    """Say how many people a group has on a day; a head is counted by it."""

    def step(session: Session, by: int) -> int:
        service.declare_size(session, number, people, as_of.date(), source, by)
        return number

    _deed("group.size", name, step, {"people": people})
    click.echo(f"#{number}: {people:,}")


@group.command("code")
@click.argument("number", type=int)
@click.option("--days", type=int, default=30, show_default=True)
@click.option("--most", type=int, default=1, show_default=True, help="how many people it lets in")
@BY
@plainly
def code(number: int, days: int, most: int, name: str) -> None:
    """Make a code that lets people in; it is shown this once."""
    now = clock.now()

    def step(session: Session, by: int) -> membership.NewCode:
        until = now + timedelta(days=max(0, min(days, 10_000)))
        return membership.new_code(session, settings().vault, number, f"staff:{by}", now, until, most)

    made = _deed("group.code", name, step, {"group": number, "most": most})
    click.echo(f"{made.code}  {made.expires_at:%F}")


@group.command("end-codes")
@click.argument("number", type=int)
@BY
@plainly
def end_codes(number: int, name: str) -> None:
    """End every code of a group, such as one that was posted for all to read."""
    ended = _deed("group.codes_ended", name, lambda s, _: membership.end_codes(s, number, clock.now()))
    click.echo(f"{ended} codes ended")


@group.command("codes-file")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@BY
@plainly
def take_codes(path: Path, name: str) -> None:
    """Take in codes that an office gives out itself: CSV group,code,expires_on,most; all lines or none."""
    now = clock.now()
    lines = codes_file.read(path.read_bytes(), now)

    def step(session: Session, by: int) -> int:
        return codes_file.take_in(session, settings().vault, lines, f"staff:{by}", now)

    click.echo(f"{_deed('group.codes_file', name, step, {'lines': len(lines)})} codes")


@group.command("requests")
@plainly
def list_requests() -> None:
    """Who waits to be let in without a code."""
    with reading() as session:
        for row in membership.requests(session):
            click.echo(
                f"#{row.request_id} group #{row.group_id} resident {row.resident_id} {row.asked_at:%F}"
            )


@group.command("answer")
@click.argument("request", type=int)
@click.option("--take-in/--refuse", "take_in", required=True)
@BY
@plainly
def answer(request: int, take_in: bool, name: str) -> None:
    """Let somebody in who asked, or say no."""

    def step(session: Session, by: int) -> int:
        if take_in:
            _require_consent(session, membership.asked_by(session, request))
        membership.answer(session, request, by, clock.now(), take_in=take_in)
        return request

    _deed("group.request", name, step, {"taken_in": take_in})
    click.echo(f"#{request}: {'taken in' if take_in else 'refused'}")


@group.command("recompute")
@click.option(
    "--month", type=MONTH, required=True, help="such as 2026-05; the newest three are computed nightly"
)
@plainly
def recompute(month: datetime) -> None:
    """Compute a month of every group anew, after an appeal or a restatement of old acts."""
    done, last, first = 0, 0, month.date().replace(day=1)
    while True:
        found = in_transaction(
            lambda session, after=last: group_months.compute_month(session, first, clock.now(), after)  # type: ignore[misc]
        )
        if found is None:
            break
        done, last = done + 1, found
    click.echo(f"{first:%Y-%m}: 计算完毕 / computed, {done} steps")


@group.command("board")
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in figures.BOARDS]))
@click.option("--month", type=MONTH)
@plainly
def board(kind: str, month: datetime | None) -> None:
    """A board as residents see it."""
    day = figures.last_month(clock.today()) if month is None else month.date()
    with reading() as session:
        for place in figures.board(session, GroupKind(kind), date(day.year, day.month, 1)):
            rank = "-" if place.rank is None else f"{place.rank}{'=' if place.tied else ''}"
            head = place.figures.verified_mg_per_head
            click.echo(
                f"{rank:>4} {head:>14,} mg a head  #{place.group_id} {place.name_zh} / {place.name_en}"
            )


def _deed(
    action: str, name: str, step: Callable[[Session, int], T], told: dict[str, object] | None = None
) -> T:
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        done = step(session, member.staff_id)
        subject = f"group:{done}" if isinstance(done, int) else "group"
        audit.record(session, f"staff:{member.staff_id}", action, subject, None, told)
    return done


def _take_in_founder(session: Session, number: int, founder_id: int) -> None:
    _require_consent(session, founder_id)
    membership.admit(session, number, founder_id, "founder", clock.now())


def _require_consent(session: Session, resident_id: int) -> None:
    consents.lock_resident(session, resident_id)
    if not consents.is_granted(session, resident_id, consents.Purpose.GROUPS):
        raise membership.consent_missing()
