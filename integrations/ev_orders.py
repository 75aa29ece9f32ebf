"""Charging orders in the words of T/CEC 102 (中电联互联互通): single pushes, and the daily check with its totals.

The push is `notification_charge_order_info`, the check `check_charge_orders`: its count, energy and money must be
those of its orders, or nothing of it counts. Times are local and without a zone. `SubjectToken` is ours: the
standard carries no customer, at most a `Vin`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, ParseOptions
from integrations import readings
from integrations.ev_sessions import Scale, Session, told_of
from integrations.telling import Told, unreadable

SUBJECT: Final = "SubjectToken"
_TOTALS: Final[Mapping[str, tuple[str | None, str, str]]] = {
    "OrderCount": (None, "订单数", "number of orders"),
    "TotalOrderPower": ("TotalPower", "总电量", "energy"),
    "TotalOrderMoney": ("TotalMoney", "总金额", "money"),
}


def is_ours(document: Any) -> bool:
    """Whether a document is an order or a daily check."""
    return isinstance(document, dict) and ("StartChargeSeq" in document or "CheckOrderSeq" in document)


def read(document: Any, line: int, options: ParseOptions, scale: Scale) -> Iterator[Told]:
    """The orders of a document. Raises FileFault with code `totals_disagree`."""
    subject_path = options.bind_column or SUBJECT
    if "CheckOrderSeq" not in document:
        yield _told(document, line, subject_path, scale)
        return
    orders = document.get("ChargeOrders")
    if not isinstance(orders, list):
        raise FileFault("broken_document", Text("缺少 ChargeOrders", "ChargeOrders is missing"), line)
    _check_totals(document, orders, line)
    for order in orders:
        yield _told(order, line, subject_path, scale)


def _told(order: Any, line: int, subject_path: str, scale: Scale) -> Told:
    try:
        number = readings.named(order["StartChargeSeq"])
        session = Session(
            record_id=number,
            line=line,
            connector=readings.named(order["ConnectorID"]),
            subject_token=readings.optional(readings.at(order, subject_path)),
            order_no=number,
            start=readings.local(order["StartTime"]),
            stop=readings.local(order["EndTime"]),
            energy_wh=readings.scaled(order["TotalPower"], Decimal(1000) / scale.per_kwh),
            vehicle=readings.optional(order.get("Vin")),
        )
        money = readings.fen(readings.decimal(order["TotalMoney"]) / scale.per_yuan)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return unreadable(order, line)
    return told_of(session, {"orders": 1, "money_fen": money})


def _check_totals(document: Any, orders: list[Any], line: int) -> None:
    for total, (each, zh, en) in _TOTALS.items():
        try:
            said = readings.decimal(document[total])
            found = Decimal(len(orders)) if each is None else _sum(orders, each)
        except (KeyError, TypeError, ValueError) as error:
            raise FileFault("broken_document", Text(f"{total} 有误", f"{total} is no total"), line) from error
        if said != found:
            detail = Text(
                f"{total}（{zh}）应为 {said}，各订单合计为 {found}",
                f"{total} ({en}) says {said}; the orders come to {found}",
            )
            raise FileFault("totals_disagree", detail, line)


def _sum(orders: list[Any], name: str) -> Decimal:
    return sum((readings.decimal(order[name]) for order in orders), Decimal(0))
