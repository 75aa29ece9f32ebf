"""Metro gates and city cards: taps, paired in-then-out for each card, are journeys.

Two formats: the eleven text columns of the Shenzhen open data (`card_no`, `deal_type`, …; fares in fen, times
without a zone), and TIDES `fare_transactions` (TIDES-transit/TIDES), where `token_id` is the rider's token at
our programme and never a card number. A journey's distance comes from a table of station distances, which may be
read from GTFS. What cannot be paired or placed yet waits; a bus tap belongs to the feed of buses.
"""

from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed
from integrations import gtfs, samples, tap_journeys
from integrations.tap_journeys import Rules
from integrations.tap_rows import WHOSE, Kind

METHODOLOGY: Final = "travel.metro"
RULES: Final = Rules(
    methodology=METHODOLOGY,
    entry=Kind.ENTRY,
    exit=Kind.EXIT,
    # longer between in and out, they are not one journey: the gates themselves charge for overstaying after less
    longest=timedelta(hours=6),
    exit_missing="exit_missing",
    entry_missing="entry_missing",
    refused={
        Kind.BUS: "bus_has_no_alighting",
        Kind.BUS_EXIT: "bus_has_no_alighting",
        Kind.OTHER: "unknown_transaction",
        Kind.UNREADABLE: "not_readable",
    },
    paired_by=attrgetter("card"),
)

FEED: Final = Feed(
    code="metro_taps",
    partner="metro",
    partner_names=Text("地铁运营方", "Metro operator"),
    names=Text("地铁进出站记录", "Metro gate taps"),
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
    samples=samples.of("metro_taps"),
    tells_of_all_by=WHOSE,
)
