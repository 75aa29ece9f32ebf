"""The terms of a campaign: read from a document, checked whole, and written as one again.

What contradicts itself is said at its field, all of it at once: dates, caps, the budget, the reward, whom it is for.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme.campaign_limits import CAPS, MOST_BONUS, fault, of_money, out_of_range, whole

THEMES: Final = (
    "earth_day",
    "environment_day",
    "water_day",
    "water_week",
    "energy_week",
    "low_carbon_day",
    "tree_planting_day",
    "green_travel_month",
    "building_month",
    "other",
)
REWARDS: Final = ("multiplier", "bonus")
AUDIENCES: Final = ("everyone", "streets", "group", "new", "lapsed")
STREETS: Final = ("zumiao", "shiwan", "zhangcha", "nanzhuang")
TEXTS: Final[Mapping[str, int]] = {
    "name_zh": 60,
    "name_en": 100,
    "text_zh": 2_000,
    "text_en": 4_000,
    "rules_zh": 4_000,
    "rules_en": 8_000,
}
LONGEST_DAYS: Final = 366
# which member an audience needs; the others must be absent
NEEDS: Final[Mapping[str, str | None]] = {
    "everyone": None,
    "streets": "streets",
    "group": "group_id",
    "new": "audience_days",
    "lapsed": "audience_days",
}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{2,29}")
_FUND: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
# halves of characters, and NUL: no text of a database
_UNWRITABLE: Final = re.compile(r"[\0\ud800-\udfff]")
OPTIONAL: Final = frozenset(
    {"multiplier", "bonus_points", "streets", "group_id", "audience_days", "holdout_ppm", *CAPS}
)


@dataclass(frozen=True)
class Terms:
    """What a campaign is. Points are whole; days are the programme's, both ends included; `source_fund` is a code."""

    code: str
    theme: str
    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    rules_zh: str
    rules_en: str
    starts_on: date
    ends_on: date
    methodologies: tuple[str, ...]
    reward: str
    multiplier: Decimal | None
    bonus_points: int | None
    audience: str
    streets: tuple[str, ...] | None
    group_id: int | None
    audience_days: int | None
    cap_day: int | None
    cap_week: int | None
    cap_total: int | None
    budget_points: int
    source_fund: str
    holdout_ppm: int

    def as_document(self) -> dict[str, Any]:
        """The document these terms were read from, in one form: no floats, days and the multiplier as text."""
        told = asdict(self)
        told["starts_on"], told["ends_on"] = self.starts_on.isoformat(), self.ends_on.isoformat()
        told["methodologies"] = list(self.methodologies)
        told["streets"] = None if self.streets is None else list(self.streets)
        told["multiplier"] = None if self.multiplier is None else f"{self.multiplier:.3f}"
        return told

    def numbers(self) -> list[int]:
        """The methodologies as the tables know them."""
        return sorted(BY_CODE[code][-1].number for code in self.methodologies)


def read(document: Mapping[str, Any]) -> Terms:
    """Terms from a document; raises Invalid with every fault, each at its field."""
    faults = list(_faults(document))
    if faults:
        raise Invalid("wrong_campaign", Text("活动内容有误", "The campaign is wrong"), faults=tuple(faults))
    given = {name: document.get(name) for name in Terms.__dataclass_fields__}
    multiplier, streets = document.get("multiplier"), document.get("streets")
    given |= {
        "starts_on": date.fromisoformat(document["starts_on"]),
        "ends_on": date.fromisoformat(document["ends_on"]),
        "methodologies": tuple(sorted(set(document["methodologies"]))),
        "multiplier": None if multiplier is None else Decimal(str(multiplier)).quantize(Decimal("0.001")),
        "streets": None if streets is None else tuple(sorted(set(streets))),
        "holdout_ppm": document.get("holdout_ppm") or 0,
    }
    return Terms(**given)  # type: ignore[arg-type]


def _faults(document: Mapping[str, Any]) -> Iterator[FieldFault]:
    members = set(Terms.__dataclass_fields__)
    for name in sorted(set(document) - members):
        yield fault(name, "unknown_field", "没有这个字段", "no such field")
    present = {name: value for name, value in document.items() if value is not None}
    for name in sorted(members - OPTIONAL - set(present)):
        yield fault(name, "required", "必填", "required")
    yield from _of_words(present)
    yield from _of_dates(present)
    yield from _of_methodologies(present)
    yield from _of_reward(present)
    yield from _of_audience(present)
    yield from of_money(present)


