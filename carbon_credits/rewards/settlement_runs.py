"""Days of settlements as finance looks at them: what waits, what changed against last time, how it was paid."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.settlement_approval import KIND

DAYS: Final = 31


@dataclass(frozen=True)
class Run:
    """One day of settlements by state, counts and fen; `approval_id` is a proposal of it that waits."""

    day: date
    waiting: int
    waiting_fen: int
    kept_out: int
    carried: int
    approved: int
    approved_fen: int
    paid: int
    paid_fen: int
    approval_id: int | None


@dataclass(frozen=True)
class Compared:
    """A day of one merchant beside its statement before; `same_account` is False where another account would be paid."""

    row: Row[Any]

    @property
    def same_account(self) -> bool:
        """Whether the account now in force is the one that was paid last; True before the first payment."""
        return self.row.account_before is None or self.row.account_id == self.row.account_before


_RUNS = text("""
select s.day, count(*) filter (where s.state = 'frozen') as waiting,
       coalesce(sum(s.amount_fen) filter (where s.state = 'frozen'), 0)::bigint as waiting_fen,
       count(*) filter (where s.state = 'refused') as kept_out, count(*) filter (where s.state = 'carried') as carried,
       count(*) filter (where s.state = 'approved') as approved,
       coalesce(sum(s.amount_fen) filter (where s.state = 'approved'), 0)::bigint as approved_fen,
       count(*) filter (where s.state = 'paid') as paid,
       coalesce(sum(s.amount_fen) filter (where s.state = 'paid'), 0)::bigint as paid_fen,
       (select max(a.approval_id) from approval a where a.kind = :kind and a.state = 'proposed'
          and a.payload ->> 'day' = s.day::text) as approval_id
from settlement s
where s.day < :before and s.day >= :since or :newest and s.day in (select day from settlement where state = 'frozen')
group by s.day order by s.day desc
""")
_MERCHANTS = text("""
select s.settlement_id, s.state, s.captures, s.reversals, s.carried_in, s.lines_micro_fen, s.adjusted_fen, s.amount_fen,
       s.carried_out, m.merchant_id, m.code, m.name_zh, m.name_en, m.state as merchant_state,
       b.day as day_before, b.amount_fen as fen_before, b.captures as captures_before,
       a.account_id, a.rail, coalesce(a.number_end, a.provider_ref) as account_end,
       (select p.account_id from payment p join settlement o using (settlement_id)
        where o.merchant_id = s.merchant_id and p.state in ('sent', 'paid', 'reconciled')
        order by p.payment_id desc limit 1) as account_before
from settlement s join merchant m using (merchant_id)
left join settlement b on b.settlement_id = s.follows
left join merchant_account a on a.merchant_id = s.merchant_id and a.state = 'active'
where s.day = :day and s.settlement_id > :after
order by s.settlement_id limit :most
""")
_DAY_BEFORE = text("""
select day, count(*) as merchants, coalesce(sum(amount_fen), 0)::bigint as fen from settlement
where day = (select max(day) from settlement where day < :day) group by day
""")
_PAYMENTS = text("""
select p.payment_id, p.settlement_id, p.attempt, p.rail, p.amount_fen, p.state, p.failure, p.reversed_fen, p.provider_ref,
       p.changed_at, s.day, m.code, m.name_zh, m.name_en
from payment p join settlement s using (settlement_id) join merchant m using (merchant_id)
where (cast(:state as text) is null or p.state = :state) and (cast(:before as bigint) is null or p.payment_id < :before)
order by p.payment_id desc limit :most
""")
_ACCOUNT_OF = text("""
select p.payment_id, p.amount_fen, p.state, s.day, s.settlement_id, m.code, m.name_zh, m.name_en
from payment p join settlement s using (settlement_id) join merchant m using (merchant_id)
where p.payment_id = :payment
""")


def runs(session: Session, before: date | None, today: date) -> list[Run]:
    """A month of days, the newest first; before one seen, or with everything that still waits."""
    until = today if before is None else before
    given = {"before": until, "since": until - timedelta(days=DAYS), "newest": before is None, "kind": KIND}
    return [Run(**row) for row in session.execute(_RUNS, given).mappings()]


def run_of(session: Session, day: date) -> Run:
    """One day; raises NotFound where nothing is settled of it."""
    given = {"before": day + timedelta(days=1), "since": day, "newest": False, "kind": KIND}
    found = [Run(**row) for row in session.execute(_RUNS, given).mappings()]
    if not found:
        raise NotFound("no_settlements", Text(f"{day} 没有结算单", f"Nothing is settled of {day}"))
    return found[0]


def merchants_of(session: Session, day: date, after: int = 0, most: int = 100) -> list[Compared]:
    """A day's settlements by number, each beside the merchant's one before and the account it would be paid to."""
    given = {"day": day, "after": after, "most": most}
    return [Compared(row) for row in session.execute(_MERCHANTS, given)]


def day_before(session: Session, day: date) -> Row[Any] | None:
    """The day settled before this one: `day`, `merchants`, `fen`."""
    return session.execute(_DAY_BEFORE, {"day": day}).one_or_none()


def payments(session: Session, state: str | None, before: int | None, most: int = 50) -> list[Row[Any]]:
    """Payments with whose and of which day they are, the newest first."""
    return list(session.execute(_PAYMENTS, {"state": state, "before": before, "most": most}))


def payment(session: Session, payment_id: int) -> Row[Any]:
    """One payment with its merchant; raises NotFound."""
    row = session.execute(_ACCOUNT_OF, {"payment": payment_id}).one_or_none()
    if row is None:
        raise NotFound("payment_unknown", Text("没有此付款", "There is no such payment"))
    return row


def merchant_of(session: Session, merchant_id: int) -> Row[Any]:
    """Whose settlement it is: `code`, `name_zh`, `name_en`."""
    asked = text("select code, name_zh, name_en from merchant where merchant_id = :merchant")
    return session.execute(asked, {"merchant": merchant_id}).one()
