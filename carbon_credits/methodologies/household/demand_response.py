"""Using less when the grid asks for it.

What counts is less energy over the event and the six hours after it, in which what was put off comes back. A load
that is only shifted saves nothing: no marginal or hourly factor is published, and by the yearly mean an hour is worth
what another is. A pure shift earns no grams; that it helps the grid is worth points, if policy says so. The baseline
is the mean of the last five similar days over the same hours, floored at intake.
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
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.household import meter
from carbon_credits.methodologies.proposals import proposal


def reduction(base_wh: Number, energy_wh: Number, most_event_wh: Number, grid_kg_per_kwh: Number) -> Number:
    """Watt-hours times kg/kWh are grams; times 1000 they are milligrams. More than the baseline is negative."""
    return least(base_wh - energy_wh, most_event_wh) * grid_kg_per_kwh * 1000


def well_founded(similar_days: Number, fewest_similar_days: Number) -> Truth:
    """A mean of enough similar days."""
    return similar_days >= fewest_similar_days


V1 = Methodology(
    code="household.demand_response",
    number=39,
    title=Text("需求响应", "Demand response"),
    summary=Text(
        "响应电网邀约，在事件时段及其后六小时内少用电。减排量等于基线与实际用电之差乘以电网因子，"
        "每次有上限。单纯移峰不减少用电，减排量记为零；是否奖励积分由政策决定。与家庭节电不可重复。",
        "Less electricity over an event the grid called and the six hours after it. The reduction is "
        "what lies below the baseline times the factor of the grid, up to a ceiling an event. A load "
        "that is only shifted saves nothing and earns no grams; whether it earns points is a matter of "
        "policy. What counts here is not a household's saving as well.",
    ),
    boundary=Boundary(
        Text("最近五个相似日同时段平均用电", "The mean of the last five similar days, same hours"),
        Text("事件时段及其后六小时实际用电", "What was used over the event and six hours after it"),
        Text("六小时之后的反弹不计", "What comes back later than that is not seen"),
    ),
    monitored=(
        Monitored("base_wh", Text("基线用电量", "Baseline"), "wh", 0, 20_000_000),
        meter.ENERGY,
        Monitored("similar_days", Text("基线所用相似日天数", "Similar days in the baseline"), "days", 0, 60),
    ),
    parameters=(
        factor("grid_kg_per_kwh"),
        proposal(
            "most_event_wh",
            "wh",
            meter.SINCE,
            20_000,
            Text("单次事件可计的最大节电量", "Most saved in one event"),
            "Three hours at some 6 kW: all that a household can do without.",
        ),
        proposal(
            "fewest_similar_days",
            "days",
            meter.SINCE,
            5,
            Text("基线最少相似日", "Fewest similar days"),
            "A mean of fewer days is chance.",
        ),
    ),
    conditions=(
        Condition(
            "baseline_too_thin",
            Text(
                "基线须有不少于 {fewest_similar_days} 个相似日", "At least {fewest_similar_days} similar days"
            ),
            well_founded,
        ),
    ),
    formula=reduction,
    no_grams=NoGrams(
        "pure_load_shift",
        Text(
            "只是移峰，事件与其后六小时内用电没有减少，减排量记为零",
            "Only shifted: no less was used over the event and six hours after it, so it earns no grams",
        ),
    ),
    examples=(
        worked(
            "少用 3 千瓦时",
            "3 kWh less",
            1_325_700,
            base_wh=9_000,
            energy_wh=6_000,
            similar_days=5,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            1_320_900,
            on=date(2025, 7, 15),
            base_wh=9_000,
            energy_wh=6_000,
            similar_days=5,
        ),
        worked(
            "全屋断电止于上限",
            "All switched off meets the ceiling",
            8_838_000,
            base_wh=45_000,
            energy_wh=0,
            similar_days=5,
        ),
        worked(
            "空调推迟两小时再开",
            "The air conditioner two hours later",
            0,
            "pure_load_shift",
            base_wh=9_000,
            energy_wh=9_000,
            similar_days=5,
        ),
        worked(
            "反弹比省下的还多",
            "More came back than was saved",
            0,
            "pure_load_shift",
            raw_mg=-441_900,
            base_wh=9_000,
            energy_wh=10_000,
            similar_days=5,
        ),
        worked(
            "刚搬来三天",
            "Moved in three days ago",
            0,
            "baseline_too_thin",
            base_wh=9_000,
            energy_wh=6_000,
            similar_days=3,
        ),
    ),
    **meter.METERED,
)

VERSIONS = (V1,)
