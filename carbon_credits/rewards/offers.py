"""Offers as their merchants make them: a draft that may change, put forward, and after approval paused or ended.

An approved offer never changes; another price is another draft that replaces it (`offer_approval.py`). `reward_state`
holds which state may follow which; every step is one conditional update.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards.merchants import Category
from carbon_credits.rewards.offer_models import Offer
from carbon_credits.rewards.point_value import value_on

LONGEST: Final = timedelta(days=366)
MICRO: Final = 1_000_000


class OfferKind(StrEnum):
    """A thing for one, a gift to a planting project, a gift of many."""

    VOUCHER = "voucher"
    DONATION = "donation"
    GROUP_GIFT = "group_gift"


class OfferState(StrEnum):
    """What an offer is."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    REFUSED = "refused"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True)
class Draft:
    """What a merchant offers: points it costs, its face value in fen, how many, to whom and when.

    No `per_person` is no limit; no `streets` is every street. `replaces` is an offer of the same merchant that ends
    when this one is approved.
    """

    kind: OfferKind
    title: Text
    text: Text
    category: Category
    points: int
    face_fen: int
    stock: int
    from_at: datetime
    to_at: datetime
    per_person: int | None = None
    streets: Sequence[Street] = field(default=())
    offline: bool = False
    replaces: int | None = None


def draft(session: Session, merchant_id: int, told: Draft, now: datetime) -> Offer:
    """Note a draft. Raises Invalid with every fault at its field, NotFound for what it would replace."""
    _check(session, told, now)
    if told.replaces is not None:
        _require_replaceable(session, merchant_id, told.replaces)
    row = {**_columns(told), "merchant_id": merchant_id, "replaces": told.replaces}
    return session.execute(
        insert(Offer).values(**row, made_at=now, changed_at=now).returning(Offer)
    ).scalar_one()


