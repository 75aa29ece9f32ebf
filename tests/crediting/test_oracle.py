"""A second implementation decides the same claims and must agree in every number; the books must balance."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.check import check
from carbon_credits.ledger.sealing import seal_once
from tests.crediting.oracle import Act, Oracle, Terms, methodology
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.programme import a_cap, a_fund, a_rate, two_staff

KINDS = {
    "travel.cycling": lambda r: {"distance_m": r.choice([400, 700, 3200, 5000, 9000])},
    "travel.metro": lambda r: {"distance_m": r.choice([0, 800, 9000, 42_000])},
    "recycling.paper": lambda r: {
        "mass_g": r.choice([150, 2000, 9000]),
        "contamination_ppm": r.choice([0, 50_000, 990_000]),
    },
    "purchases.no_cutlery": lambda _: {"count": 1},
    # these earn no grams, always and now and then
    "recycling.lead": lambda r: {"mass_g": r.choice([500, 12_000])},
    "household.demand_response": lambda r: {
        "base_wh": 9000,
        "energy_wh": r.choice([6000, 9000, 12_000]),
        "similar_days": r.choice([3, 5]),
    },
}
CAPS = {
    ("travel.cycling", "quantity"): 10_000,
    ("travel.metro", "count"): 3,
    ("purchases.no_cutlery", "count"): 2,
    ("travel", "points"): 700,
    ("*", "points"): 1000,
}
LONGER = {
    ("travel.metro", "quantity", "month"): 40_000,
    ("travel.cycling", "quantity", "year"): 12_000,
    ("travel.cycling", "count", "month"): 3,
    ("travel.metro", "count", "year"): 5,
    ("purchases.no_cutlery", "quantity", "month"): 2,
}
DAYS = 3


class World:
    """Residents of two shards, policy, and the oracle that follows along."""

    def __init__(self, session: Session, r: random.Random, budget: int) -> None:
        self.session, self.r = session, r
        self.today = clock.today()
        people = two_staff(session)
        self.fund = a_fund(session, people, budget)
        self.other = a_fund(session, people, budget, code="other")
        rates = {
            ("*", "A"): (Decimal("0.001"), 0, self.fund),
            ("*", "D"): (Decimal("0.0002"), 7, self.fund),
            ("purchases", "A"): (Decimal("0.0015"), 15, self.other),
        }
        for (family, evidence), (rate, days, fund) in rates.items():
            a_rate(session, people, fund, evidence, str(rate), days, family)
        for (scope, unit), most in CAPS.items():
            a_cap(session, people, scope, unit, most)
        for (scope, unit, period), most in LONGER.items():
            a_cap(session, people, scope, unit, most, period)
        a_partner_source(session)
        self.residents = [resident_id(n) for n in (1, 2, 9, 10, 17, 18)]
        self.closed = {self.residents[4]}
        for resident in self.residents:
            session.execute(
                text("insert into wallet (resident_id, shard_id, status) values (:r, :s, :status)"),
                {"r": resident, "s": shard_of(resident), "status": 2 if resident in self.closed else 1},
            )
        session.commit()
        self.oracle = Oracle(
            Terms(rates, CAPS, LONGER), {self.fund: budget, self.other: budget}, self.closed, self.today
        )
        self.number = 0

    def claim_some(self, n: int) -> None:
        for _ in range(n):
            code = self.r.choice(list(KINDS))
            day = self.today - timedelta(days=1 + self.r.randrange(DAYS))
            start = datetime(day.year, day.month, day.day, self.r.randrange(0, 12), 0, tzinfo=UTC)
            start += timedelta(minutes=self.r.choice([0, 10, 20, 45]))
            lasts = timedelta(minutes=self.r.choice([8, 16, 30, 60]))
            evidence = self.r.choice("AADD")
            keys = {}
            if (
                code in ("recycling.paper", "recycling.lead", "purchases.no_cutlery")
                and self.r.random() < 0.7
            ):
                keys["transaction"] = bytes([self.r.randrange(12)]) * 16
            if code == "travel.cycling" and self.r.random() < 0.8:
                keys["vehicle"] = bytes(16)
            resident, monitored = self.r.choice(self.residents), KINDS[code](self.r)
            ends = start + (lasts if code.startswith("travel") else timedelta())
            # now and then a phone's claim and the partner's record of the same trip
            both = code.startswith("travel") and evidence == "D" and self.r.random() < 0.4
            for told_by in ("D", "A") if both else (evidence,):
                self.number += 1
                a_claimed_act(
                    self.session,
                    resident,
                    code,
                    start,
                    ends,
                    monitored,
                    evidence_class=told_by,
                    keys={} if both else keys,
                    number=self.number,
                )
        self.session.commit()

    def picked(self, shard: int, most: int) -> list[Act]:
        rows = self.session.execute(
            text("""
