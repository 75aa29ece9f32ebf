"""Shops: a merchant's order lines, and the daily bills of WeChat Pay and Alipay.

Only what left something out is an act: no cutlery, one's own bag or cup, an empty plate, by the words in
`shop_purchases`. A refund is a row of its own and takes the sale back.
"""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, ParseOptions
from integrations import delimited, readings, samples, shop_alipay, shop_wechat
from integrations.shop_purchases import METHODOLOGIES, Sale, told_of
from integrations.telling import Told, parsing, still_waiting, summing, unreadable

LINES: Final = ("order_no", "subject_token", "product_id", "qty", "amount", "paid_at", "refund_of", "status")
# their words for how an order line stands
PAID: Final = frozenset({"PAID", "COMPLETED"})


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every row of a file in any of the four formats. Raises FileFault."""
    rows = delimited.loose_rows(stream, options.encoding)
    line, first = next(rows, (1, []))
    if shop_wechat.is_daily(first):
        yield from shop_wechat.daily(first, rows, options)
    elif shop_wechat.is_statement(first):
        yield from shop_wechat.statement(rows, options)
    elif shop_alipay.is_ours(first):
        yield from shop_alipay.read(chain([(line, first)], rows), options)
    else:
        yield from _order_lines(stream, options)


def _order_lines(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    rows = delimited.rows(stream, options.encoding, [frozenset(LINES)])
    _, header = next(rows)
    subject_at = delimited.column(header, options.bind_column or "subject_token")
    for line, row in rows:
        named = dict(zip(header, row, strict=True))
        subject = "" if subject_at is None else row[subject_at]
        try:
            yield told_of(_sale(named, subject, line))
        except ValueError:
            yield unreadable(row, line)


def _sale(named: dict[str, str], subject: str, line: int) -> Sale:
    refund_of, order_no = named["refund_of"], readings.named(named["order_no"])
    return Sale(
        line=line,
        order_no=refund_of or order_no,
        subject_token=subject,
        words=readings.named(named["product_id"]),
        paid_at=readings.zoned_or_local(named["paid_at"]),
        amount_fen=abs(readings.fen(named["amount"])),
        quantity=readings.whole(named["qty"]),
        refund_no=order_no if refund_of else "",
        is_settled=named["status"] in PAID,
    )


FEED: Final = Feed(
    code="shop_bills",
    partner="shop",
    partner_names=Text("商户", "Shop"),
    names=Text("商户订单与支付账单", "Orders and payment bills"),
    evidence_class="A",
    formats=Text(
        "订单明细 CSV、微信支付与支付宝日账单", "order lines in CSV, WeChat Pay and Alipay daily bills"
    ),
    methodologies=METHODOLOGIES,
    late_days=35,
    parse_file=parsing(read),
    summary=summing(read, "sales", "refunds"),
    place=still_waiting,
    samples=samples.of("shop_bills"),
)
