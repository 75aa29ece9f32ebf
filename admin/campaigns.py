"""Campaigns: the year's themed days to begin from, the wizard that writes a draft, and one campaign as it stands."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import campaign_charts, campaign_form, campaign_history, campaign_words, guard, pages, words
from admin.campaign_form import FIELDS, Typed
from admin.forms import Form
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, ProgrammeError
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import simulations
from carbon_credits.ledger import transfers
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme import campaign_checks, campaign_terms, campaign_themes, campaigns
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.reporting import campaign_desk, deeds, kept_effects, simulated
from carbon_credits.reporting.numbers import grouped
from carbon_credits.staff.service import Role

MOST: Final = 50
# the first year whose calendar is offered, and how many years ahead
FIRST_YEAR: Final = 2024
AHEAD: Final = 2
# beginnings that most campaigns keep
USUAL: Final[Mapping[str, str]] = {"audience": "everyone", "reward": "multiplier", "holdout_percent": "10"}

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns")


@blueprint.get("/")
def show() -> Response:
    """Every campaign, and the themed days of a year."""
    today = clock.today()
    year = min(max(request.args.get("year", _coming(today), type=int), FIRST_YEAR), today.year + AHEAD)
    with reading() as session:
        rows = campaign_desk.listed(session, before=request.args.get("before", type=int), most=MOST)
    return pages.render(
        "campaigns/list.html",
        rows=rows,
        more=pages.url("campaigns.show", before=rows[-1].campaign_id) if len(rows) == MOST else "",
        year=year,
        years=range(today.year, today.year + AHEAD + 1),
        themes=[(one, *one.days(year), one.assumed(year)) for one in _calendar(year)],
        today=today,
        may_change=_may(),
        words=words,
    )


@blueprint.get("/new")
def new() -> Response:
    """The wizard, empty or with a themed day's beginning."""
    code, year = request.args.get("theme", ""), request.args.get("year", type=int)
    typed = {**dict.fromkeys(FIELDS, ""), "theme": "other", **USUAL}
    if code:
        theme = campaign_themes.theme(code)
        given = theme.document(min(max(year or clock.today().year, FIRST_YEAR), clock.today().year + AHEAD))
        typed |= {name: told for name, told in campaign_form.as_typed(given).items() if told}
    return _wizard(typed)


@blueprint.post("/draft")
def draft() -> AnyResponse:
    """Write a draft."""
    form = Form(*FIELDS)
    document = campaign_form.read(form)
    try:
        form.check()
        with transaction() as session:
            made = campaigns.draft(session, document, guard.member().staff_id).campaign_id
    except Invalid as refused:
        return _wizard(form.typed, 422, campaign_form.placed(refused))
    except Conflict as refused:
        return _wizard(form.typed, 409, {"campaign_code": refused.detail})
    pages.note(Text("草案已保存", "The draft is kept"))
    return redirect(pages.url("campaigns.one", campaign=made), 303)


@blueprint.get("/<int:campaign>")
def one(campaign: int) -> Response:
    """A campaign as it stands."""
    return page(campaign)


@blueprint.get("/<int:campaign>/edit")
def edit(campaign: int) -> AnyResponse:
    """The wizard with a draft in it, and what stands against it as things are."""
    with reading() as session:
        found = campaigns.campaign(session, campaign)
        typed = campaign_form.as_typed(campaigns.terms_of(session, found).as_document())
        faults = campaign_checks.contradictions(session, found, clock.today())
        is_draft, version = found.state == "draft", found.version
    if not is_draft:
        return redirect(pages.url("campaigns.one", campaign=campaign), 303)
    return _wizard(typed, 200, campaign_form.at_fields(faults), Edited(campaign, version))


@blueprint.post("/<int:campaign>/change")
def change(campaign: int) -> AnyResponse:
    """Write a draft anew; where another was first, show what they changed and keep what was typed."""
    form = Form(*FIELDS, "version")
    document, seen = campaign_form.read(form), form.whole("version")
    try:
        form.check()
        with transaction() as session:
            campaigns.change(session, campaign, seen, document, guard.member().staff_id)
    except Invalid as refused:
        return _wizard(form.typed, 422, campaign_form.placed(refused), Edited(campaign, seen))
    except Conflict as refused:
        return _overtaken(campaign, form.typed, document, seen, refused)
    pages.note(Text("草案已保存", "The draft is kept"))
    return redirect(pages.url("campaigns.one", campaign=campaign), 303)


@blueprint.get("/price")
def price() -> Response:
    """What a budget costs at its fund's price: a line of the wizard, for whoever has a script."""
    points = request.args.get("budget_points", "").replace(",", "").replace(" ", "")
    with reading() as session:
        found = [one for one in transfers.sources(session) if one.code == request.args.get("source_fund")]
    known = found[0] if found and points.isascii() and points.isdigit() and len(points) <= 15 else None
    return pages.render("campaigns/price.html", source=known, points=int(points) if known else 0)


class Edited:
    """Which draft is in the wizard, as it was read at which version; what another changed meanwhile, if anything."""

    def __init__(self, campaign: int, version: int, meanwhile: "Meanwhile | None" = None) -> None:
        self.campaign, self.version, self.meanwhile = campaign, version, meanwhile


class Meanwhile:
    """What became of a draft since it was read: fields with what they said, what they say, what was typed here."""

    def __init__(self, who: Sequence[deeds.Deed], rows: Sequence[Sequence[Text]]) -> None:
        self.who, self.rows = who, rows


