"""What merchants' bodies have in common: names in two languages, accounts, numbers in paths."""

import re
from typing import Any, Final

from carbon_credits.api.fields import Body, Line, Words
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards.clients import Scope
from carbon_credits.rewards.merchants import Category

CATEGORIES: Final = tuple(category.value for category in Category)
STREETS: Final = tuple(street.value for street in Street)
SCOPES: Final = tuple(scope.value for scope in Scope)
LICENCE: Final = r"[0-9A-HJ-NP-RTUWXY]{18}"
MOST_POINTS: Final = 10_000_000
MOST_FEN: Final = 100_000_000
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class Both(Body):
    """A name in both languages."""

    zh = Line(1, 100, required=True, example="三友饭店")
    en = Line(1, 100, required=True, example="Three Friends Restaurant")


class ToDo(Body):
    """What the merchant has to do, in plain words."""

    zh = Words(1, 300, required=True, example="请登录 Stripe 更正银行账户")
    en = Words(1, 300, required=True, example="Correct the bank account at Stripe")


class Bank(Body):
    """An account at a bank; what is wrong with it is said at its field."""

    holder = Line(1, 100, required=True, example="佛山市禅城区三友饭店")
    number = Words(8, 32, pattern=r"[0-9]+", required=True, example="4400123456789012")
    bank_code = Words(12, 12, pattern=r"[0-9]+", required=True, example="105588000011")


def in_path(name: str, example: str, longest: int = 60) -> list[dict[str, Any]]:
    """How a name in a path is documented."""
    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return [{"in": "path", "name": name, "schema": schema, "example": example}]


def numbered(given: str) -> int:
    """A number out of a path; raises NotFound for what could be nobody's."""
    if _NUMBER.fullmatch(given) is None:
        raise NotFound("not_found", Text("这里没有您要的内容", "There is nothing here by that name"))
    return int(given)
