"""An air-source heat pump in place of an electric water heater.

Follows the outline of Guangdong's method (2017005-V02 and its revision of 2022), whose parameters could not be read:
the efficiency and the coefficient of performance are recalled. The heat of a year comes from the heater's own meter
or from the label. A gas heater replaced would need the gas bill and is left out.
"""

from datetime import date

from carbon_credits.methodologies.base import Boundary, Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, least
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.purchases import bill, device


def reduction(
    heat_wh: Number,
    most_heat_wh: Number,
    electric_heater_wh_per_wh: Number,
    heat_pump_wh_per_wh: Number,
    grid_kg_per_kwh: Number,
) -> Number:
    """Wh of heat times Wh of electricity saved for each; times kg/kWh grams, times 1000 milligrams."""
    saved_wh = least(heat_wh, most_heat_wh) * (electric_heater_wh_per_wh - heat_pump_wh_per_wh)
    return saved_wh * grid_kg_per_kwh * 1000


V1 = Methodology(
    code="purchases.heat_pump_water_heater",
    number=27,
    title=Text("空气源热泵热水器", "Heat-pump water heater"),
    summary=Text(
        "以空气源热泵热水器替换电热水器。使用每满一年，按该年供热量、"
        "两种热水器单位热量用电之差与电网因子计算，每年有上限，最多计五年。替换燃气热水器不计；"
        "与家庭节电不可重复。",
        "An air-source heat pump in place of an electric water heater. After each year in use its heat "
        "counts, times the electricity saved for each unit of heat and the factor of the grid, up to a "
        "ceiling a year, for five years at most. Replacing a gas heater does not count, and what is "
        "saved is not a household's saving as well.",
    ),
    boundary=Boundary(
        Text("电热水器供同等热量的用电", "Electricity of an electric heater for the same heat"),
        Text("热泵的用电", "Electricity of the heat pump"),
        Text("无；制冷剂与制造不计", "None; refrigerant and making it are not counted"),
    ),
    monitored=(
        Monitored("heat_wh", Text("年供热量", "Heat of the year"), "wh", 0, 20_000_000),
        device.AGE,
    ),
    parameters=(
        factor("electric_heater_wh_per_wh"),
        factor("heat_pump_wh_per_wh"),
        factor("grid_kg_per_kwh"),
        proposal(
            "most_heat_wh",
            "wh",
            bill.SINCE,
            2_000_000,
            Text("每年可计的最大供热量", "Most heat counted in a year"),
            "Three people, 40 l each a day, warmed by 30 K, are some 1,530 kWh.",
        ),
        *device.YEARS,
    ),
    conditions=(device.USED_FOR_A_YEAR, device.WITHIN_FIVE_YEARS),
    formula=reduction,
    examples=(
        worked(
            "一年供热 1,000 千瓦时",
            "1,000 kWh of heat in a year",
            345_698_370,
            heat_wh=1_000_000,
            age_days=365,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            344_446_690,
            on=date(2025, 12, 31),
            heat_wh=1_000_000,
            age_days=365,
        ),
        worked(
            "宾馆的用量只计上限",
            "A guest house meets the ceiling",
            691_396_740,
            heat_wh=9_000_000,
            age_days=365,
        ),
        worked("刚装上", "Just put in", 0, "year_not_over", heat_wh=80_000, age_days=30),
        worked("第六年", "The sixth year", 0, "past_five_years", heat_wh=1_000_000, age_days=2190),
    ),
    **device.YEARLY,
)

VERSIONS = (V1,)