def redraft(session: Session, merchant_id: int, offer_id: int, told: Draft, now: datetime) -> Offer:
    """Change a draft, all but what it replaces. Raises Invalid, NotFound, Conflict when it is no draft any more."""
    _check(session, told, now)
    changed = session.execute(
        update(Offer)
        .where(Offer.offer_id == offer_id, Offer.merchant_id == merchant_id, Offer.state == OfferState.DRAFT)
        .values(**_columns(told), changed_at=now)
        .returning(Offer)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return changed or _not_so(session, offer_id, merchant_id)


def put_forward(session: Session, merchant_id: int, offer_id: int) -> Offer:
    """Ask for approval. Raises NotFound, Conflict."""
    return _move(session, offer_id, (OfferState.DRAFT,), OfferState.PROPOSED, None, merchant_id)


def take_back(session: Session, merchant_id: int, offer_id: int) -> Offer:
    """Take a proposal back to change it. Raises NotFound, Conflict."""
    return _move(session, offer_id, (OfferState.PROPOSED,), OfferState.DRAFT, None, merchant_id)


def refuse(session: Session, offer_id: int, reason: str) -> Offer:
    """Say no to a proposal, and why. Raises NotFound, Conflict."""
    return _move(session, offer_id, (OfferState.PROPOSED,), OfferState.REFUSED, reason)


def pause(session: Session, merchant_id: int, offer_id: int, reason: str) -> Offer:
    """Take an offer off the list for a while; what is out is honoured. Raises NotFound, Conflict.

    That is the merchant's own to do and to undo: staff end an offer or suspend its merchant.
    """
    return _move(session, offer_id, (OfferState.LIVE,), OfferState.PAUSED, reason, merchant_id)


def resume(session: Session, merchant_id: int, offer_id: int) -> Offer:
    """Put a paused offer on the list again. Raises NotFound, Conflict."""
    return _move(session, offer_id, (OfferState.PAUSED,), OfferState.LIVE, None, merchant_id)


def end(session: Session, offer_id: int, reason: str, merchant_id: int | None = None) -> Offer:
    """End an offer for good; what is out is honoured, then its purse has back what was not used.

    Raises NotFound, Conflict.
    """
    return _move(
        session, offer_id, (OfferState.LIVE, OfferState.PAUSED), OfferState.ENDED, reason, merchant_id
    )


def offer(session: Session, offer_id: int, merchant_id: int | None = None) -> Offer:
    """An offer, of this merchant where one is named; raises NotFound."""
    asked = select(Offer).where(Offer.offer_id == offer_id)
    if merchant_id is not None:
        asked = asked.where(Offer.merchant_id == merchant_id)
    found = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if found is None:
        raise unknown()
    return found


def offers_of(session: Session, merchant_id: int, before: int | None, limit: int) -> list[Offer]:
    """A merchant's offers in every state, the newest first."""
    asked = select(Offer).where(Offer.merchant_id == merchant_id)
    if before is not None:
        asked = asked.where(Offer.offer_id < before)
    return list(session.scalars(asked.order_by(Offer.offer_id.desc()).limit(limit)))


def waiting(session: Session) -> list[Offer]:
    """Offers that wait for approval, the oldest first."""
    asked = select(Offer).where(Offer.state == OfferState.PROPOSED).order_by(Offer.changed_at, Offer.offer_id)
    return list(session.scalars(asked))


def require_unreplaced(session: Session, offer_id: int) -> None:
    """Raises Conflict when an approved offer has replaced this one."""
    approved = (Offer.replaces == offer_id, Offer.approval_id.is_not(None))
    if session.scalar(select(Offer.offer_id).where(*approved).limit(1)) is not None:
        raise _not_replaceable()


def end_due(session: Session, now: datetime, most: int) -> int:
    """End what is past its time; says how many. A step: again until nothing is left."""
    ended = session.execute(
        text("""
            update offer set state = 'ended', changed_at = :now
            where offer_id in (select offer_id from offer where state in ('live', 'paused') and to_at <= :now
                               order by offer_id limit :most for no key update skip locked)
            returning offer_id
        """),
        {"now": now, "most": most},
    )
    return len(ended.all())


def _move(
    session: Session,
    offer_id: int,
    before: Sequence[OfferState],
    after: OfferState,
    reason: str | None,
    merchant_id: int | None = None,
) -> Offer:
    statement = update(Offer).where(Offer.offer_id == offer_id, Offer.state.in_(before))
    if merchant_id is not None:
        statement = statement.where(Offer.merchant_id == merchant_id)
    moved = session.execute(
        statement.values(state=after, state_reason=reason, changed_at=clock.now())
        .returning(Offer)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    return moved or _not_so(session, offer_id, merchant_id)


def _not_so(session: Session, offer_id: int, merchant_id: int | None) -> Offer:
    """Raises: there is none of that number, or it is not in the state for this."""
    state = offer(session, offer_id, merchant_id).state
    raise Conflict("offer_state", Text(f"权益当前状态为 {state}，不能这样做", f"The offer is {state}"))


def _columns(told: Draft) -> dict[str, Any]:
    row = asdict(told) | {
        "title_zh": told.title.zh,
        "title_en": told.title.en,
        "text_zh": told.text.zh,
        "text_en": told.text.en,
        "streets": sorted(told.streets),
    }
    return {name: value for name, value in row.items() if name not in {"title", "text", "replaces"}}


def _require_replaceable(session: Session, merchant_id: int, offer_id: int) -> None:
    if offer(session, offer_id, merchant_id).state not in {OfferState.LIVE, OfferState.PAUSED}:
        raise _not_replaceable()
    require_unreplaced(session, offer_id)


def _check(session: Session, told: Draft, now: datetime) -> None:
    faults = tuple(_faults(told, now, value_on(session, clock.day_of(now))))
    if faults:
        raise Invalid(
            "wrong_offer", Text("权益有误，请按提示改正", "The offer is wrong: see each field"), faults=faults
        )


def _faults(told: Draft, now: datetime, value: int | None) -> Iterator[FieldFault]:
    if told.to_at <= max(told.from_at, now):
        yield _fault(
            "to", "not_after", "应晚于开始时间与当前时间", "must be after the beginning, and after now"
        )
    elif told.to_at - told.from_at > LONGEST:
        yield _fault("to", "too_long", "有效期最长 366 天", "366 days at most")
    if told.per_person is not None and told.per_person > told.stock:
        yield _fault("per_person", "more_than_stock", "每人上限不能超过总数", "no more than there are in all")
    if told.offline and told.kind is not OfferKind.VOUCHER:
        yield _fault("offline", "only_vouchers", "只有券可以离线核销", "only a voucher can be taken offline")
    if value is not None and told.points * value > told.face_fen * MICRO:
        worth = f"{told.points * value // MICRO}"
        yield _fault(
            "points",
            "worth_more_than_face",
            f"所需积分价值 {worth} 分，超过面值",
            f"the points are worth {worth} fen, more than the face value",
        )


def _fault(name: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + name, code, Text(zh, en))


def _not_replaceable() -> Conflict:
    return Conflict(
        "not_replaceable", Text("该权益不能被替换", "This offer is not live, or was replaced already")
    )


def unknown() -> NotFound:
    """There is no such offer, or it is another's."""
    return NotFound("offer_unknown", Text("没有此权益", "There is no such offer"))
