"""Giving unspent money back to whoever paid it: what is to go back is set aside first, under two people, and then sent.

Of a fund only points that are unallocated can go back, at the price they were bought for; of a purse only what is neither
reserved nor spent. What comes back from the sponsor's bank is put where it was taken from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import funds
from carbon_credits.rewards import fundings, purses
from carbon_credits.rewards.fundings import ACTOR
from carbon_credits.rewards.payment_contract import Outcome, Told
from carbon_credits.rewards.settlement_models import Funding, FundingRefund

KIND: Final = "funding.refund"
NAMES: Final = frozenset({"funding_id", "amount_fen", "points"})
# states follow one another in this order; what is told late of an earlier one changes nothing
ORDER: Final = {"created": 0, "sent": 1, "paid": 2, "failed": 3}
STATES: Final = {Outcome.PENDING: "sent", Outcome.PAID: "paid", Outcome.FAILED: "failed"}


@dataclass(frozen=True)
class Return:
    """A sum to go back, as a collector is to hear it, in fen."""

    refund_id: int
    intent_ref: str
    amount_fen: int
    key: str
    reference: str | None


def payload_of(
    session: Session, funding_id: int, *, points: int | None, amount_fen: int | None
) -> dict[str, Any]:
    """What is put before the second person: points of a fund with their price, or fen of a purse.

    Raises NotFound, Conflict not_paid, and Invalid where points are given for a purse or fen for a fund.
    """
    row = fundings.funding_of(session, funding_id)
    _require_paid(row)
    if (row.points is None) != (points is None) or (row.points is None) == (amount_fen is None):
        said = Text("资金池按积分退，贴补资金按金额退", "Of a fund give points, of a purse an amount")
        raise Invalid("wrong_proposal", said)
    if points is not None:
        amount_fen = _price(session, row, points)
    return {"funding_id": funding_id, "points": points, "amount_fen": amount_fen}


def check(payload: Mapping[str, Any]) -> None:
    """Whether a proposal has the form that `payload_of` gives; raises Invalid."""
    numbers = [payload.get(name) for name in ("funding_id", "amount_fen")]
    numbers += [payload["points"]] if payload.get("points") is not None else []
    if set(payload) != NAMES or any(type(value) is not int or not 0 < value < 2**53 for value in numbers):
        fault = FieldFault(
            "", "wrong_form", Text("应由 fundings propose-refund 生成", "as propose-refund makes it")
        )
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=(fault,))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Set aside what goes back; the collector is asked afterwards.

    Raises Conflict: not_paid, more_than_paid, refund_changed (the points cost another sum by now), budget_spent,
    purse_short.
    """
    row = fundings.locked(session, payload["funding_id"])
    _require_paid(row)
    amount, points = payload["amount_fen"], payload["points"]
    _, already = _given_back(session, row.funding_id)
    if already + amount > row.amount_fen:
        left = row.amount_fen - already
        raise Conflict("more_than_paid", Text(f"最多可退 {left} 分", f"At most {left} fen are left"))
    if points is not None and _price(session, row, points) != amount:
        raise Conflict("refund_changed", Text("退款已变化，请重新提出", "The refund is another by now"))
    made = insert(FundingRefund).values(
        funding_id=row.funding_id, amount_fen=amount, points=points, approval_id=approval_id
    )
    refund_id = session.execute(made.returning(FundingRefund.refund_id)).scalar_one()
    _set_aside(session, row, refund_id, payload, approval_id)


def unfinished(session: Session) -> list[int]:
    """The refunds that have no end yet, the oldest first."""
    asked = (
        select(FundingRefund.refund_id)
        .where(FundingRefund.state.in_(("created", "sent")))
        .order_by(FundingRefund.refund_id)
    )
    return list(session.execute(asked).scalars())


def return_of(session: Session, refund_id: int) -> Return:
    """A refund as a collector is to hear it."""
    row = session.execute(
        select(FundingRefund, Funding.intent_ref)
        .join(Funding, Funding.funding_id == FundingRefund.funding_id)
        .where(FundingRefund.refund_id == refund_id)
    ).one()
    refund: FundingRefund = row[0]
    return Return(refund.refund_id, str(row[1]), refund.amount_fen, refund.key, refund.provider_ref)


def by_reference(session: Session, reference: str) -> int | None:
    """The refund that a provider knows by this reference."""
    asked = select(FundingRefund.refund_id).where(FundingRefund.provider_ref == reference)
    return session.execute(asked).scalar_one_or_none()


