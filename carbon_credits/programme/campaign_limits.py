"""The limits of a campaign in points: the share held out, caps of a person, the budget; none less than what it holds."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from carbon_credits.core.errors import FieldFault
from carbon_credits.core.i18n import Text

CAPS: Final = ("cap_day", "cap_week", "cap_total")
MOST_BUDGET: Final = 10**12
MOST_BONUS: Final = 10**6
MOST_HELD_OUT: Final = 500_000
NAMES: Final[Mapping[str, Text]] = {
    "bonus_points": Text("每次加赠", "the points of one act"),
    "cap_day": Text("每人每日上限", "the cap of a day"),
    "cap_week": Text("每人每周上限", "the cap of a week"),
    "cap_total": Text("每人总上限", "the cap in all"),
}


def of_money(given: Mapping[str, Any]) -> Iterator[FieldFault]:
    """What is wrong with the share held out, the caps, the budget, each and among each other."""
    if not whole(given.get("holdout_ppm", 0), 0, MOST_HELD_OUT):
        yield fault(
            "holdout_ppm",
            "out_of_range",
            "对照组为 0–50%（0–500000 ppm）",
            "at most half is held out: 0 to 50 %, 500000 ppm",
        )
    limits = {name: given[name] for name in ("budget_points", *CAPS) if name in given}
    wrong = [name for name, value in limits.items() if not whole(value, 1, MOST_BUDGET)]
    for name in wrong:
        yield out_of_range(name, 1, MOST_BUDGET)
    if wrong:
        return
    bonus = given.get("bonus_points")
    at_least = [("bonus_points", bonus)] if whole(bonus, 1, MOST_BONUS) else []
    # each is at least what comes before it: one bonus, a day, a week, the whole, the budget
    for name in (*CAPS, "budget_points"):
        if name not in limits:
            continue
        for lesser, value in at_least:
            if value is not None and limits[name] < value:
                yield _less(name, lesser, value)
        at_least.append((name, limits[name]))


def _less(name: str, lesser: str, value: int) -> FieldFault:
    words = NAMES[lesser]
    return fault(name, "contradicts", f"小于{words.zh}（{value}）", f"less than {words.en} ({value})")


def whole(value: Any, least: int, most: int) -> bool:
    """Whether it is a whole number between two, both included."""
    return type(value) is int and least <= value <= most


def out_of_range(name: str, least: int, most: int) -> FieldFault:
    """The fault of what is no whole number between two."""
    return fault(name, "out_of_range", f"{least} 至 {most} 的整数", f"a whole number, {least} to {most}")


def fault(field: str, code: str, zh: str, en: str) -> FieldFault:
    """A fault at a field of the document."""
    return FieldFault("/" + field, code, Text(zh, en))
