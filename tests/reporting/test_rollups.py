"""Rollups: after any order of late acts, re-decisions, reversals and moves they say what a fresh look says."""

import random

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core import clock
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting.reversal import reverse
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reporting import funnel, rollups
from tests.crediting.conftest import PEOPLE as RIDERS
from tests.crediting.conftest import credited  # noqa: F401 - a fixture
from tests.crediting.test_bonuses import Campaigned, salt  # noqa: F401 - a fixture
from tests.crediting.test_oracle import World
from tests.crediting.test_restating import carry_out, offered, order  # noqa: F401 - a fixture

CELLS = """
select occurred_on, methodology, street, pool, acts, people, mg, points, reversals from rollup_day order by 1, 2, 3, 4
"""
PEOPLE = "select period, starts_on, street, people from rollup_people order by 1, 2, 3"
KNOWN = "select resident_id, street, first_on, last_on from rollup_resident order by 1"
# another way to the same: the newest passage of each act alone, without journals
FRESH = """
with passage as (
  select d.*, coalesce(r.street, 'unstated') as street,
         coalesce((select new_mg from restated x
                   where x.resident_id = d.resident_id and x.activity_id = d.activity_id and x.generation = d.generation
                   order by restatement_id desc limit 1), d.credited_mg) as mg,
         row_number() over (partition by d.activity_id order by d.generation desc) as nth
  from decision d left join resident r using (resident_id)
  where d.credited_mg > 0 or d.points > 0
), standing as (
  select * from passage where nth = 1 and (state = 'reversed' or (state = 'credited' and (mg > 0 or points > 0)))
)
"""
FRESH_CELLS = (
    FRESH
    + """
select occurred_on, methodology, street, pool, count(*) filter (where state = 'credited') as acts,
       count(distinct resident_id) filter (where state = 'credited') as people,
       coalesce(sum(mg) filter (where state = 'credited'), 0) as mg,
       coalesce(sum(points + bonus) filter (where state = 'credited'), 0) as points,
       count(*) filter (where state = 'reversed') as reversals
from standing group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""
)
FRESH_PEOPLE = (
    FRESH
    + """
select 'day', occurred_on, street, count(distinct resident_id) from standing where state = 'credited' group by 2, 3
union all
select 'month', date_trunc('month', occurred_on)::date, street, count(distinct resident_id)
from standing where state = 'credited' group by 2, 3
order by 1, 2, 3
"""
)


def everything(session: Session, cells: str = CELLS, people: str = PEOPLE) -> list[list[tuple[object, ...]]]:
    return [[tuple(row) for row in session.execute(text(asked))] for asked in (cells, people)]


def roll(session: Session, most: int = rollups.STEP, steps: int = 10_000) -> None:
    """Steps of each shard, each in its transaction, until nothing is left or so many were done."""
    shards = session.execute(text("select distinct shard_id from wallet order by 1")).scalars().all()
    for shard in shards:
        for _ in range(steps):
            lock_shard(session, shard)
            done = rollups.roll_up(session, shard, clock.now(), most)
            session.commit()
            if not done:
                break


def people_of(world: World) -> None:
    for number, resident in enumerate(world.residents):
        street = [*rollups.STREETS[:4], None][number % 5]
        given = {"r": resident, "s": shard_of(resident), "street": street}
        insert = "insert into resident (resident_id, shard_id, street) values (:r, :s, :street)"
        world.session.execute(text(insert), given)
    world.session.commit()


def move(world: World) -> None:
    given = {"r": world.r.choice(world.residents), "street": world.r.choice([*rollups.STREETS[:4], None])}
    world.session.execute(text("update resident set street = :street where resident_id = :r"), given)
    world.session.commit()


@pytest.mark.parametrize("seed", range(3))
def test_late_acts_redecisions_reversals_and_moves_in_any_order_come_to_a_fresh_computation(
    session: Session, seed: int
) -> None:
    r = random.Random(seed)
    world = World(session, r, budget=10**9)
    people_of(world)
    seen = set()
    for _ in range(5):
        world.claim_some(r.choice([5, 25]))
        world.drain()
        world.take_back(r.choice([0, 2, 6]))
        if r.random() < 0.5:
            move(world)
        roll(session, most=r.choice([1, 100, 5_000]), steps=r.choice([1, 3, 10_000]))
        seen.add(str(everything(session)))
    world.drain()
    roll(session)
    found = everything(session)
    assert found == everything(session, FRESH_CELLS, FRESH_PEOPLE)
    assert len(seen) > 2, "the days changed again and again"
    assert sum(row[-1] for row in found[0]) > 0, "and something was taken back"  # type: ignore[misc]
    known = [tuple(row) for row in session.execute(text(KNOWN))]

    roll(session)
    assert everything(session) == found, "done again it adds nothing"
    rollups.forget(session)
    session.commit()
    roll(session, most=500)
    assert everything(session) == found, "and made anew it is the same"
    assert [tuple(row) for row in session.execute(text(KNOWN))] == known


def test_whoever_moves_takes_the_past_along(session: Session) -> None:
    world = World(session, random.Random(7), budget=10**9)
    people_of(world)
    world.claim_some(60)
    world.drain()
    roll(session)
    session.execute(text("update resident set street = 'nanzhuang'"))
    session.commit()
    roll(session)
    assert {row[2] for row in everything(session)[0]} == {"nanzhuang"}
    assert everything(session) == everything(session, FRESH_CELLS, FRESH_PEOPLE)


def test_only_what_changed_is_looked_at(session: Session) -> None:
    """A quiet shard costs nothing, however many journals others write; a late act costs its resident's month."""
    world = World(session, random.Random(3), budget=10**9)
    world.claim_some(80)
    world.drain()
    roll(session)
    marks = session.execute(text("select journal_id from rollup_shard order by 1")).scalars().all()
    newest = session.execute(text("select max(journal_id) from journal")).scalar_one()
    assert set(marks) == {newest}
    world.tell(world.think_of(1)[:1])
    world.drain()
    lock_shard(session, 0)
    lock_shard(session, 1)
    looked = [rollups.roll_up(session, shard, clock.now()) for shard in (0, 1)]
    session.commit()
    assert 0 in looked
    assert max(looked) <= 4


def test_a_restatement_states_past_days_anew(offered: Session) -> None:  # noqa: F811 - the fixture
    roll(offered)
    before = everything(offered)
    assert carry_out(offered, order(offered))[0] == 8
    roll(offered)
    assert everything(offered) != before
    assert everything(offered) == everything(offered, FRESH_CELLS, FRESH_PEOPLE)
    reverse(offered, RIDERS[3], _a_ride_of(offered, RIDERS[3]), "fraud", clock.today())
    offered.commit()
    roll(offered)
    assert everything(offered) == everything(offered, FRESH_CELLS, FRESH_PEOPLE)
    assert sum(row[-1] for row in everything(offered)[0]) == 1  # type: ignore[misc]


def _a_ride_of(session: Session, who: int) -> str:
    asked = text(
        "select occurred_on, activity_id from decision where resident_id = :who and methodology = 2 limit 1"
    )
    return public_id(*session.execute(asked, {"who": who}).one())


def test_residents_are_counted_as_far_as_they_came(session: Session) -> None:
    world = World(session, random.Random(3), budget=10**9)
    people_of(world)
    given = {"r": resident_id(16), "s": shard_of(resident_id(16))}
    shards = sorted({given["s"], *map(shard_of, world.residents)})
    session.execute(text("insert into resident (resident_id, shard_id) values (:r, :s)"), given)
    world.claim_some(60)
    world.drain()
    roll(session)
    for shard in shards:
        assert funnel.count_shard(session, shard, clock.now()) == 1
        assert funnel.count_shard(session, shard, clock.now()) == 0, "not again within the hour"
    session.commit()
    came = funnel.come(session)
    acted = session.execute(text("select count(distinct resident_id) from activity")).scalar_one()
    ever = session.execute(
        text("select count(distinct resident_id) from posting where activity_id > 0")
    ).scalar_one()
    assert came == funnel.Funnel(registered=7, acted=acted, credited=ever, redeemed=0, active=ever)
    assert 7 > acted >= ever > 0


def test_bonuses_of_campaigns_are_among_the_points_and_each_fund_spends_its_own(session: Session) -> None:
    world = Campaigned(session, random.Random(2))
    world.claim_some(150)
    world.drain()
    roll(session, most=40)
    world.take_back(6)
    world.drain()
    roll(session, most=40)
    assert everything(session) == everything(session, FRESH_CELLS, FRESH_PEOPLE)
    granted = text("""select contra_ref, booked_on, sum(points) from posting where contra_kind in (1, 2, 6)
                      group by 1, 2 having sum(points) <> 0 order by 1, 2""")
    spent = text("select fund_id, booked_on, points from rollup_fund where points <> 0 order by 1, 2")
    found = [tuple(row) for row in session.execute(spent)]
    assert found == [tuple(row) for row in session.execute(granted)]
    assert len({fund for fund, _, _ in found}) > 2, "a campaign's fund among them"
