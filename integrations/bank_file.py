"""Paying by a file for the bank: a table that its counter takes, and the table it answers with.

The file is laid out as banks' batch payment tables are (序号, 收款人户名, 收款人账号, 收款行行号, 金额, 附言): amounts in
yuan with two decimals, account numbers as text, control totals in the last line. The answer lists each order as done
(成功), refused (失败) or returned (退汇), fees and what else moved, under the bank's own serial numbers, with control
totals again. It is read whole or not at all.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from carbon_credits.rewards.payment_contract import (
    Encoding,
    Instruction,
    Order,
    Outcome,
    Refused,
    StatementLine,
    Told,
    Unreadable,
)

ORDERS: Final = ("序号", "收款人户名", "收款人账号", "收款行行号", "金额(元)", "附言", "参考号")
ANSWERS: Final = ("银行流水号", "交易时间", "类型", "参考号", "金额(元)", "手续费(元)", "说明")
TOTAL: Final = "合计"
# the bank's words for what happened, and ours; the sign is that of our balance at the bank
KINDS: Final[dict[str, tuple[str, int]]] = {
    "成功": ("transfer", -1),
    "失败": ("refused", 0),
    "退汇": ("return", 1),
    "手续费": ("fee", 0),
    "存入": ("receipt", 1),
    "支取": ("withdrawal", -1),
}
# a table program takes a cell that begins with one of these for a formula, also in their full-width forms
LIVE: Final = re.compile(r"^[\s]*[=+\-@＝＋－＠\t\r|%]")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
YUAN: Final = re.compile(r"\d{1,12}\.\d{2}", re.ASCII)
MOST_LINES: Final = 20_000
MOST_BYTES: Final = 8 * 1024 * 1024
ZONE: Final = ZoneInfo("Asia/Shanghai")

About = Callable[[str], Sequence[StatementLine]]
Between = Callable[[datetime, datetime], Sequence[StatementLine]]


class BankFile:
    """The rail of a file for the bank; what the bank answered is asked of our own rows."""

    name: Literal["bank"] = "bank"

    def __init__(self, about: About, between: Between) -> None:
        self._about = about
        self._between = between

    def pay(self, instruction: Instruction) -> Told:
        """Nothing moves yet: the payment stands in the next file."""
        return self.look_up(reference_of(instruction))

    def find(self, instruction: Instruction) -> Told | None:
        """Known as soon as the bank spoke of it."""
        reference = reference_of(instruction)
        return self.look_up(reference) if self._about(reference) else None

    def look_up(self, reference: str) -> Told:
        """What the bank said of it last; a refusal that is followed by success was none."""
        paid = back = 0
        why: str | None = None
        for line in self._about(reference):
            if line.kind == "transfer":
                paid -= line.amount_fen
            elif line.kind == "return":
                back += line.amount_fen
            elif line.kind == "refused":
                why = str(line.told.get("说明") or "refused")
        if paid:
            outcome = Outcome.REVERSED if back >= paid else Outcome.PAID
            return Told(reference, outcome, back)
        return Told(reference, Outcome.FAILED if why else Outcome.PENDING, failure=why)

    def take_back(self, reference: str, amount_fen: int, key: str) -> Told:
        """A bank gives nothing back by itself. Raises Refused."""
        del reference, amount_fen, key
        raise Refused("bank_takes_nothing_back")

    def statement(self, since: datetime, until: datetime) -> Iterator[StatementLine]:
        """What its files said of the period."""
        yield from self._between(since, until)


class BankTable:
    """The two tables as bytes."""

    def write(self, orders: Sequence[Order], encoding: Encoding) -> bytes:
        """The table of orders, the same bytes for the same orders, with their number and sum in the last line."""
        told = io.StringIO()
        # a reader of UTF-8 that is used to another encoding needs to be told
        told.write("\ufeff" if encoding == "utf-8" else "")
        table = csv.writer(told, lineterminator="\r\n")
        table.writerow(ORDERS)
        for number, order in enumerate(orders, 1):
            table.writerow(
                (
                    number,
                    inert(order.holder),
                    # a tab in front keeps nineteen digits from becoming a rounded number
                    "\t" + _digits(order.number),
                    "\t" + _digits(order.bank_code),
                    yuan(order.amount_fen),
                    inert(order.memo),
                    order.reference,
                )
            )
        total = sum(order.amount_fen for order in orders)
        table.writerow((TOTAL, len(orders), "", "", yuan(total), "", ""))
        return told.getvalue().encode(encoding)

    def read(self, raw: bytes) -> Sequence[StatementLine]:
        """Every line of an answer; raises Unreadable and takes nothing where anything is not as it should be."""
        rows = _table(raw)
        if not rows or tuple(rows[0]) != ANSWERS:
            raise Unreadable("wrong_header", 1)
        if len(rows) < 2 or rows[-1][0] != TOTAL:
            raise Unreadable("no_totals", len(rows))
        lines = [_answer(number, row) for number, row in enumerate(rows[1:-1], 2)]
        if len({line.line_id for line in lines}) != len(lines):
            raise Unreadable("serial_twice")
        _compare(rows[-1], len(rows), rows[1:-1])
        return lines


def reference_of(instruction: Instruction) -> str:
    """What stands in the file: letters, digits and a dash, from our row's key."""
    settlement, attempt = instruction.key.rsplit(":", 2)[1:]
    return f"CC{settlement}-{attempt}"


