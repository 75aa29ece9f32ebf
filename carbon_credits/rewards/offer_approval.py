"""Offers are approved by two people, who see what the points are worth and who pays the rest; then they never change.

Approval freezes the value of a point, reserves the whole stock's subsidy in a purse, lays the stock out in its slots and
ends what is replaced, all in one transaction. What was not used goes back to the purse when nothing is out any more.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import digest
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import merchants, offers, purses
from carbon_credits.rewards.clients import State
from carbon_credits.rewards.offer_models import Offer
from carbon_credits.rewards.offers import MICRO, OfferState
from carbon_credits.rewards.point_value import value_on

APPROVE: Final = "offer.approve"
SLOTS: Final = 8
# longer than any transaction lasts
QUIET: Final = timedelta(minutes=5)
NAMES: Final = frozenset(
    {"offer_id", "digest", "points", "face_fen", "stock", "value_micro_fen", "subsidy_fen", "purse_id"}
)


def proposal(session: Session, offer_id: int, subsidy_fen: int, purse: str | None) -> dict[str, Any]:
    """What two people look at: the offer as it stands, what a point is worth today, and fen of whose purse on top.

    Raises NotFound, Conflict (not proposed, no value in force), Invalid when it all comes to more than the face value.
    """
    known = offers.offer(session, offer_id)
    if known.state != OfferState.PROPOSED:
        raise _not_waiting()
    value = value_on(session, clock.today())
    if value is None:
        raise Conflict("no_point_value", Text("尚未确定积分价值", "What a point is worth is not set yet"))
    if (subsidy_fen > 0) != (purse is not None) or subsidy_fen < 0:
        raise _wrong(
            "/subsidy_fen", "purse_and_subsidy", "补贴金额与补贴资金须同时给出", "a subsidy needs a purse"
        )
    if known.points * value + subsidy_fen * MICRO > known.face_fen * MICRO:
        raise _wrong(
            "/subsidy_fen",
            "more_than_face",
            "积分价值与补贴之和超过面值",
            "points and subsidy come to more than the face value",
        )
    return {
        "offer_id": offer_id,
        "digest": _digest(known),
        "points": known.points,
        "face_fen": known.face_fen,
        "stock": known.stock,
        "value_micro_fen": value,
        "subsidy_fen": subsidy_fen,
        "purse_id": None if purse is None else purses.by_code(session, purse).purse_id,
    }


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless the proposal is one that `proposal` makes."""
    if set(payload) != NAMES:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Put an offer up as it was looked at. Raises Conflict when it, its merchant or a point's value is another."""
    known = offers.offer(session, payload["offer_id"])
    if known.state != OfferState.PROPOSED or _digest(known) != payload["digest"]:
        raise _not_waiting()
    if merchants.held(session, known.merchant_id).state != State.ACTIVE:
        raise Conflict("merchant_not_active", Text("该商户当前不在营业状态", "The merchant is not active"))
    if known.replaces is not None:
        _end_replaced(session, known.replaces)
    if value_on(session, clock.today()) != payload["value_micro_fen"]:
        raise Conflict(
            "value_changed", Text("积分价值已变更，请重新提案", "A point is worth another: propose again")
        )
    _put_up(session, approval_id, payload)
    if payload["subsidy_fen"]:
        purses.reserve(
            session, payload["purse_id"], payload["subsidy_fen"] * known.stock, _cause(known.offer_id)
        )
    _lay_out(session, known.offer_id, known.stock)


def release_due(session: Session, now: datetime, most: int) -> int:
    """Give purses back what ended offers did not use, once nothing of them is out and all is settled; says how many.

    An offer is through when no redemption of it is reserved and every capture and reversal has its line in a settlement:
    then exactly the settled subsidies are spent, and the rest of its reservation is free.
    """
    given = {"most": most, "today": clock.day_of(now), "quiet": now - QUIET}
    rows = session.execute(_THROUGH, given).all()
    for row in rows:
        purses.release(session, row.purse_id, int(row.unused_fen), _cause(row.offer_id))
    return len(rows)


