"""Green finance: programmes of banks and insurers, written, proposed, paused and ended; what they have come to."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import proposed
from admin.forms import Form, faults_of, whole_or_word
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import banks, lifecycle, programmes, report, terms
from carbon_credits.jobs.surroundings import settings
from carbon_credits.staff.service import Role

MOST_ROWS: Final = terms.MOST_TIERS
# rows shown beyond those that are filled
SPARE_ROWS: Final = 2
Turn = Literal["active", "paused", "ended"]
TURNS: Final[Mapping[str, Turn]] = {"pause": "paused", "resume": "active", "end": "ended"}
TEXTS: Final = tuple(f"{name}-{tongue}" for name in terms.TEXTS for tongue in ("zh", "en"))
PLAIN: Final = ("code", "bank", "benefit", "grade", "families", *terms.NUMBERS)
TIER: Final = ("code", "from_kg", "amount", "zh", "en")
TIERS: Final = tuple(f"tier-{place}-{name}" for place in range(MOST_ROWS) for name in TIER)
FIELDS: Final = (*PLAIN, *TEXTS, *TIERS)
OUTCOMES: Final[Mapping[str, Text]] = {
    "granted": Text("已给予", "granted"),
    "declined_other": Text("因其他原因未给予", "declined for other reasons"),
    "not_used": Text("未使用", "not used"),
    report.SILENT: Text("未反馈", "no answer"),
}

blueprint = Blueprint("incentives", __name__, url_prefix="/incentives")


@blueprint.get("/")
def show() -> Response:
    """Every version of every programme."""
    with reading() as session:
        found, known = programmes.versions(session), banks.banks(session)
    return pages.render(
        "incentives/list.html",
        rows=found,
        banks=known,
        benefits=words.BENEFITS,
        may_change=_may(),
        words=words,
    )


@blueprint.get("/<int:incentive>")
def one(incentive: int) -> Response:
    """One version: every term, as residents and the bank read it."""
    return _page(incentive)


@blueprint.get("/edit")
def edit() -> Response:
    """The editor: empty, or with the terms of the version named, for a draft of the next."""
    number = request.args.get("incentive", type=int)
    if number is None:
        return _editor({"seen": ""})
    with reading() as session:
        found = programmes.programme(session, number)
    # another version of what is not a draft begins without one
    seen = found.terms.digest if found.state == "draft" else ""
    return _editor({**_as_typed(found.terms.as_document()), "seen": seen})


@blueprint.post("/draft")
def draft() -> AnyResponse:
    """Write a draft, or write it anew."""
    form = Form(*FIELDS, "seen")
    families = form.chosen("families", sorted(terms.FAMILIES))
    document = _document(form, families)
    try:
        form.check()
        with transaction() as session:
            made = lifecycle.draft(session, document, guard.member().staff_id, form.typed["seen"]).id
    except Invalid as refused:
        typed = {**form.typed, "families": ",".join(families)}
        return _editor(typed, 422, _placed(refused, form.typed))
    except (Conflict, NotFound) as refused:
        return _beside_theirs({**form.typed, "families": ",".join(families)}, refused.detail)
    pages.note(Text("草案已保存", "The draft is kept"))
    return redirect(pages.url("incentives.one", incentive=made), 303)


@blueprint.post("/<int:incentive>/propose")
def propose(incentive: int) -> AnyResponse:
    """Put a draft before a second person."""
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with transaction() as session:
            number = lifecycle.propose(session, incentive, reason, guard.member().staff_id).approval_id
    except Invalid as refused:
        return _page(incentive, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(incentive, 409, form, {"": refused.detail})
    return proposed(number)


@blueprint.post("/<int:incentive>/reopen")
def reopen(incentive: int) -> AnyResponse:
    """Make a draft again of what was rejected or withdrawn, or of one's own proposal."""
    with transaction() as session:
        lifecycle.reopen(session, incentive, guard.member().staff_id)
    pages.note(Text("已退回草案", "It is a draft again"))
    return redirect(pages.url("incentives.one", incentive=incentive), 303)


@blueprint.post("/<int:incentive>/turn")
def turn(incentive: int) -> AnyResponse:
    """Pause, resume or end what is in force; statements that were given stay what they are."""
    form = Form("to", "reason")
    try:
        to, reason = form.choice("to", TURNS), form.reason()
        form.check()
        with transaction() as session:
            code = programmes.programme(session, incentive).terms.code
            lifecycle.turn(session, code, TURNS[to], reason, guard.member().staff_id)
    except Invalid as refused:
        return _page(incentive, 422, form, faults_of(refused, ("reason",)))
    except Conflict as refused:
        return _page(incentive, 409, form, {"": refused.detail})
    pages.note(Text("已更新", "Done"))
    return redirect(pages.url("incentives.one", incentive=incentive), 303)


@blueprint.get("/reports/<code>")
def told(code: str) -> Response:
    """People by tier, what banks made of it, benefit given and kilograms behind it; never of fewer than ten."""
    with reading() as session:
        found = report.report_of(session, settings().vault, code)
        newest = programmes.versions(session, code)[-1]
    return pages.render(
        "incentives/report.html",
        found=found,
        sums=found.shown(),
        newest=newest,
        tiers={tier.code: tier.name for tier in newest.terms.tiers},
        outcomes=OUTCOMES,
        fewest=report.FEWEST,
    )


_TIER_MEMBERS: Final = ("code", "from_g", "amount", "name", "name-zh", "name-en")


