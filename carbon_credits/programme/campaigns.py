"""The verbs of a campaign's terms: draft, change, put before a second person, take back, pause, go on.

`campaign_state` holds which state may follow which. Of two people who change one draft the second is told that it was
changed. What needs money or everybody's acts (approval, launch, end) is in `crediting/campaigning.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from secrets import token_bytes
from typing import Any, Final

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from carbon_credits.core import approvals, audit
from carbon_credits.core.approvals import Approval
from carbon_credits.core.db import constraint_name
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.programme import campaign_terms
from carbon_credits.programme.campaign_checks import contradictions, fund_code, known, overlaps, wrong
from carbon_credits.programme.campaign_models import Campaign, CampaignPause, CampaignStep
from carbon_credits.programme.campaign_terms import Terms

KIND: Final = "campaign"
SALT_BYTES: Final = 16


def draw_salt() -> bytes:
    """The lot by which a campaign decides who is held out: nobody can know it before, nor draw it again."""
    return token_bytes(SALT_BYTES)


def draft(session: Session, document: Mapping[str, Any], by: int) -> Campaign:
    """Write a draft; `by` is the member of staff. Raises Invalid with every fault, Conflict when the code is taken."""
    terms = campaign_terms.read(document)
    made = insert(Campaign).values(code=terms.code, salt=draw_salt(), made_by=by, **_columns(session, terms))
    try:
        with session.begin_nested():
            campaign = session.execute(made.returning(Campaign)).scalar_one()
    except IntegrityError as error:
        if constraint_name(error) != "campaign_code_key":
            raise
        raise _conflict("code_taken", "活动代码已被使用", "There is a campaign of this code") from error
    note(session, campaign, by, "campaign.drafted", None, terms.as_document())
    return campaign


def change(
    session: Session, campaign_id: int, version: int, document: Mapping[str, Any], by: int
) -> Campaign:
    """Write a draft anew, as it was read at `version`. Raises Invalid, NotFound, Conflict (changed, or no draft)."""
    found = held(session, campaign_id)
    before = terms_of(session, found)
    terms = campaign_terms.read({**document, "code": found.code})
    changed = (
        update(Campaign)
        .where(Campaign.campaign_id == campaign_id, Campaign.state == "draft", Campaign.version == version)
        .values(version=version + 1, changed_at=func.clock_timestamp(), **_columns(session, terms))
        .returning(Campaign)
        .execution_options(populate_existing=True)
    )
    campaign = session.execute(changed).scalar_one_or_none()
    if campaign is None:
        raise _not_as_read(found, version)
    note(session, campaign, by, "campaign.changed", before.as_document(), terms.as_document())
    return campaign


def propose(session: Session, campaign_id: int, version: int, reason: str, by: int, today: date) -> Approval:
    """Put a draft before a second person, with all its terms; from here on nothing of it changes.

    Raises Invalid with every contradiction, NotFound, NotAllowed, Conflict (changed, or no draft).
    """
    found = held(session, campaign_id)
    if found.version != version or found.state != "draft":
        raise _not_as_read(found, version)
    faults = contradictions(session, found, today)
    if faults:
        raise wrong(faults)
    proposed = approvals.propose(session, KIND, payload_of(session, found), reason, by)
    try:
        with session.begin_nested():
            move(session, found, "proposed", None, approval_id=proposed.approval_id)
    except IntegrityError as error:
        # another one took the same acts for itself this very moment
        if constraint_name(error) != "campaign_one_for_an_act":
            raise
        raise wrong(overlaps(session, campaign_id)) from error
    note(session, found, by, "campaign.proposed", {"state": "draft"}, {"approval": proposed.approval_id})
    return proposed


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of proposed terms."""
    campaign_terms.read(payload.get("terms") or {})


def reopen(session: Session, campaign_id: int, by: int) -> Campaign:
    """Make a draft again of what was rejected, or of one's own proposal. Raises NotFound, Conflict, NotAllowed."""
    found = held(session, campaign_id)
    if found.state != "proposed":
        raise cannot(found.state, "draft")
    _drop_proposal(session, found, by)
    move(session, found, "draft", None, approval_id=None)
    note(session, found, by, "campaign.reopened", {"state": "proposed"}, {"state": "draft"})
    return found


def drop(session: Session, campaign: Campaign, reason: str, by: int) -> None:
    """Withdraw what has no money yet. Raises Conflict, NotAllowed (another's proposal that is not decided)."""
    before = campaign.state
    if before == "proposed":
        _drop_proposal(session, campaign, by)
    move(session, campaign, "withdrawn", reason)
    note(session, campaign, by, "campaign.withdrawn", {"state": before}, {"reason": reason})


def pause(session: Session, campaign_id: int, reason: str, by: int, now: datetime) -> Campaign:
    """Acts that end from now on get nothing of it, until it goes on. Raises NotFound, Conflict."""
    found = held(session, campaign_id)
    move(session, found, "paused", reason)
    session.execute(
        insert(CampaignPause).values(campaign_id=campaign_id, from_at=now, why=reason, paused_by=by)
    )
    note(session, found, by, "campaign.paused", {"state": "running"}, {"reason": reason})
    return found


