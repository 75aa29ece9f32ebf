"""Numbers and days as people read them: exact, never rounded by the page, grouped by narrow spaces."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.formula import plain

# no break between the digits of a number, and none between a number and its unit
NARROW: Final = "\N{NARROW NO-BREAK SPACE}"
SPACE: Final = "\N{NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"
UNITS: Final = {
    "m": Text("米", "m"),
    "km": Text("公里", "km"),
    "g": Text("克", "g"),
    "kg": Text("千克", "kg"),
    "s": Text("秒", "s"),
    "wh": Text("瓦时", "Wh"),
    "l": Text("升", "L"),
    "days": Text("天", "days"),
    "count": Text("个", "(number)"),
    "ppm": Text("百万分之一", "parts per million"),
    "share": Text("（比例）", "(share)"),
    "km/h": Text("公里/小时", "km/h"),
    "g/km": Text("克/公里", "g/km"),
    "g/bag": Text("克/个", "g/bag"),
    "g/order": Text("克/单", "g/order"),
    "kg/kg": Text("千克/千克", "kg/kg"),
    "kg/kwh": Text("千克/千瓦时", "kg/kWh"),
    "kg/tree": Text("千克/棵", "kg/tree"),
    "wh/km": Text("瓦时/公里", "Wh/km"),
}


class Grams(NamedTuple):
    """A mass of CO2e twice: in the unit that reads well, and in the milligrams of the books."""

    amount: str
    unit: Text
    exact: str


def grouped(amount: Decimal | int | str) -> str:
    """`1234.5` as `1 234.5`, every digit of it, a minus as a minus."""
    digits = amount if isinstance(amount, str) else plain(Decimal(amount))
    sign, digits = (MINUS, digits[1:]) if digits.startswith("-") else ("", digits)
    whole, dot, places = digits.partition(".")
    return sign + f"{int(whole):,}".replace(",", NARROW) + dot + places


def unit(name: str) -> Text:
    """A unit of the declarations in words; one that is not known yet stands as it is written there."""
    return UNITS.get(name, Text(name, name))


def grams(milligrams: int) -> Grams:
    """Grams below a kilogram, kilograms from there on; the milligrams beside them are the exact number."""
    heavy = abs(milligrams) >= 1_000_000
    amount = Decimal(milligrams).scaleb(-6 if heavy else -3)
    return Grams(grouped(plain(amount)), unit("kg" if heavy else "g"), grouped(milligrams))


def percent(share: Decimal | str) -> str:
    """A share as per cent: `0.05` is `5 %`."""
    return grouped(Decimal(share).scaleb(2)) + SPACE + "%"


def percent_of_ppm(ppm: int | None) -> str | None:
    """Parts per million as per cent with two decimals, cut off and never rounded up."""
    if ppm is None:
        return None
    whole, part = divmod(ppm // 100, 100)
    return grouped(f"{whole}.{part:02d}") + SPACE + "%"


def yuan(micro_fen: int) -> str:
    """Micro-fen as yuan, every digit of it: a hundred million micro-fen are a yuan."""
    sign, rest = ("-" if micro_fen < 0 else ""), abs(micro_fen)
    whole, part = divmod(rest, 100_000_000)
    places = f"{part:08d}".rstrip("0")
    return grouped(f"{sign}{whole}" + (f".{places}" if places else ""))


def day(value: date | str) -> str:
    """A day as ISO 8601 writes it: the one spelling both languages read alike."""
    return value if isinstance(value, str) else value.isoformat()


def moment(value: datetime | str) -> str:
    """An instant on the programme's clock (Asia/Shanghai), to the minute."""
    instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{instant.astimezone(PROGRAMME_ZONE):%Y-%m-%d %H:%M}"
