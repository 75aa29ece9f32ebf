"""Commands of campaigns: from a template to a draft, to a second person, and to its end."""

import json
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy.orm import Session

from carbon_credits.cli.later import LaterGroup
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.crediting import campaigning
from carbon_credits.ledger import transfers
from carbon_credits.programme import campaign_themes, campaigns
from carbon_credits.programme.campaign_checks import contradictions
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.staff.service import Role, by_name, require_role

FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
CODE: Final = click.argument("code")
AS: Final = click.option("--as", "name", required=True)
REASON: Final = click.option("--reason", required=True)


@click.group(
    "campaigns",
    cls=LaterGroup,
    places={"simulate": "campaign_effects:simulate_command", "report": "campaign_effects:report_command"},
)
def group() -> None:
    """主题活动 / Campaigns: bonus points for a time."""


@group.command("calendar")
@click.argument("year", type=click.IntRange(2024, 2100))
@plainly
def calendar(year: int) -> None:
    """The plan's themed dates in a year, and what is assumed of them."""
    for theme in campaign_themes.CALENDAR:
        first, last = theme.days(year)
        click.echo(f"{theme.code:<20} {first} … {last}  {theme.name.zh} / {theme.name.en}")
        if (assumed := theme.assumed(year)) is not None:
            click.echo(f"{'':<20} {assumed.zh} / {assumed.en}")


@group.command("template")
@click.argument("theme")
@click.argument("year", type=click.IntRange(2024, 2100))
@plainly
def template(theme: str, year: int) -> None:
    """The beginning of a campaign's terms, in JSON; the rest is yours to say."""
    document = campaign_themes.theme(theme).document(year)
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@group.command("draft")
@click.argument("path", metavar="FILE", type=FILE)
@click.option("--version", type=int, help="write the draft of this code anew, as it was read at this version")
@AS
@plainly
def draft(path: Path, version: int | None, name: str) -> None:
    """Write a draft from its terms in JSON, or write it anew."""
    try:
        document: Any = json.loads(path.read_bytes())
    except ValueError as error:
        raise click.ClickException(f"不是 JSON / not JSON: {error}") from error
    if not isinstance(document, dict):
        raise click.ClickException("应为 JSON 对象 / a JSON object")
    with transaction() as session:
        by = _programme(session, name)
        if version is None:
            made = campaigns.draft(session, document, by)
        else:
            number = campaigns.by_code(session, str(document.get("code"))).campaign_id
            made = campaigns.change(session, number, version, document, by)
        click.echo(f"草案 {made.code} 第 {made.version} 版 / draft {made.code}, version {made.version}")


@group.command("propose")
@CODE
@REASON
@AS
@plainly
def propose(code: str, reason: str, name: str) -> None:
    """Put a draft before a second person: `flask approvals approve N --as ANOTHER`."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        proposed = campaigns.propose(session, found.campaign_id, found.version, reason, by, clock.today())
        number = proposed.approval_id
    click.echo(f"提案 #{number} 待另一人批准 / proposal #{number} waits for a second person")


@group.command("reopen")
@CODE
@AS
@plainly
def reopen(code: str, name: str) -> None:
    """Make a draft again of what was rejected, or of one's own proposal."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        _say(campaigns.reopen(session, found.campaign_id, by))


@group.command("withdraw")
@CODE
@REASON
@AS
@plainly
def withdraw(code: str, reason: str, name: str) -> None:
    """Take back a campaign that has not begun; its points go back to their fund."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        _say(campaigning.withdraw(session, found.campaign_id, reason, by, clock.now()))


@group.command("pause")
@CODE
@REASON
@AS
@plainly
def pause(code: str, reason: str, name: str) -> None:
    """Give nothing for acts that end from now on, until it is resumed."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        _say(campaigns.pause(session, found.campaign_id, reason, by, clock.now()))


@group.command("resume")
@CODE
@AS
@plainly
def resume(code: str, name: str) -> None:
    """Go on: acts that end from now on count again."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        _say(campaigns.resume(session, found.campaign_id, by, clock.now()))


@group.command("end")
@CODE
@REASON
@AS
@plainly
def end(code: str, reason: str, name: str) -> None:
    """End it before its time, for good; what is left goes back once late records have had their time."""
    with transaction() as session:
        by, found = _programme(session, name), campaigns.by_code(session, code)
        _say(campaigning.end(session, found.campaign_id, reason, by, clock.now()))


@group.command("list")
@plainly
def list_all() -> None:
    """Every campaign, the newest first, and what is left of its budget."""
    with reading() as session:
        for one in campaigns.campaigns(session):
            left = "—" if one.fund_id is None else f"{transfers.left(session, one.fund_id):,}"
            click.echo(
                f"{one.code:<30} {one.state:<9} {one.starts_on} … {one.ends_on}  {left} / {one.budget_points:,}"
                f"  {one.name_zh} / {one.name_en}  {one.state_reason or ''}"
            )


@group.command("show")
@CODE
@plainly
def show(code: str) -> None:
    """The terms of a campaign in JSON, its state, and what stands against it while it is a draft."""
    with reading() as session:
        found = campaigns.by_code(session, code)
        told = {
            "state": found.state,
            "version": found.version,
            "state_reason": found.state_reason,
            "end_cause": found.end_cause,
            "points_left": None if found.fund_id is None else transfers.left(session, found.fund_id),
            "terms": campaigns.terms_of(session, found).as_document(),
        }
        faults = contradictions(session, found, clock.today()) if found.state == "draft" else []
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    for fault in faults:
        click.echo(f"{fault.pointer}: {fault.detail.zh} / {fault.detail.en}", err=True)


def _programme(session: Session, name: str) -> int:
    by = by_name(session, name).staff_id
    require_role(session, by, Role.PROGRAMME)
    return by


def _say(campaign: Campaign) -> None:
    click.echo(f"{campaign.code}: {campaign.state}")
