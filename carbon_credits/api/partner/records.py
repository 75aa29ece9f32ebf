"""Records as a partner pushes them, a few at a time: the same intake as a file, one result for each."""

from datetime import timedelta
from typing import Any, Final

from flask import Response, request
from marshmallow import fields
from marshmallow.validate import Length
from sqlalchemy.orm import Session

from carbon_credits.activities import intake
from carbon_credits.activities.reasons import explain
from carbon_credits.api.access import Who
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import (
    NOT_LIST,
    WORDS,
    WRONG_FORMAT,
    Body,
    Choice,
    Instant,
    Quantities,
    Whole,
    Words,
)
from carbon_credits.api.house import house, principal
from carbon_credits.api.idempotency import once
from carbon_credits.api.language import language
from carbon_credits.api.reading import body_as_told
from carbon_credits.api.resident.shapes import AN_ACT, Reason, References
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.partners import stations
from carbon_credits.partners.contract import Record
from carbon_credits.reconciliation import corrections

MOST_BYTES: Final = 1_000_000
MOST_RECORDS: Final = 1_000
MOST_VERSIONS: Final = 999
STATUSES: Final = ("accepted", "duplicate", "waiting", "refused")
# recent, so that what the page offers to send is not too old to be taken
YESTERDAY: Final = clock.today() - timedelta(days=1)
EXAMPLE: Final = {
    "feed": "bike_share",
    "records": [
        {
            "record_id": "trip-20261122-000017",
            "subject": "rider-8812",
            "methodology": "travel.shared_bicycle",
            "occurred_from": f"{YESTERDAY}T08:00:00+08:00",
            "occurred_to": f"{YESTERDAY}T08:16:00+08:00",
            "monitored": {"distance_m": 3200},
            "references": {"vehicle": "bike-4711"},
        }
    ],
}
WITHDRAWAL: Final = {"feed": "bike_share", "records": [{"record_id": "trip-20261122-000017", "version": 2}]}

blueprint = Blueprint("records", __name__, who=Who.PARTNER, description="合作方记录。\n\nPartners' records.")


@blueprint.before_request
def allow_more() -> None:
    """A thousand records are larger than anything a phone sends."""
    request.max_content_length = MOST_BYTES


class RecordBody(Body):
    """One act of one of the partner's customers."""

    record_id = Words(
        1,
        100,
        pattern=r"[!-~]{1,100}",
        required=True,
        metadata={"description": "合作方自己的唯一编号 / the partner's own id"},
    )
    subject = Words(
        1,
        200,
        pattern=r"[!-~]{1,200}",
        required=True,
        metadata={"description": "合作方的客户标识 / the partner's customer"},
    )
    methodology = Words(3, 60, pattern=r"[a-z_]+\.[a-z_]+", required=True)
    occurred_from = Instant(required=True)
    occurred_to = Instant(required=True)
    monitored = Quantities(GREATEST, required=True)
    references = fields.Nested(References, error_messages=WORDS)
    version = Whole(
        1,
        MOST_VERSIONS,
        metadata={
            "description": "同一编号的第几次报送，默认 1；内容不同而版本更高者为更正 / "
            "which telling of this id this is, 1 if left out; a higher one with other content corrects"
        },
    )


class RecordsBody(Body):
    """POST /partner/v1/records."""

    feed = Words(2, 40, pattern="[a-z][a-z0-9_]{1,39}", required=True)
    records = fields.List(
        fields.Nested(RecordBody, error_messages=WORDS),
        required=True,
        validate=Length(1, MOST_RECORDS, error=WRONG_FORMAT),
        error_messages={**WORDS, "invalid": NOT_LIST},
    )


class WithdrawalBody(Body):
    """A record that the partner takes back, as of a version above those that told it."""

    record_id = Words(1, 100, pattern=r"[!-~]{1,100}", required=True)
    version = Whole(2, MOST_VERSIONS, required=True)


class WithdrawalsBody(Body):
    """POST /partner/v1/records/withdrawals."""

    feed = Words(2, 40, pattern="[a-z][a-z0-9_]{1,39}", required=True)
    records = fields.List(
        fields.Nested(WithdrawalBody, error_messages=WORDS),
        required=True,
        validate=Length(1, MOST_RECORDS, error=WRONG_FORMAT),
        error_messages={**WORDS, "invalid": NOT_LIST},
    )


