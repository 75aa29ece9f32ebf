"""A file for the bank: inert, exact and the same again; its answer is taken whole or not at all, and twice is once."""

import csv
import io
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid
from carbon_credits.jobs.settlement import about_bank, between_bank, hear_bank, pay_all
from carbon_credits.rewards import bank_files, payments, rail_report
from carbon_credits.rewards.merchant_models import MerchantAccount
from carbon_credits.rewards.payment_contract import Encoding, Order, Unreadable, Ways
from carbon_credits.rewards.settlement_models import BankFile as Row
from carbon_credits.rewards.settlement_models import Payment, Settlement
from integrations.bank_file import ANSWERS, ORDERS, BankFile, BankTable, inert
from tests.faults.worker import surrounded
from tests.rewards.test_payments import settled
from tests.rewards.till_ground import Staff, a_shop, an_account, take, two_of_finance

DAY = date(2026, 11, 2)
TABLE = BankTable()


def opened(account: MerchantAccount) -> tuple[str, str]:
    """As if the vault had opened it: a name that a table program would run."""
    return f"=HYPERLINK({account.account_id})饭店", f"4400{account.account_id:015}"


def an_answer(*rows: tuple[str, str, str, str], encoding: str = "gb18030", **changed: str) -> bytes:
    """The bank's table: (serial, kind, reference, yuan) a row, with its totals unless they are changed."""
    told = io.StringIO()
    table = csv.writer(told, lineterminator="\r\n")
    table.writerow(ANSWERS)
    fen = 0
    for serial, kind, reference, amount in rows:
        table.writerow(
            (serial, "2026-11-29 10:00:00", kind, reference, amount, "0.00", "户名不符" * (kind == "失败"))
        )
        fen += int(amount.replace(".", ""))
    total = changed.get("total", f"{fen // 100}.{fen % 100:02}")
    table.writerow(("合计", changed.get("many", str(len(rows))), "", "", total, "0.00", ""))
    return told.getvalue().encode(encoding)


@pytest.fixture
def staff(session: Session) -> Staff:
    return two_of_finance(session)


@pytest.fixture
def sent(session: Session, staff: Staff, settings: Settings) -> list[str]:
    """Three payments that wait for the bank: their references."""
    for n in range(3):
        take(session, a_shop(session, staff, points=100 + n, rail="bank"), DAY)
    settled(session, staff, DAY)
    with surrounded(settings, WAYS):
        pay_all()
    rows = session.execute(select(Payment.provider_ref, Payment.state).order_by(Payment.payment_id)).all()
    assert [row.state for row in rows] == ["sent"] * 3
    session.commit()
    return [str(row.provider_ref) for row in rows]


WAYS = Ways({"bank": BankFile(about_bank, between_bank)}, TABLE)


def written(session: Session, staff: Staff, encoding: Encoding = "gb18030") -> bank_files.Written:
    made = bank_files.write(session, TABLE, opened, encoding, staff.asks)
    session.commit()
    return made


def answered(session: Session, staff: Staff, settings: Settings, raw: bytes) -> int:
    """Take it in and hear what follows, as the command does."""
    new = bank_files.take_in(session, TABLE, raw, staff.asks)
    session.commit()
    with surrounded(settings, WAYS):
        hear_bank()
    return new


def states(session: Session) -> list[str]:
    session.rollback()
    return list(session.execute(select(Payment.state).order_by(Payment.payment_id)).scalars())


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_file_lists_each_waiting_payment_once_and_is_the_same_when_written_again(
    session: Session, staff: Staff, sent: list[str], encoding: Encoding
) -> None:
    made = written(session, staff, encoding)
    rows = list(csv.reader(io.StringIO(made.content.decode(encoding).removeprefix("\ufeff"), newline="")))
    assert tuple(rows[0]) == ORDERS
    assert [row[6] for row in rows[1:-1]] == sent
    assert [row[4] for row in rows[1:-1]] == ["0.95", "0.95", "0.96"]
    assert rows[-1][:5] == ["合计", "3", "", "", "2.86"]
    assert all(row[1].startswith("'=HYPERLINK") and row[2].startswith("\t4400") for row in rows[1:-1])
    kept = session.execute(select(Row)).scalar_one()
    assert (kept.n, kept.total_fen, bytes(kept.sha256)) == (3, 286, sha256(made.content).digest())
    assert bank_files.write_again(session, TABLE, opened, made.file_id, staff.agrees).content == made.content
    with pytest.raises(Conflict):
        bank_files.write(session, TABLE, opened, encoding, staff.asks)


