"""Drinks in a cup of one's own.

The till books the discount for one's own cup, and with it that no disposable one was handed out. No verified figure
for a cup was found: the value is a proposal below that of a plastic bag. The reference knows bag and cup as one
module; they are bought and proved apart, so the cup has a number of its own.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.purchases import bill


def reduction(count: Number, cup_g_per_cup: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * cup_g_per_cup * 1000


V1 = Methodology(
    code="purchases.own_cup",
    number=41,
    title=Text("自带杯", "One's own cup"),
    summary=Text(
        "购买饮品时使用自带杯，并由商家账单证实。减排量等于少用的一次性杯数乘以每个杯子的减排量。",
        "A drink in a cup of one's own, confirmed by the shop's bill. The reduction is the number of "
        "disposable cups not used times the reduction per cup.",
    ),
    boundary=Boundary(
        Text("一个一次性杯子的生产与处置", "Making and disposing of one disposable cup"),
        Text("使用自有杯子，其生产与清洗不计", "A cup of one's own; making and washing it is not counted"),
        Text("无", "None"),
    ),
    parameters=(factor("cup_g_per_cup"),),
    formula=reduction,
    examples=(
        worked("一杯咖啡", "One coffee", 20_000, count=1),
        worked("同一单三杯", "Three cups in one bill", 60_000, count=3),
    ),
    **bill.counted(Text("少用的一次性杯数", "Disposable cups not used")),
)

VERSIONS = (V1,)
