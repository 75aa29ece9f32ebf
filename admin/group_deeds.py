"""What staff do with groups: make, decide on, size, list, give codes, let in; each with its line in the audit."""

from flask import Blueprint, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import pages, words
from admin.deeds import deed
from admin.forms import Form, faults_of
from admin.groups import STREETS, codes_page, group_page, new_page, within_territory
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups import codes_file, dossiers, hubs, membership, service
from carbon_credits.groups.service import GroupKind, NewGroup
from carbon_credits.jobs.surroundings import settings
from carbon_credits.residents import consents

NEW = ("kind", "name_zh", "name_en", "street", "parent", "listed")
SIZE = ("people", "as_of", "source")
FIGURE = ("role", "code", "unit", "year", "value", "source")
STATION = ("feed", "station", "from_month")

blueprint = Blueprint("group_deeds", __name__, url_prefix="/groups")


@blueprint.post("/new")
def make() -> AnyResponse:
    """Make a group, active at once."""
    form = Form(*NEW)
    try:
        told = _new(form)
        form.check()
        made = deed(
            "group.made",
            "group:{}",
            lambda session, by: service.make(session, told, by, clock.now()).group_id,
        )
    except Invalid as refused:
        return new_page(422, form, faults_of(refused, (*NEW, "name")))
    pages.note(Text("已建立", "Made"))
    return _back(made)


@blueprint.post("/<int:group>/approve")
def approve(group: int) -> AnyResponse:
    """Let a group begin that a resident applied for; its founder is its first member."""

    def step(session: Session, by: int) -> None:
        within_territory(session, group)
        begun = service.approve(session, group, by, clock.now())
        if begun.founder_id is not None:
            _require_consent(session, begun.founder_id)
            membership.admit(session, group, begun.founder_id, "founder", clock.now())

    deed("group.approved", f"group:{group}", step)
    pages.note(Text("已启用", "It is active"))
    return _back(group)


@blueprint.post("/<int:group>/refuse")
def refuse(group: int) -> AnyResponse:
    """Say no to an application; whoever applied reads why."""
    return _end(group, "group.refused", refused=True)


@blueprint.post("/<int:group>/close")
def close(group: int) -> AnyResponse:
    """End a group; its history stays."""
    return _end(group, "group.closed", refused=False)


@blueprint.post("/<int:group>/listed")
def listed(group: int) -> AnyResponse:
    """Let its name stand on boards, or no longer."""
    shown = Form("listed").yes("listed")

    def step(session: Session, _: int) -> None:
        within_territory(session, group)
        service.list_on_boards(session, group, clock.now(), listed=shown)

    deed("group.listed", f"group:{group}", step, {"listed": shown})
    pages.note(Text("已更新榜单设置", "Noted for the boards"))
    return _back(group)


@blueprint.post("/<int:group>/size")
def size(group: int) -> AnyResponse:
    """Say how many people it has on a day, and by what source."""
    form = Form(*SIZE)
    try:
        people, as_of = form.whole("people", 1, 10_000_000), form.day("as_of")
        source = form.text("source", 300)
        form.check()
        deed(
            "group.size",
            f"group:{group}",
            lambda session, by: service.declare_size(session, group, people, as_of, source, by),
            {"people": people},
        )
    except Invalid as refused:
        return group_page(group, 422, form, faults_of(refused, SIZE))
    pages.note(Text("人数已登记", "The size is noted"))
    return _back(group)


@blueprint.post("/<int:group>/figures")
def figure(group: int) -> AnyResponse:
    """Note where a hub or a pilot began, or wants to be, with its source."""
    form = Form(*FIGURE)
    try:
        stated = dossiers.Stated(
            role="target" if form.choice("role", ("baseline", "target")) == "target" else "baseline",
            code=form.text("code", 40),
            unit=form.text("unit", 20),
            year=form.whole("year", 2000, 2100),
            value=form.whole("value", 0),
            source=form.text("source", 300),
        )
        form.check()
        deed(
            "group.figure",
            f"group:{group}",
            lambda session, by: dossiers.state(session, group, stated, by),
            vars(stated),
        )
    except Invalid as refused:
        return group_page(group, 422, form, faults_of(refused, FIGURE))
    pages.note(Text("已记入档案", "Noted in the dossier"))
    return _back(group)


