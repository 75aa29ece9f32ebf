"""A claim without its record is rejected once nobody can tell of it any more, once, and not before."""

from datetime import timedelta

from sqlalchemy import text

from carbon_credits.core.crypto import Vault
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reconciliation.waiting import LONGEST, end_waiting, set_grace, waits_until
from carbon_credits.residents import bindings, consents
from tests.factories.partners import a_feed, a_source
from tests.factories.residents import NOW as BOUND_AT
from tests.reconciliation.cases.conftest import ENDED, NOW, Metro

GRACE = timedelta(days=3)
METRO = BY_CODE["travel.metro"][-1].number
NO_RECORD = ("rejected", ["no_partner_record"])
AWAITING = ("awaiting", ["awaiting_partner_record"])


def end(metro: Metro, now: object = NOW, most: int = 1_000) -> int:
    """What the periodic task does, over every shard."""
    done = 0
    for shard in sorted({shard_of(person) for person in metro.people}):
        lock_shard(metro.session, shard)
        done += end_waiting(metro.session, shard, now, most)  # type: ignore[arg-type]
        metro.session.commit()
    return done


def test_absence_counts_from_the_watermark_beyond_end_and_grace_and_only_once(metro: Metro) -> None:
    rides = [metro.ride(person) for person in metro.bound]
    metro.decide()
    assert end(metro) == 0  # it has said nothing yet
    metro.complete(ENDED + GRACE - timedelta(seconds=1))
    assert end(metro) == 0
    metro.complete(ENDED + GRACE)
    assert end(metro) == 2
    assert [metro.standing(ride) for ride in rides] == [NO_RECORD, NO_RECORD]
    assert end(metro) == 0


def test_it_goes_on_by_chunks_until_nothing_is_left(metro: Metro) -> None:
    rides = [metro.ride(metro.bound[0], ENDED - timedelta(hours=n)) for n in range(5)]
    metro.decide()
    metro.complete(NOW)
    done = [end(metro, most=2) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    assert {metro.standing(ride)[0] for ride in rides} == {"rejected"}


def test_who_is_bound_to_nobody_waits_as_long_as_a_record_may_be_late(metro: Metro) -> None:
    ride = metro.ride(metro.unbound)
    metro.decide()
    metro.complete(NOW)
    assert end(metro, ENDED + LONGEST) == 0
    assert end(metro, ENDED + LONGEST + timedelta(seconds=1)) == 1
    assert metro.standing(ride) == NO_RECORD


def test_a_feed_without_a_watermark_is_waited_for_as_long_as_it_may_tell(metro: Metro) -> None:
    ride = metro.ride(metro.bound[0])
    metro.decide()
    assert end(metro, ENDED + LONGEST) == 0
    assert end(metro, ENDED + LONGEST + timedelta(seconds=1)) == 1
    assert metro.standing(ride) == NO_RECORD


def test_every_feed_that_could_have_told_must_be_complete(metro: Metro, vault: Vault) -> None:
    other = a_source(
        metro.session, a_feed("test_cards", "test_card_clearer", methodologies=("travel.metro", "travel.bus"))
    )
    assert other.partner_id is not None
    person = metro.bound[0]
    consents.give(metro.session, person, consents.Purpose.PARTNER_RECORDS, other.partner_id, BOUND_AT)
    subject = bindings.subject_index(vault, "test_card_clearer", "card-1")
    bindings.bind(metro.session, other.partner_id, subject, person, BOUND_AT)
    mine, neighbours = metro.ride(person), metro.ride(metro.bound[1])
    metro.decide()
    metro.complete(NOW)
    assert end(metro) == 1
    assert metro.standing(mine) == AWAITING
    assert metro.standing(neighbours) == NO_RECORD
    bindings.unbind(metro.session, other.partner_id, person, NOW)
    metro.session.commit()
    assert end(metro) == 1


def test_a_partner_that_left_is_not_waited_for(metro: Metro) -> None:
    ride = metro.ride(metro.bound[0])
    metro.decide()
    metro.complete(NOW)
    metro.session.execute(text("update partner set status = 'closed'"))
    assert end(metro) == 0
    assert end(metro, ENDED + LONGEST + timedelta(seconds=1)) == 1
    assert metro.standing(ride) == NO_RECORD


def test_a_longer_grace_holds_for_acts_from_its_day_on(metro: Metro) -> None:
    earlier, later = metro.ride(metro.bound[0], ENDED - timedelta(days=5)), metro.ride(metro.bound[0])
    metro.decide()
    from_day = (ENDED - timedelta(days=2)).date()
    set_grace(metro.session, metro.source.source_id, 9, from_day, "节假日停报 / holidays", metro.staff[0])
    metro.complete(ENDED + timedelta(days=8))
    assert end(metro) == 1
    assert metro.standing(earlier) == NO_RECORD
    assert metro.standing(later) == AWAITING
    metro.complete(ENDED + timedelta(days=9))
    assert end(metro) == 1


def test_a_record_that_comes_later_is_credited_all_the_same(metro: Metro) -> None:
    claim = metro.ride(metro.bound[0])
    metro.decide()
    metro.complete(NOW)
    assert end(metro) == 1
    record = metro.ride(metro.bound[0], evidence_class="A")
    metro.decide()
    assert metro.standing(record)[0] == "credited"
    assert metro.standing(claim)[0] in ("rejected", "replaced")
    assert not any(found.violations for found in check(metro.session))


def test_what_was_put_back_since_is_left_alone(metro: Metro) -> None:
    ride = metro.ride(metro.bound[0])
    metro.decide()
    metro.complete(NOW)
    metro.session.execute(
        text("""insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
                select activity_id, resident_id, occurred_on, 2, shard_id from decision where activity_id = :ride"""),
        {"ride": ride},
    )
    metro.session.commit()
    assert end(metro) == 0
    metro.decide()
    assert end(metro) == 1
    states = metro.session.execute(
        text("select generation, state from decision where activity_id = :ride order by 1"), {"ride": ride}
    ).all()
    assert [tuple(row) for row in states][-1] == (2, "rejected")


def test_the_resident_is_told_until_when(metro: Metro) -> None:
    def until(person: int, now: object = NOW) -> object:
        day = ENDED.date()
        return waits_until(metro.session, person, METRO, ENDED, day, now)  # type: ignore[arg-type]

    assert until(metro.bound[0]) == ENDED + LONGEST
    metro.complete(ENDED - timedelta(days=1))
    assert until(metro.bound[0], ENDED) == ENDED + GRACE
    # the partner is late: nobody knows
    assert until(metro.bound[0], ENDED + GRACE) is None
    assert until(metro.unbound) == ENDED + LONGEST


def test_the_statement_finds_what_waits_by_an_index_of_nothing_else(metro: Metro) -> None:
    rows = metro.session.execute(
        text("""select indexdef from pg_indexes where indexdef like '%(state = ''awaiting''%'
                and tablename like 'decision_2%'""")
    ).scalars()
    partitions = metro.session.execute(
        text("select count(*) from pg_inherits where inhparent = 'decision'::regclass")
    ).scalar_one()
    assert len(list(rows)) == partitions > 0
