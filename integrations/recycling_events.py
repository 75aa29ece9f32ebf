"""EPCIS 2.0 events in JSON-LD (gs1/EPCIS): deposits, weighings, and declarations that an event was wrong.

A file is an EPCISDocument, a list of events, or one event a line. Ours is what lies under `cc:`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import FileFault, ParseOptions
from integrations import documents, readings, recycling_weighings
from integrations.recycling_deposits import Deposit, in_bag_of, told_of
from integrations.recycling_weighings import Ticket
from integrations.telling import Told, correction, digest, refused, unreadable

DEPOSIT: Final = "collecting"
WEIGHING: Final = "receiving"
# a bag is taken out of a box: what is in it goes from the box into the bag, or the bag onto the lorry
EMPTYING: Final = frozenset({"removing", "packing", "loading"})
EMPTIES: Final = frozenset({"AggregationEvent", "TransactionEvent"})
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
    number = _within(number)
    readings.zoned(event["eventTime"])
    is_wrong = event.get("errorDeclaration") is not None
    if _is_weighing(event):
        for ticket in _tickets(event, number, line, is_withdrawn=is_wrong):
            yield recycling_weighings.told_of(ticket)
        return
    deposits = _deposits(event, number, line, subject_path) if _is_deposit(event) else []
    if is_wrong:
        taken_back = tuple(each for deposit in deposits for each in in_bag_of(deposit, is_withdrawn=True))
        said = _declaration(number, event["errorDeclaration"], line)
        yield Told(replace(said, deposits=taken_back), {"error_declarations": 1})
    elif deposits:
        yield from map(told_of, deposits)
    else:
        yield Told(refused(number, line, "not_a_deposit"), {"other_events": 1})


def _is_deposit(event: Any) -> bool:
    step = _last_part(event.get("bizStep", ""))
    return event.get("type") == "ObjectEvent" and step == DEPOSIT and event.get("action") == "ADD"


def _is_weighing(event: Any) -> bool:
    """A ticket with a mass, or a box's emptying; goods that are merely received are none."""
    step = _last_part(event.get("bizStep", ""))
    if event.get("type") == "ObjectEvent":
        return step == WEIGHING and _net_g(event) is not None
    return event.get("type") in EMPTIES and step in EMPTYING


def _tickets(event: Any, number: str, line: int, *, is_withdrawn: bool) -> Iterator[Ticket]:
    """A ticket is of one material, for its mass cannot be shared out; an emptying may be of several."""
    told = event.get("childQuantityList") or event.get("quantityList") or []
    net_g = _net_g(event)
    materials = [_last_part(each["epcClass"]) for each in told] or [""]
    if net_g is not None and len(materials) > 1:
        materials = [""]
    told_machine, told_at = event.get("cc:machine"), event.get("cc:emptiedAt")
    machine = _machine(event) if told_machine is None else _last_part(readings.named(told_machine))
    emptied_at = readings.zoned(event["eventTime"] if told_at is None else told_at)
    for place, material in enumerate(materials):
        part = number if len(materials) == 1 else digest(number, str(place))
        yield Ticket(part, line, machine, material, emptied_at, net_g, is_withdrawn)


def _deposits(event: Any, number: str, line: int, subject_path: str) -> list[Deposit]:
    subject = readings.optional(event.get(subject_path))
    quantities = event["quantityList"]
    parts = [
        number if len(quantities) == 1 else digest(number, str(place)) for place in range(len(quantities))
    ]
    return [
        _deposit(event, quantity, part, line, subject)
        for part, quantity in zip(parts, quantities, strict=True)
    ]


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
