"""Electricity from a household's own roof.

Every kilowatt-hour generated displaces one of the grid, at the average factor of Guangdong on the last day of the
period. The meter of the grid company, on the side of the panels, is the evidence. One kilowatt-hour has one
environmental attribute: what is sold as a green certificate, as CCER or under a provincial method is not claimed here,
and the meter's period is exclusive.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Example,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.proposals import proposal


def reduction(energy_wh: Number, grid_kg_per_kwh: Number) -> Number:
    """Watt-hours times kg/kWh are grams; times 1000 they are milligrams."""
    return energy_wh * grid_kg_per_kwh * 1000


def of_a_household(energy_wh: Number, most_wh: Number) -> Truth:
    """No more than a roof yields in a month."""
    return energy_wh <= most_wh


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="household.rooftop_pv",
    number=35,
    version=1,
    title=Text("户用屋顶光伏", "Rooftop solar power"),
    summary=Text(
        "自家屋顶光伏发电替代电网供电。减排量等于计量期内的发电量乘以广东省电力平均排放因子。"
        "已出售绿证或纳入其他减排机制的电量不得申报。",
        "Power from one's own roof in place of the grid's. The reduction is the energy generated in the "
        "meter's period times the average grid factor of Guangdong. Energy whose certificate was sold, or "
        "that another mechanism counts, is not claimed.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text("电网供应同等电量的排放", "Supplying the same energy from the grid"),
        project=Text("按惯例为零", "Zero by convention"),
        leakage=Text("按惯例为零；组件生产不计", "Zero by convention; making the panels is not counted"),
    ),
    monitored=(
        Monitored(
            "energy_wh", Text("计量期内发电量", "Energy generated in the period"), "wh", 0, 100_000_000
        ),
    ),
    parameters=(
        factor("grid_kg_per_kwh"),
        proposal(
            "most_wh",
            "wh",
            SINCE,
            5_000_000,
            Text("单个计量期可计的最大发电量", "Most energy in one period"),
            "About 30 kW in the sunniest month: more is no household's roof.",
        ),
    ),
    conditions=(
        Condition(
            "more_than_a_household",
            Text("单个计量期发电量不超过 {most_wh} 瓦时", "One period yields at most {most_wh} Wh"),
            of_a_household,
        ),
    ),
    formula=reduction,
    bases=("meter_interval",),
    references=(Reference("meter_interval", "meter", required=True),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="energy_wh",
    examples=(
        Example(
            Text("5 千瓦系统一个月发电 420 千瓦时", "420 kWh in a month from 5 kW"),
            date(2026, 3, 31),
            {"energy_wh": 420_000},
            reduction_mg=185_598_000,
        ),
        Example(
            Text("一年前，旧因子", "A year before, under the older factor"),
            date(2025, 3, 31),
            {"energy_wh": 420_000},
            reduction_mg=184_926_000,
        ),
        Example(
            Text("工厂屋顶", "The roof of a factory"),
            date(2026, 3, 31),
            {"energy_wh": 90_000_000},
            reduction_mg=0,
            reasons=("more_than_a_household",),
        ),
    ),
)

VERSIONS = (V1,)