def _page(
    incentive: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        found = programmes.programme(session, incentive)
    return pages.render(
        "incentives/one.html",
        status,
        one=found,
        terms=found.terms,
        unit=terms.UNITS[found.terms.benefit],
        benefits=words.BENEFITS,
        grades=words.GRADES,
        may_change=_may(),
        typed={} if form is None else form.typed,
        faults=faults,
        words=words,
    )


def _beside_theirs(typed: Mapping[str, str], said: Text) -> Response:
    """The editor as it was typed, with what the draft is by now beside it; kept again, it takes the draft's place."""
    with reading() as session:
        found = programmes.draft_of(session, typed["code"])
    if found is None:
        return _editor(typed, 409, {"": said})
    theirs = _as_typed(found.terms.as_document())
    differing = [
        (name, theirs.get(name, ""), typed.get(name, ""))
        for name in FIELDS
        if theirs.get(name, "") != typed.get(name, "")
    ]
    return _editor({**typed, "seen": found.terms.digest}, 409, {"": said}, differing)


def _editor(
    typed: Mapping[str, str],
    status: int = 200,
    faults: Mapping[str, Text] | None = None,
    differing: Sequence[tuple[str, str, str]] = (),
) -> Response:
    with reading() as session:
        known = {bank.code: Text(bank.name_zh, bank.name_en) for bank in banks.banks(session)}
    return pages.render(
        "incentives/edit.html",
        status,
        typed={**dict.fromkeys(FIELDS, ""), **typed},
        banks=known,
        benefits=words.BENEFITS,
        grades=words.GRADES,
        families=[(code, words.named(words.FAMILIES, code)) for code in sorted(terms.FAMILIES)],
        tiers=range(_rows(typed)),
        most=terms.TEXTS,
        differing=differing,
        faults=faults,
        words=words,
    )


def _document(form: Form, families: list[str]) -> dict[str, Any]:
    """What was typed as the document that the room reads; what is no number stays a word, and is refused there."""
    typed = form.typed
    tiers = [
        {
            "code": typed[f"tier-{place}-code"],
            "from_g": _kilograms(typed[f"tier-{place}-from_kg"]),
            "amount": whole_or_word(typed[f"tier-{place}-amount"]),
            "name": {tongue: typed[f"tier-{place}-{tongue}"] for tongue in ("zh", "en")},
        }
        for place in _filled(typed)
    ]
    texts = {name: {tongue: typed[f"{name}-{tongue}"] for tongue in ("zh", "en")} for name in terms.TEXTS}
    numbers = {name: whole_or_word(typed[name]) for name in terms.NUMBERS}
    plain = {name: typed[name] for name in ("code", "bank", "benefit", "grade")}
    return {**plain, "families": families, "tiers": tiers, **numbers, **texts}


def _filled(typed: Mapping[str, str]) -> list[int]:
    return [place for place in range(MOST_ROWS) if any(typed[f"tier-{place}-{name}"] for name in TIER)]


def _rows(typed: Mapping[str, str]) -> int:
    """How many rows of tiers to show: those that are filled, and a few more."""
    filled = [place for place in range(MOST_ROWS) if any(typed.get(f"tier-{place}-{name}") for name in TIER)]
    return min(MOST_ROWS, max(filled, default=-1) + 1 + SPARE_ROWS)


def _placed(refused: Invalid, typed: Mapping[str, str]) -> dict[str, Text]:
    """Faults at the rows in which tiers were typed, not at their places in the document."""
    names = (*FIELDS, *(f"tiers-{place}-{name}" for place in range(MOST_ROWS) for name in _TIER_MEMBERS))
    rows, placed = _filled(typed), dict[str, Text]()
    for name, told in faults_of(refused, names).items():
        parts = name.split("-")
        if parts[0] == "tiers" and len(parts) > 2:
            member = {"from_g": "from_kg", "name": "zh"}.get(parts[2], parts[-1])
            placed.setdefault(f"tier-{rows[int(parts[1])]}-{member}", told)
        else:
            placed.setdefault(name, told)
    return placed


def _as_typed(document: Mapping[str, Any]) -> dict[str, str]:
    typed = {name: str(document[name]) for name in ("code", "bank", "benefit", "grade", *terms.NUMBERS)}
    typed["families"] = ",".join(document["families"])
    for name in terms.TEXTS:
        typed |= {f"{name}-{tongue}": document[name][tongue] for tongue in ("zh", "en")}
    for place, tier in enumerate(document["tiers"][:MOST_ROWS]):
        kilograms, grams = divmod(tier["from_g"], 1_000)
        typed |= {
            f"tier-{place}-code": tier["code"],
            f"tier-{place}-from_kg": f"{kilograms}.{grams:03}".rstrip("0").rstrip("."),
            f"tier-{place}-amount": str(tier["amount"]),
            f"tier-{place}-zh": tier["name"]["zh"],
            f"tier-{place}-en": tier["name"]["en"],
        }
    return typed


def _kilograms(typed: str) -> int | str:
    """Kilograms with at most three places as whole grams."""
    whole, _, places = typed.replace(",", "").partition(".")
    digits = whole + places.ljust(3, "0")
    fits = digits.isascii() and digits.isdigit() and len(places) <= 3 and len(digits) <= 15
    return int(digits) if fits else typed


def _may() -> bool:
    return Role.PROGRAMME in guard.member().roles
