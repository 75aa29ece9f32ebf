"""Commands for creation drives and dossiers: what is asked, who applies, what was found, who is on the list."""

from collections.abc import Callable
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from carbon_credits.cli.policy import put_before
from carbon_credits.cli.saying import plainly
from carbon_credits.core import audit, clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import dossiers, drive_criteria, drives
from carbon_credits.groups.drive_models import DossierFigure
from carbon_credits.staff.service import Role, by_name, require_role

BY = click.option("--as", "name", required=True, help="a member of staff with the role programme")


@click.command("drives")
@click.option("--drive", help="what this one asks")
@plainly
def list_drives(drive: str | None) -> None:
    """The seven creation drives and what each asks today; what is assumed is marked."""
    with reading() as session:
        for row in drives.drives(session):
            if drive not in {None, row.drive}:
                continue
            click.echo(f"{row.drive:<12} {row.name_zh} / {row.name_en}  ({', '.join(row.kinds)})")
            for asked in drives.criteria(session, row.drive, clock.today()):
                mark = "假定/assumed" if asked.assumed else "核定/confirmed"
                how = f"{asked.figure} ≥ {asked.threshold:,}" if asked.threshold is not None else asked.filled
                click.echo(f"  {asked.code:<14} {asked.text_zh} / {asked.text_en}")
                click.echo(f"  {'':<14} {how}  {mark}  {asked.source}")


@click.command("propose-criterion")
@click.argument("drive")
@click.argument("code")
@click.option("--from", "in_force", required=True, help="first day, such as 2027-01-01")
@click.option("--zh", "text_zh", required=True)
@click.option("--en", "text_en", required=True)
@click.option(
    "--filled", required=True, type=click.Choice(drive_criteria.FILLED), help="dropped: asked no more"
)
@click.option("--figure", type=click.Choice(drive_criteria.FIGURES))
@click.option("--threshold", type=int)
@click.option("--source", required=True)
@click.option("--assumed", is_flag=True, help="the real text is not known yet")
@click.option("--reason", required=True)
@BY
@plainly
def propose_criterion(reason: str, name: str, **payload: Any) -> None:
    """Propose what a drive asks from a day on; a second person approves."""
    put_before(drive_criteria.CRITERION, payload, reason, name)


@click.command("apply")
@click.argument("drive")
@click.argument("group", type=int)
@click.option("--year", type=int, required=True)
@BY
@plainly
def apply(drive: str, group: int, year: int, name: str) -> None:
    """Put a group forward for a drive's list, as it asked; our figures answer what they can."""
    told = {"drive": drive, "group": group, "year": year}
    made = deed(
        "drive.applied",
        name,
        lambda s, by: drives.apply(s, drive, group, year, by, clock.now()).application_id,
        told,
    )
    show(made)


@click.command("fill")
@click.argument("application", type=int)
@BY
@plainly
def fill(application: int, name: str) -> None:
    """Answer from our figures once more, as they are now."""

    def step(session: Session, by: int) -> int:
        drives.fill(session, drives.application(session, application), by, clock.now())
        return application

    deed("drive.filled", name, step)
    show(application)


@click.command("declare")
@click.argument("application", type=int)
@click.argument("criterion")
@click.option("--met/--not-met", "met", required=True)
@click.option("--document", required=True, help="what it is and where it lies")
@click.option("--sha256", required=True, help="of the document's bytes, hexadecimal")
@BY
@plainly
def declare(application: int, criterion: str, met: bool, document: str, sha256: str, name: str) -> None:
    """Answer a criterion that our figures do not, with a document."""
    told = drives.Declared(met, document, _digest(sha256))

    def step(session: Session, by: int) -> int:
        drives.declare(session, application, criterion, told, by)
        return application

    deed("drive.declared", name, step, {"criterion": criterion, "met": met, "sha256": sha256})
    show(application)


@click.command("checklist")
@click.argument("application", type=int)
@plainly
def checklist(application: int) -> None:
    """An application with every criterion and its answer."""
    show(application)


@click.command("review")
@click.argument("application", type=int)
@click.option("--recommend/--refuse", "recommend", required=True)
@click.option("--reason", required=True)
@BY
@plainly
def review(application: int, recommend: bool, reason: str, name: str) -> None:
    """Recommend or refuse, by somebody who did not apply; what is recommended has everything met."""

    def step(session: Session, by: int) -> int:
        return drives.review(session, application, by, reason, recommend=recommend).application_id

    deed("drive.reviewed", name, step, {"recommended": recommend, "reason": reason})
    show(application)


@click.command("withdraw")
@click.argument("application", type=int)
@BY
@plainly
def withdraw(application: int, name: str) -> None:
    """Take an application back that is not on the list."""
    deed("drive.withdrawn", name, lambda s, _: drives.withdraw(s, application).application_id)
    click.echo(f"#{application}: withdrawn")


@click.command("award")
@click.argument("drive")
@click.option("--year", type=int, required=True)
@click.option("--reason", required=True)
@BY
@plainly
def award(drive: str, year: int, reason: str, name: str) -> None:
    """Propose the list of a drive's year: everything recommended; a second person approves."""
    with reading() as session:
        payload = drives.award_list(session, drive, year)
    put_before(drives.AWARD, payload, reason, name)


@click.command("state-figure")
@click.argument("group", type=int)
@click.argument("role", type=click.Choice(["baseline", "target"]))
@click.argument("code")
@click.option("--value", type=int, required=True, help="a whole number in the unit")
@click.option("--unit", required=True)
@click.option("--year", type=int, required=True)
@click.option("--source", required=True)
@BY
@plainly
def state_figure(group: int, name: str, **stated: Any) -> None:
    """Note where a hub or a pilot began, or wants to be, with its source."""

    def step(session: Session, by: int) -> int:
        dossiers.state(session, group, dossiers.Stated(**stated), by)
        return group

    deed("group.figure", name, step, stated, "group")
    click.echo(f"#{group}: {stated['role']} {stated['code']} {stated['value']:,} {stated['unit']}")


@click.command("dossier")
@click.argument("group", type=int)
@plainly
def dossier(group: int) -> None:
    """A hub's or a pilot's figures: baseline, target, and what we measured beside them."""
    with reading() as session:
        for line in dossiers.dossier(session, group, clock.today().year):
            measured = "-" if line.measured is None else f"{line.measured:,}"
            months = "" if line.months is None else f" (≥, {line.months} months counted)"
            click.echo(f"{line.code} ({line.unit})  measured {line.measured_year}: {measured}{months}")
            for role, figure in (("baseline", line.baseline), ("target", line.target)):
                if figure is not None:
                    click.echo(f"  {role:<8} {_said(figure)}")


COMMANDS: Final = (
    list_drives,
    propose_criterion,
    apply,
    fill,
    declare,
    checklist,
    review,
    withdraw,
    award,
    state_figure,
    dossier,
)


def _said(figure: DossierFigure) -> str:
    return f"{figure.value:,} in {figure.year}: {figure.source}"


def _digest(given: str) -> bytes:
    try:
        return bytes.fromhex(given)
    except ValueError as error:
        raise Invalid("wrong_document", Text("SHA-256 应为十六进制", "SHA-256 is hexadecimal")) from error


def show(number: int) -> None:
    """An application with its checklist."""
    marks = {True: "✓", False: "✗", None: "?"}
    with reading() as session:
        known = drives.application(session, number)
        click.echo(f"#{number} {known.drive} {known.year} group #{known.group_id}: {known.state}")
        for line in drives.checklist(session, known):
            answer = line.answer
            found = (
                ""
                if answer is None
                else answer.document or ("" if answer.value is None else f"{answer.value:,}")
            )
            mark = marks[None if answer is None else answer.met]
            click.echo(f"  {mark} {line.criterion.code:<14} {line.criterion.text_zh}  {found}")
        if known.review is not None:
            click.echo(f"  评审 / review: {known.review}")


def deed(
    action: str,
    name: str,
    step: Callable[[Session, int], int],
    told: dict[str, Any] | None = None,
    subject: str = "drive",
    reason: str | None = None,
) -> int:
    """Done by a member of staff who may, with its line in the audit; answers the number that the step answers."""
    with transaction() as session:
        member = by_name(session, name)
        require_role(session, member.staff_id, Role.PROGRAMME)
        done = step(session, member.staff_id)
        audit.record(
            session, f"staff:{member.staff_id}", action, f"{subject}:{done}", None, told, reason=reason
        )
    return done
