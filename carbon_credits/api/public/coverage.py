"""What stands behind the points, for anyone: the newest reading of the whole and of each fund."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import coverage
from carbon_credits.rewards.coverage import Coverage, OfFund

WHOLE: Final = {"type": "integer"}
RATIO: Final = {"type": ["integer", "null"], "minimum": 0}
BOTH: Final = {
    "type": "object",
    "required": ["zh", "en"],
    "additionalProperties": False,
    "properties": {"zh": {"type": "string"}, "en": {"type": "string"}},
}
FUND: Final[Mapping[str, Any]] = {
    "code": {"type": "string"},
    "name": BOTH,
    "points_outstanding": WHOLE,
    "points_not_granted": WHOLE,
    "reserved_micro_fen": WHOLE,
    "owed_micro_fen": WHOLE,
    "coverage_ppm": RATIO,
    "net_granted_28_days": WHOLE,
    "days_left": RATIO,
    "runs_out_on": {"type": ["string", "null"], "format": "date"},
}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


SHOWN: Final = _object(
    {
        "read_at": {"type": "string", "format": "date-time"},
        "value_micro_fen": {"type": "integer", "minimum": 1},
        "points_outstanding": WHOLE,
        "reserved_micro_fen": WHOLE,
        "owed_micro_fen": WHOLE,
        "coverage_ppm": RATIO,
        "funds": {"type": "array", "items": _object(FUND)},
    }
)
FRESH: Final = {"Cache-Control": "public, max-age=300"}

blueprint = Blueprint(
    "coverage", __name__, who=Who.ANYONE, description="积分保障。\n\nWhat stands behind points."
)


@blueprint.route("/public/v1/coverage", methods=["GET"])
@blueprint.doc(responses={"200": {"description": "OK", "content": {"application/json": {"schema": SHOWN}}}})
@blueprint.refuses(404)
def show() -> Response:
    """积分保障率 / Money reserved over points outstanding at their value

    金额为百万分之一分；比率为百万分之一，向下取整。每小时更新一次。

    Amounts are millionths of a fen, ratios parts per million, floored. Read once an hour. `runs_out_on` is when a fund is
    granted out at the pace of the last 28 days.
    """
    with reading() as session:
        found = coverage.newest(session)
    if found is None:
        said = Text("尚无积分价值，暂无数据", "No value of a point is in force yet, so there is no reading")
        raise NotFound("no_reading", said)
    return answer(_told(found), headers=FRESH)


def _told(found: Coverage) -> dict[str, Any]:
    return {
        "read_at": found.read_at,
        "value_micro_fen": found.value_micro_fen,
        "points_outstanding": found.points,
        "reserved_micro_fen": found.reserved_micro_fen,
        "owed_micro_fen": found.owed_micro_fen,
        "coverage_ppm": found.coverage_ppm,
        "funds": [_fund(fund) for fund in found.funds],
    }


def _fund(fund: OfFund) -> dict[str, Any]:
    return {
        "code": fund.code,
        "name": {"zh": fund.name_zh, "en": fund.name_en},
        "points_outstanding": fund.points,
        "points_not_granted": fund.not_granted,
        "reserved_micro_fen": fund.reserved_micro_fen,
        "owed_micro_fen": fund.owed_micro_fen,
        "coverage_ppm": fund.coverage_ppm,
        "net_granted_28_days": fund.granted_28,
        "days_left": fund.days_left,
        "runs_out_on": fund.runs_out_on,
    }
