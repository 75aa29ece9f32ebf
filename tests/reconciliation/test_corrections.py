"""Corrections and voids, as files and formats tell them, reach the acts they are about; a kill loses nothing."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.files import Delivery, take_in_file
from carbon_credits.activities.landing import land
from carbon_credits.activities.service import Claim, claim
from carbon_credits.activities.told import Intake, read
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.jobs.corrections import settle_feed
from carbon_credits.partners import keys
from carbon_credits.partners.contract import Item, ParseOptions, Record, Unusable
from carbon_credits.partners.inbox import Inbox
from carbon_credits.reconciliation import corrections
from carbon_credits.reconciliation.corrections import settle_versions
from integrations import metro_taps
from tests.factories.partner_files import FEED, NOW, Sender, a_ride, a_table
from tests.integrations.samples import SAMPLES
from tests.reconciliation.programme import DAY, City, a_city
from tests.reconciliation.programme import a_ride as a_record
from tests.walks.test_delivered import Desk, KilledError

CORRECTED, WITHDRAWN = ("corrected_by_partner",), ("withdrawn_by_partner",)
TIDES = (
    "transaction_id,service_date,event_timestamp,fare_action,stop_id,route_id,vehicle_id,device_id,"
    "fare_media_id,token_id,amount,currency_type,fare_capped,ref_transaction_id"
)


class Files:
    """A partner's numbered files, worked on as its feed's process does, and the riders of them."""

    def __init__(self, session: Session, vault: Vault, home: Path) -> None:
        self.city = a_city(session, vault, FEED)
        self.sender = Sender()
        source = self.city.source
        keys.add_key(session, source.partner_id, self.sender.public_key, NOW)
        session.commit()
        self.desk = Desk(session, vault, Inbox(home), source.partner_id, source.source_id, self.sender)
        self.last: str | None = None

    def send(self, version: int, *rows: str, settled: bool = True) -> None:
        """The next version of the day's file."""
        sent = self.sender.send(a_table(rows), version=version, replaces_sha256=self.last)
        self.last = str(sent.told["sha256"])
        self.desk.bring(sent)
        assert [state for _, state in self.desk.work()] == ["applied"]
        if settled:
            settle_feed(self.city.vault, self.city.source.source_id)

    def open(self) -> int:
        """How many corrections are not settled."""
        self.city.session.rollback()
        found = self.city.session.execute(
            text("select count(*) from record_correction where settled_at is null")
        )
        return int(found.scalar_one())


@pytest.fixture
def files(session: Session, vault: Vault, tmp_path: Path) -> Files:
    """Nothing was sent yet."""
    made = Files(session, vault, tmp_path)
    made.city.rider("rider-1")
    return made


def states(city: City, rider: str = "rider-1") -> list[tuple[int, str]]:
    return [(m, state) for m, state, _ in city.acts(rider)]


def test_versions_of_a_file_correct_take_back_and_bring_back(files: Files) -> None:
    files.send(1, a_ride(1, distance_m=1_001), a_ride(2, distance_m=1_002), a_ride(3, distance_m=1_003))
    files.city.decide()
    first = files.city.wallet("rider-1")
    files.send(2, a_ride(1, distance_m=1_001), a_ride(2, distance_m=1_900))
    files.city.decide()
    assert files.city.acts("rider-1") == [
        (1_001, "credited", ()),
        (1_002, "rejected", CORRECTED),
        (1_003, "rejected", WITHDRAWN),
        (1_900, "credited", ()),
    ]
    files.send(3, a_ride(3, distance_m=1_003), a_ride(2, distance_m=1_002), a_ride(1, distance_m=1_001))
    files.city.decide()
    assert [state for state in states(files.city) if state[1] == "credited"] == [
        (1_001, "credited"),
        (1_002, "credited"),
        (1_003, "credited"),
    ]
    assert files.city.wallet("rider-1") == first
    assert files.open() == 0


def test_a_version_that_says_what_cannot_be_takes_the_old_word_away(files: Files) -> None:
    files.send(1, a_ride(1))
    files.send(2, a_ride(1, distance_m=-5))
    files.city.decide()
    assert files.city.acts("rider-1") == [(1_500, "rejected", CORRECTED)]


