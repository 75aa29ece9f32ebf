"""Money that was paid and is asked back, by two people. Where the account is short, the next statement bears it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import payments
from carbon_credits.rewards.payment_contract import Told
from carbon_credits.rewards.settlement_models import Payment, SettlementAdjustment, TakeBack

KIND: Final = "settlement.take_back"


@dataclass(frozen=True)
class Asking:
    """A sum to come back, as its rail is to hear it, in fen."""

    take_back_id: int
    reference: str
    amount_fen: int
    key: str


def check(payload: Mapping[str, Any]) -> None:
    """Whether a proposal names a payment and an amount in fen; raises Invalid."""
    faults = tuple(
        FieldFault("/" + name, "out_of_range", Text("应为正整数", "a whole number above zero"))
        for name in ("payment_id", "amount_fen")
        if type(payload.get(name)) is not int or not 0 < payload[name] < 2**53
    )
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Write down that the money is to come back; the rail is asked afterwards.

    Raises Conflict when it was never paid, is back already, is more than what is left, or is being asked back.
    """
    asked = select(Payment).where(Payment.payment_id == payload["payment_id"]).with_for_update()
    row = session.execute(asked).scalar_one_or_none()
    if row is None or row.state not in ("paid", "reconciled"):
        raise Conflict(
            "not_paid", Text("该付款未完成或已退回", "That payment is not paid, or is back already")
        )
    open_one = select(TakeBack.take_back_id).where(
        TakeBack.payment_id == row.payment_id, TakeBack.state == "created"
    )
    if session.execute(open_one).first() is not None:
        raise Conflict("being_taken_back", Text("正在追回", "It is being asked back already"))
    borne = select(func.coalesce(func.sum(SettlementAdjustment.fen), 0)).where(
        SettlementAdjustment.payment_id == row.payment_id, SettlementAdjustment.kind == "receivable"
    )
    left = row.amount_fen - row.reversed_fen + int(session.execute(borne).scalar_one())
    if payload["amount_fen"] > left:
        said = Text(f"最多可追回 {left} 分", f"At most {left} fen can be asked back")
        raise Conflict("more_than_paid", said)
    made = insert(TakeBack).values(
        payment_id=row.payment_id, amount_fen=payload["amount_fen"], approval_id=approval_id
    )
    session.execute(made)


def unfinished(session: Session, rail: str) -> list[Asking]:
    """What is still to be asked of a rail, the oldest first."""
    rows = session.execute(
        select(TakeBack.take_back_id, Payment.provider_ref, TakeBack.amount_fen, TakeBack.key)
        .join(Payment, Payment.payment_id == TakeBack.payment_id)
        .where(TakeBack.state == "created", Payment.rail == rail)
        .order_by(TakeBack.take_back_id)
    )
    return [Asking(row[0], str(row[1]), row[2], row[3]) for row in rows]


def record(session: Session, take_back_id: int, told: Told, today: date) -> None:
    """The money came back. What the rail says came back beyond it is owed to the merchant again."""
    payment_id = _end(session, take_back_id, "taken", None)
    if payment_id is not None:
        payments.record(session, payment_id, told, today)


def fall_short(session: Session, take_back_id: int, code: str, today: date) -> None:
    """The account cannot give it: the merchant owes it, and its next statements bear it."""
    payment_id = _end(session, take_back_id, "short", code)
    if payment_id is None:
        return
    session.execute(
        text("""
            insert into settlement_adjustment (merchant_id, payment_id, kind, fen, booked_on, cause)
            select s.merchant_id, p.payment_id, 'receivable', -t.amount_fen, :today, t.key
            from take_back t join payment p using (payment_id) join settlement s using (settlement_id)
            where t.take_back_id = :take_back
        """),
        {"take_back": take_back_id, "today": today},
    )
    payments.owe_again(session, payment_id, today)


def receivable(session: Session) -> dict[int, int]:
    """What merchants owe the programme, in micro-fen: the carry of their newest statements where it is below zero."""
    newest = text("""
        select distinct on (merchant_id) merchant_id, carried_out from settlement order by merchant_id, day desc
    """)
    return {row.merchant_id: -row.carried_out for row in session.execute(newest) if row.carried_out < 0}


def _end(session: Session, take_back_id: int, state: str, failure: str | None) -> int | None:
    """End it once; returns its payment, None when it has ended before. The payment's row is locked first."""
    session.execute(
        text("""
            select from payment p join take_back t using (payment_id) where t.take_back_id = :take_back
            for no key update of p
        """),
        {"take_back": take_back_id},
    )
    ended = (
        update(TakeBack)
        .where(TakeBack.take_back_id == take_back_id, TakeBack.state == "created")
        .values(
            state=state, failure=None if failure is None else failure[:200], changed_at=func.clock_timestamp()
        )
        .returning(TakeBack.payment_id)
    )
    return session.execute(ended).scalar_one_or_none()