def _of_words(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    if "code" in given and not _CODE.fullmatch(str(given["code"])):
        yield fault(
            "code", "wrong_format", "3–30 位小写字母、数字、下划线", "3 to 30 of a-z, 0-9, _; a letter first"
        )
    if "source_fund" in given and not _FUND.fullmatch(str(given["source_fund"])):
        yield fault("source_fund", "wrong_format", "应为资金池代码", "the code of a fund")
    if "theme" in given and given["theme"] not in THEMES:
        yield _choice("theme", THEMES)
    for name, most in TEXTS.items():
        words = given.get(name, "x")
        if (
            not isinstance(words, str)
            or not 1 <= len(words.strip()) <= len(words) <= most
            or _UNWRITABLE.search(words)
        ):
            yield fault(name, "wrong_length", f"1–{most} 字", f"1 to {most} characters")


def _of_dates(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    days: dict[str, date] = {}
    for name in ("starts_on", "ends_on"):
        try:
            days[name] = date.fromisoformat(str(given.get(name, "2026-01-01")))
        except ValueError:
            yield fault(name, "not_a_date", "应为日期，如 2026-06-05", "a date such as 2026-06-05")
    if len(days) < 2 or not {"starts_on", "ends_on"} <= set(given):
        return
    first, last = days["starts_on"], days["ends_on"]
    if last < first:
        yield fault("ends_on", "before_start", f"早于开始日 {first}", f"before it starts on {first}")
    elif last - first >= timedelta(days=LONGEST_DAYS):
        yield fault("ends_on", "too_long", f"至多 {LONGEST_DAYS} 天", f"at most {LONGEST_DAYS} days")


def _of_methodologies(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    codes = given.get("methodologies", ["travel.bus"])
    if not isinstance(codes, list | tuple) or not codes:
        yield fault("methodologies", "required", "至少选择一种方法学", "at least one methodology")
        return
    for place, code in enumerate(codes):
        if code not in BY_CODE:
            yield fault(
                f"methodologies/{place}",
                "unknown_methodology",
                f"没有方法学 {code}",
                f"no methodology {code}",
            )


def _of_reward(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    reward = given.get("reward")
    if reward not in REWARDS:
        if "reward" in given:
            yield _choice("reward", REWARDS)
        return
    wanted, other = (
        ("multiplier", "bonus_points") if reward == "multiplier" else ("bonus_points", "multiplier")
    )
    if other in given:
        yield fault(
            other, "contradicts", "与奖励方式矛盾：只能选一种", "contradicts the reward: one of the two alone"
        )
    if wanted not in given:
        yield fault(wanted, "required", "必填", "required")
    elif reward == "multiplier" and not _is_multiplier(given["multiplier"]):
        yield fault(
            "multiplier",
            "out_of_range",
            "大于 1、至多 10，小数至多 3 位",
            "above 1, at most 10, three places",
        )
    elif reward == "bonus" and not whole(given["bonus_points"], 1, MOST_BONUS):
        yield out_of_range("bonus_points", 1, MOST_BONUS)
    elif reward == "bonus" and "cap_day" not in given:
        yield fault(
            "cap_day",
            "required",
            "固定加赠须设每日上限，以免拆分行为",
            "a fixed bonus needs a daily cap, lest acts be cut in pieces",
        )


def _is_multiplier(value: Any) -> bool:
    if isinstance(value, bool | float):
        return False
    try:
        number = Decimal(str(value))
        return 1 < number <= 10 and number == number.quantize(Decimal("0.001"))
    except InvalidOperation:
        return False


def _of_audience(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    audience = given.get("audience")
    if audience not in AUDIENCES:
        if "audience" in given:
            yield _choice("audience", AUDIENCES)
        return
    needed = NEEDS[audience]
    for name in ("streets", "group_id", "audience_days"):
        if name in given and name != needed:
            yield fault(name, "contradicts", "与参与对象矛盾", "contradicts whom the campaign is for")
    if needed is not None:
        yield from _of_needed(needed, given.get(needed))


def _of_needed(name: str, value: Any) -> Iterator[FieldFault]:
    if value is None:
        yield fault(name, "required", "必填", "required")
    elif name == "streets":
        if not isinstance(value, list | tuple) or not value or not set(map(str, value)) <= set(STREETS):
            yield _choice("streets", STREETS)
    elif name == "group_id":
        if not whole(value, 1, 2**31 - 1):
            yield fault("group_id", "unknown_group", "没有这个团体", "no such group")
    elif not whole(value, 1, 366):
        yield out_of_range("audience_days", 1, 366)


def _choice(name: str, choices: tuple[str, ...]) -> FieldFault:
    listed = ", ".join(choices)
    return fault(name, "not_one_of", f"应为其一：{listed}", f"one of {listed}")