def test_a_void_that_a_later_version_leaves_out_is_taken_back_itself(files: Files) -> None:
    ride, back = a_ride(1), a_ride(1, kind="Void")
    for version, rows, state in (
        (1, [ride, back], "rejected"),
        (2, [ride], "credited"),
        (3, [back, ride], "rejected"),
        (4, [ride], "credited"),
    ):
        files.send(version, *rows)
        files.city.decide()
        assert states(files.city) == [(1_500, state)], version


def test_a_ride_corrected_to_somebody_unknown_counts_for_nobody_until_he_is_known(files: Files) -> None:
    files.send(1, a_ride(1))
    files.send(2, a_ride(1, rider="late", distance_m=1_600))
    files.city.decide()
    assert files.city.acts("rider-1") == [(1_500, "rejected", CORRECTED)]
    files.city.rider("late")
    # what waits is tried again with the next file of the feed, and keeps the version it was told in
    files.send(3, a_ride(1, rider="late", distance_m=1_600), a_ride(2))
    files.city.decide()
    assert states(files.city, "late") == [(1_600, "credited")]
    assert sorted(state for _, state in states(files.city)) == ["credited", "rejected"]


def test_a_piece_that_is_gone_takes_its_record_along_and_brings_it_back(city: City) -> None:
    city.rider("rider")
    journey = a_record("T1+T2", settles=("T1", "T2"))

    def told(version: int, *items: Item) -> None:
        intake = Intake(city.vault, city.source, datetime.now(UTC), None, version)
        land(city.session, intake, read(intake, items))
        city.session.commit()
        city.decide()

    told(1, journey)
    assert states(city, "rider") == [(3_000, "credited")]
    assert city.take_back("T2", 5_002) == 1
    city.decide()
    assert city.acts("rider") == [(3_000, "rejected", WITHDRAWN)]
    told(5_003, Unusable("T1", None, ("exit_missing",), waiting=True))
    assert states(city, "rider") == [(3_000, "rejected")]
    told(5_003, Unusable("T2", None, ("entry_missing",), waiting=True))
    assert states(city, "rider") == [(3_000, "credited")]


