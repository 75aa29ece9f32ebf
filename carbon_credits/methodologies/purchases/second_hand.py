"""A working telephone sold second-hand.

Follows the form of the group standards of 2023: the emissions of making one, times the share of sales that replace a
new device. Their table of replacement by age, condition and price was not readable, so one share stands for all.
Buyer and seller each count half. A published case of a large new model is four times as much and is not used. Dealers
are left out.
"""

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Methodology,
    Monitored,
    Reference,
    Text,
    worked,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.purchases import bill


def reduction(
    count: Number, device_kg_per_unit: Number, replaced_share: Number, side_share: Number
) -> Number:
    """Kilograms times 1,000,000 are milligrams."""
    return count * device_kg_per_unit * replaced_share * side_share * 1_000_000


def no_dealer(sold_count: Number, most_sold_count: Number) -> Truth:
    return sold_count <= most_sold_count


V1 = Methodology(
    code="purchases.second_hand",
    number=29,
    title=Text("二手手机交易", "Second-hand telephones"),
    summary=Text(
        "经平台成交的可用二手手机。减排量等于生产一部手机的排放乘以替代新品的比例，买卖双方各计一半；"
        "每部手机每年一次，经销商不计。",
        "A working telephone sold through a platform. The reduction is the emissions of making one times "
        "the share of sales that replace a new one; buyer and seller count half each. A telephone counts "
        "once a year, and dealers do not.",
    ),
    boundary=Boundary(
        Text("按替代比例生产一部新手机", "Making a new one, by the share that is replaced"),
        Text("检测与翻新，由偏低的因子覆盖", "Testing and refurbishing: covered by a low factor"),
        Text("无", "None"),
    ),
    monitored=(
        Monitored("count", Text("成交手机数", "Telephones sold"), "count", least=1, most=1),
        Monitored(
            "sold_count", Text("卖家一年内成交数", "Sold by the seller within a year"), "count", 0, 100_000
        ),
    ),
    parameters=(
        factor("device_kg_per_unit"),
        factor("replaced_share"),
        factor("side_share"),
        proposal(
            "most_sold_count",
            "count",
            bill.SINCE,
            5,
            Text("个人卖家一年最多成交数", "Most a person sells in a year"),
            "More is a trade.",
        ),
    ),
    conditions=(
        Condition(
            "seller_is_a_dealer",
            Text(
                "卖家一年内成交不超过 {most_sold_count} 部",
                "The seller sold at most {most_sold_count} in a year",
            ),
            no_dealer,
        ),
    ),
    formula=reduction,
    bases=("item", "transaction"),
    references=(
        # the device's number, a stroke, the side and the year: once in twelve months for each side
        Reference("item", "item", required=True),
        # the order, a stroke and the side
        Reference("transaction", "order_no", required=True),
    ),
    examples=(
        worked("卖出一部旧手机", "A telephone sold", 6_000_000, count=1, sold_count=1),
        worked("今年的第五部", "The fifth this year", 6_000_000, count=1, sold_count=5),
        worked("二手店", "A second-hand shop", 0, "seller_is_a_dealer", count=1, sold_count=300),
    ),
    **bill.PURCHASE,
)

VERSIONS = (V1,)
