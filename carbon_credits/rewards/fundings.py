"""Sponsors' money: two people agree what it is for, the sponsor pays, and only then is there anything to spend.

A sponsor buys points for a fund at a price frozen in the approval, or fills a purse. What is paid is booked once under
that approval, whenever it comes; what was asked for and never paid books nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.ledger import funds, money_tags
from carbon_credits.rewards import purses
from carbon_credits.rewards.payment_contract import Collection, Means
from carbon_credits.rewards.settlement_models import Funding

KIND: Final = "funding.ask"
ACTOR: Final = "stripe"
MOST: Final = 2**53
NAMES: Final = frozenset({"sponsor", "fund_id", "points", "purse_id", "amount_fen", "means"})


@dataclass(frozen=True)
class Request:
    """A sponsor's payment as a collector is to hear it. The key is derived from the row."""

    funding_id: int
    means: Means
    amount_fen: int
    memo: str
    reference: str | None

    @property
    def key(self) -> str:
        """What makes asking twice asking once."""
        return f"funding:{self.funding_id}"


def check(payload: Mapping[str, Any]) -> None:
    """Whether a proposal says who pays how much, by what means, for which points or into which purse; raises Invalid."""
    faults = tuple(_faults(payload))
    if faults:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=faults)


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Write down that a sponsor is to be asked; the collector hears of it afterwards.

    Raises NotFound for an unknown fund or purse, Invalid where points are sold below the value in force.
    """
    _require_target(session, payload)
    if payload["points"] is not None:
        funds.refuse_below_value(session, payload["points"], payload["amount_fen"])
    asked = {name: payload[name] for name in NAMES}
    session.execute(insert(Funding).values(approval_id=approval_id, **asked))
    money_tags.record(session, approval_id, payload)


def funding_of(session: Session, funding_id: int) -> Funding:
    """One funding; raises NotFound."""
    row = session.get(Funding, funding_id, populate_existing=True)
    if row is None:
        raise NotFound(
            "funding_unknown", Text(f"没有赞助款 {funding_id}", f"There is no funding {funding_id}")
        )
    return row


def listed(session: Session, most: int) -> list[Funding]:
    """The newest fundings."""
    return list(session.execute(select(Funding).order_by(Funding.funding_id.desc()).limit(most)).scalars())


def request_of(session: Session, funding_id: int) -> Request:
    """A funding as a collector is to hear it; raises NotFound."""
    row = funding_of(session, funding_id)
    memo = f"碳普惠 Carbon rewards #{row.funding_id}"
    return Request(row.funding_id, cast(Means, row.means), row.amount_fen, memo, row.provider_ref)


def unfinished(session: Session) -> list[int]:
    """The fundings whose sponsor has neither paid nor let it pass, the oldest first."""
    asked = select(Funding.funding_id).where(Funding.state == "created").order_by(Funding.funding_id)
    return list(session.execute(asked).scalars())


def by_reference(session: Session, reference: str) -> int | None:
    """The funding that a provider knows by this reference, of its page or of the payment behind it."""
    asked = select(Funding.funding_id).where(
        (Funding.provider_ref == reference) | (Funding.intent_ref == reference)
    )
    return session.execute(asked).scalar_one_or_none()


def record(session: Session, funding_id: int, told: Collection) -> None:
    """Write down what a collector says; the same again changes nothing, and nothing that is paid is unpaid again.

    Raises Conflict when another sum was paid than was asked for: a person must look, and nothing is booked.
    """
    row = _locked(session, funding_id)
    _change(
        session, row, provider_ref=told.reference, intent_ref=told.intent_ref or row.intent_ref, url=told.url
    )
    if told.state == "open":
        if told.declined is not None:
            _note_decline(session, row, told.declined)
        return
    if row.state in ("paid", "refunded") or told.state == row.state:
        return
    if told.state == "paid":
        if told.amount_fen != row.amount_fen:
            said = Text(f"赞助款 {funding_id} 金额不符", f"Funding {funding_id} was paid with another sum")
            raise Conflict("another_amount", said)
        _book_in(session, row)
    elif row.state != "created":
        return
    _move(session, row, told.state)


def refuse(session: Session, funding_id: int, code: str) -> None:
    """A definite no to asking: there is nothing to pay on."""
    row = _locked(session, funding_id)
    if row.state == "created":
        _move(session, row, "failed", code)


def book_refunded(session: Session, funding_id: int, refunded_fen: int) -> None:
    """What of a paid funding is back with its sponsor, in fen, in all."""
    row = _locked(session, funding_id)
    if row.refunded_fen != refunded_fen:
        state = "refunded" if refunded_fen == row.amount_fen else "paid"
        _change(session, row, state=state, refunded_fen=refunded_fen)


def locked(session: Session, funding_id: int) -> Funding:
    """A funding that nobody else changes until this transaction ends; raises NotFound."""
    funding_of(session, funding_id)
    return _locked(session, funding_id)


def _locked(session: Session, funding_id: int) -> Funding:
    asked = select(Funding).where(Funding.funding_id == funding_id).with_for_update()
    return session.execute(asked.execution_options(populate_existing=True)).scalar_one()


def _book_in(session: Session, row: Funding) -> None:
    """The money is here: points for the fund, or fen for the purse, under the approval that asked for it."""
    if row.fund_id is not None and row.points is not None:
        funds.book_paid(session, row.fund_id, row.points, row.amount_fen, row.approval_id)
    elif row.purse_id is not None:
        purses.pay_in(session, row.purse_id, row.amount_fen, f"funding:{row.funding_id}")


def _move(session: Session, row: Funding, state: str, why: str | None = None) -> None:
    before = row.state
    _change(session, row, state=state)
    after: dict[str, Any] = {"state": state, "amount_fen": row.amount_fen}
    if why is not None:
        after["why"] = why
    audit.record(session, ACTOR, f"funding.{state}", f"funding:{row.funding_id}", {"state": before}, after)


def _note_decline(session: Session, row: Funding, why: str) -> None:
    """A declined card is told once for its reason; the sponsor may try another."""
    subject = f"funding:{row.funding_id}"
    known = text("""
        select exists (select from audit_entry where subject = :subject and action = 'funding.declined'
                         and after ->> 'why' = :why)
    """)
    if not session.execute(known, {"subject": subject, "why": why}).scalar_one():
        audit.record(session, ACTOR, "funding.declined", subject, None, {"why": why})


def _change(session: Session, row: Funding, **values: Any) -> None:
    if all(getattr(row, name) == value for name, value in values.items()):
        return
    changed = update(Funding).where(Funding.funding_id == row.funding_id)
    session.execute(changed.values(changed_at=func.clock_timestamp(), **values))
    session.refresh(row)


def _require_target(session: Session, payload: Mapping[str, Any]) -> None:
    table, number = ("fund", payload["fund_id"]) if payload["fund_id"] else ("purse", payload["purse_id"])
    found = {
        "fund": text("select 1 from fund where fund_id = :number"),
        "purse": text("select 1 from purse where purse_id = :number"),
    }[table]
    if session.execute(found, {"number": number}).scalar() is None:
        raise NotFound(f"{table}_unknown", Text(f"没有此资金 {number}", f"There is no {table} {number}"))


def _faults(payload: Mapping[str, Any]) -> Iterator[FieldFault]:
    if set(payload) - {"tag"} != NAMES:
        yield FieldFault("", "wrong_form", Text("字段不符", f"its fields are {', '.join(sorted(NAMES))}"))
        return
    sponsor = payload["sponsor"]
    if not isinstance(sponsor, str) or not 1 <= len(sponsor.strip()) <= 100 or not sponsor.isprintable():
        yield FieldFault("/sponsor", "wrong_length", Text("应为 1–100 个字", "1 to 100 characters"))
    if payload["means"] not in ("checkout", "intent"):
        yield FieldFault("/means", "not_a_means", Text("应为 checkout 或 intent", "checkout or intent"))
    if not _is_count(payload["amount_fen"], 100_000_000_000):
        yield FieldFault("/amount_fen", "out_of_range", Text("应为正整数", "a whole number above zero"))
    into_fund = _is_count(payload["fund_id"]) and _is_count(payload["points"]) and payload["purse_id"] is None
    into_purse = _is_count(payload["purse_id"]) and payload["fund_id"] is None and payload["points"] is None
    yield from money_tags.faults(payload)
    if not into_fund and not into_purse:
        said = Text("资金池及积分数，或贴补资金，二选一", "a fund with points, or a purse")
        yield FieldFault("/fund_id", "one_of_two", said)


def _is_count(value: Any, most: int = MOST) -> bool:
    return type(value) is int and 0 < value <= most
