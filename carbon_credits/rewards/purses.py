"""Purses: money in fen that tops offers up, the programme's or a sponsor's.

Whoever approves an offer reserves what all of its stock could need, so a till never waits for a purse and none is ever
short. Each movement is an entry, once for its cause; the balances of a purse are the sums of its entries. What
settlement spends of what is reserved is booked in `purse_spending.py`.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import money_tags
from carbon_credits.rewards.offer_models import Purse

PAY_IN: Final = "purse.pay_in"
Kind = Literal["programme", "sponsor"]
Movement = Literal["paid_in", "reserved", "released", "refunded", "refund_failed"]

# what a movement does to the balances of its purse; the table refuses what there is not
_MOVES: Final[Mapping[Movement, str]] = {
    "paid_in": "paid_in_fen = paid_in_fen + :fen",
    "reserved": "reserved_fen = reserved_fen + :fen",
    "released": "reserved_fen = reserved_fen - :fen",
    "refunded": "refunded_fen = refunded_fen + :fen",
    "refund_failed": "refunded_fen = refunded_fen - :fen",
}
_FREE: Final = "paid_in_fen - reserved_fen - spent_fen - refunded_fen >= :fen"
_ENOUGH: Final[Mapping[Movement, str]] = {
    "paid_in": "true",
    "reserved": _FREE,
    "released": "reserved_fen >= :fen",
    "refunded": _FREE,
    "refund_failed": "refunded_fen >= :fen",
}


def create(session: Session, code: str, kind: Kind, names: Text) -> int:
    """A purse without money; returns its number. Raises Conflict when the code is taken."""
    row = {"code": code, "kind": kind, "name_zh": names.zh, "name_en": names.en}
    made = session.execute(
        insert(Purse)
        .values(row)
        .on_conflict_do_nothing(index_elements=[Purse.code])
        .returning(Purse.purse_id)
    ).scalar_one_or_none()
    if made is None:
        raise Conflict("code_taken", Text("该代码已被使用", "This code is taken: choose another"))
    return made


def by_code(session: Session, code: str) -> Purse:
    """A purse by code; raises NotFound."""
    found = session.execute(select(Purse).where(Purse.code == code)).scalar_one_or_none()
    if found is None:
        raise _unknown()
    return found


def purse(session: Session, purse_id: int) -> Purse:
    """A purse by number; raises NotFound."""
    found = session.get(Purse, purse_id, populate_existing=True)
    if found is None:
        raise _unknown()
    return found


def purses(session: Session) -> list[Purse]:
    """Every purse, by code."""
    return list(session.scalars(select(Purse).order_by(Purse.code)))


def pay_in(session: Session, purse_id: int, amount_fen: int, cause: str) -> bool:
    """Book money that came in, once for its cause (`approval:7`, `funding:3`). Raises NotFound."""
    return _move(session, "paid_in", purse_id, amount_fen, cause)


def reserve(session: Session, purse_id: int, amount_fen: int, cause: str) -> bool:
    """Set fen aside, once for its cause (`offer:12`). Raises NotFound, Conflict when the purse has not as much."""
    return _move(session, "reserved", purse_id, amount_fen, cause)


def release(session: Session, purse_id: int, amount_fen: int, cause: str) -> bool:
    """Give back fen that were set aside and not used, once for its cause. Raises NotFound, Conflict."""
    return _move(session, "released", purse_id, amount_fen, cause)


def refund(session: Session, purse_id: int, amount_fen: int, cause: str) -> bool:
    """Take out fen that nobody needs, once for its cause. Raises NotFound, Conflict when they are reserved or spent."""
    return _move(session, "refunded", purse_id, amount_fen, cause)


def undo_refund(session: Session, purse_id: int, amount_fen: int, cause: str) -> bool:
    """Put back fen that were to be refunded and came back, once for its cause. Raises NotFound, Conflict."""
    return _move(session, "refund_failed", purse_id, amount_fen, cause)


def check_pay_in(payload: Mapping[str, Any]) -> None:
    """Raise Invalid with every fault of a proposed payment into a purse."""
    faults = tuple(
        FieldFault("/" + name, "out_of_range", Text("应为正整数", "a whole number above zero"))
        for name in ("purse_id", "amount_fen")
        if type(payload.get(name)) is not int or not 1 <= payload[name] < 2**53
    ) + tuple(money_tags.faults(payload))
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def enact_pay_in(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Book a payment that two people saw. Raises NotFound."""
    pay_in(session, payload["purse_id"], payload["amount_fen"], f"approval:{approval_id}")
    money_tags.record(session, approval_id, payload)


def _move(session: Session, kind: Movement, purse_id: int, fen: int, cause: str) -> bool:
    """One movement, balances and entry together; False when its cause has been booked before.

    The purse's row is first, so two with one cause meet there and the second finds the entry.
    """
    given = {"purse": purse_id, "kind": kind, "fen": fen, "cause": cause}
    locked = session.execute(
        text("select 1 from purse where purse_id = :purse for no key update"), {"purse": purse_id}
    )
    if locked.scalar() is None:
        raise _unknown()
    entered = session.execute(
        text("""
            insert into purse_entry (purse_id, kind, amount_fen, cause) values (:purse, :kind, :fen, :cause)
            on conflict do nothing returning entry_id
        """),
        given,
    ).scalar()
    if entered is None:
        return False
    moved = session.execute(
        text(f"update purse set {_MOVES[kind]} where purse_id = :purse and {_ENOUGH[kind]} returning 1"),  # noqa: S608
        given,
    ).scalar()
    if moved is None:
        detail = Text("补贴资金不足，请先充值", "The purse has not as much: pay in first")
        raise Conflict("purse_short", detail)
    return True


def _unknown() -> NotFound:
    return NotFound("purse_unknown", Text("没有此补贴资金", "There is no such purse"))
