"""What recyclers push: EPCIS 2.0 capture with a token, and a box's deposits, signed, in the words of the CSV twin."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import (
    Authentic,
    Item,
    Operation,
    ParseOptions,
    PushAnswer,
    Pushed,
    PushRefusal,
    PushRequest,
    Scheme,
    SecretForm,
    Secrets,
)
from integrations import authenticity, push_shapes, recycling_events, recycling_rows
from integrations.telling import unreadable

EPCIS, BOX = "epcis", "box"
SCHEMES: Final[Mapping[str, Scheme]] = {
    EPCIS: Scheme(authenticity.BEARER_HOW, {"token": authenticity.TOKEN}),
    BOX: Scheme(
        authenticity.SIGNED_HOW,
        {
            "app_id": SecretForm(r"[A-Za-z0-9_-]{4,40}", made=12),
            "secret": SecretForm(r"[A-Za-z0-9._~+/=-]{24,200}", made=40),
        },
    ),
}
_PLAIN: Final = ParseOptions()
_STATUS: Final = {
    "token_wrong": 401,
    "signature_wrong": 401,
    "timestamp_wrong": 401,
    "nonce_reused": 409,
    "too_large": 413,
    "unsupported_media_type": 415,
}
_EVENT: Final = push_shapes.objects(
    {"type": push_shapes.NAME, "eventTime": push_shapes.INSTANT},
    {
        "eventID": {"type": "string", "minLength": 1, "maxLength": 1_000},
        "action": {"type": "string", "enum": ["ADD", "OBSERVE", "DELETE"]},
        "bizStep": {"type": "string", "maxLength": 200},
        "readPoint": push_shapes.objects({"id": push_shapes.NAME}),
        "quantityList": push_shapes.lists(
            push_shapes.objects(
                {
                    "epcClass": {"type": "string", "minLength": 1, "maxLength": 200},
                    "quantity": {"type": "number", "minimum": 0, "maximum": 999_999},
                    "uom": {"type": "string", "enum": ["KGM"]},
                }
            ),
            1,
            100,
        ),
        "errorDeclaration": push_shapes.objects({"declarationTime": push_shapes.INSTANT}),
        "cc:subjectToken": push_shapes.OPTIONAL_NAME,
        "cc:session": push_shapes.OPTIONAL_NAME,
        "cc:contaminationPpm": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    },
)
_DOCUMENT: Final = push_shapes.objects(
    {
        "type": {"type": "string", "enum": ["EPCISDocument"]},
        "epcisBody": push_shapes.objects({"eventList": push_shapes.lists(_EVENT, 1, 1_000)}),
    }
)
_DEPOSIT: Final = push_shapes.objects(
    {
        "session_id": push_shapes.NAME,
        "machine_code": push_shapes.NAME,
        "deposited_at": push_shapes.LOCAL_OR_INSTANT,
        "category_code": push_shapes.NAME,
        "weight_kg": push_shapes.AMOUNT,
        "status": push_shapes.NAME,
    },
    {
        "subject_token": push_shapes.OPTIONAL_NAME,
        "violation": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "contamination_ppm": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
    },
)
_DEPOSITS: Final = push_shapes.objects({"deposits": push_shapes.lists(_DEPOSIT, 1, 1_000)})


def authenticate(request: PushRequest, sets: Sequence[Secrets]) -> Authentic | PushRefusal:
    """A token for events, a signature for deposits."""
    known = authenticity.bearer if request.operation == "capture" else authenticity.signed
    return known(request, sets)


def an_event(number: int, day: date) -> dict[str, Any]:
    """A deposit of paper on a day."""
    return {
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:5b0e7c1e-6a51-4a53-{day:%m%d}-{number:012}",
        "eventTime": f"{day}T09:40:12+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "ADD",
        "bizStep": "collecting",
        "readPoint": {"id": "https://id.cc.example/box/CC-BOX-0173"},
        "quantityList": [
            {"epcClass": "https://id.cc.example/material/paper", "quantity": 2.36, "uom": "KGM"}
        ],
        "cc:subjectToken": "o_7Qm2x",
        "cc:session": f"S-{day:%Y%m%d}-{number}",
    }


def a_document(day: date) -> dict[str, Any]:
    """An EPCIS document with one deposit."""
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": f"{day}T10:00:00+08:00",
        "epcisBody": {"eventList": [an_event(1, day)]},
    }


def some_deposits(day: date) -> dict[str, Any]:
    """One deposit at a box."""
    return {
        "deposits": [
            {
                "session_id": f"S-{day:%Y%m%d}-9",
                "machine_code": "CC-BOX-1",
                "subject_token": "o_7Qm2x",
                "deposited_at": f"{day} 09:40:12",
                "category_code": "废纸",
                "weight_kg": 2.36,
                "status": "投放",
                "violation": False,
            }
        ]
    }


def _captured(document: Any) -> Iterator[Item]:
    for told in recycling_events.of_document(document, 1, _PLAIN):
        yield told.item


def _deposited(document: Any) -> Iterator[Item]:
    for place, row in enumerate(document["deposits"], 1):
        cells = tuple(_cell(row.get(name)) for name in recycling_rows.COLUMNS)
        subject, dirt = _cell(row.get("subject_token")), _cell(row.get("contamination_ppm"))
        try:
            yield recycling_rows.told_of_row(cells, place, subject, dirt).item
        except ValueError:
            yield unreadable(row, place).item


def _cell(value: Any) -> str:
    """As it would stand in the table."""
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def _capture_told(pushed: Pushed) -> PushAnswer:
    """The capture job, which is over when it is answered; good events are taken beside wrong ones."""
    job = {
        "captureID": pushed.items[0].record_id if pushed.items else "",
        "createdAt": pushed.request.at.isoformat(),
        "finishedAt": pushed.request.at.isoformat(),
        "running": False,
        "success": not pushed.refused,
        "captureErrorBehaviour": "proceed",
        "counts": dict(pushed.counts),
        "errors": [
            {
                "type": "epcisException:ValidationException",
                "title": "+".join(why),
                "status": 400,
                "item": place,
            }
            for place, why in sorted(pushed.refused.items())
        ],
    }
    return PushAnswer(202, job)


def _capture_refused(request: PushRequest, refusal: PushRefusal) -> PushAnswer:
    del request
    status = _STATUS.get(refusal.code, 400)
    kind = "SecurityException" if status == 401 else "ValidationException"
    told = {
        "type": f"epcisException:{kind}",
        "title": refusal.code,
        "status": status,
        "detail": f"{refusal.detail.zh} / {refusal.detail.en}",
    }
    return PushAnswer(status, told)


def _deposits_told(pushed: Pushed) -> PushAnswer:
    refused = [{"item": place, "reasons": list(why)} for place, why in sorted(pushed.refused.items())]
    return PushAnswer(200, {"code": 0, "message": "ok", "counts": dict(pushed.counts), "refused": refused})


def _deposits_refused(request: PushRequest, refusal: PushRefusal) -> PushAnswer:
    del request
    status = _STATUS.get(refusal.code, 400)
    words = f"{refusal.detail.zh} / {refusal.detail.en}"
    return PushAnswer(status, {"code": status, "error": refusal.code, "message": words})


OPERATIONS: Final[Mapping[str, Operation]] = {
    "capture": Operation(
        code="capture",
        names=Text("EPCIS 2.0 事件采集", "EPCIS 2.0: capture of events"),
        scheme=EPCIS,
        schema={"$schema": push_shapes.DRAFT, "title": "capture", **_DOCUMENT},
        example=a_document,
        read=_captured,
        accept=_capture_told,
        refuse=_capture_refused,
    ),
    "deposits": Operation(
        code="deposits",
        names=Text("回收箱投放推送", "Deposits at a box"),
        scheme=BOX,
        schema={"$schema": push_shapes.DRAFT, "title": "deposits", **_DEPOSITS},
        example=some_deposits,
        read=_deposited,
        accept=_deposits_told,
        refuse=_deposits_refused,
    ),
}
