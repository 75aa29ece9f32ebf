"""Bus readers: boardings, and alightings where a reader at the rear door tells them; formats as of metro gates.

A boarding alone tells where a ride began and nothing of its end: it waits for its alighting. Boarding and
alighting are of one card on one bus.
"""

from datetime import timedelta
from functools import partial
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed
from integrations import gtfs, samples, tap_journeys
from integrations.tap_journeys import Rules
from integrations.tap_rows import WHOSE, Kind, Tap

METHODOLOGY: Final = "travel.bus"


def card_on_bus(tap: Tap) -> str:
    """Whose tap on which bus; a rider who changes buses has two rides."""
    return f"{tap.card}\x1f{tap.vehicle}"


RULES: Final = Rules(
    methodology=METHODOLOGY,
    entry=Kind.BUS,
    exit=Kind.BUS_EXIT,
    longest=timedelta(hours=3),
    exit_missing="alighting_missing",
    entry_missing="boarding_missing",
    refused={
        Kind.ENTRY: "not_a_bus_tap",
        Kind.EXIT: "not_a_bus_tap",
        Kind.OTHER: "unknown_transaction",
        Kind.UNREADABLE: "not_readable",
    },
    paired_by=card_on_bus,
)

FEED: Final = Feed(
    code="bus_taps",
    partner="bus",
    partner_names=Text("公交运营方", "Bus operator"),
    names=Text("公交刷卡记录", "Bus taps"),
    evidence_class="A",
    formats=Text(
        "TIDES 交易 CSV、卡交易 CSV；站距取自 GTFS", "TIDES fare transactions, card CSV; distances from GTFS"
    ),
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=partial(tap_journeys.parse, rules=RULES),
    summary=partial(tap_journeys.count, rules=RULES),
    place=partial(tap_journeys.place, rules=RULES),
    tables={"distances": gtfs.distances, "stations": gtfs.stations, "calendar": gtfs.calendar},
    samples=samples.of("bus_taps"),
    tells_of_all_by=WHOSE,
)
