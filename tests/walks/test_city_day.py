"""A city's day whose truth is known: every sure pair is found and no wrong one, and order changes nothing.

A two-hundredth of the day that `flask bench` plays whole: the operator's signed files go through their states, the
phones' claims lie on the work list, and the batch decides. `CITY_DAY=1` plays all of it: 300,000 claims, 2,000,000 taps.
"""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import strangers
from carbon_credits.activities.delivered import Ground, advance
from carbon_credits.cli.bench import cityday, cityday_ground, district
from carbon_credits.cli.bench.cityday import CityDay, Claimed
from carbon_credits.cli.bench.cityday_files import Operator, SignedFile, by_hours, otherwise
from carbon_credits.core import clock, ids, inserting
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.jobs.corrections import settle_feed
from carbon_credits.jobs.crediting import drain_lane
from carbon_credits.jobs.doorbell import LANES
from carbon_credits.ledger.check import check
from carbon_credits.partners import arrivals, keys, progress, service
from carbon_credits.partners.arrivals import Arriving
from carbon_credits.partners.contract import ParseOptions
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register
from carbon_credits.reconciliation.watching import watch
from carbon_credits.residents.bindings import bind, subject_index
from integrations.metro_taps import FEED
from tests.database import Cleaner
from tests.walks.city_day_doubts import alike, amend, corrected, worth

SEED = 7
PART = int(os.environ.get("CITY_DAY", "200"))
DAY = clock.today() - timedelta(days=1)
OPERATOR = Operator(FEED.partner, FEED.code)
PAIRS = """
select m.resident_id, extract(epoch from c.occurred_from)::bigint, extract(epoch from c.occurred_to)::bigint,
       (r.monitored->>'distance_m')::int, extract(epoch from r.occurred_from)::bigint
from record_match m
join activity c on c.resident_id = m.resident_id and c.activity_id = m.claim_id
join activity r on r.resident_id = m.resident_id and r.activity_id = m.record_id
where m.ended_at is null
"""
WALLETS = """
select resident_id, verified_mg, available from wallet where verified_mg + claimed_mg + available > 0
"""
# claims of which nobody can say which ride they mean
HELD = """
select d.resident_id, d.occurred_from
from decision d
where d.state = 'held' and d.reasons = '{ambiguous_match}'
  and not exists (select from decision later where later.activity_id = d.activity_id
                  and later.generation > d.generation)
order by d.resident_id
"""


@dataclass
class Metro:
    """A district with its residents bound to the operator, and the hands that bring, work and decide."""

    session: Session
    owner: "psycopg.Connection[Any]"
    vault: Vault
    home: Path
    partner_id: int = 0
    source_id: int = 0

    def open(self, city: CityDay) -> None:
        """Policy in force, the operator's key, the residents."""
        district.rule(self.session, DAY - timedelta(days=60))
        service.install(self.session, [FEED])
        self.partner_id = service.partner_by_code(self.session, FEED.partner).partner_id
        self.source_id = service.source_by_feed(self.session, FEED.code).source_id
        keys.add_key(self.session, self.partner_id, OPERATOR.public_key, clock.now())
        self.session.commit()
        cityday_ground.bind(self.owner, self.vault, (self.partner_id, FEED.partner), city.size.residents)
        cityday_ground.write_distances(self.table)

    def bind_second(self, cards: Sequence[tuple[int, int]]) -> None:
        """Residents bind another card: (resident's number, the card's rider)."""
        for resident, rider in cards:
            subject = subject_index(self.vault, FEED.partner, cityday.token(rider))
            bind(self.session, self.partner_id, subject, ids.resident_id(resident), clock.now())
        self.session.commit()

    @property
    def table(self) -> Path:
        """The table of distances."""
        return self.home / "tables" / "distances.csv"

    def bring(self, files: Sequence[SignedFile]) -> list[bool]:
        """Bring files and work on them to their end; for each, whether its bytes were known."""
        inbox, known = Inbox(self.home), []
        for sent in files:
            stored = inbox.store([sent.packed])
            signature, manifest = read_signature(sent.signature), read_manifest(sent.manifest)
            came = Arriving(self.partner_id, "door", manifest, signature, stored)
            arrival = in_transaction(
                partial(arrivals.arrive, inbox=inbox, register=Register([FEED]), came=came, now=clock.now())
            )
            stored.discard()
            known.append(arrival.known)
        options = ParseOptions(distances=self.table)
        ground = Ground(self.vault, inbox, FEED, lambda _: None, in_transaction, clock.now, options)
        while (row := in_transaction(lambda s: progress.next_file(s, self.source_id))) is not None:
            assert advance(ground, row) == "applied"
        settle_feed(self.vault, self.source_id)
        return known

    def tell(self, city: CityDay) -> None:
        """The phones' claims."""
        cityday_ground.tell(self.owner, self.vault, city)

    def decide(self) -> None:
        """The batch, until nothing waits."""
        for lane in range(LANES):
            drain_lane(lane)

    def wallets(self) -> dict[int, tuple[int, int]]:
        """Verified milligrams and points that can be spent, of everybody who has any grams or points."""
        rows = self.session.execute(text(WALLETS))
        found = {resident: (mg, points) for resident, mg, points in rows}
        self.session.rollback()
        return found

    def one(self, question: str) -> Any:
        """A number."""
        self.session.rollback()
        return self.session.execute(text(question)).scalar_one()


