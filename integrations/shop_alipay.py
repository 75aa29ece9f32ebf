"""Alipay's daily bill of a merchant (业务明细): preamble and totals in lines that begin with `#`, GB18030.

The rider's token stands in 备注, as the merchant writes it there when the order is made: the other side's account
is masked and never a key. Totals in the closing lines must be those of the rows.
"""

import re
from collections.abc import Iterator
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, ParseOptions
from integrations import readings
from integrations.shop_purchases import Sale, incomplete, require_total, told_of
from integrations.telling import Told, unreadable

Rows = Iterator[tuple[int, list[str]]]
ORDER, KIND, GOODS, DONE, AMOUNT = "商户订单号", "业务类型", "商品名称", "完成时间", "订单金额（元）"
BATCH, REMARK = "退款批次号/请求号", "备注"
COLUMNS: Final = (ORDER, KIND, GOODS, DONE, AMOUNT, BATCH, REMARK)
SALE, REFUND = "交易", "退款"
_TOTAL: Final = re.compile(r"#(交易|退款)合计：(\d+)笔，.*?共(-?[\d.]+)元")
_END: Final = "业务明细列表结束"
_NAMES: Final = {
    SALE: Text("交易合计（笔，分）", "sales (number, fen)"),
    REFUND: Text("退款合计（笔，分）", "refunds (number, fen)"),
}


def is_ours(row: list[str]) -> bool:
    """Whether this begins an Alipay bill."""
    return row[:1] == ["#支付宝业务明细查询"]


def read(rows: Rows, options: ParseOptions) -> Iterator[Told]:
    """Every row of the bill. Raises FileFault: `totals_disagree`, `cut_short`, `wrong_header`."""
    header = next((row for _, row in rows if set(COLUMNS) <= set(row)), None)
    if header is None:
        raise FileFault("wrong_header", Text("表头不符", "The header is not that of this feed"), 1)
    subject = options.bind_column or REMARK
    if subject not in header:
        raise FileFault("no_such_column", Text("没有所指定的列", "There is no column of that name"), 1)
    found = {SALE: [0, 0], REFUND: [0, 0]}
    for line, row in rows:
        if row and _END in row[0]:
            _check_totals(rows, found, line)
            return
        if len(row) != len(header):
            raise FileFault("wrong_columns", Text("列数不符", "Too many or too few columns"), line)
        named = dict(zip(header, map(str.strip, row), strict=True))
        try:
            fen = readings.fen(named[AMOUNT])
            sums = found[named[KIND]]
            sums[0], sums[1] = sums[0] + 1, sums[1] + fen
            yield told_of(_sale(named, named[subject], fen, line))
        except (KeyError, ValueError):
            yield unreadable(row, line)
    raise incomplete(None)


def _sale(named: dict[str, str], subject: str, fen: int, line: int) -> Sale:
    is_refund = named[KIND] == REFUND
    return Sale(
        line=line,
        order_no=readings.named(named[ORDER]),
        subject_token=subject,
        words=named[GOODS],
        paid_at=readings.local(named[DONE]),
        amount_fen=abs(fen),
        refund_no=readings.named(named[BATCH]) if is_refund else "",
    )


def _check_totals(rows: Rows, found: dict[str, list[int]], line: int) -> None:
    said: dict[str, tuple[int, list[int]]] = {}
    for at, row in rows:
        if told := _TOTAL.match("，".join(row)):
            said[told[1]] = at, [int(told[2]), readings.fen(told[3])]
    if set(said) != set(found):
        raise incomplete(line)
    for kind, (at, values) in said.items():
        require_total(_NAMES[kind], values, found[kind], at)
