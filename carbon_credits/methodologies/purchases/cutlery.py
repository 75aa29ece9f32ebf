"""Takeaway orders without disposable cutlery.

The platform's order says that cutlery was refused and the shop confirms that none was packed; a photo proves
nothing. How many orders a day may count is the programme's cap, not part of the science.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Example,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number


def reduction(count: Number, cutlery_g_per_order: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * cutlery_g_per_order * 1000


V1 = Methodology(
    code="purchases.no_cutlery",
    number=30,
    version=1,
    title=Text("外卖不要一次性餐具", "Takeaway without disposable cutlery"),
    summary=Text(
        "下单时选择不需要一次性餐具，并由商家履约确认。减排量等于订单数乘以每单减排量。",
        "The order refuses disposable cutlery and the shop confirms that none was packed. The reduction is "
        "the number of orders times the reduction per order.",
    ),
    status=Status.TRIAL,
    in_force=date(2025, 1, 1),
    boundary=Boundary(
        baseline=Text("一套一次性餐具的生产与处置", "Making and disposing of one set of disposable cutlery"),
        project=Text("使用自有餐具，清洗排放不计", "Cutlery of one's own; washing it is not counted"),
        leakage=Text("无", "None"),
    ),
    monitored=(Monitored("count", Text("订单数", "Orders"), "count", least=1, most=20),),
    parameters=(factor("cutlery_g_per_order"),),
    conditions=(),
    formula=reduction,
    bases=("transaction",),
    references=(Reference("transaction", "order_no", required=True),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="count",
    mature_days=15,
    examples=(
        Example(Text("一单", "One order"), date(2026, 3, 2), {"count": 1}, reduction_mg=40_000),
        Example(
            Text("三单合并上报", "Three orders in one record"),
            date(2026, 3, 2),
            {"count": 3},
            reduction_mg=120_000,
        ),
    ),
)

VERSIONS = (V1,)