@pytest.fixture
def metro(session: Session, owner_url: str, vault: Vault, tmp_path: Path) -> Iterator[Metro]:
    """Empty tables, and the owner's hand for what is made by the set."""
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        yield Metro(session, owner, vault, tmp_path / "one")


@pytest.fixture(autouse=True)
def context(bare_app: Flask) -> Iterator[None]:
    """What in_transaction needs around it."""
    with bare_app.app_context():
        yield


@pytest.fixture(autouse=True)
def many_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the day is inserted in the way of the whole."""
    monkeypatch.setattr(inserting, "MANY", inserting.MANY // PART)


@pytest.fixture(scope="module")
def city() -> CityDay:
    """1,500 claims and 10,000 taps, or as large a part as was asked for."""
    return cityday.make(DAY, cityday.FULL.of(PART), SEED)


def test_every_sure_pair_is_found_no_wrong_one_and_each_line_is_explained(
    metro: Metro, city: CityDay
) -> None:
    metro.open(city)
    metro.tell(city)
    metro.decide()
    dealt = by_hours(city, 6, SEED)
    metro.bring(OPERATOR.day(DAY, dealt))
    metro.decide()
    midnight = int(city.at(0).timestamp())
    rides = {(ids.resident_id(r.resident), r.distance_m, r.enters_s): r for r in city.rides if r.resident}
    meant = {(*_as_told(claim), claim.ride.number) for claim in city.claims if claim.ride is not None}
    found, wrong = set(), []
    for resident, begins, ends, metres, enters in metro.session.execute(text(PAIRS)):
        near = [rides.get((resident, metres, enters - midnight + off)) for off in range(-2, 3)]
        ride = next(each for each in near if each is not None)
        told = (resident, begins - midnight, ends - midnight)
        found.add((*told, ride.order_no))
        if (*told, ride.number) not in meant:
            wrong.append((told, ride))
    assert wrong == []
    sure = {
        (ids.resident_id(resident), begins, ends, order)
        for (resident, begins, ends), order in city.pairs().items()
    }
    assert len(sure) > 240_000 // PART
    assert sure - found == set()
    explained = sum(
        n
        for (counts,) in metro.session.execute(text("select counts from partner_file"))
        for n in counts["outcomes"].values()
    )
    assert explained == sum(map(len, dealt))
    assert metro.one("select count(*) from activity_queue") == 0


def _as_told(claim: Claimed) -> tuple[int, int, int]:
    return ids.resident_id(claim.resident), claim.begins_s, claim.ends_s


def test_everybody_has_what_the_gates_prove_also_once_it_is_corrected_and_what_is_alike_is_decided_by_nobody(
    metro: Metro, city: CityDay
) -> None:
    doubts = alike(city)
    day = replace(city, rides=city.rides + doubts.rides, claims=city.claims + doubts.torn + doubts.mirrored)
    metro.open(day)
    metro.bind_second(doubts.cards)
    metro.tell(day)
    dealt = by_hours(city, 3, SEED)
    dealt[2] += doubts.rows
    files = OPERATOR.day(DAY, dealt)
    metro.bring(files)
    metro.decide()
    assert metro.wallets() == worth(day)
    # the operator finds what it told wrong: later versions of its files
    truth = amend(day, dealt, SEED)
    metro.bring(corrected(OPERATOR, files, dealt, truth.dealt))
    metro.decide()
    assert metro.wallets() == worth(truth.city) != worth(day)
    counted = "select sum(corrected) || ' ' || sum(voided) from partner_file"
    assert metro.one(counted) == f"{truth.changed} {truth.voided}"
    assert truth.changed > 1_000 // PART
    held = [(resident, at) for resident, at in metro.session.execute(text(HELD))]
    torn = sorted((ids.resident_id(claim.resident), city.at(claim.begins_s)) for claim in doubts.torn)
    assert held == torn != []
    assert watch(metro.session, clock.now()) == len(torn)
    met = Counter((resident, enters) for resident, _, _, _, enters in metro.session.execute(text(PAIRS)))
    assert max(met.values()) == 1
    waiting = "select count(*) from record_set_aside where state = 'waiting' and reasons = '{taps_alike}'"
    assert metro.one(waiting) == 2 * len(doubts.twins) // 3 > 0
    metro.session.rollback()
    assert [finding for finding in check(metro.session, 3_600) if finding.violations] == []


def test_no_order_no_chunks_and_no_repetition_change_the_ledger_hash(
    metro: Metro, city: CityDay, cleaner: Cleaner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metro.open(city)
    metro.tell(city)
    metro.decide()
    files = OPERATOR.day(DAY, by_hours(city, 4, SEED))
    metro.bring(files)
    metro.decide()
    first = in_transaction(ledger_hash)
    acts = metro.one("select count(*) from activity")
    assert metro.bring(files) == [True] * len(files)
    # the same rows once more under numbers of their own: other files, nothing new
    metro.bring(OPERATOR.day(DAY, otherwise(by_hours(city, 4, SEED), 2, SEED), first=len(files) + 1))
    metro.decide()
    assert metro.one("select count(*) from activity") == acts
    assert in_transaction(ledger_hash) == first

    metro.session.rollback()
    cleaner.clean()
    metro.home = tmp_path / "two"
    # each of seven files in ten parts
    monkeypatch.setattr("carbon_credits.activities.strangers.ROWS_OF_A_PART", 2_000_000 // PART // 70)
    metro.open(city)
    mixed = OPERATOR.day(DAY, otherwise(by_hours(city, 4, SEED), 7, SEED))
    metro.bring(mixed[:3])
    metro.decide()
    metro.tell(city)
    metro.decide()
    metro.bring(mixed[3:])
    metro.decide()
    assert in_transaction(ledger_hash) == first


def test_a_part_is_never_more_than_a_process_can_hold() -> None:
    # of a gigabyte of taps too; a file of claims by one operator alone is not dealt
    assert [strangers.parts_of(FEED, rows) for rows in (0, 1_000_000, 14_300_000)] == [4, 4, 58]
    assert strangers.parts_of(FEED, 10**9) == strangers.MOST_PARTS
    assert strangers.parts_of(replace(FEED, tells_of_all_by=()), 14_300_000) == 1


def test_nothing_is_kept_of_people_who_are_not_bound(metro: Metro, city: CityDay) -> None:
    metro.open(city)
    dealt = by_hours(city, 2, SEED)
    metro.bring(OPERATOR.day(DAY, dealt))
    theirs = {cityday.token(ride.rider) for ride in city.rides if ride.resident is None}
    rows = sum(line.split(",")[5] in theirs for lines in dealt for line in lines)
    dropped = metro.one("select sum((counts->'outcomes'->>'dropped:not_bound')::int) from partner_file")
    assert dropped == rows > 600_000 // PART
    ours = {cityday.token(number) for number in range(1, city.size.residents + 1)}
    told = {line.split(",")[0] for lines in dealt for line in lines if line.split(",")[5] in ours}
    # a row aside for a tap of ours that has no other half, or had none for a while, and a key for none of theirs
    assert 0 < metro.one("select count(*) from record_set_aside") < len(told) // 4
    assert [path.suffix for path in Inbox(metro.home).folder.iterdir() if path.suffix != ".keys"] == []