def test_a_kill_between_chunks_loses_nothing(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.send(1, *(a_ride(n) for n in range(9)))
    files.send(2, a_ride(0), settled=False)
    files.city.decide()
    source = files.city.source.source_id

    def step(session: Session) -> int:
        return settle_versions(session, source, most=3).seen

    assert in_transaction(step) == 3
    with monkeypatch.context() as patch:
        patch.setattr(corrections, "let_newest_count", killed)
        with pytest.raises(KilledError):
            in_transaction(step)
    assert files.open() == 5
    assert len(files.city.queued()) == 3
    settle_feed(files.city.vault, source)
    assert files.open() == 0
    files.city.decide()
    assert [state for _, state in states(files.city)].count("credited") == 1
    # done again it changes nothing
    assert settle_feed(files.city.vault, source) == 0
    assert files.city.queued() == []


def killed(*_: object) -> int:
    """The process ends here."""
    raise KilledError


def test_a_claim_that_a_record_had_replaced_is_looked_at_again_when_the_record_goes(city: City) -> None:
    city.rider("rider")
    ride = a_record(distance_m=3_000)
    claimed = Claim("travel.shared_bicycle", ride.occurred_from, ride.occurred_to, {"distance_m": 3_100})
    in_transaction(lambda s: claim(s, city.vault, city.riders["rider"], claimed, datetime.now(UTC)))
    city.tell(ride)
    city.decide()
    assert states(city, "rider") == [(3_000, "credited"), (3_100, "replaced")]
    city.take_back("ride", 2)
    city.decide()
    assert [state for _, state in states(city, "rider")] == ["rejected", "awaiting"]
    # told again it replaces the claim again
    city.tell(a_record(distance_m=3_000, version=3))
    city.decide()
    assert states(city, "rider") == [(3_000, "credited"), (3_100, "replaced")]


class Gates:
    """A metro whose taps come in files by hand, with the distances between its stations."""

    def __init__(self, session: Session, vault: Vault, folder: Path) -> None:
        self.city = a_city(session, vault, metro_taps.FEED)
        self.city.rider("rider")
        self.distances = folder / "distances.csv"
        self.distances.write_text("from_station,to_station,distance_m\n祖庙,魁奇路,3100\n")

    def tap(self, number: str, at: str, action: str, station: str, about: str = "", amount: str = "0") -> str:
        """A row of TIDES."""
        return (
            f"{number},{DAY},{DAY}T{at}:00+08:00,{action},{station},,,G,card,rider,{amount},CNY,false,{about}"
        )

    def take(self, *rows: str) -> None:
        """A file of these rows, then what follows from it."""
        stream = io.BytesIO("\n".join((TIDES, *rows, "")).encode())
        options = ParseOptions(distances=self.distances)
        now = datetime.now(UTC) - timedelta(hours=1)
        taken = take_in_file(self.city.vault, Delivery(metro_taps.FEED, stream, "taps.csv", options), now)
        assert taken.state == "applied"
        settle_feed(self.city.vault, self.city.source.source_id)
        self.city.decide()

    def waiting(self) -> int:
        """How many corrections wait."""
        found = self.city.session.execute(
            text(
                "select count(*) from record_set_aside where state = 'waiting' and reasons[1] = 'correction_waits'"
            )
        )
        return int(found.scalar_one())


@pytest.fixture
def gates(session: Session, vault: Vault, tmp_path: Path) -> Gates:
    """Nobody passed yet."""
    return Gates(session, vault, tmp_path)


def journey(gates: Gates) -> list[str]:
    return [
        gates.tap("T1", "08:00", "Enter", "魁奇路"),
        gates.tap("T2", "08:20", "Exit", "祖庙", amount="3.00"),
    ]


def void(gates: Gates, about: str = "T2") -> str:
    return gates.tap("V1", "09:00", "Void", "祖庙", about, "-3.00")


@pytest.mark.parametrize(
    "parts",
    [
        lambda g: [[*journey(g), void(g)]],
        lambda g: [journey(g), [void(g)]],
        lambda g: [[void(g)], journey(g)],
        lambda g: [[void(g)], journey(g)[:1], journey(g)[1:]],
        lambda g: [journey(g)[1:], [void(g)], journey(g)[:1]],
        lambda g: [journey(g)[:1], [void(g, about="T1")], journey(g)[1:]],
    ],
)
def test_a_void_of_a_tap_takes_its_journey_back_in_any_order(
    gates: Gates, parts: Callable[[Gates], list[list[str]]]
) -> None:
    for rows in parts(gates):
        gates.take(*rows)
    assert gates.city.wallet("rider") == (0, 0, 0)
    assert {state for _, state in states(gates.city, "rider")} <= {"rejected"}
    assert gates.waiting() == 0


def test_an_adjusted_fare_is_money_alone_and_what_is_unknown_waits(gates: Gates) -> None:
    gates.take(*journey(gates), gates.tap("A1", "09:00", "Adjust", "祖庙", "T2", "1.00"), void(gates, "T9"))
    assert states(gates.city, "rider") == [(3_100, "credited")]
    assert gates.waiting() == 1


def test_what_formats_take_back_is_named_as_their_records_are() -> None:
    """A credit CDR, a declaration of error, a refund, a cancelled deposit: the number is that of the record."""
    named = set()
    for sample in SAMPLES:
        items = list(sample.feed.parse_file(io.BytesIO(sample.content), sample.options))
        known = {i.record_id for i in items} | {p for i in items if isinstance(i, Record) for p in i.settles}
        for item in items:
            if isinstance(item, Unusable) and item.kept and item.kept.get("action") == "void":
                assert item.kept["corrects"] in known, sample.name
                named.add(sample.feed.code)
    assert named >= {"bus_taps", "ev_charging", "recycling", "shop_bills", "carpool"}
