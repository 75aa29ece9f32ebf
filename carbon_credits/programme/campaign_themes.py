"""The nine themed dates of the district plan, as templates of campaigns: their days in a year, words, what fits them.

Six have days of their own. The energy week and the low-carbon day within it are announced anew each year, and the month
of energy saving in buildings goes by the week: for years not known here the days are assumed, and that is said.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text

# first days (Mondays) of the national energy-saving weeks, as they were announced; the low-carbon day is its Wednesday
ENERGY_WEEKS: Final[Mapping[int, date]] = {2024: date(2024, 5, 13), 2025: date(2025, 6, 23)}
ASSUMED: Final = Text(
    "该年日期以国家发展改革委通知为准；此处假定为六月第四个星期一起的一周（2025 年如此），低碳日为该周星期三。",
    "The days of this year are those the NDRC announces. Assumed here: the week of the fourth Monday of June, as in 2025;"
    " the low-carbon day is its Wednesday.",
)
ASSUMED_MONTH: Final = Text(
    "广东省通常在节能宣传周所在的月份举办；该年以省住房城乡建设部门通知为准。",
    "The province holds it in the month of the energy week as a rule; the days are those its housing department names.",
)
RULES: Final = Text(
    "行为以结束当日计；加赠与该次行为的基础积分同时到账、同时到期。先按每人每日、每周、总上限，再按活动预算发放；预算"
    "用完时活动提前结束，已发的加赠不收回，其余不再加赠。行为被撤销时加赠一并收回。为评估效果，活动可能随机地不面向一部分"
    "居民。",
    "An act counts by the day it ends; its bonus comes and lapses with its base points. First the caps for one person"
    " hold (day, week, in all), then the campaign's budget: when that is spent the campaign ends early; what was given"
    " stays, and nothing more is given. Where an act is taken back, so is its bonus. To find out what it brings about, a"
    " campaign may leave out some residents at random.",
)
TRAVEL: Final = (
    "travel.walking", "travel.cycling", "travel.shared_bicycle", "travel.bus", "travel.metro", "travel.carpool",
)  # fmt: skip
RECYCLING: Final = (
    "recycling.paper", "recycling.plastics", "recycling.glass", "recycling.textiles", "recycling.e_waste",
)  # fmt: skip
HOME: Final = ("household.electricity_saving", "household.gas_saving", "household.demand_response")
THRIFT: Final = ("purchases.no_cutlery", "purchases.own_bag", "purchases.own_cup", "purchases.clean_plate")
Days = tuple[date, date]


@dataclass(frozen=True)
class Theme:
    """One of the plan's themed dates; `assumed` says what is taken for granted in a year whose days are not known."""

    code: str
    name: Text
    words: Text
    methodologies: tuple[str, ...]
    days: Callable[[int], Days]
    assumed: Callable[[int], Text | None]

    def document(self, year: int) -> dict[str, Any]:
        """The beginning of a campaign in a year; reward, audience, caps, budget and fund are for a person to say."""
        first, last = self.days(year)
        return {
            "code": f"{self.code}_{year}",
            "theme": self.code,
            "name_zh": f"{year} 年{self.name.zh}",
            "name_en": f"{self.name.en} {year}",
            "text_zh": self.words.zh,
            "text_en": self.words.en,
            "rules_zh": RULES.zh,
            "rules_en": RULES.en,
            "starts_on": first.isoformat(),
            "ends_on": last.isoformat(),
            "methodologies": list(self.methodologies),
        }


def theme(code: str) -> Theme:
    """A template by its code; raises NotFound."""
    found = next((one for one in CALENDAR if one.code == code), None)
    if found is None:
        raise NotFound("theme_unknown", Text("没有这个主题", "There is no such theme"))
    return found


def _on(month: int, day: int, days: int = 1) -> Callable[[int], Days]:
    return lambda year: (date(year, month, day), date(year, month, day) + timedelta(days=days - 1))


def _month(month: int) -> Callable[[int], Days]:
    return lambda year: (date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _energy_monday(year: int) -> date:
    if year in ENERGY_WEEKS:
        return ENERGY_WEEKS[year]
    first = date(year, 6, 1)
    return first + timedelta(days=-first.weekday() % 7 + 21)


def _energy_week(year: int) -> Days:
    monday = _energy_monday(year)
    return monday, monday + timedelta(days=6)


def _low_carbon_day(year: int) -> Days:
    wednesday = _energy_monday(year) + timedelta(days=2)
    return wednesday, wednesday


def _building_month(year: int) -> Days:
    return _month(_energy_monday(year).month)(year)


def _fixed(_: int) -> None:
    return None


def _moves(year: int) -> Text | None:
    return None if year in ENERGY_WEEKS else ASSUMED


CALENDAR: Final = (
    Theme(
        "tree_planting_day", Text("植树节", "Tree-Planting Day"),
        Text("种一棵树，或捐资参与集体植树。", "Plant a tree, or give to a planting by many."),
        ("planting.tree", "planting.donation"), _on(3, 12), _fixed,
    ),
    Theme(
        "water_day", Text("世界水日", "World Water Day"),
        Text("珍惜每一滴水，从家里开始。", "Every drop counts, beginning at home."),
        ("household.water_saving",), _on(3, 22), _fixed,
    ),
    Theme(
        "water_week", Text("中国水周", "China Water Week"),
        Text("一周节水行动：节水、光盘、自带杯。", "A week for water: save it, leave no food, bring your cup."),
        ("household.water_saving", "purchases.clean_plate", "purchases.own_cup"), _on(3, 22, 7), _fixed,
    ),
    Theme(
        "earth_day", Text("世界地球日", "Earth Day"),
        Text("绿色出行，分类回收，为地球做一件小事。", "Travel green, sort and recycle: one small thing for the Earth."),
        (*TRAVEL, *RECYCLING), _on(4, 22), _fixed,
    ),
    Theme(
        "environment_day", Text("六五环境日", "Environment Day"),
        Text("低碳生活，从今天的一次选择开始。", "A low-carbon life begins with one choice today."),
        (*TRAVEL, *RECYCLING, *THRIFT), _on(6, 5), _fixed,
    ),
    Theme(
        "energy_week", Text("节能宣传周", "National Energy Saving Week"),
        Text("节约用电用气，参与需求响应。", "Save electricity and gas, and answer when the grid asks."),
        HOME, _energy_week, _moves,
    ),
    Theme(
        "low_carbon_day", Text("全国低碳日", "National Low-Carbon Day"),
        Text("今天少开一次车，多走一段路。", "Leave the car today, and walk a little."),
        (*TRAVEL, "travel.no_car_day", *THRIFT), _low_carbon_day, _moves,
    ),
    Theme(
        "building_month", Text("建筑领域节能宣传月", "Month of Energy Saving in Buildings"),
        Text("让家更节能：高效空调、LED 照明、空气源热泵。", "Homes that need less: cooling, LED light, heat pumps."),
        (*HOME, "household.rooftop_pv", "purchases.air_conditioner", "purchases.led", "purchases.heat_pump_water_heater"),
        _building_month, lambda _: ASSUMED_MONTH,
    ),
    Theme(
        "green_travel_month", Text("绿色出行宣传月", "Green Travel Month"),
        Text("九月，让绿色出行成为习惯。", "In September, make travelling green a habit."),
        (*TRAVEL, "travel.e_bike", "travel.no_car_day"), _month(9), _fixed,
    ),
)  # fmt: skip
