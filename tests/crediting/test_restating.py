"""Restatement: grams are posted anew, once, and explained; points, lots and decisions stay; the books still balance."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.activities.names import public_id
from carbon_credits.activities.views import activity_of
from carbon_credits.cli.restating import restate_shard
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import restating
from carbon_credits.crediting.impact import impact
from carbon_credits.crediting.receipts import receipt
from carbon_credits.crediting.replay import replay
from carbon_credits.crediting.restating import RESTATE, order_of, restate_next, restatements_of
from carbon_credits.crediting.reversal import reverse
from carbon_credits.ledger.check import check
from carbon_credits.ledger.sealing import seal_once
from carbon_credits.methodologies.alternatives import reaching_back, with_factor
from carbon_credits.methodologies.base import Condition, Methodology, Text, Value
from carbon_credits.methodologies.formula import Number, Truth
from carbon_credits.methodologies.travel import cycling
from tests.crediting.conftest import PEOPLE, grams

TODAY = clock.today()
SINCE = TODAY - timedelta(days=300)
LATER = date(2030, 1, 1)
POINTS = """
select (select jsonb_agg(to_jsonb(w) - array['claimed_mg', 'verified_mg', 'removal_mg', 'seq'] order by resident_id)
        from wallet w),
       (select jsonb_agg(to_jsonb(l) order by resident_id, expires_on, fund_id) from lot l),
       (select jsonb_agg(to_jsonb(d) order by activity_id, generation) from decision d),
       (select jsonb_agg(to_jsonb(f) order by fund_id, shard_id) from fund_slot f)
