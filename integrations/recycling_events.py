"""EPCIS 2.0 events in JSON-LD (gs1/EPCIS): deposits, weighings, and declarations that an event was wrong.

A file is an EPCISDocument, a list of events, or one event a line. Ours is what lies under `cc:`.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, ParseOptions
from integrations import documents, readings
from integrations.recycling_deposits import Deposit, told_of
from integrations.telling import Told, correction, digest, refused, unreadable, waiting

DEPOSIT: Final = "collecting"
WEIGHING: Final = "receiving"
SUBJECT: Final = "cc:subjectToken"
KILOGRAM: Final = "KGM"


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every event of the file. Raises FileFault with code `not_epcis` for another kind of document."""
    for line, document in documents.elements(stream):
        yield from of_document(document, line, options)


def of_document(document: Any, line: int, options: ParseOptions) -> Iterator[Told]:
    """Every event of one document. Raises FileFault with code `not_epcis`."""
    for event in _events(document, line):
        yield from _told(event, line, options.bind_column or SUBJECT)


def _events(document: Any, line: int) -> list[Any]:
    if isinstance(document, dict) and "epcisBody" in document:
        body = document["epcisBody"]
        found = body.get("eventList", [body.get("event")]) if isinstance(body, dict) else None
        if isinstance(found, list):
            return found
    elif isinstance(document, dict) and str(document.get("type", "")).endswith("Event"):
        return [document]
    said = Text("不是 EPCIS 事件文档", "This is not a document of EPCIS events")
    raise FileFault("not_epcis", said, line)


def _told(event: Any, line: int, subject_path: str) -> Iterator[Told]:
    try:
        yield from list(_things(event, line, subject_path))
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError):
        yield unreadable(event, line)


def _things(event: Any, line: int, subject_path: str) -> Iterator[Told]:
    number = event.get("eventID") or digest(repr(sorted(event.items())))
    number, at = _within(number), readings.zoned(event["eventTime"])
    declared = event.get("errorDeclaration")
    if declared is not None:
        yield Told(_declaration(number, declared, line), {"error_declarations": 1})
        return
    step = _last_part(event.get("bizStep", ""))
    is_object = event.get("type") == "ObjectEvent"
    if is_object and step == WEIGHING and _net_g(event) is not None:
        item = waiting(number, line, "weighing_waits", at, machine=_machine(event), net_g=_net_g(event))
        yield Told(item, {"weighings": 1, "weighed_g": _net_g(event) or 0})
        return
    if not (is_object and step == DEPOSIT and event.get("action") == "ADD"):
        yield Told(refused(number, line, "not_a_deposit"), {"other_events": 1})
        return
    subject = readings.optional(event.get(subject_path))
    quantities = event["quantityList"]
    for place, quantity in enumerate(quantities):
        part = number if len(quantities) == 1 else digest(number, str(place))
        yield told_of(_deposit(event, quantity, part, line, subject))


def _deposit(event: Any, quantity: Any, number: str, line: int, subject: str) -> Deposit:
    if quantity["uom"] != KILOGRAM:
        raise ValueError(quantity)
    dirt = event.get("cc:contaminationPpm")
    material = _last_part(quantity["epcClass"])
    session = readings.optional(event.get("cc:session")) or number
    return Deposit(
        record_id=number,
        line=line,
        machine=_machine(event),
        subject_token=subject,
        material=material,
        mass_g=readings.scaled(quantity["quantity"], 1000),
        at=readings.zoned(event["eventTime"]),
        order_no=f"{session}:{material}",
        contamination_ppm=None if dirt is None else readings.integer(dirt),
        is_flagged=bool(event.get("cc:violation")),
    )


def _declaration(number: str, declared: Any, line: int) -> Any:
    at = readings.zoned(declared["declarationTime"])
    new = declared.get("correctiveEventIDs") or []
    return correction(
        digest(number, "error"),
        line,
        corrects=number,
        action="correct" if new else "void",
        at=at,
        cause=readings.optional(declared.get("reason")),
        corrected_by=" ".join(_within(each) for each in new),
    )


def _net_g(event: Any) -> int | None:
    """Net mass of a weighing; None where nothing was weighed, as when goods are merely received."""
    reports = [
        report
        for element in event.get("sensorElementList", [])
        for report in element["sensorReport"]
        if report.get("type") == "Mass" and report.get("uom") == KILOGRAM
    ]
    net = [report for report in reports if report.get("cc:part", "net") == "net"]
    return readings.scaled(net[0]["value"], 1000) if net else None


def _machine(event: Any) -> str:
    return _last_part(readings.named(event["readPoint"]["id"]))


def _last_part(told: Any) -> str:
    """`paper` of `https://id.cc.example/material/paper`, `collecting` of `urn:epcglobal:cbv:bizstep:collecting`."""
    if not isinstance(told, str):
        raise ValueError(told)
    return told.rsplit("/", 1)[-1].rsplit(":", 1)[-1] if "/" in told or "urn:" in told else told


def _within(told: Any) -> str:
    """An event's number; a hash id is longer than numbers are, so then its digest."""
    if not isinstance(told, str) or not 0 < len(told) <= 1_000:
        raise ValueError(told)
    return told if len(told) <= 100 else digest(told)
