"""Takeaway orders without disposable cutlery.

The platform's order says that cutlery was refused and the shop confirms that none was packed; a photo proves
nothing. How many orders a day may count is the programme's cap, not part of the science.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.purchases import bill


def reduction(count: Number, cutlery_g_per_order: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * cutlery_g_per_order * 1000


V1 = Methodology(
    code="purchases.no_cutlery",
    number=30,
    title=Text("外卖不要一次性餐具", "Takeaway without disposable cutlery"),
    summary=Text(
        "下单时选择不需要一次性餐具，并由商家履约确认。减排量等于订单数乘以每单减排量。",
        "The order refuses disposable cutlery and the shop confirms that none was packed. The reduction "
        "is the number of orders times the reduction per order.",
    ),
    boundary=Boundary(
        Text("一套一次性餐具的生产与处置", "Making and disposing of one set of disposable cutlery"),
        Text("使用自有餐具，清洗排放不计", "Cutlery of one's own; washing it is not counted"),
        Text("无", "None"),
    ),
    parameters=(factor("cutlery_g_per_order"),),
    formula=reduction,
    examples=(
        worked("一单", "One order", 40_000, count=1),
        worked("三单合并上报", "Three orders in one record", 120_000, count=3),
    ),
    **bill.counted(Text("订单数", "Orders")),
)

VERSIONS = (V1,)
