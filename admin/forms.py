"""What was typed into a form, read strictly: every field that is wrong is named, fields nobody asked for are refused.

A form is read whole before anything is done; `check` refuses it with every fault at once, so that nothing half done is
left and nobody mends one field at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from flask import request

from admin.guard import OURS
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text

MOST_WHOLE: Final = 2**53 - 1
UNWRITABLE: Final = "\0"
REQUIRED: Final = Text("请填写", "Fill this in")
NOT_WHOLE: Final = Text("应为整数", "A whole number")
NOT_A_DAY: Final = Text("应为日期，如 2027-01-31", "A day such as 2027-01-31")
NOT_A_MONTH: Final = Text("应为月份，如 2027-01", "A month such as 2027-01")
NOT_OFFERED: Final = Text("请从列出的选项中选择", "Choose one of those listed")
WRONG: Final = Text("填写有误，请按提示改正", "Something is filled in wrongly: see each field")
# the longest reason that is kept with a proposal
REASON: Final = 500


class Form:
    """The form at hand. Readers answer something of their type even for a field that is wrong: `check` refuses it."""

    def __init__(self, *names: str) -> None:
        self.typed: dict[str, str] = {name: request.form.get(name, "").strip() for name in names}
        self.faults: list[FieldFault] = []
        for name in sorted(set(request.form) - OURS - set(names)):
            self._fault(name, "unknown_field", Text("没有这个字段", "There is no such field"))

    def text(self, name: str, most: int, least: int = 1) -> str:
        """A text of so many characters, without blanks around it."""
        value = self.typed[name]
        if len(value) < least and not value:
            self._fault(name, "required", REQUIRED)
        elif not least <= len(value) <= most:
            told = Text(f"应为 {least}–{most} 个字", f"{least} to {most} characters")
            self._fault(name, "wrong_length", told)
        elif UNWRITABLE in value:
            self._fault(name, "unwritable", Text("含有不可写入的字符", "A character that cannot be kept"))
        return value

    def reason(self, name: str = "reason") -> str:
        """Why something is proposed or done."""
        return self.text(name, REASON)

    def whole(self, name: str, least: int = 0, most: int = MOST_WHOLE) -> int:
        """A whole number between two, both included; blanks and commas between digits are read over."""
        digits = self.typed[name].replace(",", "").replace("，", "").replace(" ", "")
        sign = digits.removeprefix("-")
        if not digits:
            self._fault(name, "required", REQUIRED)
            return least
        if not (sign.isascii() and sign.isdigit()) or len(sign) > 17:
            self._fault(name, "not_whole", NOT_WHOLE)
            return least
        if not least <= int(digits) <= most:
            told = Text(f"应为 {least:,} 至 {most:,}", f"From {least:,} to {most:,}")
            self._fault(name, "out_of_range", told)
        return int(digits)

    def yuan(self, name: str, least_fen: int = 0) -> int:
        """An amount of money typed in yuan with at most two places, in fen."""
        typed = self.typed[name].replace(",", "").replace("¥", "").replace(" ", "")
        whole, _, places = typed.partition(".")
        if not typed:
            self._fault(name, "required", REQUIRED)
            return least_fen
        if not (whole + places).isascii() or not (whole + places).isdigit() or len(places) > 2:
            told = Text(
                "应为金额，至多两位小数，如 1200.50", "An amount with two places at most, such as 1200.50"
            )
            self._fault(name, "not_money", told)
            return least_fen
        fen = int(whole or 0) * 100 + int(places.ljust(2, "0"))
        if not least_fen <= fen <= MOST_WHOLE:
            told = Text(f"应不低于 {least_fen / 100:.2f} 元", f"At least {least_fen / 100:.2f} yuan")
            self._fault(name, "out_of_range", told)
        return fen

    def decimal(self, name: str, places: int, shifted: int = 0) -> str:
        """A number not below zero with at most so many places, exactly, as text; divided by ten so many times."""
        typed = self.typed[name].replace(" ", "")
        whole, _, rest = typed.partition(".")
        if not typed:
            self._fault(name, "required", REQUIRED)
            return "0"
        if (
            not (whole + rest).isascii()
            or not (whole + rest).isdigit()
            or len(rest) > places
            or len(whole) > 9
        ):
            told = Text(f"应为小数，至多 {places} 位", f"A number with {places} places at most")
            self._fault(name, "not_decimal", told)
            return "0"
        return f"{Decimal(typed).scaleb(-shifted):f}"

    def day(self, name: str) -> date:
        """A day as ISO 8601 writes it."""
        try:
            return date.fromisoformat(self.typed[name])
        except ValueError:
            self._fault(name, "not_a_day", NOT_A_DAY if self.typed[name] else REQUIRED)
            return date.min

    def month(self, name: str) -> date:
        """The first day of a month as ISO 8601 writes it, `2027-01`."""
        typed = self.typed[name]
        try:
            return date.fromisoformat(f"{typed}-01" if len(typed) == len("2027-01") else "")
        except ValueError:
            self._fault(name, "not_a_month", NOT_A_MONTH if typed else REQUIRED)
            return date.min

    def choice(self, name: str, options: Collection[str]) -> str:
        """One of some words."""
        if self.typed[name] not in options:
            self._fault(name, "not_offered", NOT_OFFERED if self.typed[name] else REQUIRED)
        return self.typed[name]

    def chosen(self, name: str, options: Collection[str]) -> list[str]:
        """Those of some words that are ticked, each once, in the order in which they are offered."""
        ticked = request.form.getlist(name)
        if not set(ticked) <= set(options):
            self._fault(name, "not_offered", NOT_OFFERED)
        return [one for one in options if one in ticked]

    def yes(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.typed[name] == "yes"

    def check(self) -> None:
        """Raises Invalid with every fault there is."""
        if self.faults:
            raise Invalid("wrong_form", WRONG, faults=tuple(self.faults))

    def _fault(self, name: str, code: str, told: Text) -> None:
        self.faults.append(FieldFault("/" + name, code, told))


def whole_or_word(typed: str) -> int | str:
    """A whole number where one was typed, else what was typed: the room that reads it refuses it at its place."""
    digits = typed.replace(",", "").replace("，", "").replace(" ", "")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 15 else typed


def faults_of(refused: Invalid, fields: Sequence[str] = ()) -> Mapping[str, Text]:
    """The faults of a refusal by the name of their field; what belongs to none of `fields` is under `""`.

    The pointer `/tiers/0/from_g` is of the field `tiers-0-from_g`.
    """
    told: dict[str, Text] = {}
    for fault in refused.faults:
        name = fault.pointer.strip("/").replace("/", "-")
        if fields and name not in fields:
            words = Text(f"{name}：{fault.detail.zh}", f"{name}: {fault.detail.en}") if name else fault.detail
            before = told.get("")
            told[""] = (
                words if before is None else Text(f"{before.zh}；{words.zh}", f"{before.en}; {words.en}")
            )
        else:
            told.setdefault(name, fault.detail)
    if not refused.faults:
        told[""] = refused.detail
    return told