def inert(cell: str) -> str:
    """A text that no table program takes for a formula, on one line."""
    plain = CONTROL.sub(" ", cell)
    return "'" + plain if LIVE.match(plain) else plain


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals, without a float on the way."""
    return f"{fen // 100}.{fen % 100:02d}"


def _digits(number: str) -> str:
    if re.fullmatch(r"[0-9A-Za-z-]{1,40}", number, re.ASCII) is None:
        raise ValueError("an account or bank number is digits, letters and dashes")
    return number


def _fen(cell: str, line: int) -> int:
    if YUAN.fullmatch(cell) is None:
        raise Unreadable("not_an_amount", line)
    whole, _, cents = cell.partition(".")
    return int(whole) * 100 + int(cents)


def _table(raw: bytes) -> list[list[str]]:
    """The rows of a CSV in UTF-8 or GB18030; the last line must be ended, else it may be cut short."""
    told = _told(raw)
    if "\0" in told or not told.endswith("\n"):
        raise Unreadable("damaged" if "\0" in told else "cut_short")
    try:
        rows = list(csv.reader(io.StringIO(told, newline=""), strict=True))
    except csv.Error as error:
        raise Unreadable("broken_row") from error
    if len(rows) > MOST_LINES:
        raise Unreadable("too_many_lines")
    for number, row in enumerate(rows, 1):
        if len(row) != len(ANSWERS):
            raise Unreadable("wrong_columns", number)
    return [[cell.strip() for cell in row] for row in rows]


def _told(raw: bytes) -> str:
    if len(raw) > MOST_BYTES:
        raise Unreadable("too_large")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError as error:
            raise Unreadable("wrong_encoding") from error


def _answer(number: int, row: Sequence[str]) -> StatementLine:
    told = dict(zip(ANSWERS, row, strict=True))
    if told["类型"] not in KINDS:
        raise Unreadable("unknown_kind", number)
    if re.fullmatch(r"[0-9A-Za-z-]{1,60}", told["银行流水号"], re.ASCII) is None:
        raise Unreadable("wrong_serial", number)
    kind, sign = KINDS[told["类型"]]
    if kind in ("transfer", "refused", "return") and not re.fullmatch(r"CC\d{1,18}-\d{1,2}", told["参考号"]):
        raise Unreadable("wrong_reference", number)
    amount, fee = _fen(told["金额(元)"], number), _fen(told["手续费(元)"], number)
    try:
        at = datetime.strptime(told["交易时间"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZONE)
    except ValueError as error:
        raise Unreadable("not_a_time", number) from error
    return StatementLine(
        told["银行流水号"],
        kind,
        sign * amount,
        fee,
        told["参考号"] or None,
        at,
        {"说明": told["说明"], "金额": amount},
    )


def _compare(totals: Sequence[str], line: int, rows: Sequence[Sequence[str]]) -> None:
    """Whether the control totals are those of the rows: how many, and the sums of amounts and fees."""
    amounts = sum(_fen(row[4], number) for number, row in enumerate(rows, 2))
    fees = sum(_fen(row[5], number) for number, row in enumerate(rows, 2))
    if totals[1] != str(len(rows)) or _fen(totals[4], line) != amounts or _fen(totals[5], line) != fees:
        raise Unreadable("totals_differ", line)
