"""Use of proceeds: what money that came in is said to be, what became of it, and what stands behind it."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from flask import Blueprint, Response, request
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, words
from admin.approvals import may_read, put_before
from admin.forms import NOT_A_DAY, Form, faults_of
from admin.funds import TAG, tag_of
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import money_tags, tagged_money
from carbon_credits.reporting import proceeds, proceeds_readings
from carbon_credits.staff.service import Role

MOST: Final = 50
FIELDS: Final = (*TAG, "reason")
KINDS: Final[Mapping[str, Text]] = {
    **money_tags.KINDS,
    proceeds.UNTAGGED: Text("未标注", "Untagged"),
}
CAME_BY: Final[Mapping[str, Text]] = {
    "fund.deposit": Text("资金池充值", "deposit"),
    "funding.ask": Text("赞助款", "sponsor’s payment"),
    "purse.pay_in": Text("补贴资金入账", "payment into a purse"),
}
STATES: Final[Mapping[str, Text]] = {
    "spent": Text("已在商户使用", "Spent at merchants"),
    "lapsed": Text("已过期", "Lapsed"),
    "outstanding": Text("居民持有", "With residents"),
    "allocated": Text("已划入活动，未发放", "In campaigns’ funds, not granted"),
    "unallocated": Text("未发放", "Not granted"),
}

blueprint = Blueprint("proceeds", __name__, url_prefix="/proceeds")


@blueprint.get("/")
def show() -> Response:
    """All money that came in, with what it is said to be."""
    return _all()


@blueprint.get("/report")
def report() -> Response:
    """What became of every instrument's money through a day, as it was kept: the newest reading not after that day."""
    try:
        until = date.fromisoformat(request.args.get("until") or clock.today().isoformat())
    except ValueError:
        return _all(422, {"until": NOT_A_DAY})
    with reading() as session:
        found = proceeds_readings.newest(session, until)
    return pages.render("proceeds/report.html", found=found, kinds=KINDS, states=STATES, words=words)


@blueprint.get("/<int:money>")
def one(money: int) -> Response:
    """Some money: every tag it had, and the form for another."""
    return _page(money)


@blueprint.post("/<int:money>")
def retag(money: int) -> AnyResponse:
    """Propose another tag for money that came in."""
    form = Form(*FIELDS)
    form.choice("tag-kind", money_tags.KINDS)
    reason = form.reason()
    try:
        form.check()
        with reading() as session:
            tagged_money.one(session, money)
        return put_before(
            money_tags.RETAG, {"money_approval": money, **tag_of(form), "reason": reason}, reason
        )
    except Invalid as refused:
        return _page(money, 422, form, faults_of(refused, FIELDS))
    except Conflict as refused:
        return _page(money, 409, form, {"": refused.detail})


def _all(status: int = 200, faults: Mapping[str, Text] | None = None) -> Response:
    with reading() as session:
        rows = tagged_money.listed(session, MOST, request.args.get("before", type=int))
    return pages.render(
        "proceeds/list.html",
        status,
        rows=rows,
        kinds=KINDS,
        came_by=CAME_BY,
        more=pages.url("proceeds.show", before=rows[-1].approval_id) if len(rows) == MOST else "",
        until=request.args.get("until") or clock.today().isoformat(),
        faults=faults,
        words=words,
    )


def _page(
    money: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    with reading() as session:
        found = tagged_money.one(session, money)
        history = money_tags.history(session, money)
    known = {} if found.tag is None else money_tags.told(found.tag)
    return pages.render(
        "proceeds/one.html",
        status,
        one=found,
        history=history,
        kinds=KINDS,
        tags=money_tags.KINDS,
        came_by=CAME_BY,
        may_read=may_read(money_tags.RETAG),
        may_propose=Role.FINANCE in guard.member().roles,
        typed={f"tag-{name}": value or "" for name, value in known.items()} if form is None else form.typed,
        faults=faults,
        words=words,
    )
