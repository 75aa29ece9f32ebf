"""The shapes of acts: what a claim may hold, and what is told of an act afterwards."""

from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from carbon_credits.api.fields import (
    NOT_LIST,
    WORDS,
    WRONG_FORMAT,
    Body,
    Checked,
    Choice,
    Day,
    Fault,
    Instant,
    Line,
    Quantities,
    Whole,
    Words,
    number,
    whole,
)
from carbon_credits.api.paging import LONGEST
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.lifecycle import Stage

REFERENCES: Final = ("order_no", "trip_id", "vehicle", "meter", "item")
AN_ACT: Final = "20261122-4711"
ACT: Final = [
    {"in": "path", "name": "activity", "schema": {"type": "string", "minLength": 1, "maxLength": 40}}
]
MOST_FIXES: Final = 5_000
LONGEST_MS: Final = 6 * 3600 * 1000
STATES: Final = ("claimed", "held", "awaiting", "credited", "rejected", "replaced", "reversed")
# what stands behind grams is said beside them: a trial methodology's are estimates, not tradable
STANDINGS: Final = tuple(stage.value for stage in Stage)
UNEVEN: Final = Fault(
    "lengths_differ",
    Text("各数组长度须与轨迹点数一致", "Every list must have one entry for each point of the trace"),
)


class Standing(Choice):
    """The status of the methodology under which grams are counted."""

    def __init__(self, **options: Any) -> None:
        told = (
            "方法学状态；试行的为估算值，不可交易 / a trial methodology's grams are estimates, not tradable"
        )
        metadata: dict[str, Any] = {"description": told}
        if options.get("allow_none"):
            metadata["enum"] = [*STANDINGS, None]
        super().__init__(*STANDINGS, metadata=metadata, example="trial", **options)


class References(Body):
    """Numbers that make an act unmistakable; what is exclusive is decided by them."""

    order_no = Line(1, 64)
    trip_id = Line(1, 64)
    vehicle = Line(1, 64)
    meter = Line(1, 64)
    item = Line(1, 64)


class Numbers(Checked):
    """A list of numbers within bounds, checked in one loop."""

    def __init__(self, least: int, most: int, *, integer: bool, **options: Any) -> None:
        inner = {"type": "integer" if integer else "number", "minimum": least, "maximum": most}
        super().__init__({"type": "array", "minItems": 2, "maxItems": MOST_FIXES, "items": inner}, **options)
        self.least, self.most = least, most
        self.each = whole if integer else number

    def check(self, value: Any) -> list[Any]:
        """Every one of them; the first that is wrong is named."""
        if type(value) is not list:
            raise ValidationError(NOT_LIST)
        if not 2 <= len(value) <= MOST_FIXES:
            raise ValidationError(WRONG_FORMAT)
        for place, item in enumerate(value):
            try:
                self.each(item, self.least, self.most)
            except ValidationError as error:
                raise ValidationError({str(place): error.messages}) from error
        return value


def points_of(polyline: str) -> int:
    """How many points an encoded polyline holds: a number ends at a character below `_`, a point has two."""
    return sum(character < "_" for character in polyline) // 2


class Trace(Body):
    """Where the phone was: a polyline, and for each point the milliseconds since `occurred_from`."""

    crs = Choice("WGS84", "GCJ02", required=True)
    polyline6 = Words(2, 20_000, pattern="[?-~]+", required=True)
    dt_ms = Numbers(0, LONGEST_MS, integer=True, required=True)
    accuracy_m = Numbers(0, 100_000, integer=False, required=True)
    provider = Line(1, 40)
    mock = Numbers(0, 1, integer=True)

    @validates_schema
    def same_length(self, data: dict[str, Any], **_: Any) -> None:
        """One time and one accuracy for each point, and times that do not run backwards."""
        many = points_of(data["polyline6"])
        for name in ("dt_ms", "accuracy_m", "mock"):
            if name in data and len(data[name]) != many:
                raise ValidationError([UNEVEN], field_name=name)
        if any(later < earlier for earlier, later in zip(data["dt_ms"], data["dt_ms"][1:], strict=False)):
            backwards = Text("时间不能倒退", "Times may not run backwards")
            raise ValidationError([Fault("runs_backwards", backwards)], field_name="dt_ms")


class Evidence(Body):
    """What supports the claim; without a partner's record it remains the phone's own word."""

    trace = fields.Nested(Trace, error_messages=WORDS)
    steps = Whole(0, 200_000)
    attestation = Line(1, 8_192)


