"""What creation drives look like to a group's members: what is asked, what is found, what became of a request."""

import re
from typing import Any, Final

from marshmallow import fields

from carbon_credits.api.fields import Body, Choice, Instant, Whole, Words, YesNo
from carbon_credits.api.merchant.shapes import Both, in_path
from carbon_credits.api.resident.group_shapes import MOST_MG
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups.drive_criteria import FIGURES, FILLED
from carbon_credits.groups.drive_models import DriveApplication, DriveRequest
from carbon_credits.groups.drive_standing import Found, Standing

DRIVE: Final = in_path("drive", "family", 40)
REQUEST: Final = in_path("request", "5", 18)
REQUEST_STATES: Final = ("asked", "taken_up", "declined", "withdrawn")
APPLICATION_STATES: Final = ("applied", "recommended", "awarded", "refused", "withdrawn")
_A_DRIVE: Final = re.compile(r"[a-z_]{1,40}", re.ASCII)


class CriterionText(Body):
    """What is asked, in both languages."""

    zh = Words(1, 300, required=True, example="近十二个月人均核证减排量不少于 50 千克")
    en = Words(1, 300, required=True, example="Fifty kilograms verified a head in twelve months")


class CriterionFound(Body):
    """A line of the checklist. `data` is filled from our figures, `declared` by staff from a document.

    `threshold` and `value` are in the unit that ends the figure's name (`_mg_per_head`; `_pm` is per mille). `value` and
    `met` are null while nothing is known, or of too few people. `assumed`: the criterion is not the official one yet.
    """

    code = Words(1, 40, required=True, example="saves")
    text = fields.Nested(CriterionText, required=True)
    source = Words(1, 300, required=True, example="设定值 / set by us")
    assumed = YesNo(required=True)
    filled = Choice(*FILLED, required=True)
    figure = Choice(*FIGURES, required=True, allow_none=True, metadata={"enum": [*FIGURES, None]})
    threshold = Whole(1, MOST_MG, required=True, allow_none=True, example=50_000_000)
    value = Whole(0, MOST_MG, required=True, allow_none=True, example=61_250_000)
    met = YesNo(required=True, allow_none=True)


class DriveRequestShown(Body):
    """A group's request to be put forward. `reason` is what staff say who decline it."""

    id = Words(1, 18, required=True, example="5")
    group = Words(1, 10, required=True, example="12")
    drive = Words(1, 40, required=True, example="family")
    year = Whole(2025, 2100, required=True, example=2026)
    state = Choice(*REQUEST_STATES, required=True)
    asked_at = Instant(required=True)
    answered_at = Instant(required=True, allow_none=True)
    reason = Words(1, 500, required=True, allow_none=True)


class DriveApplicationShown(Body):
    """How far the group is for a year's list; `reason` is the review of one that was refused."""

    year = Whole(2025, 2100, required=True, example=2026)
    state = Choice(*APPLICATION_STATES, required=True)
    reason = Words(1, 2_000, required=True, allow_none=True)


class DriveStanding(Body):
    """A drive for this kind of group. `request` and `application` are the newest; `awards` are years on the list."""

    drive = Words(1, 40, required=True, example="family")
    name = fields.Nested(Both, required=True)
    checklist = fields.List(fields.Nested(CriterionFound), required=True)
    may_ask = YesNo(required=True, metadata={"description": "您现在可以提出 / you may ask now"})
    request = fields.Nested(DriveRequestShown, required=True, allow_none=True)
    application = fields.Nested(DriveApplicationShown, required=True, allow_none=True)
    awards = fields.List(Whole(2025, 2100, example=2026), required=True)


class DriveStandings(Body):
    """Every drive for this kind of group; none for a part of a whole, such as a class."""

    items = fields.List(fields.Nested(DriveStanding), required=True)


def named(drive: str) -> str:
    """A drive's code out of a path; raises NotFound for what could be none."""
    if _A_DRIVE.fullmatch(drive) is None:
        raise NotFound("drive_unknown", Text("没有此创建行动", "There is no such drive"))
    return drive


def standing(row: Standing) -> dict[str, Any]:
    """A drive and where the group stands in it."""
    return {
        "drive": row.drive.drive,
        "name": {"zh": row.drive.name_zh, "en": row.drive.name_en},
        "checklist": [_found(line) for line in row.checklist],
        "may_ask": row.may_ask,
        "request": None if row.request is None else request(row.request),
        "application": None if row.application is None else _application(row.application),
        "awards": list(row.awards),
    }


def request(row: DriveRequest) -> dict[str, Any]:
    """A request and what became of it."""
    return {
        "id": str(row.request_id),
        "group": str(row.group_id),
        "drive": row.drive,
        "year": row.year,
        "state": row.state,
        "asked_at": row.asked_at,
        "answered_at": None if row.state == "asked" else row.changed_at,
        "reason": row.reason,
    }


def _application(row: DriveApplication) -> dict[str, Any]:
    return {
        "year": row.year,
        "state": row.state,
        "reason": row.review if row.state == "refused" else None,
    }


def _found(line: Found) -> dict[str, Any]:
    asked = line.criterion
    return {
        "code": asked.code,
        "text": {"zh": asked.text_zh, "en": asked.text_en},
        "source": asked.source,
        "assumed": asked.assumed,
        "filled": asked.filled,
        "figure": asked.figure,
        "threshold": asked.threshold,
        "value": line.value,
        "met": line.met,
    }
