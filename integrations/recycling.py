"""Recycling boxes and weighbridges: EPCIS 2.0 ObjectEvents, and the flat CSV twin of box makers.

A deposit is an event with business step `collecting` (CSV: 投放). A weighing at the sorting centre (`receiving`; 过磅) is
what the deposits of a box are balanced against, between one emptying (清运) and the next. An errorDeclaration takes an
earlier event back: a weighing's at once, a deposit's act when corrections are applied.
Masses are KGM. Few boxes tell contamination: where none is told a tenth is taken for dirt, and said so.
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, ParseOptions
from integrations import documents, recycling_events, recycling_pushes, recycling_rows, samples
from integrations.recycling_deposits import MATERIALS
from integrations.telling import Told, parsing, still_waiting, summing


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every event or row of a file in either format. Raises FileFault."""
    reader = recycling_events.read if documents.is_json(stream) else recycling_rows.read
    yield from reader(stream, options)


FEED: Final = Feed(
    code="recycling",
    partner="recycling",
    partner_names=Text("再生资源回收方", "Recycler"),
    names=Text("回收投放与过磅记录", "Recycling deposits and weighings"),
    evidence_class="A",
    formats=Text("EPCIS 2.0 事件、投放 CSV", "EPCIS 2.0 events, CSV of deposits"),
    methodologies=tuple(dict.fromkeys(material.methodology for material in MATERIALS.values())),
    late_days=35,
    parse_file=parsing(read),
    summary=summing(read, "mass_g"),
    place=still_waiting,
    authenticate=recycling_pushes.authenticate,
    operations=recycling_pushes.OPERATIONS,
    schemes=recycling_pushes.SCHEMES,
    samples=samples.of("recycling"),
)
