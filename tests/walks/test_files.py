"""Walks of a partner's file: from its bytes to acts, or to a refusal of the whole."""

import gzip
import io
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import landing, told
from carbon_credits.activities.fates import fates_of_records, undecided_records
from carbon_credits.activities.files import Delivery, Landed, Taken, place, take_in_file
from carbon_credits.activities.intake import terms_of
from carbon_credits.activities.told import Intake
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction, transaction
from carbon_credits.core.errors import Conflict
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import service
from carbon_credits.partners.contract import Feed, ParseOptions, Record
from integrations import bike_share, metro_taps
from tests.factories.residents import a_bound_resident

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
BIKES, METRO = bike_share.FEED, metro_taps.FEED
RIDER = ParseOptions(bind_column="Rider")
HEADER = ",".join((*bike_share.COLUMNS, "Rider"))
TAPS = "card_no,deal_date,deal_type,deal_money,deal_value,equ_no,company_name,station,car_no,conn_mark,close_date"
T = TypeVar("T")


class KilledError(BaseException):
    """The process ends here: nothing catches this."""


def a_ride(number: int, rider: str = "rider-1", minutes: int = 12) -> str:
    """A ride of 1.5 km on a bicycle of its own, each an hour after the one before."""
    begins = datetime(2026, 11, 20, 6, 0, tzinfo=UTC) + timedelta(hours=number)
    ends = begins + timedelta(minutes=minutes)
    times = f"{begins:%Y-%m-%d %H:%M:%S},{ends:%Y-%m-%d %H:%M:%S}"
    return f"{minutes * 60},{times},B{number},R1,23.0200,113.1200,R2,23.0300,113.1300,{rider}"


def a_tap(card: str, at: str, kind: str, station: str) -> str:
    """A gate's row, on 20 November."""
    return f"{card},2026-11-20 {at},{kind},0,200,G1,演示地铁,{station},IGT,0,2026-11-21 00:00:00"


def a_file(feed: Feed, lines: list[str], options: ParseOptions = RIDER, encoding: str = "utf-8") -> Delivery:
    """A delivery of these lines."""
    return Delivery(feed, io.BytesIO(("\n".join(lines) + "\n").encode(encoding)), "day.csv", options)


def acts(session: Session) -> int:
    """How many acts there are."""
    return int(session.execute(text("select count(*) from activity")).scalar_one())


def aside(session: Session) -> dict[str, int]:
    """Records set aside, by state and reasons."""
    rows = session.execute(
        text("select state || ':' || array_to_string(reasons, '+') as k, count(*) as n"
             " from record_set_aside group by 1")
    )  # fmt: skip
    return {row.k: row.n for row in rows}


@pytest.fixture
def feeds(session: Session) -> None:
    """The integrations, installed."""
    service.install(session, (BIKES, METRO))
    session.commit()


@pytest.fixture
def rider(session: Session, vault: Vault, feeds: None) -> Callable[[str, Feed], int]:
    """Binds a subject of a feed's partner to a new resident with a wallet."""

    def bound(subject: str, feed: Feed) -> int:
        partner = service.partner_by_code(session, feed.partner)
        resident = a_bound_resident(session, vault, partner.partner_id, partner.code, subject)
        open_wallet(session, resident)
        session.commit()
        return resident

    return bound


