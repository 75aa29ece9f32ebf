"""Files for the bank: payments written into one, each once, and the bank's answer taken in whole or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import same
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, InvariantBroken, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import provider_lines
from carbon_credits.rewards.merchant_models import Merchant, MerchantAccount
from carbon_credits.rewards.payment_contract import BankFormat, Encoding, Order, StatementLine, Unreadable
from carbon_credits.rewards.settlement_models import BankFile, BankFileLine, Payment, Settlement
from carbon_credits.staff.service import Role, require_role

# the holder and the number of an account, opened
Open = Callable[[MerchantAccount], tuple[str, str]]
_Placed = tuple[Payment, MerchantAccount, date, str]

_WAITING = text("""
select p.payment_id from payment p
where p.rail = 'bank' and p.state = 'sent' and not exists (select from bank_file_line l where l.payment_id = p.payment_id)
order by p.payment_id for update of p
""")


@dataclass(frozen=True)
class Written:
    """A file for the bank, as it was written."""

    file_id: int
    n: int
    total_fen: int
    content: bytes


def write(session: Session, bank: BankFormat, opened: Open, encoding: Encoding, by: int) -> Written:
    """Put every payment that waits for the bank into one file. Raises Conflict where none waits, NotAllowed.

    Which payments these are is in our rows, so that the same bytes can be written again.
    """
    require_role(session, by, Role.FINANCE)
    payments = list(session.execute(_WAITING).scalars())
    if not payments:
        raise Conflict("nothing_to_pay", Text("没有待付款项", "No payment waits for the bank"))
    rows = _orders_of(session, payments)
    total = sum(row[0].amount_fen for row in rows)
    content = bank.write([_order(row, opened) for row in rows], encoding)
    kept = insert(BankFile).values(
        made_by=by, n=len(payments), total_fen=total, encoding=encoding, sha256=sha256(content).digest()
    )
    file_id = session.execute(kept.returning(BankFile.file_id)).scalar_one()
    placed = [
        {"payment_id": payment, "file_id": file_id, "line": line} for line, payment in enumerate(payments, 1)
    ]
    session.execute(insert(BankFileLine), placed)
    told = {"payments": len(payments), "total_fen": total, "sha256": sha256(content).hexdigest()}
    audit.record(session, f"staff:{by}", "bank_file.written", f"bank_file:{file_id}", None, told)
    return Written(file_id, len(payments), total, content)


def write_again(session: Session, bank: BankFormat, opened: Open, file_id: int, by: int) -> Written:
    """The same file once more. Raises NotFound, NotAllowed, and InvariantBroken if it would differ in one byte."""
    require_role(session, by, Role.FINANCE)
    kept = session.execute(select(BankFile).where(BankFile.file_id == file_id)).scalar_one_or_none()
    if kept is None:
        raise NotFound("bank_file_unknown", Text("没有此付款文件", "There is no such file for the bank"))
    placed = (
        select(BankFileLine.payment_id).where(BankFileLine.file_id == file_id).order_by(BankFileLine.line)
    )
    rows = _orders_of(session, list(session.execute(placed).scalars()))
    encoding: Encoding = "utf-8" if kept.encoding == "utf-8" else "gb18030"
    content = bank.write([_order(row, opened) for row in rows], encoding)
    if not same(sha256(content).digest(), kept.sha256):
        raise InvariantBroken(f"bank file {file_id} would not be what was written")
    audit.record(session, f"staff:{by}", "bank_file.read", f"bank_file:{file_id}")
    return Written(file_id, kept.n, kept.total_fen, content)


def take_in(session: Session, bank: BankFormat, raw: bytes, by: int) -> int:
    """Keep what the bank answers, whole or not at all; returns how many lines are new, 0 for a file taken in before.

    Raises NotAllowed, Invalid naming the line at fault, and Conflict where a line contradicts what the bank said before.
    What follows for payments is asked of the rail afterwards.
    """
    require_role(session, by, Role.FINANCE)
    try:
        lines = bank.read(raw)
    except Unreadable as fault:
        raise _refused(fault.code, fault.line) from fault
    _refuse_strangers(session, lines)
    new = provider_lines.take_in(session, "bank", lines)
    if new:
        told = {"lines": len(lines), "new": new, "sha256": sha256(raw).hexdigest()}
        audit.record(session, f"staff:{by}", "bank_file.answered", "rail:bank", None, told)
    return new


def _refuse_strangers(session: Session, lines: Sequence[StatementLine]) -> None:
    """Every payment an answer speaks of is one of ours, of that amount, and stood in a file."""
    wanted = {line.source_ref for line in lines if line.kind in ("transfer", "refused", "return")}
    rows = session.execute(
        select(Payment.provider_ref, Payment.amount_fen)
        .join(BankFileLine, BankFileLine.payment_id == Payment.payment_id)
        .where(Payment.rail == "bank", Payment.provider_ref.in_(wanted))
    )
    ours = {row.provider_ref: row.amount_fen for row in rows}
    for number, line in enumerate(lines, 2):
        if line.source_ref in wanted and line.source_ref not in ours:
            raise _refused("unknown_reference", number)
        if line.kind == "transfer" and -line.amount_fen != ours[str(line.source_ref)]:
            raise _refused("wrong_amount", number)
        if line.kind == "return" and line.amount_fen > ours[str(line.source_ref)]:
            raise _refused("wrong_amount", number)


def _refused(code: str, line: int | None) -> Invalid:
    where = "" if line is None else f"/{line}"
    fault = FieldFault(where, code, Text("此行有误", "This line is wrong"))
    said = Text("银行文件有误，未导入任何内容", "The bank's file is wrong; nothing of it was taken in")
    return Invalid("wrong_bank_file", said, faults=(fault,))


def _orders_of(session: Session, payments: Sequence[int]) -> Sequence[_Placed]:
    """The payments in ascending order, which is that of every file, with whom they go to."""
    asked = (
        select(Payment, MerchantAccount, Settlement.day, Merchant.code)
        .join(MerchantAccount, MerchantAccount.account_id == Payment.account_id)
        .join(Settlement, Settlement.settlement_id == Payment.settlement_id)
        .join(Merchant, Merchant.merchant_id == Settlement.merchant_id)
        .where(Payment.payment_id.in_(payments))
        .order_by(Payment.payment_id)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(asked)]


def _order(row: _Placed, opened: Open) -> Order:
    payment, account, day, code = row
    if payment.provider_ref is None or account.bank_code is None:
        raise InvariantBroken(f"payment {payment.payment_id} is none for the bank")
    holder, number = opened(account)
    memo = f"碳普惠结算 {day.isoformat()} {code}"
    return Order(payment.provider_ref, holder, number, account.bank_code, payment.amount_fen, memo)
