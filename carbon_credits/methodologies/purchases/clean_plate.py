"""A meal eaten up.

The canteen's scale under the tray, or the merchant's code after a look at the plate, is the evidence; a photo judged
by a machine is too easily made. A clean plate does not prove that the waste was avoided, so the value is a third of
what a mean meal wastes.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.purchases import bill


def reduction(count: Number, clean_plate_g_per_meal: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * clean_plate_g_per_meal * 1000


V1 = Methodology(
    code="purchases.clean_plate",
    number=32,
    title=Text("光盘行动", "A clean plate"),
    summary=Text(
        "就餐后无剩余，由食堂称重或商家核销码证实。减排量等于份数乘以每份减排量，"
        "取人均餐饮浪费上限值的约三分之一。",
        "Nothing left after a meal, by the canteen's scale or the merchant's code. The reduction is the "
        "number of meals times the reduction per meal, about a third of what a mean meal wastes.",
    ),
    boundary=Boundary(
        Text("人均餐饮浪费的食物生产", "Growing the food a mean meal wastes"),
        Text("无剩余的一餐", "A meal without leftovers"),
        Text("无", "None"),
    ),
    parameters=(factor("clean_plate_g_per_meal"),),
    formula=reduction,
    examples=(
        worked("一餐", "One meal", 30_000, count=1),
        worked("午餐和晚餐合并上报", "Lunch and dinner in one record", 60_000, count=2),
    ),
    **bill.counted(Text("光盘份数", "Meals eaten up")),
)

VERSIONS = (V1,)
