"""Acts are put back with or without a verdict, once, wherever they stand; closed months stay as they were."""

from datetime import date, timedelta

from sqlalchemy import text

from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core import clock
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from tests.reconciliation.programme import DAY, City, a_ride, numbers

REJECTED = ("rejected", ("withdrawn_by_partner",))


def act_of(city: City, rider: str) -> ActRef:
    (number,) = numbers(city.tell(a_ride(f"ride of {rider}", rider)))
    return ActRef(city.riders[rider], DAY, number)


def test_an_act_that_was_never_decided_takes_the_verdict_where_it_stands(city: City) -> None:
    act = act_of(city, city.rider("rider"))
    assert put_back(city.session, [act], *REJECTED) == 1
    assert put_back(city.session, [act], *REJECTED) == 0
    assert city.queued() == [(3_000, 1, *REJECTED)]
    city.session.commit()
    city.decide()
    assert city.acts("rider") == [(3_000, *REJECTED)]


def test_a_decided_act_comes_back_as_its_next_generation_and_only_once(city: City) -> None:
    act = act_of(city, city.rider("rider"))
    city.decide()
    earned = city.wallet("rider")
    assert put_back(city.session, [act, act], *REJECTED) == 1
    assert put_back(city.session, [act], *REJECTED) == 0
    assert city.queued() == [(3_000, 2, *REJECTED)]
    city.session.commit()
    city.decide()
    assert city.wallet("rider") == (0, 0, 0)
    # decided that way already: nothing to do
    assert put_back(city.session, [act], *REJECTED) == 0
    assert put_back(city.session, [act], None, ()) == 1
    assert city.queued() == [(3_000, 3, None, ())]
    city.session.commit()
    city.decide()
    assert city.wallet("rider") == earned


def test_many_of_several_shards_at_once(city: City) -> None:
    riders = [city.rider(f"rider-{n}") for n in range(20)]
    acts = [act_of(city, rider) for rider in riders]
    assert len({shard_of(act.resident_id) for act in acts}) > 1
    city.decide(*riders[:10])
    assert put_back(city.session, acts, *REJECTED) == 20
    city.session.commit()
    city.decide()
    assert {city.wallet(rider) for rider in riders} == {(0, 0, 0)}


def booked(city: City) -> list[tuple[date, date, int]]:
    found = city.session.execute(
        text(
            "select booked_on, effective_on, verified_mg from posting where resident_id = :r order by wallet_seq"
        ),
        {"r": city.riders["rider"]},
    )
    return [(row[0], row[1], row[2]) for row in found]


def test_a_correction_after_the_settlement_books_today_and_leaves_the_closed_month(city: City) -> None:
    """The month of an act is closed by its booking day: what changes later is booked when it changes."""
    city.rider("rider")
    shard = shard_of(city.riders["rider"])
    then, today = DAY + timedelta(days=1), clock.today()
    city.tell(a_ride())
    credit_batch(city.session, shard, then)
    city.session.commit()
    closed = booked(city)
    city.tell(a_ride(distance_m=2_000, version=2))
    credit_batch(city.session, shard, today)
    city.session.commit()
    assert [row[:2] for row in closed] == [(then, DAY)]
    assert booked(city)[: len(closed)] == closed
    later = booked(city)[len(closed) :]
    assert {row[:2] for row in later} == {(today, DAY)}
    assert sum(row[2] for row in [*closed, *later]) == city.wallet("rider")[1]
    assert min(row[2] for row in later) == -closed[0][2]
