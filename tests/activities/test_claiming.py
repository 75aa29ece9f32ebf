"""What a resident may claim, and what comes of saying it twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import appeals, service
from carbon_credits.activities.claims import Claim, exclusive_keys
from carbon_credits.activities.reasons import REASONS, explain
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.methodologies.catalogue import BY_CODE
from tests.factories.residents import a_resident

NOW = clock.now()
START = NOW - timedelta(hours=3)
RIDE = Claim("travel.cycling", START, START + timedelta(minutes=16), {"distance_m": 3200})


def changed(**changes: object) -> Claim:
    return replace(RIDE, **changes)  # type: ignore[arg-type]


def test_a_claim_becomes_one_act_one_key_and_one_row_of_work(session: Session, vault: Vault) -> None:
    resident = a_resident(session, vault)
    made = service.claim(session, vault, resident, RIDE, NOW)
    assert (made.is_new, made.status) == (True, "claimed")
    for table in ("activity", "act_key", "activity_queue"):
        assert session.execute(text(f"select count(*) from {table}")).scalar_one() == 1


def test_the_same_act_said_again_is_the_act_already_known(session: Session, vault: Vault) -> None:
    resident = a_resident(session, vault)
    first = service.claim(session, vault, resident, RIDE, NOW)
    in_shanghai = changed(
        occurred_from=RIDE.occurred_from.astimezone(clock.PROGRAMME_ZONE), monitored={"distance_m": 9000}
    )
    again = service.claim(session, vault, resident, in_shanghai, NOW)
    assert (again.id, again.is_new) == (first.id, False)
    assert session.execute(text("select count(*) from activity")).scalar_one() == 1


def test_two_people_may_do_the_same_thing_at_the_same_time(session: Session, vault: Vault) -> None:
    for _ in range(2):
        assert service.claim(session, vault, a_resident(session, vault), RIDE, NOW).is_new


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"methodology": "travel.teleport"}, "/methodology", "unknown_methodology"),
        ({"occurred_to": NOW + timedelta(minutes=6)}, "/occurred_to", "in_the_future"),
        (
            {
                "occurred_from": NOW - timedelta(days=9),
                "occurred_to": NOW - timedelta(days=9) + timedelta(hours=1),
            },
            "/occurred_to",
            "too_old",
        ),
        ({"occurred_to": START - timedelta(minutes=1)}, "/occurred_to", "ends_before_start"),
        ({"occurred_to": START}, "/occurred_to", "ends_before_start"),
        ({"occurred_from": NOW - timedelta(hours=9)}, "/occurred_to", "too_long"),
        ({"monitored": {}}, "/monitored/distance_m", "monitored_missing"),
        ({"monitored": {"distance_m": -1}}, "/monitored/distance_m", "out_of_range"),
        ({"monitored": {"distance_m": 10**9}}, "/monitored/distance_m", "out_of_range"),
        ({"monitored": {"distance_m": 1, "mass_g": 2}}, "/monitored/mass_g", "monitored_unknown"),
        ({"monitored": {"distance_m": 1, "duration_s": 2}}, "/monitored/duration_s", "monitored_unknown"),
    ],
)
def test_a_wrong_claim_is_refused_with_the_field_and_nothing_is_stored(
    session: Session, vault: Vault, wrong: dict[str, object], pointer: str, code: str
) -> None:
    resident = a_resident(session, vault)
    with pytest.raises(Invalid) as refused:
        service.claim(session, vault, resident, changed(**wrong), NOW)
    assert (pointer, code) in {(fault.pointer, fault.code) for fault in refused.value.faults}
    assert session.execute(text("select count(*) from act_key")).scalar_one() == 0


def test_five_minutes_ahead_and_seven_days_back_are_still_accepted(session: Session, vault: Vault) -> None:
    resident = a_resident(session, vault)
    midnight = NOW.astimezone(clock.PROGRAMME_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    oldest = midnight - timedelta(days=7)
    ends = NOW + timedelta(minutes=4)
    for claim in (
        changed(occurred_to=ends, occurred_from=ends - timedelta(hours=1)),
        changed(occurred_from=oldest, occurred_to=oldest + timedelta(minutes=20)),
    ):
        assert service.claim(session, vault, resident, claim, NOW).is_new


def test_anothers_act_looks_like_none(session: Session, vault: Vault) -> None:
    owner, other = a_resident(session, vault), a_resident(session, vault)
    made = service.claim(session, vault, owner, RIDE, NOW)
    assert service.activity_of(session, owner, made.id).status == "claimed"
    for name in (made.id, "20260101-1", "nonsense", "20269999-1", "20260101-", "２０２６０１０１-1", ""):
        with pytest.raises(NotFound):
            service.activity_of(session, other, name)


def test_acts_are_listed_latest_first_and_by_the_page(session: Session, vault: Vault) -> None:
    resident = a_resident(session, vault)
    made = [
        service.claim(
            session,
            vault,
            resident,
            changed(
                occurred_from=START - timedelta(days=days),
                occurred_to=START - timedelta(days=days, minutes=-20),
            ),
            NOW,
        ).id
        for days in range(5)
    ]
    page = service.activities_of(session, resident, before=None, limit=2)
    rest = service.activities_of(session, resident, before=page[-1].position, limit=10)
    assert [view.id for view in (*page, *rest)] == made


def test_an_undecided_act_cannot_be_appealed_and_a_decided_one_only_once(
    session: Session, vault: Vault
) -> None:
    resident = a_resident(session, vault)
    made = service.claim(session, vault, resident, RIDE, NOW)
    with pytest.raises(Conflict):
        appeals.make(session, resident, made.id, "why?", NOW, NOW)
    session.execute(text("delete from activity_queue"))
    session.execute(
        text("""
insert into decision (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, generation,
  shard_id, evidence_class, motion, state, reasons)
select activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, 1, shard_id, evidence_class, true,
  'held', array['overlaps_another_trip'] from activity""")
    )
    assert appeals.make(session, resident, made.id, "I was there", NOW, NOW).state == "open"
    with pytest.raises(Conflict):
        appeals.make(session, resident, made.id, "again", NOW, NOW)


def test_a_partners_numbers_are_its_own(vault: Vault) -> None:
    ride = changed(references={"vehicle": "7"})
    keys = {exclusive_keys(vault, ride, partner)["vehicle_key"] for partner in ("red", "blue", "")}
    assert len(keys) == 3
    assert exclusive_keys(vault, RIDE)["vehicle_key"] is None


def test_every_reason_has_words_in_both_languages() -> None:
    own = [reason for versions in BY_CODE.values() for m in versions for reason in m.reasons]
    assert not set(REASONS) & set(own)
    for code in (*REASONS, *own):
        words = explain(code)
        assert words.zh.strip()
        assert words.en.strip()
        assert "{" not in words.zh + words.en
