"""A green electricity certificate retired in one's own name.

One certificate is the attribute of 1,000 kWh of renewable power and, since document 1044 of August 2023, its sole
proof. To buy it is to buy an attribute: at today's prices and numbers nobody can say that the power would not have
been made, so no emission was avoided by it. For information a certificate stands for as many tonnes as the grid emits
kilograms for a kilowatt-hour. It is kept apart from avoided emissions by never becoming grams at all.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Methodology,
    Monitored,
    NoGrams,
    Text,
    worked,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.purchases import bill, device


def made_lately(age_days: Number, oldest_certificate_days: Number) -> Truth:
    return age_days <= oldest_certificate_days


V1 = Methodology(
    code="purchases.green_certificate",
    number=34,
    title=Text("购买绿证", "Green electricity certificate"),
    summary=Text(
        "以本人名义核销绿证。绿证是环境属性的购买，不是减排量，不与减排量相加；页面所示数字仅供参考。"
        "纳入其他减排机制的电量除外。是否奖励积分由政策决定。",
        "A certificate retired in one's own name. It is the purchase of an attribute, not an avoided "
        "emission, and is never added to one; the figure shown is for information. Power that another "
        "mechanism counts is excluded. Whether it earns points is a matter of policy.",
    ),
    boundary=Boundary(
        Text("不适用：属性购买", "Does not apply: an attribute is bought"),
        Text("不适用", "Does not apply"),
        Text("不适用", "Does not apply"),
    ),
    monitored=(
        Monitored(
            "count", Text("核销张数（每张 1,000 千瓦时）", "Certificates of 1,000 kWh"), "count", 1, 100
        ),
        Monitored(
            "age_days", Text("发电至核销的天数", "Days from generation to retirement"), "days", 0, 20_000
        ),
    ),
    parameters=(
        factor("grid_kg_per_kwh"),
        proposal(
            "oldest_certificate_days",
            "days",
            bill.SINCE,
            730,
            Text("发电至核销的最多天数", "Most days from generation to retirement"),
            "The year of generation lies within two years.",
        ),
    ),
    conditions=(
        Condition(
            "certificate_too_old",
            Text(
                "发电至核销不超过 {oldest_certificate_days} 天",
                "Retired within {oldest_certificate_days} days",
            ),
            made_lately,
        ),
    ),
    no_grams=NoGrams(
        "attribute_purchase",
        Text(
            "绿证是环境属性的购买，不计减排量；信息性数字：每张（1 兆瓦时）按电网因子折 {grid_kg_per_kwh} 吨",
            "An attribute was bought: no grams. For information, by the grid's factor a certificate (1 "
            "MWh) stands for {grid_kg_per_kwh} t",
        ),
    ),
    bases=("item",),
    # the certificate's number: retired once
    references=(device.SERIAL,),
    examples=(
        worked("一张绿证", "One certificate", 0, "attribute_purchase", count=1, age_days=200),
        worked(
            "一年前",
            "A year before",
            0,
            "attribute_purchase",
            on=date(2025, 3, 3),
            count=2,
            age_days=365,
        ),
        worked("三年前的电", "Power of three years ago", 0, "certificate_too_old", count=1, age_days=1_100),
    ),
    **bill.PURCHASE,
)

VERSIONS = (V1,)
