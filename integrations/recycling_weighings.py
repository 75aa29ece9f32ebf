"""One weighing of what was taken out of a recycling box, or its emptying alone, whatever the format it was told in."""

from datetime import datetime
from typing import Final, NamedTuple

from carbon_credits.partners.contract import Weighing
from integrations.recycling_deposits import MATERIALS
from integrations.telling import Told, refused

# a lorry with two trailers; more is a slip of the pen
HEAVIEST_BAG_G: Final = 60_000_000


class Ticket(NamedTuple):
    """A weighbridge's ticket for one box and material; `material` is their word, no `net_g` where it was not weighed."""

    record_id: str
    line: int
    machine: str
    material: str
    emptied_at: datetime
    net_g: int | None
    is_withdrawn: bool = False


def told_of(ticket: Ticket) -> Told:
    """The weighing, or why it cannot be held against deposits."""
    weighed = ticket.net_g is not None
    facts = {"weighings" if weighed else "emptyings": 1, "weighed_g": ticket.net_g or 0}
    if ticket.is_withdrawn:
        facts = {"error_declarations": 1}
    material = MATERIALS.get(ticket.material)
    if material is None:
        return Told(refused(ticket.record_id, ticket.line, "unknown_material"), facts)
    if ticket.net_g is not None and ticket.net_g > HEAVIEST_BAG_G:
        return Told(refused(ticket.record_id, ticket.line, "implausible_mass"), facts)
    of = (
        ticket.record_id,
        ticket.machine,
        material.methodology,
        ticket.emptied_at,
        ticket.net_g,
        ticket.line,
    )
    return Told(Weighing(*of, is_withdrawn=ticket.is_withdrawn), facts)