def test_every_row_of_a_file_ends_as_an_act_or_with_its_reason(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    rider("rider-1", BIKES)
    same_station = a_ride(3).replace("R2", "R1")
    strange = a_ride(4, rider="somebody")
    unreadable = a_ride(5).replace("2026-11-20", "2026-13-20")
    too_old = a_ride(6).replace("2026-11-20", "2026-01-20")
    rows = [HEADER, a_ride(1), a_ride(2), same_station, strange, unreadable, too_old, a_ride(1)]
    taken = take_in_file(vault, a_file(BIKES, rows), NOW)
    assert taken.outcomes == {
        "accepted": 2,
        "duplicate": 1,
        "refused:not_readable": 1,
        "refused:same_station": 1,
        "refused:too_old": 1,
        "waiting:unknown_subject": 1,
    }
    assert taken.rows == 7 == sum(taken.outcomes.values())
    assert acts(session) == 2
    assert aside(session) == {
        "refused:not_readable": 1,
        "refused:same_station": 1,
        "refused:too_old": 1,
        "waiting:unknown_subject": 1,
    }


def test_the_same_bytes_again_change_nothing_and_answer_the_first_counts(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    rider("rider-1", BIKES)
    rows = [HEADER, a_ride(1), a_ride(2), a_ride(3, rider="somebody")]
    first = take_in_file(vault, a_file(BIKES, rows), NOW)
    before = aside(session)
    again = take_in_file(vault, a_file(BIKES, rows), NOW + timedelta(days=1))
    assert (again.known, again.rows, again.outcomes) == (True, first.rows, first.outcomes)
    assert (acts(session), aside(session)) == (2, before)


def test_a_longer_export_that_holds_the_same_rows_adds_only_the_new_ones(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    rider("rider-1", BIKES)
    take_in_file(vault, a_file(BIKES, [HEADER, a_ride(1), a_ride(2)]), NOW)
    longer = take_in_file(vault, a_file(BIKES, [HEADER, a_ride(1), a_ride(2), a_ride(3)]), NOW)
    assert longer.outcomes == {"accepted": 1, "duplicate": 2}
    assert acts(session) == 3


def _refused(session: Session, taken: Taken, code: str, line: int | None) -> None:
    assert taken.state == "refused"
    assert taken.fault is not None
    assert (taken.fault["code"], taken.fault["line"]) == (code, line)
    stored = session.execute(text("select state, fault ->> 'code' as code from partner_file")).one()
    assert (stored.state, stored.code) == ("refused", code)
    assert acts(session) == 0
    assert aside(session) == {}


def test_a_gzip_cut_short_credits_nothing(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    rider("rider-1", BIKES)
    whole = gzip.compress("\n".join([HEADER, *(a_ride(n) for n in range(200)), ""]).encode())
    for kept in (len(whole) // 2, len(whole) - 4):
        cut = Delivery(BIKES, io.BytesIO(whole[:kept]), "day.csv.gz", RIDER)
        assert take_in_file(vault, cut, NOW).state == "refused"
    assert acts(session) == 0
    assert aside(session) == {}


def test_a_file_of_another_encoding_is_refused_with_its_line_and_taken_in_once_that_is_said(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    rider("骑手", BIKES)
    rows = [HEADER, a_ride(1, rider="骑手")]
    refused = take_in_file(vault, a_file(BIKES, rows, encoding="gb18030"), NOW)
    _refused(session, refused, "wrong_encoding", 2)
    session.rollback()
    said = ParseOptions(bind_column="Rider", encoding="gb18030")
    taken = take_in_file(vault, a_file(BIKES, rows, said, "gb18030"), NOW)
    assert (taken.state, taken.outcomes) == ("applied", {"accepted": 1})


@pytest.mark.parametrize(
    ("row", "code"),
    [("only,three,cells", "wrong_columns"), (a_ride(2).replace("R1", "R\0"), "nul_byte")],
)
def test_a_broken_row_stops_the_whole_file_and_is_named_by_its_line(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], row: str, code: str
) -> None:
    rider("rider-1", BIKES)
    taken = take_in_file(vault, a_file(BIKES, [HEADER, a_ride(1), row, a_ride(3)]), NOW)
    _refused(session, taken, code, 3)


def test_a_kill_between_two_chunks_loses_nothing_and_counts_each_row_once(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rider("rider-1", BIKES)
    monkeypatch.setattr(told, "CHUNK", 3)
    rows = [HEADER, *(a_ride(n) for n in range(8)), a_ride(9, rider="somebody")]

    def killed(landed: Landed) -> None:
        if landed.items == 6:
            raise KilledError

    with pytest.raises(KilledError):
        take_in_file(vault, a_file(BIKES, rows), NOW, killed)
    assert acts(session) == 6
    session.rollback()
    taken = take_in_file(vault, a_file(BIKES, rows), NOW)
    assert taken.outcomes == {"accepted": 8, "waiting:unknown_subject": 1}
    assert acts(session) == 8


def test_a_kill_within_a_chunk_leaves_nothing_of_that_chunk(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rider("rider-1", BIKES)
    rows = [HEADER, *(a_ride(n) for n in range(4))]

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(landing, "settle", killed)
        with pytest.raises(KilledError):
            take_in_file(vault, a_file(BIKES, rows), NOW)
    assert acts(session) == 0
    session.rollback()
    assert take_in_file(vault, a_file(BIKES, rows), NOW).outcomes == {"accepted": 4}


def test_two_who_take_the_same_file_in_land_each_row_once(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rider("rider-1", BIKES)
    monkeypatch.setattr(told, "CHUNK", 3)
    rows = [HEADER, *(a_ride(n) for n in range(8))]
    inner: list[Taken] = []

    def another(landed: Landed) -> None:
        if landed.items == 3 and not inner:
            inner.append(take_in_file(vault, a_file(BIKES, rows), NOW))

    with pytest.raises(Conflict, match="file_being_taken_in"):
        take_in_file(vault, a_file(BIKES, rows), NOW, another)
    assert inner[0].outcomes == {"accepted": 8}
    assert acts(session) == 8


def test_a_record_whose_subject_is_unknown_is_placed_when_the_binding_comes(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    take_in_file(vault, a_file(BIKES, [HEADER, a_ride(1), a_ride(2, rider="nobody")]), NOW)
    assert acts(session) == 0
    session.rollback()
    rider("rider-1", BIKES)
    placed = place(vault, BIKES, ParseOptions(), NOW)
    assert placed.outcomes == {"accepted": 1, "waiting:unknown_subject": 1}
    assert acts(session) == 1
    kept = session.execute(
        text("select count(*) from record_set_aside where state = 'placed' and sealed is null")
    ).scalar_one()
    assert kept == 1
    session.rollback()
    assert place(vault, BIKES, ParseOptions(), NOW).outcomes == {"waiting:unknown_subject": 1}


def test_the_two_halves_of_a_journey_meet_across_two_files_once(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], tmp_path: Path
) -> None:
    rider("card-1", METRO)
    table = tmp_path / "distances.csv"
    table.write_text("from_station,to_station,distance_m\n甲站,乙站,5200\n", encoding="utf-8")
    options = ParseOptions(distances=table)
    entry = a_tap("card-1", "08:00:00", "地铁入站", "甲站")
    exit_ = a_tap("card-1", "08:14:00", "地铁出站", "乙站")
    first = take_in_file(vault, a_file(METRO, [TAPS, entry], options), NOW)
    assert first.outcomes == {"waiting:exit_missing": 1}
    second = take_in_file(vault, a_file(METRO, [TAPS, exit_], options), NOW)
    assert second.outcomes == {"waiting:entry_missing": 1}
    assert second.placed.outcomes == {"accepted": 2}
    assert acts(session) == 1
    session.rollback()
    # a later export repeats the exit alone: it is spent, and waits for nobody
    other = a_tap("card-2", "09:00:00", "巴士", "甲站")
    third = take_in_file(vault, a_file(METRO, [TAPS, exit_, other], options), NOW)
    assert third.outcomes == {"duplicate": 1, "refused:bus_has_no_alighting": 1}
    assert acts(session) == 1


def test_a_tap_that_is_let_wait_while_its_journey_lands_does_not_wait(
    session: Session,
    vault: Vault,
    rider: Callable[[str, Feed], int],
    tmp_path: Path,
    bare_app: Flask,
) -> None:
    rider("card-1", METRO)
    table = tmp_path / "distances.csv"
    table.write_text("from_station,to_station,distance_m\n甲站,乙站,5200\n", encoding="utf-8")
    entry = a_tap("card-1", "08:00:00", "地铁入站", "甲站")
    exit_ = a_tap("card-1", "08:14:00", "地铁出站", "乙站")
    intake = Intake(vault, in_transaction(lambda s: terms_of(s, METRO.code)), NOW)
    both, alone = (
        told.read(
            intake,
            list(METRO.parse_file(a_file(METRO, [TAPS, *rows]).stream, ParseOptions(distances=table))),
        )
        for rows in ((entry, exit_), (entry,))
    )

    def let_wait() -> Counter[str]:
        with bare_app.app_context():
            return in_transaction(lambda s: landing.land(s, intake, alone)).tally

    blocked = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    with ThreadPoolExecutor(1) as other, transaction() as first:
        landing.land(first, intake, both)
        waits = other.submit(let_wait)
        # it waits for the one that joins it, or is through: then the test fails below
        while not waits.done() and not first.execute(text(blocked)).scalar_one():
            pass
        assert not waits.done()
        first.commit()
        assert waits.result() == {"rows": 1, "duplicate": 1}
    assert aside(session) == {}
    assert acts(session) == 1


def test_a_journey_without_a_distance_waits_until_the_table_has_its_row(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], tmp_path: Path
) -> None:
    rider("card-1", METRO)
    rows = [
        TAPS,
        a_tap("card-1", "08:00:00", "地铁入站", "甲站"),
        a_tap("card-1", "08:14:00", "地铁出站", "乙站"),
    ]
    taken = take_in_file(vault, a_file(METRO, rows, ParseOptions()), NOW)
    assert taken.outcomes == {"waiting:distance_unknown": 2}
    table = tmp_path / "distances.csv"
    table.write_text("from_station,to_station,distance_m\n甲站,乙站,5200\n", encoding="utf-8")
    placed = place(vault, METRO, ParseOptions(distances=table), NOW)
    assert (placed.outcomes, len(placed.record_ids)) == ({"accepted": 2}, 1)
    assert acts(session) == 1


def test_what_waits_as_before_is_not_written_again_and_what_waits_for_something_else_is(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    def written() -> set[str]:
        found = session.execute(text("select ctid::text || xmin from record_set_aside")).scalars()
        return set(found)

    rider("card-1", METRO)
    take_in_file(
        vault, a_file(METRO, [TAPS, a_tap("card-1", "08:00:00", "地铁入站", "甲站")], ParseOptions()), NOW
    )
    take_in_file(vault, a_file(BIKES, [HEADER, a_ride(1, rider="nobody")]), NOW)
    first = written()
    for feed, waits in ((METRO, "exit_missing"), (BIKES, "unknown_subject")):
        assert place(vault, feed, ParseOptions(), NOW).outcomes == {f"waiting:{waits}": 1}
    assert written() == first
    take_in_file(
        vault, a_file(METRO, [TAPS, a_tap("card-1", "08:14:00", "地铁出站", "乙站")], ParseOptions()), NOW
    )
    assert aside(session) == {"waiting:distance_unknown": 2, "waiting:unknown_subject": 1}
    assert len(written() & first) == 1


def test_a_table_that_comes_with_known_bytes_places_what_waits(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], tmp_path: Path
) -> None:
    rider("card-1", METRO)
    rows = [
        TAPS,
        a_tap("card-1", "08:00:00", "地铁入站", "甲站"),
        a_tap("card-1", "08:14:00", "地铁出站", "乙站"),
    ]
    take_in_file(vault, a_file(METRO, rows, ParseOptions()), NOW)
    table = tmp_path / "distances.csv"
    table.write_text("from_station,to_station,distance_m\n甲站,乙站,5200\n", encoding="utf-8")
    for placed in ({"accepted": 2}, {}):
        again = take_in_file(vault, a_file(METRO, rows, ParseOptions(distances=table)), NOW)
        assert (again.known, again.outcomes) == (True, {"waiting:distance_unknown": 2})
        assert again.placed.outcomes == placed
    assert acts(session) == 1


def test_the_acts_of_a_file_are_counted_from_its_records(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int]
) -> None:
    resident = rider("rider-1", BIKES)
    delivery = a_file(BIKES, [HEADER, a_ride(1), a_ride(2, minutes=50)])
    take_in_file(vault, delivery, NOW)
    numbers = [i.record_id for i in BIKES.parse_file(delivery.stream, RIDER) if isinstance(i, Record)]
    source = service.source_by_feed(session, BIKES.code).source_id
    assert undecided_records(session, source, numbers) == 2
    credit_batch(session, (resident - 1) // 16_384, NOW.date())
    session.commit()
    assert undecided_records(session, source, numbers) == 0
    fates = {fate.state: fate for fate in fates_of_records(session, source, numbers)}
    assert {state: fate.acts for state, fate in fates.items()} == {"credited": 1, "rejected": 1}
    assert fates["credited"].reduction_mg > 0
    assert fates["rejected"].reasons


def test_a_transaction_is_opened_for_each_chunk_and_no_other_holds_two(
    session: Session, vault: Vault, rider: Callable[[str, Feed], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rider("rider-1", BIKES)
    monkeypatch.setattr(told, "CHUNK", 2)
    landed: list[int] = []

    def counted(work: Callable[[Session], T]) -> T:
        before = in_transaction(acts)
        result = in_transaction(work)
        landed.append(in_transaction(acts) - before)
        return result

    rows = [HEADER, *(a_ride(n) for n in range(5))]
    take_in_file(vault, a_file(BIKES, rows), NOW, opened=counted)
    assert [n for n in landed if n] == [2, 2, 1]


@pytest.fixture(autouse=True)
def context(bare_app: Flask) -> Iterator[None]:
    """What in_transaction needs around it."""
    with bare_app.app_context():
        yield
