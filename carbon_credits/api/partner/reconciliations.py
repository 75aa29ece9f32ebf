"""A partner's daily check: what came of a day of its feed and how it stands, by number; whose it is stays here."""

from typing import Any, Final

from flask import Response
from marshmallow import fields

from carbon_credits.activities.reasons import REASONS, explain
from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Instant, Whole, Words
from carbon_credits.api.house import principal
from carbon_credits.api.language import language
from carbon_credits.api.partner.files import YESTERDAY, Watermark
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Language
from carbon_credits.reconciliation import days
from carbon_credits.reconciliation.received import STATUSES, Aside

PATH: Final = [
    {"in": "path", "name": "feed", "schema": {"type": "string", "maxLength": 40}, "example": "metro_taps"},
    {"in": "path", "name": "date", "schema": {"type": "string", "format": "date"}, "example": str(YESTERDAY)},
]

blueprint = Blueprint(
    "reconciliations", __name__, who=Who.PARTNER, description="每日对账。\n\nThe daily check."
)


def _count(words: str | None = None, **options: Any) -> Whole:
    described = {} if words is None else {"metadata": {"description": words}}
    return Whole(0, GREATEST, required=True, **described, **options)


def _counts(schema: str, *names: str) -> fields.Nested:
    return fields.Nested(Body.from_dict({name: _count() for name in names}, name=schema), required=True)


class FileRows(Body):
    """Rows of the day's files by what became of them; they add up."""

    files = _count("该服务日的文件（按序号）/ files of this service day, by number")
    versions = _count("其后采用的更正版本 / later versions applied")
    rows = _count()
    accepted = _count()
    corrected = _count()
    duplicate = _count()
    waiting = _count()
    refused = _count()
    dropped = _count("未绑定者的行，不保留 / rows of nobody bound here, not kept")


class Received(Body):
    """What came, by file and by push."""

    by_file = fields.Nested(FileRows, required=True)
    by_push = _count(
        "推送的记录；也送文件的数据源为 null / records pushed; null for a feed that sends files too",
        allow_none=True,
    )


class SetAside(Body):
    """Records that are no act, alike in state and reason."""

    state = Choice("waiting", "refused", required=True)
    code = Words(1, 60, required=True, example="not_bound")
    text = Words(1, 10_000, required=True)
    count = _count()


class Timeliness(Body):
    """When the day was complete, and what came after its grace."""

    ends = Instant(required=True)
    grace_until = Instant(required=True)
    complete_at = Instant(required=True, allow_none=True)
    complete_after_s = _count(allow_none=True)
    late_files = _count()
    late_records = _count()


class DayBody(Body):
    """A day of a feed in numbers. A record that was corrected is an act for each telling; every act is in one state."""

    feed = Words(2, 40, required=True, example="metro_taps")
    date = Day(required=True, example=str(YESTERDAY))
    status = Choice("open", "complete", "closed", required=True)
    watermark = fields.Nested(Watermark, required=True, allow_none=True)
    received = fields.Nested(Received, required=True)
    set_aside = fields.List(fields.Nested(SetAside), required=True)
    records = _count("按编号计的记录 / records by their number")
    acts = _counts("ActStates", "total", *days.STATES)
    matched = _counts("MatchedRecords", *days.PASSES, "record_only")
    claims = _counts("PhoneClaims", "waiting", *(f"replaced_{name}" for name in days.PASSES))
    credited = _counts("CreditedAmounts", "verified_mg", "claimed_mg", "removal_mg", "points")
    corrections = _counts("Corrections", "corrected", "voided", "versions")
    withdrawn = _counts("WithdrawnRecords", *days.WITHDRAWN)
    unexplained = _count(
        "不在任何一项或在两项中的记录与行，应为 0 / in no line or in two: 0 when all is well"
    )
    timeliness = fields.Nested(Timeliness, required=True)


@blueprint.route("/partner/v1/reconciliations/<feed>/<date>", methods=["GET"], parameters=PATH)
@blueprint.response(200, DayBody)
@blueprint.refuses(404, 422)
def show(feed: str, date: str) -> Response:
    """每日对账 / A day of a feed

    一个服务日（北京时间）的记录：收到多少、各处于何种状态、匹配、更正、撤回与入账。每次报送恰在一个状态中。
    水位未过该日为 open，已过为 complete，当月关账后为 closed；open 的数字仍会变化。

    The records of a service day (Beijing time): what came, in which state it is, what was matched, corrected, taken back
    and credited. Each act is in one state. A day is `open` until the feed's watermark has passed it, then `complete`,
    and `closed` with its month; while it is open its numbers change.
    """
    with reading() as session:
        return answer(_told(days.report(session, feed, date, clock.now(), principal().id), language()))


def _told(day: days.Day, reader: Language) -> dict[str, Any]:
    counts, mark = day.found.counts, day.watermark
    rows = day.rows
    return {
        "feed": day.feed,
        "date": day.day,
        "status": day.status,
        "watermark": None if mark is None else {"seq": mark.seq, "complete_through": mark.complete_through},
        "received": {
            "by_file": {
                "files": counts["files"],
                "versions": counts["versions"],
                "rows": rows["rows"],
                **{name: rows[name] for name in STATUSES},
            },
            "by_push": day.by_push,
        },
        "set_aside": _aside(day.found.aside, reader),
        "records": counts["records"],
        "acts": {"total": day.records.total, **day.states},
        "matched": {**day.matched, "record_only": day.records.lines.get("record_only", 0)},
        "claims": {
            "waiting": day.claims_waiting,
            **{f"replaced_{name}": n for name, n in day.claims_replaced.items()},
        },
        "credited": day.credited,
        "corrections": {name: counts[name] for name in ("corrected", "voided", "versions")},
        "withdrawn": day.withdrawn,
        "unexplained": day.unexplained,
        "timeliness": {
            "ends": day.found.ends,
            "grace_until": day.found.until,
            "complete_at": day.found.passed_at,
            "complete_after_s": day.found.passed_after_s,
            "late_files": counts["late_files"],
            "late_records": counts["late_records"],
        },
    }


def _aside(found: list[Aside], reader: Language) -> list[dict[str, Any]]:
    """By state and reason; one with two reasons is in both."""
    sums: dict[tuple[str, str], int] = {}
    for aside in found:
        for code in aside.reasons:
            sums[aside.state, code] = sums.get((aside.state, code), 0) + aside.n
    return [
        {
            "state": state,
            "code": code,
            "text": explain(code).in_language(reader) if code in REASONS else code,
            "count": n,
        }
        for (state, code), n in sorted(sums.items())
    ]