"""


def long_ride(distance_m: Number) -> Truth:
    return distance_m >= 4_002


def second() -> Methodology:
    """A later version with a smaller factor, and one more condition that two of the four riders do not meet."""
    v1 = cycling.V1
    factor, *others = v1.parameters
    lower = replace(factor, values=(Value(LATER, Decimal("30.5"), factor.values[0].source),))
    longer = Condition("ride_not_long_enough", Text("至少 4002 米", "At least 4002 m"), long_ride)
    examples = tuple(e for e in v1.examples if e.on >= LATER)
    return replace(
        v1,
        version=2,
        in_force=LATER,
        parameters=(lower, *others),
        conditions=(*v1.conditions, longer),
        examples=examples,
    )


V2 = second()


@pytest.fixture
def offered(credited: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """The catalogue with a second version of cycling."""
    versions: Mapping[str, tuple[Methodology, ...]] = {"travel.cycling": (cycling.V1, V2)}
    for module in (restating,):
        monkeypatch.setattr(module, "VERSIONS", versions)
        monkeypatch.setattr(module, "version_of", lambda code, version: versions[code][version - 1])
    return credited


def order(session: Session, version: int = 2, reason: str = "the factor was too high") -> int:
    payload = {
        "code": "travel.cycling",
        "version": version,
        "since": SINCE.isoformat(),
        "until": TODAY.isoformat(),
    }
    asked = approving.propose(session, RESTATE, payload, reason, "陈提")
    with pytest.raises(NotAllowed):
        approving.decide(session, asked.approval_id, "陈提", approve=True)
    approving.decide(session, asked.approval_id, "李批", approve=True)
    session.commit()
    return asked.approval_id


def carry_out(session: Session, approval: int, most: int = 1) -> tuple[int, int]:
    ordered = order_of(session, approval)
    done = [restate_shard(ordered, shard, TODAY, most) for shard in sorted({shard_of(p) for p in PEOPLE})]
    return sum(acts for acts, _ in done), sum(postings for _, postings in done)


def assert_sound(session: Session) -> None:
    seal_once(session, 1000)
    session.commit()
    assert [(f.name, f.sample) for f in check(session, seal_delay_s=0) if f.violations] == []


def test_grams_are_stated_anew_once_and_points_stay(offered: Session) -> None:
    before, points = grams(offered), offered.execute(text(POINTS)).one()
    approval = order(offered)
    assert carry_out(offered, approval) == (8, 8)
    after = grams(offered)
    # 4000 + n metres twice, 7000 m counted in all: 40 g/km before, 30.5 g/km from 4002 m on
    for n, person in enumerate(PEOPLE):
        first, rest = 4_000 + n, 3_000 - n
        assert before[person][1] == first * 40 + (first * 40) * rest // first
        wanted = 0 if n < 2 else first * 61 // 2 + (first * 61 // 2) * rest // first
        assert after[person] == (before[person][0], wanted)
    assert offered.execute(text(POINTS)).one() == points
    assert_sound(offered)
    assert carry_out(offered, approval) == (0, 0)
    assert grams(offered) == after
    done = replay(offered)
    assert (done.credits, done.restated, done.mismatches) == (12, 8, 0)


def test_the_receipt_says_old_new_and_why(offered: Session) -> None:
    carry_out(offered, order(offered))
    row = offered.execute(
        text("select * from decision where methodology = 2 and resident_id = :who order by activity_id"),
        {"who": PEOPLE[3]},
    ).first()
    assert row is not None
    name = public_id(row.occurred_on, row.activity_id)
    shown = receipt(offered, PEOPLE[3], name)
    (told,) = shown["restatements"]
    assert (told["old_mg"], told["new_mg"]) == (4_003 * 40, 4_003 * 61 // 2)
    assert told["reason"] == "the factor was too high"
    assert (told["from_release"]["version"], told["to_release"]["version"]) == (1, 2)
    assert told["to_release"]["since"] == SINCE.isoformat()
    assert told["journal"] == shown["postings"][-1]["journal"]
    assert shown["postings"][-1]["contra"] == "adjustment"
    assert (
        shown["result"]["reduction_mg"]
        == told["new_mg"]
        == activity_of(offered, PEOPLE[3], name).reduction_mg
    )
    refused = offered.execute(
        text("select activity_id from restated where resident_id = :who"), {"who": PEOPLE[0]}
    ).scalars()
    for act in refused:
        (told,) = restatements_of(offered, PEOPLE[0], act)
        assert (told["new_mg"], told["refused_for"]) == (0, ["ride_not_long_enough"])


def test_a_step_that_dies_is_done_again_and_the_rest_goes_on(offered: Session) -> None:
    ordered = order_of(offered, order(offered))
    shard = shard_of(PEOPLE[0])
    step = restate_next(offered, ordered, shard, 0, TODAY)
    assert (step.acts, step.postings) == (2, 2)
    offered.rollback()
    assert offered.execute(text("select count(*) from restated")).scalar_one() == 0
    offered.commit()
    assert restate_shard(ordered, shard, TODAY) == (2, 2)
    assert carry_out(offered, ordered.approval_id) == (6, 6)
    assert_sound(offered)


def test_a_second_restatement_begins_at_the_figure_of_the_first_and_may_lead_back(offered: Session) -> None:
    before = grams(offered)
    carry_out(offered, order(offered))
    assert carry_out(offered, order(offered, version=1, reason="the first was right")) == (8, 8)
    assert grams(offered) == before
    chain = offered.execute(
        text("""select count(*) from restated b join restated a using (activity_id, generation)
                where a.restatement_id < b.restatement_id and a.new_mg = b.old_mg""")
    ).scalar_one()
    assert chain == 8
    assert_sound(offered)
    assert replay(offered).mismatches == 0


def test_a_restated_act_that_is_reversed_leaves_in_full(offered: Session) -> None:
    carry_out(offered, order(offered))
    for row in offered.execute(
        text("select * from decision where methodology = 2 and state = 'credited'")
    ).all():
        reverse(offered, row.resident_id, public_id(row.occurred_on, row.activity_id), "by a test", TODAY)
    offered.commit()
    assert {claimed for _, claimed in grams(offered).values()} == {0}
    assert_sound(offered)
    assert replay(offered).mismatches == 0


def test_a_restated_figure_that_was_changed_is_named(
    offered: Session, tamper: "psycopg.Connection[Any]"
) -> None:
    carry_out(offered, order(offered))
    offered.commit()
    act = offered.execute(
        text("select activity_id from restated where new_mg > 0 order by 1 limit 1")
    ).scalar_one()
    tamper.execute("update restated set new_mg = new_mg + 1 where activity_id = %s", (act,))
    done = replay(offered)
    assert (done.mismatches, done.findings[0].what) == (1, "restated_mg")
    assert done.findings[0].activity.endswith(f"-{act}")
    assert done.findings[0].restatement > 0
    broken = [f.name for f in check(offered, seal_delay_s=3600) if f.violations]
    assert broken == ["I12"]


def test_an_order_needs_a_version_that_credits_a_period_and_an_approval(offered: Session) -> None:
    good = {"code": "travel.cycling", "version": 2, "since": "2026-01-01", "until": "2026-02-01"}
    for wrong in ({"version": 3}, {"code": "travel.rowing"}, {"since": "soon"}, {"until": "2025-12-31"}):
        with pytest.raises(Invalid):
            approving.propose(offered, RESTATE, {**good, **wrong}, "why", "陈提")
    asked = approving.propose(offered, RESTATE, good, "why", "陈提")
    with pytest.raises(NotFound):
        order_of(offered, asked.approval_id)
    approving.decide(offered, asked.approval_id, "李批", approve=True)
    with pytest.raises(Conflict):
        approving.decide(offered, asked.approval_id, "李批", approve=True)


def test_impact_says_beforehand_what_a_restatement_then_does(offered: Session, bare_app: Flask) -> None:
    before = grams(offered)
    offered.rollback()
    found = impact(offered, cycling.V1, V2, SINCE, TODAY).figures
    offered.rollback()
    assert (found["acts"], found["acts_changed"], found["residents_changed"]) == (8, 8, 4)
    assert {row["reason"]: row["acts"] for row in found["refused"]} == {"ride_not_long_enough": 4}
    assert found["before_mg"] == sum(claimed for _, claimed in before.values())
    assert found["parts"][0]["pool"] == "claimed"
    assert len(found["by_resident_mg"]) == 7
    carry_out(offered, order(offered))
    assert sum(claimed for _, claimed in grams(offered).values()) == found["after_mg"]


def test_impact_of_a_factor_reports_acts_that_would_be_let_in_and_writes_nothing(credited: Session) -> None:
    shortest = next(p.name for p in cycling.V1.parameters if p.name.startswith("shortest"))
    found = impact(credited, cycling.V1, with_factor(cycling.V1, shortest, Decimal(50)), SINCE, TODAY).figures
    assert found["before_mg"] == found["after_mg"]
    assert [row["acts"] for row in found["allowed"]] == [1]
    assert found["allowed"][0]["mg"] == 300 * 40
    with pytest.raises(Exception, match="read-only"):
        credited.execute(text("update wallet set seq = seq"))


def test_a_version_reaches_back_with_its_oldest_number_and_keeps_its_later_ones() -> None:
    reached = reaching_back(V2, SINCE)
    assert (reached.in_force, reached.until) == (SINCE, None)
    assert all(parameter.on(SINCE) is not None for parameter in reached.parameters)
    assert reaching_back(cycling.V1, TODAY).in_force == cycling.V1.in_force
    with pytest.raises(KeyError):
        with_factor(cycling.V1, "unknown_m", Decimal(1))
