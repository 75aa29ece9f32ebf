"""Charging of electric cars: OCPI charge detail records, orders of T/CEC 102, and the ACN research sessions.

Orders, daily checks and CDRs are pushed too (`ev_pushes`).

An order tells energy and not kilometres: its energy is divided once by what a car takes from a charger for a
kilometre, and rounded down. Few orders name the car, so where there is no VIN the customer's account stands for
it: two cars that one account charges at once count as one.
"""

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, ParseOptions
from integrations import documents, ev_acn, ev_ocpi, ev_orders, ev_pushes, samples
from integrations.ev_sessions import METHODOLOGY, Scale
from integrations.telling import Read, Told, parsing, still_waiting, summing


def read(stream: BinaryIO, options: ParseOptions, scale: Scale) -> Iterator[Told]:
    """Every session of a file in any of the three formats. Raises FileFault."""
    if not documents.is_json(stream):
        yield from ev_acn.read(stream, options)
        return
    for line, document in documents.elements(stream):
        if ev_orders.is_ours(document):
            yield from ev_orders.read(document, line, options, scale)
        else:
            yield ev_ocpi.read(document, line, options)


def feed_of(code: str, partner: str, names: Text, scale: Scale) -> Feed:
    """The feed of one charging operator, with the scale in which it tells energy and money."""
    reader: Read = partial(read, scale=scale)
    return Feed(
        code=code,
        partner=partner,
        partner_names=names,
        names=Text("充电订单", "Charging orders"),
        evidence_class="A",
        formats=Text(
            "T/CEC 102 订单与每日对账、OCPI 2.2.1 / 2.3 CDR",
            "T/CEC 102 orders and daily check, OCPI 2.2.1 and 2.3 CDRs",
        ),
        methodologies=(METHODOLOGY,),
        late_days=35,
        parse_file=parsing(reader),
        summary=summing(reader, "energy_wh"),
        place=still_waiting,
        authenticate=ev_pushes.authenticate,
        operations=ev_pushes.operations(scale),
        schemes=ev_pushes.SCHEMES,
        samples=samples.of("ev_charging"),
    )


FEED: Final = feed_of("ev_charging", "ev_charging", Text("充电运营商", "Charging operator"), Scale())
