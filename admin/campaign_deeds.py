"""What is done to a campaign: put before a second person, taken back, paused, ended; each with its reason, each once."""

from collections.abc import Callable

from flask import Blueprint, redirect
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from admin import campaigns as desk
from admin import guard, pages
from admin.approvals import proposed
from admin.forms import Form, faults_of
from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import campaigning
from carbon_credits.programme import campaigns

Step = Callable[[Session, str, int], object]

blueprint = Blueprint("campaign_deeds", __name__, url_prefix="/campaigns")


@blueprint.post("/<int:campaign>/propose")
def propose(campaign: int) -> AnyResponse:
    """Put a draft before a second person, as it was read."""
    form = Form("reason", "version")
    try:
        reason, seen = form.reason(), form.whole("version", 1, 2**31 - 1)
        form.check()
        with transaction() as session:
            me = guard.member().staff_id
            number = campaigns.propose(session, campaign, seen, reason, me, clock.today()).approval_id
    except Invalid as refused:
        return desk.page(campaign, 422, form, _of_form(refused), refused)
    except Conflict as refused:
        return desk.page(campaign, 409, form, None, refused)
    return proposed(number)


@blueprint.post("/<int:campaign>/reopen")
def reopen(campaign: int) -> AnyResponse:
    """Make a draft again of what was rejected, or of one's own proposal."""
    with transaction() as session:
        campaigns.reopen(session, campaign, guard.member().staff_id)
    pages.note(Text("已退回草案", "It is a draft again"))
    return redirect(pages.url("campaigns.one", campaign=campaign), 303)


@blueprint.post("/<int:campaign>/withdraw")
def withdraw(campaign: int) -> AnyResponse:
    """Take a campaign back before its first day; its money goes back."""
    told = Text("活动已撤回，预算已退回", "The campaign is taken back, and its money went back")
    return _step(campaign, told, lambda s, why, by: campaigning.withdraw(s, campaign, why, by, clock.now()))


@blueprint.post("/<int:campaign>/pause")
def pause(campaign: int) -> AnyResponse:
    """Acts that end from now on get nothing of it."""
    told = Text("活动已暂停", "The campaign is paused")
    return _step(campaign, told, lambda s, why, by: campaigns.pause(s, campaign, why, by, clock.now()))


@blueprint.post("/<int:campaign>/resume")
def resume(campaign: int) -> AnyResponse:
    """Acts that end from now on count again."""
    with transaction() as session:
        campaigns.resume(session, campaign, guard.member().staff_id, clock.now())
    pages.note(Text("活动已恢复", "The campaign goes on"))
    return redirect(pages.url("campaigns.one", campaign=campaign), 303)


@blueprint.post("/<int:campaign>/end")
def end(campaign: int) -> AnyResponse:
    """End it before its time, for good."""
    told = Text("活动已结束", "The campaign has ended")
    return _step(campaign, told, lambda s, why, by: campaigning.end(s, campaign, why, by, clock.now()))


def _step(campaign: int, told: Text, step: Step) -> AnyResponse:
    """Do it for a reason; where it cannot be done any more, say so and keep the reason that was typed."""
    form = Form("reason")
    try:
        reason = form.reason()
        form.check()
        with transaction() as session:
            step(session, reason, guard.member().staff_id)
    except Invalid as refused:
        return desk.page(campaign, 422, form, _of_form(refused), refused)
    except Conflict as refused:
        return desk.page(campaign, 409, form, None, refused)
    pages.note(told)
    return redirect(pages.url("campaigns.one", campaign=campaign), 303)


def _of_form(refused: Invalid) -> dict[str, Text]:
    """Faults of the form alone: those of the terms stand with the terms."""
    return {name: told for name, told in faults_of(refused).items() if name == "reason"}