def record(session: Session, refund_id: int, told: Told) -> None:
    """Write down what a collector says of a refund; the same again, or something older, changes nothing."""
    row, funding = _locked(session, refund_id)
    state = STATES[told.outcome]
    if ORDER[state] <= ORDER[row.state]:
        return
    if row.state == "created":
        _move(session, row, "sent", provider_ref=told.reference)
    if state == "failed":
        _undo(session, row, funding, told.failure or "failed")
    elif state == "paid":
        _move(session, row, "paid")
        audit.record(
            session, ACTOR, "funding.refunded", _subject(funding), None, {"amount_fen": row.amount_fen}
        )
    fundings.book_refunded(session, funding.funding_id, _arrived(session, funding.funding_id))


def refuse(session: Session, refund_id: int, code: str) -> None:
    """A definite no: nothing went back under this key, and what was set aside is there again."""
    row, funding = _locked(session, refund_id)
    if row.state == "created":
        _undo(session, row, funding, code)


def _locked(session: Session, refund_id: int) -> tuple[FundingRefund, Funding]:
    """The refund and its funding, the funding locked first, as wherever both are."""
    known = select(FundingRefund.funding_id).where(FundingRefund.refund_id == refund_id)
    funding = fundings.locked(session, session.execute(known).scalar_one())
    asked = select(FundingRefund).where(FundingRefund.refund_id == refund_id).with_for_update()
    return session.execute(asked.execution_options(populate_existing=True)).scalar_one(), funding


def _require_paid(row: Funding) -> None:
    if row.state != "paid" or row.intent_ref is None:
        raise Conflict(
            "not_paid", Text("该赞助款未到账或已退", "That funding is not paid, or is back already")
        )


def _given_back(session: Session, funding_id: int) -> tuple[int, int]:
    """Points and fen of a funding that went back, or are about to."""
    row = session.execute(
        select(
            func.coalesce(func.sum(FundingRefund.points), 0),
            func.coalesce(func.sum(FundingRefund.amount_fen), 0),
        ).where(FundingRefund.funding_id == funding_id, FundingRefund.state != "failed")
    ).one()
    return int(row[0] or 0), int(row[1] or 0)


def _price(session: Session, row: Funding, points: int) -> int:
    """What these points cost, in fen: of all that went back the floor, so that the last of them brings the rest."""
    assert row.points is not None
    before, paid = _given_back(session, row.funding_id)
    if before + points > row.points:
        left = row.points - before
        raise Conflict("more_than_paid", Text(f"最多可退 {left} 积分", f"At most {left} points are left"))
    price = row.amount_fen * (before + points) // row.points - paid
    if price < 1:
        raise Conflict("nothing_to_refund", Text("不足一分", "That is less than a fen"))
    return price


def _set_aside(
    session: Session, row: Funding, refund_id: int, payload: Mapping[str, Any], approval_id: int
) -> None:
    """Take what goes back out of its budget; raises Conflict where less than that is unspent."""
    amount = payload["amount_fen"]
    if row.fund_id is None:
        assert row.purse_id is not None
        purses.refund(session, row.purse_id, amount, f"refund:{refund_id}")
    elif not funds.withdraw(session, row.fund_id, payload["points"], amount, approval_id):
        raise Conflict("budget_spent", Text("未使用的预算不足", "Fewer points than that are unspent"))


def _undo(session: Session, row: FundingRefund, funding: Funding, why: str) -> None:
    """The money is ours again: points or fen go where they were taken from, once for the refund."""
    _move(session, row, "failed", failure=why[:200])
    if funding.fund_id is not None and row.points is not None:
        funds.book_paid(session, funding.fund_id, row.points, row.amount_fen, row.approval_id)
    elif funding.purse_id is not None:
        purses.undo_refund(session, funding.purse_id, row.amount_fen, f"refund:{row.refund_id}")
    audit.record(session, ACTOR, "funding.refund_failed", _subject(funding), None, {"why": why[:200]})


def _arrived(session: Session, funding_id: int) -> int:
    """What of a funding is back with its sponsor, in fen."""
    asked = select(func.coalesce(func.sum(FundingRefund.amount_fen), 0)).where(
        FundingRefund.funding_id == funding_id, FundingRefund.state == "paid"
    )
    return int(session.execute(asked).scalar_one() or 0)


def _move(session: Session, row: FundingRefund, state: str, **values: Any) -> None:
    moved = update(FundingRefund).where(FundingRefund.refund_id == row.refund_id)
    session.execute(moved.values(state=state, changed_at=func.clock_timestamp(), **values))
    session.refresh(row)


def _subject(funding: Funding) -> str:
    return f"funding:{funding.funding_id}"
