"""The coverage of points as a page: one number that matters, then each fund."""

from typing import Any

from carbon_credits.core.i18n import Language, Text
from carbon_credits.reporting import numbers
from carbon_credits.rewards.coverage import Coverage


def coverage_view(found: Coverage, reader: Language) -> dict[str, Any]:
    """What the page shows of a reading."""
    return {
        "read_at": numbers.moment(found.read_at),
        "value": numbers.yuan(found.value_micro_fen),
        "points": numbers.grouped(found.points),
        "reserved": numbers.yuan(found.reserved_micro_fen),
        "owed": numbers.yuan(found.owed_micro_fen),
        "ratio": numbers.percent_of_ppm(found.coverage_ppm),
        "funds": [
            {
                "name": Text(fund.name_zh, fund.name_en).in_language(reader),
                "points": numbers.grouped(fund.points),
                "left": numbers.grouped(fund.not_granted),
                "ratio": numbers.percent_of_ppm(fund.coverage_ppm),
                "runs_out_on": None if fund.runs_out_on is None else numbers.day(fund.runs_out_on),
            }
            for fund in found.funds
        ],
    }