select a.* from activity_queue q join activity a using (resident_id, occurred_on, activity_id, shard_id)
where q.shard_id = :shard order by q.resident_id, q.occurred_on, q.activity_id limit :most"""),
            {"shard": shard, "most": most},
        ).mappings()
        names = ("vehicle", "item", "transaction", "meter")
        return [
            Act(
                row["activity_id"],
                row["resident_id"],
                row["occurred_from"],
                row["occurred_to"],
                row["occurred_on"],
                methodology(row["methodology"]),
                row["evidence_class"],
                row["monitored"],
                {name: bytes(row[name + "_key"]) for name in names if row[name + "_key"] is not None},
            )
            for row in rows
        ]

    def drain(self) -> Iterator[int]:
        """Batches of the two shards in turn until nothing is left; the oracle decides each as well."""
        while True:
            sizes = []
            for shard in (0, 1):
                most = self.r.choice([5, 40, 40, 500])
                acts = self.picked(shard, most)
                outcome = credit_batch(self.session, shard, self.today, most)
                self.session.commit()
                self.oracle.batch(acts)
                assert outcome.picked == len(acts)
                sizes.append(len(acts))
            yield sum(sizes)
            if not any(sizes):
                return

    def decisions(self) -> dict[int, dict[str, Any]]:
        rows = self.session.execute(text("select * from decision")).mappings()
        return {row["activity_id"]: dict(row) for row in rows}


def expected(act: Act) -> dict[str, Any]:
    moved = act.state in ("credited", "replaced") and (act.points > 0 or act.credited > 0)
    return {
        "state": act.state,
        "raw_mg": act.raw,
        "credited_mg": act.credited,
        "points": act.points,
        "counted": act.counted,
        "against": act.against,
        "reasons": act.reasons or None,
        "pool": act.pool,
        "matures_on": act.matures if act.points else None,
        "lot_on": act.lot if moved else None,
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_batch_and_a_plain_program_decide_alike(session: Session, seed: int) -> None:
    r = random.Random(seed)
    world = World(session, r, budget=r.choice([10**9, 2500, 400]))
    for _ in range(3):
        world.claim_some(r.choice([40, 120]))
        for _ in world.drain():
            pass
    decided = world.decisions()
    for act in world.oracle.past:
        found = {name: decided[act.id][name] for name in expected(act)}
        assert found == expected(act), f"seed {seed}, act {act.id}"
    while seal_once(session, 1000) is not None:
        pass
    session.commit()
    broken = [finding for finding in check(session, 0) if finding.violations]
    assert broken == []


def test_every_state_and_reason_is_reached_by_some_seed(session: Session) -> None:
    r = random.Random(5)
    world = World(session, r, budget=2500)
    world.claim_some(900)
    for _ in world.drain():
        pass
    states = {row["state"] for row in world.decisions().values()}
    reasons = {code for row in world.decisions().values() for code in row["reasons"] or ()}
    assert {"credited", "rejected", "held", "awaiting", "replaced"} <= states
    wanted = {
        "overlaps_credited_trip",
        "overlaps_another_trip",
        "vehicle_already_claimed",
        "transaction_already_claimed",
        "daily_quantity_cap",
        "daily_count_cap",
        "daily_points_cap",
        "monthly_count_cap",
        "monthly_quantity_cap",
        "yearly_count_cap",
        "yearly_quantity_cap",
        "fund_exhausted",
        "wallet_closed",
        "replaced_by_partner_record",
        "no_reduction",
        "hazardous_waste",
        "pure_load_shift",
    }
    assert wanted - reasons == set()


def test_a_batch_run_again_changes_nothing(session: Session) -> None:
    world = World(session, random.Random(2), budget=10**6)
    world.claim_some(60)
    for _ in world.drain():
        pass
    before = session.execute(text("select sum(seq), sum(pending), sum(available) from wallet")).one()
    session.commit()
    assert credit_batch(session, 0, clock.today()).picked == 0
    session.commit()
    assert session.execute(text("select sum(seq), sum(pending), sum(available) from wallet")).one() == before
