"""Paying a settlement: rows that say what was asked of a rail and what it answered. One transfer, whatever dies.

A payment is one attempt; its key is derived from the row, so that asking twice is asking once. A new attempt begins only
after a definite no. The calls themselves are in `paying`, with no transaction open.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import hooks, standing, statements
from carbon_credits.rewards.payment_contract import Instruction, Outcome, Told
from carbon_credits.rewards.settlement_models import Payment, Settlement
from carbon_credits.staff.service import Role, require_role

log = logging.getLogger(__name__)

# refusals that pass by themselves once the programme's own account is filled, or the merchant has shown its papers: tried
# again, later each time
AUTOMATIC: Final = (
    "balance_insufficient",
    "insufficient_platform_balance",
    "insufficient_capabilities_for_transfer",
)
FIRST_WAIT: Final = timedelta(minutes=10)
MOST_ATTEMPTS: Final = 99
# a payment without an end after this long is a matter for a person
STUCK_AFTER: Final = timedelta(days=2)


@dataclass(frozen=True)
class Asked:
    """A payment that has no end yet, as its rail is to hear it; `reference` once the rail has named it."""

    payment_id: int
    instruction: Instruction
    reference: str | None


# Promises: at most one attempt that is not failed for each settlement (payment_once), and to the account now in force;
# none begins to an account of which its provider said that it cannot be paid to.
_BEGIN = text("""
insert into payment (settlement_id, attempt, account_id, rail, amount_fen)
select s.settlement_id, coalesce(p.attempt, 0) + 1, a.account_id, a.rail, s.amount_fen
from settlement s
join merchant_account a on a.merchant_id = s.merchant_id and a.state = 'active' and a.rail = :rail
left join lateral (select attempt, state, failure, changed_at from payment p
                   where p.settlement_id = s.settlement_id order by attempt desc limit 1) p on true
where s.state = 'approved'
  and not exists (select from account_standing t where t.account_id = a.account_id and not t.payable)
  and (p.attempt is null
       or (p.state = 'failed' and p.failure = any(:automatic) and p.attempt < :most
           and p.changed_at + :wait * least(power(2, p.attempt - 1), 72) <= :now))
order by s.settlement_id
on conflict do nothing
returning payment_id
""")


def begin(session: Session, rail: str, now: datetime) -> int:
    """Write a row for each approved settlement that a rail has to pay; returns how many are new."""
    given = {
        "rail": rail,
        "automatic": list(AUTOMATIC),
        "most": MOST_ATTEMPTS,
        "wait": FIRST_WAIT,
        "now": now,
    }
    return len(session.execute(_BEGIN, given).all())


_UNFINISHED = """
select p.payment_id, p.key, p.settlement_id, p.amount_fen, p.provider_ref, s.day, m.code,
       coalesce(a.provider_ref, 'account:' || a.account_id) as destination