_THROUGH = text("""
select o.offer_id, o.purse_id, o.stock::bigint * o.subsidy_fen - coalesce(used.fen, 0) as unused_fen
from offer o
left join lateral (
  select sum(l.subsidy_fen)::bigint as fen
  from capture c join settlement_line l using (capture_id) where c.offer_id = o.offer_id
) used on true
where o.state = 'ended' and o.purse_id is not null
  and o.stock::bigint * o.subsidy_fen > coalesce(used.fen, 0)
  and not exists (select from purse_entry e where e.purse_id = o.purse_id and e.kind = 'released'
                  and e.cause = 'offer:' || o.offer_id)
  and not exists (select from redemption r where r.offer_id = o.offer_id and r.state = 'reserved')
  and not exists (select from capture c where c.offer_id = o.offer_id and not exists (
                    select from settlement_line l where l.capture_id = c.capture_id and l.kind = 'capture'))
  and not exists (select from capture c join capture_reversal v using (capture_id)
                  where c.offer_id = o.offer_id and not exists (
                    select from settlement_line l where l.capture_id = c.capture_id and l.kind = 'reversal'))
  -- what was captured today may still be undone today, and who saw the offer live a moment ago may still be reserving
  and not exists (select from capture c where c.offer_id = o.offer_id and c.booked_on >= :today)
  and o.changed_at <= :quiet
order by o.offer_id limit :most
""")


def _put_up(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    put_up = session.execute(
        update(Offer)
        .where(Offer.offer_id == payload["offer_id"], Offer.state == OfferState.PROPOSED)
        .values(
            state=OfferState.LIVE,
            state_reason=None,
            value_micro_fen=payload["value_micro_fen"],
            subsidy_fen=payload["subsidy_fen"],
            purse_id=payload["purse_id"],
            approval_id=approval_id,
            changed_at=clock.now(),
        )
        .returning(Offer.offer_id)
        .execution_options(synchronize_session=False)
    )
    if put_up.scalar_one_or_none() is None:
        raise _not_waiting()


def _lay_out(session: Session, offer_id: int, stock: int) -> None:
    """The stock in its slots, as even as it goes."""
    session.execute(
        text("""
            insert into offer_stock (offer_id, slot, left_n)
            select :offer, slot, :stock / :slots + (slot < :stock % :slots)::int
            from generate_series(0, :slots - 1) as slot
        """),
        {"offer": offer_id, "stock": stock, "slots": SLOTS},
    )


def _end_replaced(session: Session, offer_id: int) -> None:
    """What is replaced ends with the approval, if it has not by itself; raises Conflict when another has replaced it."""
    offers.require_unreplaced(session, offer_id)
    session.execute(
        text("""
            update offer set state = 'ended', state_reason = '已被替换 / replaced', changed_at = clock_timestamp()
            where offer_id = :offer and state in ('live', 'paused')
        """),
        {"offer": offer_id},
    )


def _digest(known: Offer) -> str:
    """What a second person approves, as one number: every word and figure of the offer."""
    told = {
        name: getattr(known, name)
        for name in (
            *(
                "merchant_id",
                "kind",
                "title_zh",
                "title_en",
                "text_zh",
                "text_en",
                "category",
                "points",
                "face_fen",
            ),
            *("stock", "per_person", "streets", "offline", "replaces"),
        )
    }
    told |= {"from_at": known.from_at.timestamp().hex(), "to_at": known.to_at.timestamp().hex()}
    return digest("offer", json.dumps(told, sort_keys=True).encode()).hex()


def _cause(offer_id: int) -> str:
    return f"offer:{offer_id}"


def _wrong(pointer: str, code: str, zh: str, en: str) -> Invalid:
    faults = (FieldFault(pointer, code, Text(zh, en)),)
    return Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def _not_waiting() -> Conflict:
    detail = Text(
        "该权益已变更或不在待批状态，请重新提案", "The offer changed or does not wait: propose again"
    )
    return Conflict("not_waiting", detail)
