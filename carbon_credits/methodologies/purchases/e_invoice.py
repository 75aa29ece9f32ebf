"""An invoice on the screen instead of on paper.

Too small to measure: a sheet of paper and its printing. No derivation of the figures others use was found, so one gram
stands for it; the act is there because the district's plan names it.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.purchases import bill


def reduction(count: Number, invoice_g_per_invoice: Number) -> Number:
    """Grams times 1000 are milligrams."""
    return count * invoice_g_per_invoice * 1000


V1 = Methodology(
    code="purchases.e_invoice",
    number=33,
    title=Text("使用电子发票", "Electronic invoice"),
    summary=Text(
        "以电子发票代替纸质发票，由开票平台证实。减排量等于张数乘以每张一克，数值为偏低的设定。",
        "An electronic invoice in place of paper, confirmed by the platform that issued it. The "
        "reduction is one gram each, a low assumption.",
    ),
    boundary=Boundary(
        Text("一张纸质发票的生产与打印", "Making and printing a paper invoice"),
        Text("电子传输，用电可忽略", "Sending it; its electricity is negligible"),
        Text("无", "None"),
    ),
    parameters=(factor("invoice_g_per_invoice"),),
    formula=reduction,
    examples=(
        worked("一张", "One invoice", 1_000, count=1),
        worked("五张合并上报", "Five in one record", 5_000, count=5),
    ),
    **bill.counted(Text("电子发票张数", "Electronic invoices")),
)

VERSIONS = (V1,)
