"""Approvals: what waits for a second person, told in words; decided once, by somebody else, for a reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog
from flask import Blueprint, Response, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import guard, pages, proposals, words
from admin.access import ACCESS
from admin.forms import Form, faults_of
from carbon_credits import approving
from carbon_credits.core import approvals
from carbon_credits.core import proposals as register
from carbon_credits.core.db import reading, transaction
from carbon_credits.core.errors import Conflict, Invalid, InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.staff.service import Role

log = structlog.stdlib.get_logger("carbon_credits.console")

MOST: Final = 50
ALTERED: Final = Text(
    "提案内容与提交时的摘要不符，未执行任何操作。请告知审计人员",
    "The proposal is no longer what its digest says; nothing was done. Tell whoever audits",
)
DONE: Final[Mapping[str, Text]] = {
    "approved": Text("已批准，即时生效", "Approved and in force"),
    "rejected": Text("已驳回", "Rejected"),
    "withdrawn": Text("已撤回", "Withdrawn"),
}
Lists = Callable[[Session, int | None], Sequence[register.Proposal]]

blueprint = Blueprint("approvals", __name__, url_prefix="/approvals")


@blueprint.get("/")
def show() -> Response:
    """What waits for me."""
    me, kinds = guard.member().staff_id, _mine_to_decide()
    return _list("waiting", lambda session, before: register.waiting(session, kinds, me, before, MOST))


@blueprint.get("/mine")
def mine() -> Response:
    """What I proposed."""
    me = guard.member().staff_id
    return _list("mine", lambda session, before: register.proposed_by(session, me, before, MOST))


@blueprint.get("/decided")
def decided() -> Response:
    """What was decided."""
    kinds = _mine_to_read()
    return _list("decided", lambda session, before: register.decided(session, kinds, before, MOST))


@blueprint.get("/<int:approval>")
def one(approval: int) -> Response:
    """One proposal in words."""
    return _page(approval)


@blueprint.post("/<int:approval>/approve")
def approve(approval: int) -> AnyResponse:
    """Approve it, and put it in force."""
    return _decide(approval, approve=True)


@blueprint.post("/<int:approval>/reject")
def reject(approval: int) -> AnyResponse:
    """Reject it."""
    return _decide(approval, approve=False)


@blueprint.post("/<int:approval>/withdraw")
def withdraw(approval: int) -> AnyResponse:
    """Take one's own proposal back."""
    with transaction() as session:
        approvals.withdraw(session, approval, guard.member().staff_id)
    pages.note(DONE["withdrawn"])
    return redirect(pages.url("approvals.one", approval=approval), 303)


def put_before(kind: str, payload: Mapping[str, Any], reason: str) -> AnyResponse:
    """Propose what a desk put together, and show the proposal. Raises what the kind's room refuses."""
    with transaction() as session:
        made = approving.propose(session, kind, payload, reason, guard.member().name).approval_id
    return proposed(made)


def proposed(approval: int) -> AnyResponse:
    """Show a proposal that was just made."""
    pages.note(Text("已提交，等待另一人审批", "Proposed; it waits for a second person"))
    return redirect(pages.url("approvals.one", approval=approval), 303)


def may_read(kind: str) -> bool:
    """Whether proposals of a kind are open to the member at hand."""
    return kind in _mine_to_read()


def _decide(approval: int, *, approve: bool) -> AnyResponse:
    form = Form("why", "digest")
    try:
        why, seen = form.reason("why"), form.text("digest", 64)
        form.check()
        with transaction() as session:
            state = approving.decide(
                session, approval, guard.member().name, approve=approve, why=why, seen=seen
            ).state
    except InvariantBroken as broken:
        log.error("proposal_altered", approval=approval, exc_info=broken)
        return _page(approval, 409, form, {"": ALTERED})
    except Conflict as refused:
        return _page(approval, 409, form, {"": refused.detail})
    except Invalid as refused:
        return _page(approval, 422, form, faults_of(refused, ("why",)))
    pages.note(DONE[state])
    return redirect(pages.url("approvals.one", approval=approval), 303)


def _list(which: str, asked: Lists) -> Response:
    with reading() as session:
        rows = asked(session, request.args.get("before", type=int))
    more = pages.url(f"approvals.{_endpoint(which)}", before=rows[-1].id) if len(rows) == MOST else ""
    return pages.render(
        "approvals/list.html", rows=rows, which=which, more=more, words=words, title_of=proposals.title_of
    )


def _page(
    approval: int, status: int = 200, form: Form | None = None, faults: Mapping[str, Text] | None = None
) -> Response:
    me = guard.member()
    with reading() as session:
        found = register.proposal(session, approval, _mine_to_read(), me.staff_id)
        told = proposals.tell(session, found)
        return pages.render(
            "approvals/one.html",
            status,
            one=found,
            title=proposals.title_of(found.kind),
            told=told,
            belongs=_desk(told.page),
            recorded=proposals.as_table(found.payload),
            deeds=register.deeds(session, approval),
            is_mine=found.proposed_by == me.staff_id,
            may_decide=found.kind in _mine_to_decide() and found.proposed_by != me.staff_id,
            typed="" if form is None else form.typed["why"],
            faults=faults,
            words=words,
        )


def _desk(page: tuple[str, Mapping[str, Any]] | None) -> str:
    """The address of the desk a proposal belongs to, for whoever may open it."""
    if page is None or not ACCESS[page[0]].roles & guard.member().roles:
        return ""
    return pages.url(page[0], **page[1])


def _mine_to_decide() -> frozenset[str]:
    roles = guard.member().roles
    return frozenset(kind for kind, rule in approving.KINDS.items() if rule.role in roles)


def _mine_to_read() -> frozenset[str]:
    """An auditor reads every kind and decides none."""
    return frozenset(approving.KINDS) if Role.AUDIT in guard.member().roles else _mine_to_decide()


def _endpoint(which: str) -> str:
    return "show" if which == "waiting" else which
