"""One thing sold, whatever bill it stands in, and the words by which a shop says that something was left out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, Record
from integrations.telling import Told, correction, digest, refused

NO_CUTLERY, OWN_BAG, OWN_CUP = "purchases.no_cutlery", "purchases.own_bag", "purchases.own_cup"
CLEAN_PLATE: Final = "purchases.clean_plate"
# their words in a product's name or number, mapped to ours
WORDS: Final[Mapping[str, str]] = {
    "无需餐具": NO_CUTLERY,
    "不要餐具": NO_CUTLERY,
    "NO-CUTLERY": NO_CUTLERY,
    "自带购物袋": OWN_BAG,
    "自备购物袋": OWN_BAG,
    "OWN-BAG": OWN_BAG,
    "自带杯": OWN_CUP,
    "OWN-CUP": OWN_CUP,
    "光盘": CLEAN_PLATE,
    "CLEAN-PLATE": CLEAN_PLATE,
}
METHODOLOGIES: Final = (NO_CUTLERY, OWN_BAG, OWN_CUP, CLEAN_PLATE)


class Sale(NamedTuple):
    """A row of a bill: an order paid, or with `refund_no` money given back for it. `words` name the goods."""

    line: int
    order_no: str
    subject_token: str
    words: str
    paid_at: datetime
    amount_fen: int
    quantity: int = 1
    refund_no: str = ""
    is_settled: bool = True


def told_of(sale: Sale) -> Told:
    """The row as an act, a correction, or why it is neither."""
    methodology = next((code for word, code in WORDS.items() if word in sale.words.upper()), None)
    number = digest("sale", sale.order_no, methodology or sale.words)
    if sale.refund_no:
        item = correction(
            digest("refund", sale.refund_no, sale.order_no, sale.words),
            sale.line,
            number,
            "void",
            sale.paid_at,
            amount_fen=sale.amount_fen,
        )
        return Told(item, {"refunds": 1, "refunded_fen": sale.amount_fen})
    facts = {"sales": 1, "sold_fen": sale.amount_fen}
    reasons = {
        "not_settled": not sale.is_settled,
        "not_a_green_purchase": methodology is None,
        "subject_missing": methodology is not None and not sale.subject_token,
    }
    found = tuple(reason for reason, is_found in reasons.items() if is_found)
    if found or methodology is None:
        return Told(refused(digest(number, str(sale.line)), sale.line, *found), facts)
    record = Record(
        record_id=number,
        subject_token=sale.subject_token,
        methodology=methodology,
        occurred_from=sale.paid_at,
        occurred_to=sale.paid_at,
        monitored={"count": sale.quantity},
        # an order may leave out cutlery and bring a bag: two acts of one order
        references={"order_no": f"{sale.order_no}/{methodology}"},
        line=sale.line,
    )
    return Told(record, facts)


def require_total(name: Text, said: object, found: object, line: int) -> None:
    """Raise FileFault `totals_disagree`, with both, where a bill's total is not that of its rows."""
    if said != found:
        zh = f"{name.zh}：账单称 {said}，明细合计为 {found}"
        en = f"{name.en}: the bill says {said}, its rows come to {found}"
        raise FileFault("totals_disagree", Text(zh, en), line)


def incomplete(line: int | None) -> FileFault:
    """A bill without the totals that end it."""
    return FileFault("cut_short", Text("账单缺少汇总，文件不完整", "The bill ends before its totals"), line)
