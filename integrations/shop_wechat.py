"""Bills of WeChat Pay: a merchant's daily bill, and the statement that a user exports.

The daily bill has a header, details with a backtick before each field, then a summary. The statement has a
preamble that says how many rows there are and what they come to, then a table. Either counts only when its totals
are those of its rows. Times are local.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, ParseOptions
from integrations import readings
from integrations.shop_purchases import Sale, incomplete, require_total, told_of
from integrations.telling import Told, unreadable

Rows = Iterator[tuple[int, list[str]]]
TIME, ORDER, OPENID, STATE = "交易时间", "商户订单号", "用户标识", "交易状态"
AMOUNT, REFUND_NO, REFUND, GOODS, ATTACHED = (
    "订单金额",
    "商户退款单号",
    "申请退款金额",
    "商品名称",
    "商户数据包",
)
DAILY: Final = (TIME, ORDER, OPENID, STATE, AMOUNT, REFUND_NO, REFUND, GOODS, ATTACHED)
COUNT, TOTAL, REFUNDED = "总交易单数", "订单总金额", "申请退款总金额"
STATEMENT: Final = (TIME, "交易类型", "商品", "收/支", "金额(元)", "当前状态", "商户单号")
DIRECTIONS: Final = {"收入": "收入", "支出": "支出", "/": "中性交易"}
# their words for how a sale stands
SOLD: Final = frozenset({"SUCCESS", "REFUND"})
PAID: Final = frozenset({"支付成功"})
_NAMES: Final = {
    COUNT: Text("总交易单数", "number of transactions"),
    TOTAL: Text("订单总金额", "total of orders"),
    REFUNDED: Text("申请退款总金额", "total of refunds"),
}
_RECORDS: Final = re.compile(r"共(\d+)笔记录")
_DIRECTION: Final = re.compile(r"(收入|支出|中性交易)：(\d+)笔 ([\d.]+)元")


class _Said(NamedTuple):
    """A total of a preamble, and the line where it stands."""

    line: int
    value: tuple[int, ...]


def is_daily(row: list[str]) -> bool:
    """Whether this is the header of a merchant's daily bill."""
    return set(DAILY) <= set(row)


def is_statement(row: list[str]) -> bool:
    """Whether this begins a statement."""
    return row[:1] == ["微信支付账单明细"]


def daily(header: list[str], rows: Rows, options: ParseOptions) -> Iterator[Told]:
    """Every detail of a daily bill. Raises FileFault: `totals_disagree`, `cut_short`."""
    subject = options.bind_column or OPENID
    if subject not in header:
        raise FileFault("no_such_column", Text("没有所指定的列", "There is no column of that name"), 1)
    found: Counter[str] = Counter()
    for line, row in rows:
        if row[:1] == [COUNT]:
            _check_summary(row, next(rows, None), found, line)
            if (more := next(rows, None)) is not None:
                raise FileFault("wrong_columns", Text("汇总之后还有内容", "More after the summary"), more[0])
            return
        if len(row) != len(header):
            raise FileFault("wrong_columns", Text("列数不符", "Too many or too few columns"), line)
        named = dict(zip(header, (cell.strip().removeprefix("`") for cell in row), strict=True))
        found[COUNT] += 1
        try:
            found[TOTAL] += readings.fen(named[AMOUNT])
            found[REFUNDED] += readings.fen(named[REFUND])
            yield told_of(_sale(named, named[subject], line))
        except ValueError:
            yield unreadable(row, line)
    raise incomplete(None)


def statement(rows: Rows, options: ParseOptions) -> Iterator[Told]:
    """Every row of a statement's table. Raises FileFault: `totals_disagree`, `wrong_header`."""
    header, said = _preamble(rows)
    if options.bind_column not in (None, *header):
        raise FileFault("no_such_column", Text("没有所指定的列", "There is no column of that name"))
    count, found = 0, {name: [0, 0] for name in DIRECTIONS.values()}
    for line, row in rows:
        if len(row) != len(header):
            raise FileFault("wrong_columns", Text("列数不符", "Too many or too few columns"), line)
        named = dict(zip(header, map(str.strip, row), strict=True))
        count += 1
        try:
            sums = found[DIRECTIONS[named["收/支"]]]
            fen = readings.fen(named["金额(元)"].lstrip("¥￥"))
            sums[0], sums[1] = sums[0] + 1, sums[1] + fen
            yield told_of(_bought(named, options.bind_column, fen, line))
        except (KeyError, ValueError):
            yield unreadable(row, line)
    _check_preamble(said, count, found)


def _preamble(rows: Rows) -> tuple[list[str], dict[str, _Said]]:
    """The table's header, and the totals that stand before it."""
    said: dict[str, _Said] = {}
    for line, row in rows:
        if set(STATEMENT) <= set(row):
            return row, said
        first = row[0] if row else ""
        if told := _RECORDS.match(first):
            said[""] = _Said(line, (int(told[1]),))
        if told := _DIRECTION.match(first):
            said[told[1]] = _Said(line, (int(told[2]), readings.fen(told[3])))
    raise FileFault("wrong_header", Text("表头不符", "The header is not that of this feed"), 1)


def _sale(named: dict[str, str], subject: str, line: int) -> Sale:
    refund_no = named[REFUND_NO] if named[REFUND_NO] not in ("", "0") else ""
    return Sale(
        line=line,
        order_no=readings.named(named[ORDER]),
        subject_token=subject,
        words=f"{named[GOODS]} {named[ATTACHED]}",
        paid_at=readings.local(named[TIME]),
        amount_fen=readings.fen(named[REFUND if refund_no else AMOUNT]),
        refund_no=refund_no,
        is_settled=named[STATE] in SOLD,
    )


def _bought(named: dict[str, str], subject_column: str | None, fen: int, line: int) -> Sale:
    return Sale(
        line=line,
        order_no=readings.named(named["商户单号"]),
        subject_token="" if subject_column is None else named[subject_column],
        words=named["商品"],
        paid_at=readings.local(named[TIME]),
        amount_fen=fen,
        is_settled=named["当前状态"] in PAID and named["收/支"] == "支出",
    )


def _check_summary(
    names: list[str], told: tuple[int, list[str]] | None, found: Counter[str], line: int
) -> None:
    if told is None or len(told[1]) != len(names) or not set(_NAMES) <= set(names):
        raise incomplete(line)
    cells = dict(zip(names, (cell.strip().removeprefix("`") for cell in told[1]), strict=True))
    for name, words in _NAMES.items():
        try:
            said = readings.whole(cells[name]) if name == COUNT else readings.fen(cells[name])
        except ValueError as error:
            raise incomplete(told[0]) from error
        unit = words if name == COUNT else Text(f"{words.zh}（分）", f"{words.en} (fen)")
        require_total(unit, said, found[name], told[0])


def _check_preamble(said: dict[str, _Said], count: int, found: dict[str, list[int]]) -> None:
    if "" not in said:
        raise incomplete(None)
    line, (records,) = said.pop("")
    require_total(Text("记录数", "number of records"), records, count, line)
    for name, (at, values) in said.items():
        words = Text(f"{name}（笔，分）", f"{name} (number, fen)")
        require_total(words, list(values), found[name], at)