def page(
    campaign: int,
    status: int = 200,
    form: Form | None = None,
    faults: Mapping[str, Text] | None = None,
    refused: ProgrammeError | None = None,
) -> Response:
    """A campaign's page, with what was refused just now at the form where it was typed."""
    with reading() as session:
        return pages.render(
            "campaigns/one.html",
            status,
            **_view(session, campaign),
            typed={} if form is None else form.typed,
            faults=faults,
            refused=refused,
        )


def _view(session: Session, campaign: int) -> Mapping[str, Any]:
    found = campaigns.campaign(session, campaign)
    row = campaign_desk.one(session, campaign)
    terms = campaigns.terms_of(session, found)
    known = campaign_words.names(session)
    told = campaign_words.lines(terms.as_document(), known)
    latest = simulations.newest_of(session, terms)
    kept = kept_effects.newest(session, found.code)
    days = kept.report.bonuses.days if kept else ()
    return {
        "row": row,
        "terms": [line for line in told if line.name not in campaign_words.TEXTS],
        "texts": terms,
        "cost_fen": _cost(session, found),
        "against": _against(session, found),
        "rivals": campaign_checks.rivals(session, campaign) if found.state == "draft" else (),
        "latest": latest,
        "outcome": None if latest is None else simulated.shown(latest.outcomes[0]),
        "kept": kept,
        "chart": campaign_charts.given(days, pages.language()),
        "days": [(one.day.isoformat(), grouped(one.acts), grouped(one.points)) for one in days],
        "history": campaign_history.told(deeds.deeds_of(session, f"campaign:{found.code}"), known),
        "today": clock.today(),
        "may_change": _may(),
        "causes": campaign_words.CAUSES,
        "people": campaign_words.people,
        "words": words,
    }


def _against(session: Session, found: Campaign) -> Sequence[tuple[Text, Text]]:
    """What stands against proposing a draft, each with its field's name; another campaign is told with a link instead."""
    if found.state != "draft":
        return ()
    faults = campaign_checks.contradictions(session, found, clock.today())
    return [
        (campaign_words.label(fault.pointer.strip("/")), fault.detail)
        for fault in faults
        if fault.code != "overlaps"
    ]


def _cost(session: Session, found: Campaign) -> int | None:
    return transfers.quote(session, found.source_fund_id, found.budget_points)


def _overtaken(
    campaign: int, typed: Typed, document: Mapping[str, Any], seen: int, refused: Conflict
) -> Response:
    """The wizard again, over the version that is there now."""
    with reading() as session:
        found = campaigns.campaign(session, campaign)
        now = campaigns.terms_of(session, found).as_document()
        known = campaign_words.names(session)
        changed = deeds.deeds_of(session, f"campaign:{found.code}", ["campaign.changed"])
        since = changed[: max(found.version - seen, 0)]
        version, typed["campaign_code"] = found.version, found.code
    before = (since[-1].before or {}) if since else now
    rows = [
        (campaign_words.label(name), *(_said(name, one.get(name), known) for one in (before, now, document)))
        for name in campaign_words.differing(before, now)
    ]
    return _wizard(typed, 409, {"": refused.detail}, Edited(campaign, version, Meanwhile(since, rows)))


def _said(name: str, given: Any, known: campaign_words.Names) -> Text:
    """What a field says; what was typed and cannot be read stands as it was typed."""
    try:
        return campaign_words.value(name, given, known)
    except (ValueError, TypeError, ArithmeticError):
        return Text(str(given), str(given))


def _wizard(
    typed: Mapping[str, str],
    status: int = 200,
    faults: Mapping[str, Text] | None = None,
    edited: Edited | None = None,
) -> Response:
    with reading() as session:
        rivals = campaign_checks.rivals(session, edited.campaign) if edited else ()
        return pages.render(
            "campaigns/edit.html",
            status,
            typed=typed,
            faults=faults,
            edited=edited,
            rivals=rivals,
            **choices(session),
        )


def choices(session: Session) -> Mapping[str, Any]:
    """What the form of a campaign offers to choose from."""
    families: dict[str, list[tuple[str, Text]]] = {}
    for code, versions in BY_CODE.items():
        families.setdefault(versions[-1].family, []).append((code, Text(*versions[-1].title)))
    return {
        "families": families,
        "sources": transfers.sources(session),
        "groups": campaign_desk.groups(session),
        "own": campaign_words,
        "most": campaign_terms.TEXTS,
        "words": words,
    }


def _calendar(year: int) -> list[campaign_themes.Theme]:
    """The themes in the order of their days."""
    return sorted(campaign_themes.CALENDAR, key=lambda one: one.days(year))


def _coming(today: date) -> int:
    """This year, or the next where all of this year's have begun."""
    return today.year + all(theme.days(today.year)[0] <= today for theme in campaign_themes.CALENDAR)


def themed_days(year: int) -> list[tuple[date, Text]]:
    """The days of a year to mark in a calendar: every day of a theme of a week or less, the first of a month's."""
    marked = []
    for theme in _calendar(year):
        first, last = theme.days(year)
        many = 1 if (last - first).days > 7 else (last - first).days + 1
        marked += [(date.fromordinal(first.toordinal() + n), theme.name) for n in range(many)]
    return marked


def _may() -> bool:
    return Role.PROGRAMME in guard.member().roles
