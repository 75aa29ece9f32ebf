"""What savings by the meter share: two baselines of which the lower counts, a ceiling, proof that somebody lives there.

After the Shenzhen methodology for residents' electricity (trial, 2022): a household below the city's mean is compared
with the mean, one above it with itself. The lower of both counts here, so that neither a large household nor a lucky
month earns by itself. One's own baseline is the same period of the year before, corrected for degree-days; both are
floored at intake. One day compared with the last is noise, so the period is a meter's, four weeks at least. A device
credited for its label, solar power from the roof and demand response lie in other methodologies: one kilowatt-hour
counts once.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from carbon_credits.methodologies.base import Boundary, Condition, Monitored, Reference, Status, Text
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal

SINCE = date(2025, 1, 1)


def saved(base: Number, mean: Number, used: Number, most_saved_share: Number) -> Number:
    """What was used less than the lower baseline, up to a share of one's own; negative when it was more."""
    return least(least(base, mean) - used, base * most_saved_share)


def lived_in(energy_wh: Number, period_days: Number, least_wh_per_day: Number) -> Truth:
    """At least a refrigerator and a lamp were on."""
    return energy_wh >= least_wh_per_day * period_days


def long_enough(period_days: Number, fewest_days: Number) -> Truth:
    """At least four weeks."""
    return period_days >= fewest_days


ENERGY = Monitored("energy_wh", Text("计量期内用电量", "Electricity used in the period"), "wh", 0, 20_000_000)
PERIOD = Monitored("period_days", Text("计量期天数", "Days of the period"), "days", 1, 100)
OCCUPANCY = (
    proposal(
        "least_wh_per_day",
        "wh/day",
        SINCE,
        1_000,
        Text("有人居住的每日最低用电", "Least electricity a day of a dwelling lived in"),
        "An empty dwelling saves nothing; below a kilowatt-hour a day nobody lives there.",
    ),
    proposal(
        "fewest_days",
        "days",
        SINCE,
        28,
        Text("计量期最少天数", "Fewest days of a period"),
        "Comparing one day with the last is noise.",
    ),
)
LIVED_IN = Condition(
    "dwelling_empty",
    Text("每日用电不少于 {least_wh_per_day} 瓦时", "At least {least_wh_per_day} Wh of electricity a day"),
    lived_in,
)
LONG_ENOUGH = Condition(
    "period_too_short",
    Text("计量期不少于 {fewest_days} 天", "The period is at least {fewest_days} days"),
    long_enough,
)
# What every meter declares alike; a file adds what makes its own different.
METERED: Mapping[str, Any] = {
    "version": 1,
    "status": Status.TRIAL,
    "in_force": SINCE,
    "bases": ("meter_interval",),
    "references": (Reference("meter_interval", "meter", required=True),),
    "needs_partner": True,
    "verifiable": True,
}
SAVING: Mapping[str, Any] = {
    **METERED,
    "boundary": Boundary(
        Text("自身上年同期与本市户均用量中较低者", "The lower of one's own year before and the city's mean"),
        Text("计量期内实际用量", "What was used in the period"),
        Text("改用其他能源的增加量须扣除", "More of another energy instead is deducted"),
    ),
    "conditions": (LIVED_IN, LONG_ENOUGH),
}
