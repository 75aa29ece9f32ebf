"""What efficient devices share: a year of use at a time, one device once a year, and five years at most.

Nothing is earned by buying. After each year in use the saving of that year counts, by the figures of the label (a
measured use would be the household's saving, and a device is credited there or here, never both). What the grid emits
is that of the year's last day. A device sold before its year is over earns nothing for it; a state subsidy is no
obstacle, but makes it less certain that the device would not have been bought anyway.
"""

from collections.abc import Mapping
from typing import Any

from carbon_credits.methodologies.base import Boundary, Condition, Monitored, Parameter, Reference, Text
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal
from carbon_credits.methodologies.purchases import bill


def saved(base_wh: Number, energy_wh: Number, most_saved_wh: Number, grid_kg_per_kwh: Number) -> Number:
    """Watt-hours times kg/kWh are grams; times 1000 they are milligrams. A worse device is negative."""
    return least(base_wh - energy_wh, most_saved_wh) * grid_kg_per_kwh * 1000


def used_for_a_year(age_days: Number, first_year_days: Number) -> Truth:
    """The first year in use is over."""
    return age_days >= first_year_days


def within_five_years(age_days: Number, last_year_days: Number) -> Truth:
    """The fifth year in use is the last that counts."""
    return age_days <= last_year_days


def best_grade(label_grade: Number, worst_grade: Number) -> Truth:
    """No worse than the label's best grade; grade 1 is the best."""
    return label_grade <= worst_grade


def handed_in(handed_in_count: Number, fewest_handed_in_count: Number) -> Truth:
    """The old device went to a licensed dismantler."""
    return handed_in_count >= fewest_handed_in_count


AGE = Monitored(
    "age_days", Text("启用至本年度末的天数", "Days in use at the end of the year"), "days", 0, 20_000
)
YEARS = (
    proposal(
        "first_year_days", "days", bill.SINCE, 365, Text("一年", "One year"), "Credited after the fact."
    ),
    proposal(
        "last_year_days",
        "days",
        bill.SINCE,
        1_830,
        Text("五年零数日", "Five years and some days"),
        "Not for life: the base moves on.",
    ),
)
USED_FOR_A_YEAR = Condition(
    "year_not_over",
    Text("启用满 {first_year_days} 天后按年计", "It counts by the year, after {first_year_days} days in use"),
    used_for_a_year,
)
WITHIN_FIVE_YEARS = Condition(
    "past_five_years",
    Text("启用不超过 {last_year_days} 天", "In use for at most {last_year_days} days"),
    within_five_years,
)
# the serial number, a stroke and the year of use: one device, one year, once
SERIAL = Reference("item", "item", required=True)
YEARLY: Mapping[str, Any] = {**bill.PURCHASE, "bases": ("item",), "references": (SERIAL,)}


def labelled(most_saved_wh: int, why: str) -> Mapping[str, Any]:
    """A device with an energy label that replaces an old one: grade 1, against the market's minimum grade."""
    most = Text("每年可计的最大节电量", "Most saved in one year")
    return {
        **YEARLY,
        "boundary": Boundary(
            Text(
                "同规格市场准入等级产品的标识年耗电量",
                "Label energy of the market's minimum grade, same size",
            ),
            Text("新产品的标识年耗电量", "Label energy of the new device"),
            Text("旧机交有资质企业拆解；制造不计", "The old one is dismantled; making one is not counted"),
        ),
        "monitored": (
            Monitored(
                "base_wh",
                Text("同规格准入等级的标识年耗电量", "Label energy a year of the minimum grade"),
                "wh",
                0,
                5_000_000,
            ),
            Monitored("energy_wh", Text("标识年耗电量", "Label energy a year"), "wh", 0, 5_000_000),
            Monitored("label_grade", Text("能效等级", "Grade on the label"), "grade", 1, 5),
            Monitored("handed_in_count", Text("交拆解的旧机台数", "Old devices dismantled"), "count", 0, 10),
            AGE,
        ),
        "parameters": (factor("grid_kg_per_kwh"), _most_saved(most_saved_wh, most, why), *_GRADE, *YEARS),
        "conditions": (_BEST_GRADE, _HANDED_IN, USED_FOR_A_YEAR, WITHIN_FIVE_YEARS),
        "formula": saved,
    }


def _most_saved(wh: int, description: Text, why: str) -> Parameter:
    return proposal("most_saved_wh", "wh", bill.SINCE, wh, description, why)


_GRADE = (
    proposal(
        "worst_grade",
        "grade",
        bill.SINCE,
        1,
        Text("最低等级", "Worst grade"),
        "The programme rewards the best grade alone.",
    ),
    proposal(
        "fewest_handed_in_count",
        "count",
        bill.SINCE,
        1,
        Text("最少交拆解台数", "Fewest old devices dismantled"),
        "An old device that stays in use saves nothing.",
    ),
)
_BEST_GRADE = Condition(
    "not_best_grade", Text("仅限能效 {worst_grade} 级", "Only grade {worst_grade} of the label"), best_grade
)
_HANDED_IN = Condition(
    "old_device_kept",
    Text(
        "至少 {fewest_handed_in_count} 台旧机交拆解",
        "At least {fewest_handed_in_count} old device dismantled",
    ),
    handed_in,
)
