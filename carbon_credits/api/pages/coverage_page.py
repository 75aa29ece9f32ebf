"""The coverage of points as a page: one number that matters, then each fund."""

from typing import Any

from carbon_credits.core.i18n import Language, Text
from carbon_credits.reporting import numbers
from carbon_credits.rewards.coverage import Coverage


def coverage_view(found: Coverage, reader: Language) -> dict[str, Any]:
    """What the page shows of a reading."""
    return {
        "read_at": numbers.moment(found.read_at),
        "value": yuan(found.value_micro_fen),
        "points": numbers.grouped(found.points),
        "reserved": yuan(found.reserved_micro_fen),
        "owed": yuan(found.owed_micro_fen),
        "ratio": percent(found.coverage_ppm),
        "funds": [
            {
                "name": Text(fund.name_zh, fund.name_en).in_language(reader),
                "points": numbers.grouped(fund.points),
                "left": numbers.grouped(fund.not_granted),
                "ratio": percent(fund.coverage_ppm),
                "runs_out_on": None if fund.runs_out_on is None else numbers.day(fund.runs_out_on),
            }
            for fund in found.funds
        ],
    }


def yuan(micro_fen: int) -> str:
    """Micro-fen as yuan, every digit of it: a hundred million micro-fen are a yuan."""
    sign, rest = ("-" if micro_fen < 0 else ""), abs(micro_fen)
    whole, part = divmod(rest, 100_000_000)
    places = f"{part:08d}".rstrip("0")
    return numbers.grouped(f"{sign}{whole}" + (f".{places}" if places else ""))


def percent(ppm: int | None) -> str | None:
    """Parts per million as per cent with two decimals, cut off and never rounded up."""
    if ppm is None:
        return None
    whole, part = divmod(ppm // 100, 100)
    return numbers.grouped(f"{whole}.{part:02d}") + numbers.SPACE + "%"
