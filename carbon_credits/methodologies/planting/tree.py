"""Trees that live: carbon removed in one growth year, per surviving tree.

Nothing is earned by planting. After each growth year a survey counts the survivors and measures their mean
gain in dry biomass; the wider its 90 % interval, the more is taken off (steps of CDM A/R tool 14). The yearly
ceiling keeps a tree below 55 kg in the twenty years it may count, and a share is held back against death.
Removals are never added to avoided emissions. Compensatory and mandatory greening, trees of national or
provincial forest credits and trees another donor paid for are excluded when the planting partner registers
the item.
"""

from datetime import date
from decimal import Decimal

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Example,
    Methodology,
    Monitored,
    Pool,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth, greatest, least, where
from carbon_credits.methodologies.proposals import proposal


def removal(
    biomass_gain_g: Number,
    half_width_g: Number,
    count: Number,
    carbon_kg_per_kg: Number,
    co2_kg_per_kg: Number,
    yearly_ceiling_kg_per_tree: Number,
    buffer_share: Number,
) -> Number:
    """Grams of dry biomass times kg/kg times 1000 are milligrams; the ceiling is turned into grams first."""
    gain_g = greatest(biomass_gain_g - _discount(biomass_gain_g, half_width_g) * half_width_g, 0)
    co2_g = gain_g * carbon_kg_per_kg * co2_kg_per_kg
    return least(co2_g, yearly_ceiling_kg_per_tree * 1000) * count * (1 - buffer_share) * 1000


def _discount(gain_g: Number, half_width_g: Number) -> Number:
    """The share of the half-width taken off, in steps of half-width / mean, compared without dividing."""
    u = half_width_g * 100
    return where(
        u <= gain_g * 10,
        0,
        where(
            u <= gain_g * 15,
            Decimal("0.25"),
            where(u <= gain_g * 20, Decimal("0.5"), where(u <= gain_g * 30, Decimal("0.75"), 1)),
        ),
    )


def survived_a_year(age_days: Number, youngest_days: Number) -> Truth:
    return age_days >= youngest_days


def within_twenty_years(age_days: Number, oldest_days: Number) -> Truth:
    return age_days <= oldest_days


SINCE = date(2025, 1, 1)

# What trees of one's own and trees given to share.
BOUNDARY = Boundary(
    baseline=Text("种植前的植被碳储量变化，按零计", "Change of the stock before planting, taken as zero"),
    project=Text(
        "存活树木地上与地下生物量的增加", "Gain of biomass above and below ground in surviving trees"
    ),
    leakage=Text(
        "按零计；养护与施肥的排放由缓冲吸收",
        "Taken as zero; the buffer stands for upkeep and fertiliser",
    ),
)
MONITORED = (
    Monitored(
        "biomass_gain_g",
        Text(
            "每棵存活树木本生长年干生物量增量（均值）",
            "Mean gain of dry biomass per surviving tree in the year",
        ),
        "g",
        least=0,
        most=1_000_000,
    ),
    Monitored(
        "half_width_g",
        Text("该均值 90% 置信区间的半宽", "Half-width of its 90 % interval"),
        "g",
        least=0,
        most=1_000_000,
    ),
    Monitored("count", Text("存活棵数", "Surviving trees"), "count", least=1, most=1000),
    Monitored(
        "age_days",
        Text("种植至存活检查的天数", "Days from planting to the survival check"),
        "days",
        0,
        20_000,
    ),
)
PARAMETERS = (
    factor("carbon_kg_per_kg"),
    factor("co2_kg_per_kg"),
    factor("yearly_ceiling_kg_per_tree"),
    factor("buffer_share"),
    proposal(
        "youngest_days",
        "days",
        SINCE,
        330,
        Text("首次存活检查的最少天数", "Fewest days before the first survival check"),
        "One growing season has passed; the first summer kills most of what will die.",
    ),
    proposal(
        "oldest_days",
        "days",
        SINCE,
        7305,
        Text("可计年限（20 年）", "Twenty years in days"),
        "The crediting period over which the ceiling of 55 kg a tree is meant.",
    ),
)
CONDITIONS = (
    Condition(
        "planted_too_recently",
        Text(
            "种植满 {youngest_days} 天后的存活检查",
            "Survival is checked at least {youngest_days} days after planting",
        ),
        survived_a_year,
    ),
    Condition(
        "past_crediting_period",
        Text("树龄不超过 {oldest_days} 天", "The tree is at most {oldest_days} days old"),
        within_twenty_years,
    ),
)

V1 = Methodology(
    code="planting.tree",
    number=23,
    version=1,
    title=Text("植树（按存活树木逐年计）", "Tree planting, per surviving tree and year"),
    summary=Text(
        "种下当年不计。满一个生长年后，按存活棵数和实测生物量增量计算移除量："
        "测量误差越大扣减越多，每棵每年有上限，二十年合计不超过 55 千克，并预留缓冲。"
        "树木碳移除单独记账，不与减排量相加。",
        "Nothing in the year of planting. After each growth year the survivors and their measured gain in "
        "biomass count: the wider the error, the larger the deduction. A yearly ceiling keeps a tree below "
        "55 kg in twenty years, and a share is held back. Removals are kept apart from avoided emissions.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=BOUNDARY,
    monitored=MONITORED,
    parameters=PARAMETERS,
    conditions=CONDITIONS,
    formula=removal,
    bases=("item",),
    # the tag of the tree or plot, a stroke and the growth year: one tree, one year, once
    references=(Reference("item", "item", required=True),),
    needs_partner=True,
    verifiable=True,
    pool=Pool.REMOVAL,
    examples=(
        Example(
            Text("一棵，增量 1 千克，误差 5%", "One tree, gain 1 kg, error 5 %"),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 50, "count": 1, "age_days": 365},
            reduction_mg=1_378_641,
        ),
        Example(
            Text(
                "误差恰为 15%：扣半宽的 25%",
                "Error of exactly 15 %: a quarter of the half-width is taken off",
            ),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 150, "count": 1, "age_days": 365},
            reduction_mg=1_326_942,
        ),
        Example(
            Text("误差 20%：扣半宽的 50%", "Error of 20 %: half of the half-width"),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 200, "count": 1, "age_days": 365},
            reduction_mg=1_240_777,
        ),
        Example(
            Text("误差 30%：扣半宽的 75%", "Error of 30 %: three quarters"),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 300, "count": 1, "age_days": 365},
            reduction_mg=1_068_447,
        ),
        Example(
            Text("误差大于均值：不计", "Error wider than the mean: nothing"),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 1200, "count": 1, "age_days": 365},
            reduction_mg=0,
        ),
        Example(
            Text("生长旺盛的十棵树止于上限", "Ten vigorous trees meet the ceiling"),
            date(2026, 3, 12),
            {"biomass_gain_g": 8000, "half_width_g": 400, "count": 10, "age_days": 730},
            reduction_mg=21_600_000,
        ),
        Example(
            Text("刚种下的树", "A tree just planted"),
            date(2026, 3, 12),
            {"biomass_gain_g": 0, "half_width_g": 0, "count": 1, "age_days": 1},
            reduction_mg=0,
            reasons=("planted_too_recently",),
        ),
        Example(
            Text("二十年零一天", "Twenty years and a day"),
            date(2026, 3, 12),
            {"biomass_gain_g": 1000, "half_width_g": 50, "count": 1, "age_days": 7306},
            reduction_mg=0,
            reasons=("past_crediting_period",),
        ),
    ),
)

VERSIONS = (V1,)