class ClaimBody(Body):
    """POST /v1/activities."""

    methodology = Words(
        3,
        60,
        pattern=r"[a-z_]+\.[a-z_]+",
        required=True,
        metadata={"description": "方法学代码 / methodology code"},
    )
    occurred_from = Instant(required=True, metadata={"description": "开始时间 / when it began"})
    occurred_to = Instant(required=True, metadata={"description": "结束时间 / when it ended"})
    monitored = Quantities(
        GREATEST,
        required=True,
        metadata={"description": "监测数据，名称以单位结尾 / whole numbers, names end in the unit"},
    )
    references = fields.Nested(References, error_messages=WORDS)
    evidence = fields.Nested(Evidence, error_messages=WORDS)


class Appeal(Body):
    """POST /v1/activities/{id}/appeal."""

    words = Words(
        1, 1_000, pattern=r"[^\x00]*", required=True, metadata={"description": "申诉理由 / why it is wrong"}
    )


class Reason(Body):
    """Why not, or why less: a stable code and the words for it."""

    code = Words(1, 80, required=True, example="daily_quantity_cap")
    text = Words(1, 500, required=True, example="超过每日数量上限")


class Estimate(Body):
    """What the act would come to if nothing else counted against it."""

    reduction_mg = Whole(0, GREATEST, required=True, example=128_000)
    points = Whole(0, GREATEST, required=True, example=25)
    methodology_status = Standing(required=True)


class Links(Body):
    """Where to go from here."""

    self = Words(1, 200, required=True, example=f"/v1/activities/{AN_ACT}")
    receipt = Words(1, 200, required=True, example=f"/v1/activities/{AN_ACT}/receipt")


class Accepted(Body):
    """The claim is recorded; the decision follows within a second or so."""

    id = Words(1, 40, required=True, example=AN_ACT)
    status = Choice(*STATES, required=True)
    evidence_class = Choice("A", "B", "C", "D", required=True)
    estimate = fields.Nested(Estimate, required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)
    links = fields.Nested(Links, required=True)


class Activity(Body):
    """An act and what has become of it."""

    id = Words(1, 40, required=True, example=AN_ACT)
    methodology = Words(3, 60, required=True, example="travel.cycling")
    methodology_status = Standing(required=True)
    occurred_from = Instant(required=True)
    occurred_to = Instant(required=True)
    occurred_on = Day(required=True)
    told_at = Instant(required=True)
    status = Choice(*STATES, required=True)
    evidence_class = Choice("A", "B", "C", "D", required=True)
    monitored = Quantities(GREATEST, required=True, example={"distance_m": 3200})
    reduction_mg = Whole(0, GREATEST, required=True, example=128_000)
    points = Whole(0, GREATEST, required=True, example=25)
    bonus = Whole(0, GREATEST, required=True, example=0)
    matures_on = Day(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    reasons = fields.List(fields.Nested(Reason), required=True)
    links = fields.Nested(Links, required=True)


class Trip(Body):
    """What a look at the act's trace found; null where there was none, or nobody looked yet."""

    decision = Choice("accept", "review", "reject", "unverified", required=True)
    reasons = fields.List(fields.Nested(Reason), required=True)
    judged_at = Instant(required=True)
    by_a_person = fields.Boolean(required=True)
    rules_version = Whole(1, 32_767, required=True, example=1)


class ActCampaign(Body):
    """What a campaign gave for an act: `entitled` before caps and budget, `points` after."""

    code = Words(3, 30, required=True, example="earth_day_2027")
    name = Words(1, 100, required=True, example="世界地球日")
    how = Words(1, 200, required=True, example="按 1.5 倍计，在基础积分之外加赠（向下取整）")
    entitled = Whole(1, GREATEST, required=True, example=12)
    points = Whole(0, GREATEST, required=True, example=12)
    reasons = fields.List(fields.Nested(Reason), required=True)


class Activities(Body):
    """A page, latest day first."""

    items = fields.List(fields.Nested(Activity), required=True)
    next = Words(1, LONGEST, required=True, allow_none=True, example="PXvF2GJ1…")


# The whole calculation: numbers as integers, decimals as strings, every parameter with its source.
RECEIPT: Final[dict[str, Any]] = {
    "type": "object",
    "required": [
        "activity",
        "status",
        "methodology",
        "methodology_status",
        "monitored",
        "reasons",
        "record",
        "trip",
        "calculation",
        "terms",
        "result",
        "postings",
    ],
    "properties": {
        "activity": {"type": "string"},
        "status": {"type": "string", "enum": list(STATES)},
        "methodology": {"type": "string"},
        "methodology_status": {"type": "string", "enum": list(STANDINGS)},
        "monitored": {"type": "object", "additionalProperties": {"type": "integer"}},
        "record": {"type": ["object", "null"]},
        "trip": {"type": ["object", "null"]},
        "calculation": {"type": ["object", "null"]},
        "terms": {"type": ["object", "null"]},
        "result": {"type": ["object", "null"]},
        "postings": {"type": "array", "items": {"type": "object"}},
    },
}
