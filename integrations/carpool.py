"""Shared cars, in the shape of the French registry's journey v3, as files and as pushes of a drive's journeys.

Journeys of one drive belong into one push: told one by one, the driver's seat would be told anew each time.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import (
    Feed,
    Item,
    Operation,
    ParseOptions,
    PushAnswer,
    Pushed,
    PushRefusal,
    PushRequest,
    Scheme,
)
from integrations import authenticity, carpool_journeys, push_shapes, samples
from integrations.carpool_journeys import CLASSES, METHODOLOGY
from integrations.telling import parsing, still_waiting, summing

SCHEME: Final = "registry"
_STATUS: Final = {"token_wrong": 401, "too_large": 413, "unsupported_media_type": 415}
_END: Final = push_shapes.objects(
    {
        "datetime": push_shapes.INSTANT,
        "lat": push_shapes.degrees(90),
        "lon": push_shapes.degrees(180),
    }
)
_PERSON: Final = push_shapes.objects(
    {"identity": push_shapes.objects({}, {"operator_user_id": push_shapes.OPTIONAL_NAME})}
)
_PASSENGER: Final = push_shapes.objects(
    {"identity": _PERSON["properties"]["identity"]},
    {"seats": {"type": "integer", "minimum": 1, "maximum": 8}},
)
_JOURNEY: Final = push_shapes.objects(
    {
        "operator_journey_id": push_shapes.NAME,
        "operator_trip_id": push_shapes.NAME,
        "operator_class": {"type": "string", "enum": sorted(CLASSES)},
        "start": _END,
        "end": _END,
        "distance": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
        "driver": _PERSON,
        "passenger": _PASSENGER,
    },
    {
        "record_type": {"type": "string", "enum": ["NEW", "VOID", "CORRECT"]},
        "supersedes": push_shapes.NAME,
    },
)
_DRIVE: Final = push_shapes.objects({"journeys": push_shapes.lists(_JOURNEY, 1, 100)})


def a_journey(number: int, day: date) -> dict[str, Any]:
    """A couple's ride across Chancheng on a day."""
    return {
        "operator_journey_id": f"j-{day:%Y%m%d}-{number}",
        "operator_trip_id": f"t-{day:%Y%m%d}",
        "operator_class": "C",
        "start": {"datetime": f"{day}T08:05:00+08:00", "lat": 23.0296, "lon": 113.1067},
        "end": {"datetime": f"{day}T08:31:00+08:00", "lat": 22.9614, "lon": 113.1345},
        "distance": 9800,
        "driver": {"identity": {"operator_user_id": "d91"}, "revenue": 900},
        "passenger": {"identity": {"operator_user_id": "o_7Qm2x"}, "contribution": 900, "seats": 1},
        "incentives": [],
    }


def _read(document: Any) -> Iterator[Item]:
    for told in carpool_journeys.of_documents(enumerate(document["journeys"], 1), ParseOptions()):
        yield told.item


def _told(pushed: Pushed) -> PushAnswer:
    refused = [
        {"record": pushed.items[place].record_id, "reasons": list(why)}
        for place, why in sorted(pushed.refused.items())
    ]
    journeys = [each["operator_journey_id"] for each in pushed.document["journeys"]]
    return PushAnswer(
        201,
        {
            "operator_journey_id": journeys,
            "created_at": pushed.request.at.isoformat(),
            "counts": dict(pushed.counts),
            "refused": refused,
        },
    )


def _refused(request: PushRequest, refusal: PushRefusal) -> PushAnswer:
    del request
    words = f"{refusal.detail.zh} / {refusal.detail.en}"
    return PushAnswer(_STATUS.get(refusal.code, 400), {"error": refusal.code, "message": words})


FEED: Final = Feed(
    code="carpool",
    partner="carpool",
    partner_names=Text("合乘平台", "Carpool platform"),
    names=Text("合乘行程", "Shared car journeys"),
    evidence_class="A",
    formats=Text("合乘登记行程 v3（JSON）", "registry journeys v3 (JSON)"),
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=parsing(carpool_journeys.read),
    summary=summing(carpool_journeys.read, "journeys", "drives"),
    place=still_waiting,
    authenticate=authenticity.bearer,
    operations={
        "journeys": Operation(
            code="journeys",
            names=Text("合乘行程推送（每次一趟车的全部行程）", "Journeys, all those of a drive at once"),
            scheme=SCHEME,
            schema={"$schema": push_shapes.DRAFT, "title": "journeys", **_DRIVE},
            example=lambda day: {"journeys": [a_journey(1, day)]},
            read=_read,
            accept=_told,
            refuse=_refused,
        )
    },
    schemes={SCHEME: Scheme(authenticity.BEARER_HOW, {"token": authenticity.TOKEN})},
    samples=samples.of("carpool"),
)
