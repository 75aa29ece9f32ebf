"""Shopping with a bag of one's own.

The shop's bill says that no bag was sold and the till knows the customer; a photo proves nothing. How many bills a day
may count is the programme's cap, not part of the science.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.purchases import bill


def reduction(count: Number, bag_g_per_bag: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * bag_g_per_bag * 1000


V1 = Methodology(
    code="purchases.own_bag",
    number=31,
    title=Text("自带购物袋", "Shopping with one's own bag"),
    summary=Text(
        "购物时自带购物袋，未购买塑料袋，并由商家账单证实。减排量等于少用的塑料袋数乘以每个塑料袋的减排量。",
        "A bill without a plastic bag, confirmed by the shop. The reduction is the number of bags not "
        "used times the reduction per bag.",
    ),
    boundary=Boundary(
        Text("一个塑料购物袋的生产与处置", "Making and disposing of one plastic bag"),
        Text("使用自有购物袋，其生产不计", "A bag of one's own; making it is not counted"),
        Text("无", "None"),
    ),
    parameters=(factor("bag_g_per_bag"),),
    formula=reduction,
    examples=(
        worked("一个袋子", "One bag", 21_000, count=1),
        worked("一单两个袋子", "Two bags in one bill", 42_000, count=2),
    ),
    **bill.counted(Text("少用的塑料袋数", "Bags not used")),
)

VERSIONS = (V1,)
