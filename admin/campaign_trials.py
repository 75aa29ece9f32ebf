"""Simulations of a campaign: asked for on a past period, alone or beside a variant, followed while they run, and read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import campaign_charts, campaign_form, campaign_words, guard, pages, words
from admin.campaign_form import TRIED
from admin.campaigns import choices
from admin.forms import Form
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import simulating, simulations
from carbon_credits.crediting.simulations import Standing, digest_of
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of
from carbon_credits.programme import campaigns
from carbon_credits.programme.campaign_terms import Terms
from carbon_credits.reporting import campaign_desk
from carbon_credits.reporting.simulated import Shown, shown
from carbon_credits.staff.service import Role, names_of

MOST_WEEKS: Final = 260
# how long a page follows by itself: one that nobody looks at is not to keep a session alive
FOLLOWED: Final = timedelta(minutes=15)
# what a definition is called where there are two
SIDES: Final = (Text("本活动", "This campaign"), Text("变体", "The variant"))

blueprint = Blueprint("campaign_trials", __name__, url_prefix="/campaigns/<int:campaign>/simulations")


@blueprint.get("/")
def index(campaign: int) -> Response:
    """Ask for one; those there were."""
    return _index(campaign)


@blueprint.get("/variant")
def variant(campaign: int) -> Response:
    """The form of a variant: the campaign's own terms, to be changed."""
    with reading() as session:
        terms = _terms(session, campaign)
    typed = campaign_form.as_typed(terms.as_document())
    weeks = simulating.weeks_back(terms, clock.today())
    return _variant(campaign, {**typed, "weeks": str(weeks)})


@blueprint.post("/ask")
def ask(campaign: int) -> AnyResponse:
    """Ask for the campaign alone."""
    form = Form("weeks")
    try:
        weeks = form.whole("weeks", 0, MOST_WEEKS)
        form.check()
        number = _asked(campaign, weeks, None)
    except Invalid as refused:
        return _index(campaign, 422, form.typed, campaign_form.placed(refused))
    return redirect(pages.url("campaign_trials.one", campaign=campaign, number=number), 303)


@blueprint.post("/compare")
def compare(campaign: int) -> AnyResponse:
    """Ask for the campaign beside a variant."""
    form = Form("weeks", *TRIED)
    changed = campaign_form.read(form)
    try:
        weeks = form.whole("weeks", 0, MOST_WEEKS)
        form.check()
        number = _asked(campaign, weeks, changed)
    except Invalid as refused:
        return _variant(campaign, form.typed, 422, campaign_form.placed(refused))
    return redirect(pages.url("campaign_trials.one", campaign=campaign, number=number), 303)


@blueprint.get("/<int:number>")
def one(campaign: int, number: int) -> Response:
    """A simulation: how far it is, or what it came to."""
    return _standing("campaigns/simulation.html", campaign, number)


@blueprint.get("/<int:number>/standing")
def standing(campaign: int, number: int) -> Response:
    """The part of its page that changes while it runs."""
    return _standing("campaigns/standing.html", campaign, number)


def _asked(campaign: int, weeks: int, changed: Mapping[str, Any] | None) -> int:
    """Ask, and ring for it; the same people are held out as would be."""
    with transaction() as session:
        found = campaigns.campaign(session, campaign)
        own = campaigns.terms_of(session, found).as_document()
        documents = [own] if changed is None else [own, _altered(own, changed)]
        number = simulations.ask(
            session,
            documents,
            weeks,
            guard.member().staff_id,
            clock.today(),
            campaign_id=campaign,
            salt=bytes(found.salt),
        )
    doorbell.ring_bell(redis_of(), doorbell.SIMULATIONS)
    return number


def _altered(own: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """The campaign's own words with all that decides who gets how much as the variant has it."""
    tried = {campaign_form.PLACED.get(name, name) for name in TRIED}
    return {name: told for name, told in own.items() if name not in tried} | dict(changed)


def _terms(session: Session, campaign: int) -> Terms:
    return campaigns.terms_of(session, campaigns.campaign(session, campaign))


def _index(
    campaign: int,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    faults: Mapping[str, Text] | None = None,
) -> Response:
    with reading() as session:
        row, terms = campaign_desk.one(session, campaign), _terms(session, campaign)
        asked = simulations.of_campaign(session, campaign)
        people = names_of(session, {one.asked_by for one in asked})
    weeks = simulating.weeks_back(terms, clock.today())
    return pages.render(
        "campaigns/simulations.html",
        status,
        row=row,
        asked=[(one, _is_of(one, terms)) for one in asked],
        people=people,
        fewest=weeks,
        replayed=(terms.starts_on - weeks * simulating.WEEK, terms.ends_on - weeks * simulating.WEEK),
        typed={"weeks": str(weeks)} if typed is None else typed,
        faults=faults,
        may_change=_may(),
        words=words,
    )


def _variant(
    campaign: int, typed: Mapping[str, str], status: int = 200, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        row = campaign_desk.one(session, campaign)
        fewest = simulating.weeks_back(_terms(session, campaign), clock.today())
        return pages.render(
            "campaigns/variant.html",
            status,
            row=row,
            typed=typed,
            faults=faults,
            fewest=fewest,
            rivals=(),
            **choices(session),
        )


def _standing(template: str, campaign: int, number: int) -> Response:
    with reading() as session:
        row, terms = campaign_desk.one(session, campaign), _terms(session, campaign)
        found = simulations.standing(session, number)
        if found.campaign_id != campaign:
            raise NotFound("simulation_unknown", Text("没有此模拟", "There is no such simulation"))
        known = campaign_words.names(session)
        people = names_of(session, {found.asked_by})
    outcomes = [shown(outcome) for outcome in found.outcomes]
    return pages.render(
        template,
        row=row,
        it=found,
        by=people.get(found.asked_by, ""),
        is_current=_is_of(found, terms),
        follows=found.finished_at is None and clock.now() - found.asked_at < FOLLOWED,
        sides=SIDES[: len(found.terms)],
        outcomes=outcomes,
        drawn=campaign_charts.costs(outcomes, SIDES, pages.language()),
        days=campaign_charts.cost_rows(outcomes),
        streets=_streets(outcomes),
        differs=_differences(found, known),
        replayed=[
            one - found.weeks * simulating.WEEK for one in (found.terms[0].starts_on, found.terms[0].ends_on)
        ],
        own=campaign_words,
        words=words,
    )


def _differences(found: Standing, known: campaign_words.Names) -> list[tuple[Text, Text, Text]]:
    """What the variant has otherwise."""
    if len(found.terms) == 1:
        return []
    one, other = (terms.as_document() for terms in found.terms)
    return [
        (
            campaign_words.label(name),
            *(campaign_words.value(name, terms.get(name), known) for terms in (one, other)),
        )  # type: ignore[misc]
        for name in campaign_words.differing(one, other)
    ]


def _streets(outcomes: list[Shown]) -> list[tuple[Text, list[tuple[int | None, int | None] | None]]]:
    """Streets by name with who would gain and how much, per definition; None where nobody would."""
    lines = [{line.street: line for line in outcome.streets} for outcome in outcomes]
    codes = sorted({code for one in lines for code in one})
    return [
        (
            campaign_words.STREETS.get(code, campaign_words.NO_STREET),
            [(one[code].people, one[code].points) if code in one else None for one in lines],
        )
        for code in codes
    ]


def _is_of(found: Standing, terms: Terms) -> bool:
    """Whether it was of the campaign as it is now."""
    return digest_of(found.terms[0]) == digest_of(terms)


def _may() -> bool:
    return Role.PROGRAMME in guard.member().roles