def test_paid_refused_and_returned_payments_end_as_the_bank_says_and_nothing_is_unexplained(
    session: Session, staff: Staff, settings: Settings, sent: list[str]
) -> None:
    written(session, staff)
    first = an_answer(
        ("S1", "成功", sent[0], "0.95"), ("S2", "失败", sent[1], "0.95"), ("S3", "成功", sent[2], "0.96")
    )
    assert answered(session, staff, settings, first) == 3
    assert states(session) == ["reconciled", "failed", "reconciled"]
    assert answered(session, staff, settings, first) == 0
    assert (
        session.execute(select(Payment.failure).where(Payment.state == "failed")).scalar_one() == "户名不符"
    )
    assert answered(session, staff, settings, an_answer(("S4", "退汇", sent[2], "0.96"))) == 1
    assert states(session) == ["reconciled", "failed", "reversed"]
    # a new account for the one, a statement of its own for the other, and a second file for both
    refused = session.execute(
        select(Settlement.settlement_id, Settlement.merchant_id).where(Settlement.state == "approved")
    ).one()
    an_account(session, staff, refused.merchant_id, "bank")
    payments.retry(session, refused.settlement_id, staff.asks)
    settled(session, staff, clock.today())
    with surrounded(settings, WAYS):
        pay_all()
    made = written(session, staff)
    assert (made.n, made.total_fen) == (2, 95 + 96)
    again = session.execute(
        select(Payment.provider_ref, Payment.amount_fen).where(Payment.state == "sent")
    ).all()
    rows = [(f"T{n}", "成功", str(row.provider_ref), f"0.{row.amount_fen}") for n, row in enumerate(again)]
    assert answered(session, staff, settings, an_answer(*rows, encoding="utf-8")) == 2
    now = clock.now()
    found = rail_report.report(
        session, "bank", now - timedelta(days=400), now + timedelta(days=1), now + timedelta(days=9)
    )
    assert (found.unexplained, found.in_transit, found.closing) == (0, 0, -286)


WRONG: dict[str, tuple[Any, str]] = {
    "a total that is not that of the rows": (
        lambda a: an_answer(("S1", "成功", a, "0.95"), total="0.96"),
        "totals_differ",
    ),
    "a count that is not": (lambda a: an_answer(("S1", "成功", a, "0.95"), many="2"), "totals_differ"),
    "cut short": (lambda a: an_answer(("S1", "成功", a, "0.95"))[:-3], "cut_short"),
    "no totals": (
        lambda a: an_answer(("S1", "成功", a, "0.95")).rsplit(b"\r\n", 2)[0] + b"\r\n",
        "no_totals",
    ),
    "another header": (lambda a: b"a,b,c,d,e,f,g\r\n" + an_answer(("S1", "成功", a, "0.95")), "wrong_header"),
    "three decimals": (lambda a: an_answer(("S1", "成功", a, "0.950"), total="0.95"), "not_an_amount"),
    "full-width digits": (lambda a: an_answer(("S1", "成功", a, "０.95"), total="0.95"), "not_an_amount"),
    "an amount that was not asked": (lambda a: an_answer(("S1", "成功", a, "0.94")), "wrong_amount"),
    "a reference of nobody": (
        lambda _a: an_answer(("S1", "成功", "CC999999-1", "0.95")),
        "unknown_reference",
    ),
    "a reference that is none": (lambda _a: an_answer(("S1", "成功", "=1+1", "0.95")), "wrong_reference"),
    "an unknown kind": (lambda a: an_answer(("S1", "成了", a, "0.95")), "unknown_kind"),
    "a serial twice": (
        lambda a: an_answer(("S1", "成功", a, "0.95"), ("S1", "退汇", a, "0.95")),
        "serial_twice",
    ),
    "more back than was paid": (lambda a: an_answer(("S1", "退汇", a, "0.96")), "wrong_amount"),
    "bytes that are no text": (
        lambda a: an_answer(("S1", "成功", a, "0.95")) + b"\xff\xff\n",
        "wrong_encoding",
    ),
    "a NUL": (lambda a: an_answer(("S1", "成功", a, "0.95")).replace(b"S1", b"S\x00"), "damaged"),
}


def test_a_file_with_one_fault_is_refused_whole_and_says_where(
    session: Session, staff: Staff, sent: list[str]
) -> None:
    written(session, staff)
    for name, (make, code) in WRONG.items():
        with pytest.raises(Invalid) as refused:
            bank_files.take_in(session, TABLE, make(sent[0]), staff.asks)
        assert refused.value.faults[0].code == code, name
        session.rollback()
    good = an_answer(("S1", "成功", sent[0], "0.95"), ("S2", "成功", sent[1], "9.99"))
    with pytest.raises(Invalid) as refused:
        bank_files.take_in(session, TABLE, good, staff.asks)
    assert refused.value.faults[0].pointer == "/3"
    session.rollback()
    assert session.execute(text("select count(*) from provider_line")).scalar_one() == 0


def test_a_serial_that_comes_again_as_something_else_is_refused(
    session: Session, staff: Staff, sent: list[str]
) -> None:
    written(session, staff)
    bank_files.take_in(session, TABLE, an_answer(("S1", "成功", sent[0], "0.95")), staff.asks)
    session.commit()
    with pytest.raises(Conflict) as refused:
        bank_files.take_in(session, TABLE, an_answer(("S1", "退汇", sent[0], "0.95")), staff.asks)
    assert refused.value.code == "line_changed"


@pytest.mark.parametrize("start", [*"=+-@|%＝＋－＠", " =", "\t=", "\r="])
def test_no_text_in_a_file_is_a_formula(start: str) -> None:
    order = Order("CC1-1", start + "cmd", "440012345678", "102588000011", 1, start + "memo")
    told = TABLE.write([order], "utf-8").decode().removeprefix("\ufeff")
    (row,) = list(csv.reader(io.StringIO(told, newline="")))[1:-1]
    assert row[1].startswith("'")
    assert row[5].startswith("'")
    assert "\r" not in row[1] + row[5]
    assert inert("普通商户") == "普通商户"


def test_an_account_number_that_is_none_is_never_written() -> None:
    with pytest.raises(ValueError, match="digits"):
        TABLE.write([Order("CC1-1", "x", "44,00", "102588000011", 1, "m")], "utf-8")
    with pytest.raises(Unreadable):
        TABLE.read(b"")
