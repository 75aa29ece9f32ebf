"""A claim with a trace: kept sealed, looked at before the batch, forgotten in time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import service, traces, verification
from carbon_credits.activities.claims import Claim
from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.verification import judge_waiting, trip_of
from carbon_credits.activities.views import ActivityView, activities_of, activity_of
from carbon_credits.cli.demo.journeys import bus, ride, told_at
from carbon_credits.core import clock
from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import reviews
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.ledger.check import check
from carbon_credits.ledger.service import open_wallet
from carbon_credits.residents import consents
from carbon_credits.residents.consents import Purpose
from carbon_credits.residents.service import resident_key
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.factories.residents import a_resident
from tests.factories.staff import a_member

NOW = clock.now().replace(microsecond=0)
START = NOW - timedelta(hours=3)
RIDE = Claim("travel.cycling", START, START + timedelta(minutes=15), {"distance_m": 2600})


@pytest.fixture
def rider(session: Session, vault: Vault) -> int:
    return someone(session, vault)


def someone(session: Session, vault: Vault) -> int:
    resident = a_resident(session, vault)
    open_wallet(session, resident)
    consents.give(session, resident, Purpose.LOCATION_TRACES, None, NOW)
    return resident


def a_policy(session: Session) -> None:
    people = two_staff(session)
    fund = a_fund(session, people, 10**6)
    for evidence_class in "CD":
        a_rate(session, people, fund, evidence_class)


def an_honest_ride(seed: int = 1) -> dict[str, Any]:
    return told_at(ride(seed), START)


def claimed(session: Session, vault: Vault, who: int, trace: dict[str, Any], told: Claim = RIDE) -> int:
    made = service.claim(session, vault, who, told, NOW, trace)
    return parse_public_id(made.id)[1]


def looked_at(session: Session, vault: Vault, who: int, activity: int) -> tuple[str, tuple[str, ...]]:
    judge_waiting(session, vault, NOW, 20)
    found = trip_of(session, who, activity)
    assert found is not None
    return found.decision, found.reasons


def counted(session: Session, table: str) -> int:
    return int(session.execute(text(f"select count(*) from {table}")).scalar_one())


def test_a_trace_waits_for_a_look_and_its_act_with_it(session: Session, vault: Vault, rider: int) -> None:
    made = service.claim(session, vault, rider, RIDE, NOW, an_honest_ride())
    assert made.of_trace == "trace_being_verified"
    assert (counted(session, "trip_trace"), counted(session, "activity_queue")) == (1, 0)
    assert activity_of(session, rider, made.id).status == "claimed"


def test_a_trace_without_consent_is_dropped_and_the_claim_goes_on(session: Session, vault: Vault) -> None:
    made = service.claim(session, vault, a_resident(session, vault), RIDE, NOW, an_honest_ride())
    assert made.of_trace == "trace_needs_consent"
    assert (counted(session, "trip_trace"), counted(session, "activity_queue")) == (0, 1)


def test_what_is_stored_of_a_trace_is_sealed_for_its_own_row(
    session: Session, vault: Vault, rider: int
) -> None:
    told = an_honest_ride()
    activity = claimed(session, vault, rider, told)
    sealed = session.execute(text("select sealed from trip_trace")).scalar_one()
    assert told["polyline6"][:20].encode() not in sealed
    key = resident_key(session, vault, rider)
    assert traces.opened(key, activity, sealed)["polyline6"] == told["polyline6"]
    with pytest.raises(CannotOpen):
        traces.opened(key, activity + 1, sealed)
    with pytest.raises(CannotOpen):
        traces.opened(resident_key(session, vault, someone(session, vault)), activity, sealed)


def test_a_good_trace_makes_class_c_and_is_credited(session: Session, vault: Vault, rider: int) -> None:
    a_policy(session)
    activity = claimed(session, vault, rider, an_honest_ride())
    decision, reasons = looked_at(session, vault, rider, activity)
    assert decision == "accept", reasons
    view = credited_to(session, rider)
    assert (view.status, view.evidence_class, view.reduction_mg) == ("credited", "C", 104_000)
    assert [f for f in check(session) if f.violations] == []


def test_a_good_trace_may_be_drawn_for_a_second_look_and_is_credited_at_once(
    session: Session, vault: Vault, rider: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "SAMPLED_PER_MILLE", 1_000)
    a_policy(session)
    decision, reasons = looked_at(session, vault, rider, claimed(session, vault, rider, an_honest_ride()))
    assert (decision, reasons[-1]) == ("accept", verification.SAMPLED)
    assert credited_to(session, rider).status == "credited"


def test_a_look_leaves_prints_a_shorter_trace_and_no_second_look(
    session: Session, vault: Vault, rider: int
) -> None:
    activity = claimed(session, vault, rider, an_honest_ride())
    before = traces.trace_of(session, vault, rider, activity)
    assert judge_waiting(session, vault, NOW, 20) == (1, {shard_of(rider)})
    after = traces.trace_of(session, vault, rider, activity)
    assert 0 < len(after.t_ms) < len(before.t_ms) - 2 * 200 // (2 * 6)  # at 6 m/s a fix every 2 s
    assert counted(session, "trip_print") == 1
    assert judge_waiting(session, vault, NOW, 20) == (0, set())


def test_another_persons_trace_told_again_is_refused_with_the_reason(
    session: Session, vault: Vault, rider: int
) -> None:
    claimed(session, vault, rider, an_honest_ride())
    thief = someone(session, vault)
    later = timedelta(hours=1)
    told = Claim("travel.cycling", START + later, RIDE.occurred_to + later, {"distance_m": 2600})
    activity = claimed(session, vault, thief, told_at(ride(), START + later), told)
    decision, reasons = looked_at(session, vault, thief, activity)
    assert decision == "reject", reasons
    assert credited_to(session, thief).status == "rejected"
    assert credited_to(session, thief).reasons


def credited_to(session: Session, who: int) -> ActivityView:
    session.commit()
    credit_batch(session, shard_of(who), clock.today())
    session.commit()
    return activities_of(session, who, before=None, limit=1)[0]


def test_two_points_are_no_verdict_and_the_claim_counts_as_declared(
    session: Session, vault: Vault, rider: int
) -> None:
    a_policy(session)
    trace = an_honest_ride()
    two = {
        **trace,
        "polyline6": "ooq|j@wdlvvE_|Bg{C",
        "dt_ms": [0, 900_000],
        "accuracy_m": [5, 5],
        "mock": [0, 0],
    }
    activity = claimed(session, vault, rider, two)
    assert looked_at(session, vault, rider, activity)[0] == "unverified"
    view = credited_to(session, rider)
    assert (view.status, view.evidence_class) == ("credited", "D")
    assert view.reasons


def test_a_bus_told_as_a_ride_earns_nothing(session: Session, vault: Vault, rider: int) -> None:
    a_policy(session)
    told = Claim("travel.cycling", START, START + timedelta(minutes=20), {"distance_m": 6500})
    activity = claimed(session, vault, rider, told_at(bus(), START), told)
    assert looked_at(session, vault, rider, activity)[0] == "reject"
    assert credited_to(session, rider).status == "rejected"


def test_withdrawing_the_consent_deletes_every_trace_and_lets_waiting_acts_go_on(
    session: Session, vault: Vault, rider: int
) -> None:
    a_policy(session)
    claimed(session, vault, rider, an_honest_ride())
    assert traces.forget_of(session, rider) == 1
    assert counted(session, "trip_trace") == 0
    assert "trace_withdrawn" in credited_to(session, rider).reasons


def test_after_thirty_days_a_trace_is_gone_and_its_prints_remain(
    session: Session, vault: Vault, rider: int
) -> None:
    activity = claimed(session, vault, rider, an_honest_ride())
    judge_waiting(session, vault, NOW, 20)
    assert traces.forget_old(session, NOW + timedelta(days=29), 10) == 0
    assert traces.forget_old(session, NOW + timedelta(days=31), 10) == 1
    assert (counted(session, "trip_trace"), counted(session, "trip_print")) == (0, 1)
    with pytest.raises(NotFound):
        traces.trace_of(session, vault, rider, activity)


def test_a_person_may_accept_or_refuse_what_the_rules_doubt(
    session: Session, vault: Vault, rider: int
) -> None:
    a_policy(session)
    other = someone(session, vault)
    names = [a_doubtful_ride(session, vault, who) for who in (rider, other)]
    waiting = reviews.open_reviews(session, 10)
    assert {review.activity for review in waiting} == set(names)
    staff = a_member(session)
    reviews.decide(session, rider, names[0], staff, clock.today(), accepted=True)
    reviews.decide(session, other, names[1], staff, clock.today(), accepted=False)
    accepted = credited_to(session, rider)
    assert (accepted.status, accepted.evidence_class) == ("credited", "C")
    assert credited_to(session, other).reasons == ("trip_refused_by_staff",)
    assert reviews.open_reviews(session, 10) == []
    with pytest.raises(Conflict):
        reviews.decide(session, rider, names[0], staff, clock.today(), accepted=False)
    assert [f for f in check(session) if f.violations] == []


def a_doubtful_ride(session: Session, vault: Vault, who: int) -> str:
    """A ride the rules hand to a person, decided as held by the batch."""
    made = service.claim(session, vault, who, RIDE, NOW, an_honest_ride(seed=who))
    day, activity = parse_public_id(made.id)
    session.execute(text("update trip_trace set judged_at = :now"), {"now": NOW})
    act = {"activity": activity, "resident": who, "day": day, "shard": shard_of(who)}
    session.execute(
        text("""insert into trip_verdict (activity_id, resident_id, occurred_on, shard_id, round, rules_version,
                  score, decision, reasons, scores)
                values (:activity, :resident, :day, :shard, 1, 1, 40, 'review', '{trip_under_review}', '{-10}')"""),
        act,
    )
    session.execute(
        text("""insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id,
                  evidence_class, verdict, reasons)
                values (:activity, :resident, :day, 1, :shard, 'D', 'held', '{trip_under_review}')"""),
        act,
    )
    held = credited_to(session, who)
    assert (held.status, held.reasons) == ("held", ("trip_under_review",))
    return made.id


def test_a_decision_says_when_it_was_and_by_which_rules(session: Session, vault: Vault, rider: int) -> None:
    activity = claimed(session, vault, rider, an_honest_ride())
    looked_at(session, vault, rider, activity)
    found = trip_of(session, rider, activity)
    assert found is not None
    assert found.rules_version >= 1
    assert isinstance(found.judged_at, datetime)
    assert not found.by_a_person