class Withdrawn(Body):
    """How many records were taken back, and how many acts of theirs counted until now."""

    feed = Words(2, 40, required=True, example="bike_share")
    records = Whole(0, MOST_RECORDS, required=True, example=1)
    acts = Whole(0, MOST_RECORDS, required=True, example=1)


class RowResult(Body):
    """What became of one record, by its place in the request."""

    index = Whole(0, MOST_RECORDS, required=True, example=0)
    record_id = Words(1, 100, required=True, example="trip-20261122-000017")
    status = Choice(*STATUSES, required=True)
    id = Words(1, 40, required=True, allow_none=True, example=AN_ACT)
    reasons = fields.List(fields.Nested(Reason), required=True)


class Results(Body):
    """One result for each record, in their order, and how many ended how."""

    feed = Words(2, 40, required=True, example="bike_share")
    counts = fields.Dict(
        required=True,
        metadata={"additionalProperties": {"type": "integer", "minimum": 0, "maximum": MOST_RECORDS}},
    )
    results = fields.List(fields.Nested(RowResult), required=True)


@blueprint.route("/partner/v1/records", methods=["POST"])
@blueprint.arguments(RecordsBody, example=EXAMPLE)
@blueprint.response(200, Results)
@blueprint.refuses(404)
@blueprint.keyed
def take_in(body: dict[str, Any]) -> Response:
    """提交记录 / Send records

    逐条处理：每条记录有自己的结果，一条有误不影响其他。尚未绑定居民的记录为 waiting，可再次提交。
    更正须带更高的 version，以最高版本为准。

    Each record has its own result and one that is wrong harms no other. A record whose customer is not bound
    to a resident is `waiting` and may be sent again. Other content under a known id is a contradiction, unless its
    `version` is higher: then it is a correction, and the highest version counts, in whatever order they come.
    """
    ours, who, now = house(), principal(), clock.now()
    records = [_record(told) for told in body["records"]]
    landed: list[intake.RowResult] = []

    def work(session: Session) -> tuple[int, Any]:
        source = intake.terms_of(session, body["feed"], who.id)
        landed[:] = intake.take_in(session, ours.vault, source, records, now)
        stations.land_deposits(session, source.source_id, records, now)
        return 200, _results(body["feed"], records, landed)

    response = once("records.take_in", body_as_told(), work)
    ours.ringer.ring({row.shard_id for row in landed if row.shard_id is not None})
    return response


@blueprint.route("/partner/v1/records/withdrawals", methods=["POST"])
@blueprint.arguments(WithdrawalsBody, example=WITHDRAWAL)
@blueprint.response(200, Withdrawn)
@blueprint.refuses(404)
@blueprint.keyed
def take_back(body: dict[str, Any]) -> Response:
    """撤回记录 / Take records back

    版本号低于所给版本的报送不再有效，尚未收到的也一样；以更高版本重新提交即恢复。

    What lower versions told of these ids counts no longer, also where it comes later. Sent again with a higher version,
    a record counts again.
    """
    who = principal()
    asked: dict[str, int] = {}
    for told in body["records"]:
        asked[told["record_id"]] = max(told["version"], asked.get(told["record_id"], 0))

    def work(session: Session) -> tuple[int, Any]:
        source = intake.terms_of(session, body["feed"], who.id)
        acts = corrections.withdraw(session, source.source_id, asked)
        return 200, {"feed": body["feed"], "records": len(asked), "acts": acts}

    return once("records.take_back", body_as_told(), work)


def _record(told: dict[str, Any]) -> Record:
    return Record(
        record_id=told["record_id"],
        subject_token=told["subject"],
        methodology=told["methodology"],
        occurred_from=told["occurred_from"],
        occurred_to=told["occurred_to"],
        monitored=told["monitored"],
        references=told.get("references", {}),
        version=told.get("version", 1),
    )


def _results(feed: str, records: list[Record], rows: list[intake.RowResult]) -> dict[str, Any]:
    reader = language()
    counts = dict.fromkeys(STATUSES, 0)
    for row in rows:
        counts[row.status] += 1
    return {
        "feed": feed,
        "counts": counts,
        "results": [
            {
                "index": row.place,
                "record_id": records[row.place].record_id,
                "status": row.status,
                "id": row.id,
                "reasons": [
                    {"code": code, "text": explain(code).in_language(reader)} for code in row.reasons
                ],
            }
            for row in rows
        ],
    }
