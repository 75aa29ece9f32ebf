"""Groups: who there is by kind, who applied, who asks to be let in; boards, and the dossiers of hubs and pilots."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask import Blueprint, Response, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from admin import guard, measures, pages, words
from admin.forms import Form
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.groups import dossiers, drives, figures, finding, group_list, hubs, service
from carbon_credits.groups.models import Group
from carbon_credits.groups.service import GroupKind
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reporting import hub_figures
from carbon_credits.reporting.cell_tables import FEWEST
from carbon_credits.residents.service import Street
from carbon_credits.staff.service import Role

MOST: Final = 50
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}

blueprint = Blueprint("groups", __name__, url_prefix="/groups")


@blueprint.get("/")
def show() -> Response:
    """Groups of a kind and state, by number."""
    kind, state = request.args.get("kind") or None, request.args.get("state") or None
    streets = guard.member().streets
    with reading() as session:
        rows = group_list.listed(
            session, kind, state, request.args.get("after", default=0, type=int), streets, MOST
        )
        counts = group_list.counts(session, streets)
    more = (
        pages.url("groups.show", kind=kind, state=state, after=rows[-1].group_id) if len(rows) == MOST else ""
    )
    return pages.render(
        "groups/list.html",
        rows=rows,
        counts=counts,
        kind=kind or "",
        state=state or "",
        more=more,
        streets=STREETS,
        words=words,
    )


@blueprint.get("/<int:group>")
def one(group: int) -> Response:
    """One group: what it is, its months as they may be shown, its parts, its lists, its dossier."""
    return group_page(group)


@blueprint.get("/requests")
def requests() -> Response:
    """Who waits to be let in; nobody is named."""
    with reading() as session:
        rows = group_list.requests(
            session, request.args.get("after", default=0, type=int), guard.member().streets, MOST
        )
    more = pages.url("groups.requests", after=rows[-1].request_id) if len(rows) == MOST else ""
    return pages.render("groups/requests.html", rows=rows, more=more, words=words)


@blueprint.get("/boards")
def boards() -> Response:
    """A board as residents see it: groups that let their name stand, a head; schools without a rank."""
    asked = request.args.get("kind", GroupKind.ESTATE.value)
    kind = GroupKind(asked) if asked in figures.BOARDS else GroupKind.ESTATE
    month = _month(request.args.get("month"))
    with reading() as session:
        places = figures.board(session, kind, month)
    return pages.render(
        "groups/boards.html",
        places=places,
        kind=kind.value,
        kinds=[each.value for each in figures.BOARDS],
        month=f"{month:%Y-%m}",
        streets=STREETS,
        words=words,
    )


@blueprint.get("/new")
def new() -> Response:
    """A form for a group that staff make."""
    return new_page()


@blueprint.get("/codes")
def codes() -> Response:
    """A form for a file of codes."""
    return codes_page()


def new_page(
    status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    """The form for a new group, with what was typed."""
    typed = {} if form is None else form.typed
    return pages.render("groups/new.html", status, typed=typed, faults=faults, streets=STREETS, words=words)


def codes_page(status: int = 200, faults: Mapping[str, Text] | None = None) -> Response:
    """The form for a file of codes, with what is wrong in each line."""
    lines = [] if faults is None else [(_line(name), told) for name, told in faults.items()]
    return pages.render("groups/codes.html", status, lines=lines, faults=faults)


def group_page(
    number: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    """The page of a group, with what was typed into the form that was refused."""
    today = clock.today()
    with reading() as session:
        known = within_territory(session, number)
        whole = None if known.parent_id is None else service.group(session, known.parent_id)
        view = {
            "size": service.size_of(session, number),
            "months": figures.months_of(session, number, today),
            "children": finding.parts_of(session, number),
            "awards": drives.awards_of(session, number),
            "applications": group_list.applications(session, group_id=number, most=20),
            "members": group_list.member_count(session, number),
            **(_hub(session, number, today) if known.kind in dossiers.KINDS else {"dossier": None}),
        }
    return pages.render(
        "groups/one.html",
        status,
        one=known,
        whole=whole,
        **view,
        today=today.isoformat(),
        may_change=Role.PROGRAMME in guard.member().roles,
        typed={} if form is None else form.typed,
        faults=faults,
        streets=STREETS,
        words=words,
    )


def within_territory(session: Session, number: int) -> Group:
    """A group of the streets that whoever asks is there for; raises NotFound for all others."""
    known, streets = service.group(session, number), guard.member().streets
    if streets is not None and known.street not in streets:
        raise service.unknown()
    return known


def _hub(session: Session, number: int, today: date) -> Mapping[str, Any]:
    """The dossier, and beside it what was counted at the stations."""
    lines = dossiers.dossier(session, number, today.year)
    found = hub_figures.of_hub(session, number, lines, today)
    this = today.replace(day=1)
    return {
        "dossier": lines,
        "hub": {
            "figures": found,
            "methodologies": [pages.told(Text(*BY_NUMBER[of][-1].title)) for of in found.methodologies],
            "stations": hubs.stations_of(session, number),
            "feeds": [(row.feed, f"{row.feed} · {_said(row)}") for row in hubs.feeds(session)],
            "known": hubs.known_stations(session),
            "method": hub_figures.METHOD,
            "not_this": hub_figures.NOT_THIS,
            "fewest": FEWEST,
            "quantity": measures.quantity,
            "this_month": f"{this:%Y-%m}",
            "next_month": f"{figures.back(this, -1):%Y-%m}",
        },
    }


def _said(row: Row[Any]) -> str:
    return pages.told(Text(row.name_zh, row.name_en))


def _line(pointer: str) -> str:
    return pointer.removeprefix("lines-")


def _month(typed: str | None) -> date:
    try:
        return date.fromisoformat(f"{typed}-01")
    except ValueError:
        return figures.last_month(clock.today())