@blueprint.post("/<int:group>/stations")
def name_station(group: int) -> AnyResponse:
    """Make a station or stop of a feed part of a hub, from a month on."""
    form = Form(*STATION)
    try:
        told = hubs.Place(form.text("feed", 60), form.text("station", hubs.LONGEST), form.month("from_month"))
        form.check()

        def step(session: Session, by: int) -> None:
            within_territory(session, group)
            hubs.name(session, group, told, by, clock.now())

        deed("group.station", f"group:{group}", step, {**vars(told), "from_month": str(told.from_month)})
    except Invalid as refused:
        return group_page(group, 422, form, faults_of(refused, STATION))
    except Conflict as refused:
        return group_page(group, 409, form, {"": refused.detail})
    pages.note(Text("已加入站点", "The station is part of it"))
    return _back(group)


@blueprint.post("/<int:group>/stations/<int:station>/end")
def end_station(group: int, station: int) -> AnyResponse:
    """Take a station off a hub, from a month on; what was counted stays."""
    form = Form("to_month")
    try:
        month = form.month("to_month")
        form.check()

        def step(session: Session, by: int) -> None:
            within_territory(session, group)
            hubs.end(session, group, station, month, by, clock.now())

        told = {"station": station, "to_month": str(month)}
        deed("group.station_ended", f"group:{group}", step, told)
    except Invalid as refused:
        return group_page(group, 422, form, faults_of(refused, STATION))
    except Conflict as refused:
        return group_page(group, 409, form, {"": refused.detail})
    pages.note(Text("已移除站点", "The station is taken off"))
    return _back(group)


@blueprint.post("/codes")
def take_codes() -> AnyResponse:
    """Take in a file of codes, all of its lines or none."""
    chosen, now = request.files.get("file"), clock.now()
    try:
        Form().check()
        lines = codes_file.read(b"" if chosen is None else chosen.stream.read(), now)
        taken = deed(
            "group.codes_file",
            "group",
            lambda session, by: codes_file.take_in(session, settings().vault, lines, f"staff:{by}", now),
            {"lines": len(lines)},
        )
    except Invalid as refused:
        return codes_page(422, faults_of(refused))
    pages.note(Text(f"已登记 {taken} 个邀请码", f"{taken} codes are noted"))
    return redirect(pages.url("groups.codes"), 303)


@blueprint.post("/requests/<int:asking>")
def answer(asking: int) -> AnyResponse:
    """Let somebody in who asked, or say no."""
    form = Form("answer")
    taken = form.choice("answer", ("take_in", "refuse")) == "take_in"
    form.check()

    def step(session: Session, by: int) -> None:
        person = membership.asked_by(session, asking)
        if taken:
            _require_consent(session, person)
        membership.answer(session, asking, by, clock.now(), take_in=taken)

    deed("group.request", f"group_request:{asking}", step, {"taken_in": taken})
    pages.note(Text("已加入", "Taken in") if taken else Text("已拒绝", "Refused"))
    return redirect(pages.url("groups.requests"), 303)


def _end(group: int, action: str, *, refused: bool) -> AnyResponse:
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        verb = service.refuse if refused else service.close

        def step(session: Session, by: int) -> None:
            within_territory(session, group)
            verb(session, group, by, reason, clock.now())

        deed(action, f"group:{group}", step, None, reason)
    except Invalid as wrong:
        return group_page(group, 422, form, faults_of(wrong, ("reason",)))
    except Conflict as wrong:
        return group_page(group, 409, form, {"": wrong.detail})
    pages.note(Text("已拒绝", "Refused") if refused else Text("已关闭", "Closed"))
    return _back(group)


def _new(form: Form) -> NewGroup:
    kind = form.choice("kind", words.GROUP_KINDS)
    names = None
    if kind != GroupKind.HOUSEHOLD:
        names = Text(form.text("name_zh", service.MOST_NAME), form.text("name_en", service.MOST_NAME))
    street = form.choice("street", STREETS) if form.typed["street"] else None
    parent = form.whole("parent", 1, 2**31 - 1) if form.typed["parent"] else None
    told = GroupKind(kind) if kind in words.GROUP_KINDS else GroupKind.ESTATE
    return NewGroup(told, names, street, parent, form.yes("listed"))


def _require_consent(session: Session, resident_id: int) -> None:
    consents.lock_resident(session, resident_id)
    if not consents.is_granted(session, resident_id, consents.Purpose.GROUPS):
        raise membership.consent_missing()


def _back(group: int) -> AnyResponse:
    return redirect(pages.url("groups.one", group=group), 303)