from payment p join settlement s using (settlement_id) join merchant m using (merchant_id)
join merchant_account a on a.account_id = p.account_id
where p.state in ('created', 'sent')
"""


def unfinished(session: Session, rail: str) -> list[int]:
    """The payments of a rail that have no end yet, the oldest first."""
    asked = (
        select(Payment.payment_id)
        .where(Payment.rail == rail, Payment.state.in_(("created", "sent")))
        .order_by(Payment.payment_id)
    )
    return list(session.execute(asked).scalars())


def asked(session: Session, payment_id: int) -> Asked | None:
    """What to ask a rail about a payment; None when it has an end."""
    row = session.execute(
        text(_UNFINISHED + " and p.payment_id = :payment"), {"payment": payment_id}
    ).one_or_none()
    return None if row is None else _asked(row)


def by_reference(session: Session, rail: str, reference: str) -> int | None:
    """The payment a rail knows by a reference of its own; None when it is none of ours, or not written down yet."""
    asked = select(Payment.payment_id).where(Payment.rail == rail, Payment.provider_ref == reference)
    return session.execute(asked).scalar_one_or_none()


def record(session: Session, payment_id: int, told: Told, today: date) -> None:
    """Write down what a rail says of a payment; the same again changes nothing, and nothing goes back.

    Money that came back to us is owed to the merchant again and goes into its next statement.
    """
    row = session.execute(
        select(Payment).where(Payment.payment_id == payment_id).with_for_update()
    ).scalar_one()
    if row.state == "failed":
        if told.outcome is not Outcome.FAILED:
            # a definite no that was none: another attempt may be under way, and the report will not explain the line
            log.error("a failed payment was carried out", extra={"payment": payment_id})
        return
    if told.outcome is Outcome.FAILED and row.state in ("created", "sent"):
        _move(session, row, "failed", failure=(told.failure or "failed")[:200])
        return
    if row.state == "created":
        _move(session, row, "sent", provider_ref=told.reference)
    if told.outcome is not Outcome.PENDING and row.state == "sent":
        _move(session, row, "paid")
        _settled(session, row)
    _take_in_reversal(session, row, _reversed(row, told), today)


def refuse(session: Session, payment_id: int, code: str) -> None:
    """A definite no: nothing moved under this key. Another attempt may begin."""
    row = session.execute(
        select(Payment).where(Payment.payment_id == payment_id).with_for_update()
    ).scalar_one()
    if row.state in ("created", "sent"):
        _move(session, row, "failed", failure=code[:200])


def retry(session: Session, settlement_id: int, by: int) -> int:
    """Begin another attempt after a failed one, to the account now in force; returns the payment's number.

    Raises NotFound, NotAllowed, and Conflict while the last attempt has not failed or no account can be paid to.
    """
    require_role(session, by, Role.FINANCE)
    found = statements.whole(session, settlement_id)
    last = found.payments[0] if found.payments else None
    if found.settlement.state != "approved" or last is None or last.state != "failed":
        said = Text("只有失败的付款可以重试", "Only a payment that failed can be tried again")
        raise Conflict("not_failed", said)
    waits = standing.why_unpaid(session, found.settlement)
    if waits is not None:
        raise Conflict("cannot_be_paid", waits)
    made = session.execute(
        text("""
            insert into payment (settlement_id, attempt, account_id, rail, amount_fen)
            select :settlement, :attempt, account_id, rail, :fen from merchant_account
            where merchant_id = :merchant and state = 'active'
            on conflict do nothing returning payment_id
        """),
        {
            "settlement": settlement_id,
            "attempt": last.attempt + 1,
            "fen": found.settlement.amount_fen,
            "merchant": found.settlement.merchant_id,
        },
    ).scalar()
    if made is None:
        said = Text("商户没有生效的收款账户，或已在付款", "No account in force, or it is being paid already")
        raise Conflict("cannot_be_paid", said)
    subject, told = f"settlement:{settlement_id}", {"payment": made, "attempt": last.attempt + 1}
    audit.record(session, f"staff:{by}", "settlement.retried", subject, {"failure": last.failure}, told)
    return int(made)


def stuck(session: Session, now: datetime, rails: Collection[str] = ("stripe", "bank")) -> dict[str, int]:
    """How many payments of each rail, and approved settlements nobody pays, have had no end for two days."""
    rows = session.execute(
        text("""
            select coalesce(p.rail, 'none') as rail, count(*) as n
            from settlement s join approval a using (approval_id)
            left join lateral (select rail, created_at from payment p where p.settlement_id = s.settlement_id
                               order by attempt desc limit 1) p on true
            where s.state = 'approved' and coalesce(p.created_at, a.decided_at) < :before group by 1
        """),
        {"before": now - STUCK_AFTER},
    )
    return dict.fromkeys((*rails, "none"), 0) | {row.rail: row.n for row in rows}


def _reversed(row: Payment, told: Told) -> int:
    """How much of a payment came back in all, in fen, never less than was known."""
    whole = told.outcome in (Outcome.REVERSED, Outcome.FAILED) and not told.reversed_fen
    back = row.amount_fen if whole else min(told.reversed_fen, row.amount_fen)
    return max(back, row.reversed_fen)


def _settled(session: Session, row: Payment) -> None:
    """The settlement is paid, and its merchant's systems hear of it."""
    paid = (
        update(Settlement)
        .where(Settlement.settlement_id == row.settlement_id, Settlement.state == "approved")
        .values(state="paid")
        .returning(Settlement.merchant_id, Settlement.day)
    )
    found = session.execute(paid).one_or_none()
    if found is not None:
        cause = str(row.settlement_id)
        notice = {"id": cause, "day": found.day.isoformat(), "amount_fen": row.amount_fen, "rail": row.rail}
        hooks.announce(session, found.merchant_id, "settlement.paid", cause, notice)


def _take_in_reversal(session: Session, row: Payment, back: int, today: date) -> None:
    if back > row.reversed_fen:
        is_whole = back == row.amount_fen and row.state != "reversed"
        _move(session, row, "reversed" if is_whole else row.state, reversed_fen=back)
    owe_again(session, row.payment_id, today)


# Promises: what came back, less what was asked back, is owed to the merchant once; each change of that sum is one row.
_OWE = text("""
insert into settlement_adjustment (merchant_id, payment_id, kind, fen, booked_on, cause)
select s.merchant_id, p.payment_id, 'returned', p.reversed_fen - t.taken - o.owed, :today,
       'returned:' || p.payment_id || ':' || p.reversed_fen || ':' || t.taken
from payment p join settlement s using (settlement_id)
cross join lateral (select coalesce(sum(amount_fen) filter (where state = 'taken'), 0)::bigint as taken,
                           coalesce(bool_or(state = 'created'), false) as is_open
                    from take_back t where t.payment_id = p.payment_id) t
cross join lateral (select coalesce(sum(fen), 0)::bigint as owed from settlement_adjustment a
                    where a.payment_id = p.payment_id and a.kind = 'returned') o
where p.payment_id = :payment and not t.is_open and p.reversed_fen - t.taken <> o.owed
on conflict do nothing
""")


def owe_again(session: Session, payment_id: int, today: date) -> None:
    """Write down what of a payment is owed to its merchant again; while we are asking for it ourselves, nothing yet."""
    session.execute(_OWE, {"payment": payment_id, "today": today})


def _move(session: Session, row: Payment, state: str, **values: Any) -> None:
    moved = update(Payment).where(Payment.payment_id == row.payment_id)
    session.execute(moved.values(state=state, changed_at=func.clock_timestamp(), **values))
    session.refresh(row)


def _asked(row: Row[Any]) -> Asked:
    group = f"settlement:{row.settlement_id}"
    memo = f"CC {row.code} {row.day.isoformat()}"
    return Asked(
        row.payment_id,
        Instruction(row.key, group, row.destination, row.amount_fen, memo),
        row.provider_ref,
    )