def resume(session: Session, campaign_id: int, by: int, now: datetime) -> Campaign:
    """Acts that end from now on count again. Raises NotFound, Conflict."""
    found = held(session, campaign_id)
    if found.state != "paused":
        raise cannot(found.state, "running")
    end_pause(session, campaign_id, by, now)
    move(session, found, "running", None)
    note(session, found, by, "campaign.resumed", {"state": "paused"}, {"state": "running"})
    return found


def end_pause(session: Session, campaign_id: int, by: int | None, now: datetime) -> None:
    """Close the pause that is open, if one is."""
    session.execute(
        update(CampaignPause)
        .where(CampaignPause.campaign_id == campaign_id, CampaignPause.to_at.is_(None))
        .values(to_at=func.greatest(CampaignPause.from_at, now), resumed_by=by)
    )


def held(session: Session, campaign_id: int) -> Campaign:
    """A campaign, its row locked until the transaction ends; raises NotFound."""
    asked = select(Campaign).where(Campaign.campaign_id == campaign_id).with_for_update(key_share=True)
    found = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise unknown()
    return found


def campaign(session: Session, campaign_id: int) -> Campaign:
    """A campaign by its number, to be read alone; raises NotFound."""
    found = session.get(Campaign, campaign_id, populate_existing=True)
    if found is None:
        raise unknown()
    return found


def by_code(session: Session, code: str) -> Campaign:
    """A campaign by its code; raises NotFound."""
    found = session.execute(select(Campaign).where(Campaign.code == code)).scalar_one_or_none()
    if found is None:
        raise unknown()
    return found


def campaigns(session: Session, states: Sequence[str] = ()) -> list[Campaign]:
    """Campaigns in these states, or all, the newest first."""
    asked = select(Campaign).order_by(Campaign.campaign_id.desc())
    return list(session.scalars(asked.where(Campaign.state.in_(states)) if states else asked))


def terms_of(session: Session, campaign: Campaign) -> Terms:
    """The terms of a campaign as a document has them: codes in place of numbers."""
    given = {name: getattr(campaign, name, None) for name in Terms.__dataclass_fields__}
    given["source_fund"] = fund_code(session, campaign.source_fund_id)
    given["methodologies"] = tuple(sorted(BY_NUMBER[n][-1].code for n in campaign.methodologies))
    given["streets"] = None if campaign.streets is None else tuple(campaign.streets)
    return Terms(**given)  # type: ignore[arg-type]


def payload_of(session: Session, campaign: Campaign) -> dict[str, Any]:
    """What a second person decides on: which campaign, and all of it."""
    terms = terms_of(session, campaign).as_document()
    return {"campaign_id": campaign.campaign_id, "version": campaign.version, "terms": terms}


def move(session: Session, campaign: Campaign, state: str, reason: str | None, **more: Any) -> None:
    """One winner: from the state it was read in, where the table of states has the step. Raises Conflict."""
    step = select(exists().where(CampaignStep.follows == campaign.state, CampaignStep.state == state))
    if not session.execute(step).scalar_one():
        raise cannot(campaign.state, state)
    moved = (
        update(Campaign)
        .where(Campaign.campaign_id == campaign.campaign_id, Campaign.state == campaign.state)
        .values(state=state, state_reason=reason, changed_at=func.clock_timestamp(), **more)
        .returning(Campaign)
        .execution_options(populate_existing=True)
    )
    if session.execute(moved).scalar_one_or_none() is None:
        raise cannot(campaign.state, state)


def note(
    session: Session,
    campaign: Campaign,
    by: int | None,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Write down who did what to a campaign; without a member of staff it was the clock, or the money."""
    actor = "periodic" if by is None else f"staff:{by}"
    audit.record(session, actor, action, f"campaign:{campaign.code}", before, after)


def cannot(old: str, new: str) -> Conflict:
    """The refusal of a step that the table of states does not have."""
    return _conflict("wrong_state", f"当前状态 {old} 不能变为 {new}", f"What is {old} cannot become {new}")


def unknown() -> NotFound:
    """The refusal where there is no such campaign."""
    return NotFound("campaign_unknown", Text("没有这个活动", "There is no such campaign"))


def _columns(session: Session, terms: Terms) -> dict[str, Any]:
    named = {name: getattr(terms, name) for name in Terms.__dataclass_fields__}
    del named["code"], named["source_fund"]
    streets = None if terms.streets is None else list(terms.streets)
    source = known(session, terms)
    return {**named, "methodologies": terms.numbers(), "streets": streets, "source_fund_id": source}


def _drop_proposal(session: Session, campaign: Campaign, by: int) -> None:
    asked = select(Approval.state).where(Approval.approval_id == campaign.approval_id)
    if session.execute(asked).scalar_one() == "proposed" and campaign.approval_id is not None:
        approvals.withdraw(session, campaign.approval_id, by)


def _not_as_read(found: Campaign, version: int) -> Conflict:
    if found.state != "draft":
        return _conflict("not_a_draft", "只有草案可以修改", "Only a draft is changed")
    return _conflict(
        "changed_meanwhile",
        f"其间已有人修改（第 {found.version} 版，您看到的是第 {version} 版）",
        f"It was changed meanwhile: version {found.version}, you saw {version}",
    )


def _conflict(code: str, zh: str, en: str) -> Conflict:
    return Conflict(code, Text(zh, en))
