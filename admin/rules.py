"""Rates, caps and the value of a point: dated rows that two people decide, each with the forms for its successor."""

from collections.abc import Callable, Mapping
from typing import Final

from flask import Blueprint, Response
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import put_before
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import fund_list
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme import service as programme
from carbon_credits.rewards import point_value
from carbon_credits.staff.service import Role

RATE: Final = ("family", "evidence_class", "points_per_g", "mature_days", "fund_id", "in_force", "reason")
CAP: Final = ("kind", "scope", "unit", "period", "most", "in_force", "reason")
VALUE: Final = ("micro_fen", "in_force", "reason")
CLASSES: Final = ("A", "B", "C", "D")
CAP_KINDS: Final[Mapping[str, Text]] = {
    "science": Text("科学上限（克数与积分）", "science cap, of grams and points"),
    "policy": Text("政策上限（基础积分）", "policy cap, of base points"),
}
FAMILIES: Final[Mapping[str, Text]] = {
    programme.EVERYTHING: Text("全部类别", "all families"),
    **words.FAMILIES,
}
SCOPES: Final[Mapping[str, Text]] = {
    **FAMILIES,
    **{code: Text(*versions[-1].title) for code, versions in sorted(BY_CODE.items())},
}

blueprint = Blueprint("rules", __name__, url_prefix="/rules")


@blueprint.get("/")
def show() -> Response:
    """What holds today, what held and what will."""
    return _page()


@blueprint.post("/rates")
def propose_rate() -> AnyResponse:
    """Propose what a gram earns from a day on."""
    form = Form(*RATE)

    def propose() -> AnyResponse:
        payload = {
            "family": form.choice("family", FAMILIES),
            "evidence_class": form.choice("evidence_class", CLASSES),
            "points_per_mg": form.decimal("points_per_g", 9, 3),
            "mature_days": form.whole("mature_days", 0, 60),
            "fund_id": form.whole("fund_id", 1, 2**31 - 1),
            "in_force": form.day("in_force").isoformat(),
        }
        reason = form.reason()
        form.check()
        with reading() as session:
            fund_list.fund(session, payload["fund_id"])  # type: ignore[arg-type]
        return put_before(programme.RATE, payload, reason)

    return _tried(propose, form, RATE)


@blueprint.post("/caps")
def propose_cap() -> AnyResponse:
    """Propose the most that counts in a period."""
    form = Form(*CAP)

    def propose() -> AnyResponse:
        payload = {
            "kind": form.choice("kind", CAP_KINDS),
            "scope": form.choice("scope", SCOPES),
            "unit": form.choice("unit", words.CAP_UNITS),
            "period": form.choice("period", words.PERIODS),
            "most": form.whole("most", 0),
            "in_force": form.day("in_force").isoformat(),
        }
        reason = form.reason()
        form.check()
        return put_before(programme.CAP, payload, reason)

    return _tried(propose, form, CAP)


@blueprint.post("/values")
def propose_value() -> AnyResponse:
    """Propose what a merchant is paid for a point."""
    form = Form(*VALUE)

    def propose() -> AnyResponse:
        payload = {
            "micro_fen": form.whole("micro_fen", 1, point_value.MOST_MICRO_FEN),
            "in_force": form.day("in_force").isoformat(),
            "reason": form.reason(),
        }
        form.check()
        return put_before(point_value.SET, payload, str(payload["reason"]))

    return _tried(propose, form, VALUE)


def _tried(propose: Callable[[], AnyResponse], form: Form, names: tuple[str, ...]) -> AnyResponse:
    try:
        return propose()
    except Invalid as refused:
        return _page(422, form, faults_of(refused, names))


def _page(status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None) -> Response:
    with reading() as session:
        rates, caps = programme.rates(session), programme.caps(session)
        values, funds = point_value.values(session), fund_list.funds(session)
    roles = guard.member().roles
    return pages.render(
        "rules/show.html",
        status,
        rates=rates,
        caps=caps,
        values=values,
        funds={each.fund_id: Text(each.name_zh, each.name_en) for each in funds},
        today=clock.today(),
        families=FAMILIES,
        scopes=SCOPES,
        classes=CLASSES,
        cap_kinds=CAP_KINDS,
        is_programme=Role.PROGRAMME in roles,
        is_finance=Role.FINANCE in roles,
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )
