"""A campaign from launch to its end: whom it is for, instants that count, money to the last point, taking back."""

import threading
from datetime import date, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting import campaigning
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.crediting.reversal import reverse
from carbon_credits.crediting.working_tables import WORKING_TABLES
from carbon_credits.ledger import transfers
from carbon_credits.ledger.check import check
from carbon_credits.ledger.service import open_wallet
from carbon_credits.programme import campaigns
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.campaigns import launched
from tests.factories.programme import a_cap, a_fund, a_rate, two_staff

PEOPLE = tuple(resident_id(n) for n in (1, 2, 9, 10))
TODAY = clock.today()
FIRST = TODAY - timedelta(days=6)
DAYS = {"starts_on": FIRST.isoformat(), "ends_on": (TODAY - timedelta(days=1)).isoformat()}
MONEY = """
select code, coalesce((select sum(amount_fen) from fund_deposit d where d.fund_id = f.fund_id), 0)
         + coalesce((select sum(amount_fen) from fund_transfer t where t.to_fund = f.fund_id), 0)
         - coalesce((select sum(amount_fen) from fund_transfer t where t.from_fund = f.fund_id), 0) as fen from fund f
"""
PAPER = {"methodologies": ["recycling.paper"], **DAYS}
FIXED = {"reward": "bonus", "multiplier": None, "bonus_points": 5, "cap_day": 50}
GRAMS = {"mass_g": 2_100, "contamination_ppm": 0}
# 168 g at a ten-thousandth of a point a milligram are 16.8 points: 16, and half as much again is 25.2
BASE, HALF_AGAIN = 16, 25 - 16


@pytest.fixture
def staff(session: Session) -> tuple[int, int]:
    """Two members of staff, a funded programme, four residents of two shards who enrolled long ago."""
    people = two_staff(session)
    a_rate(session, people, a_fund(session, people, 10**6), "A", "0.0001")
    a_partner_source(session)
    for resident, street in zip(PEOPLE, ("zumiao", "shiwan", None, "zumiao"), strict=True):
        enrolled(session, resident, street, FIRST - timedelta(days=100))
    session.commit()
    return people


def enrolled(session: Session, resident: int, street: str | None, day: date) -> None:
    session.execute(
        text(
            "insert into resident (resident_id, shard_id, street, enrolled_at) values (:r, :s, :street, :at)"
        ),
        {"r": resident, "s": shard_of(resident), "street": street, "at": at(day, 12)},
    )
    open_wallet(session, resident)


def at(day: date, hour: int) -> datetime:
    """An hour of a day in Shanghai."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=clock.PROGRAMME_ZONE)


def paper(session: Session, resident: int, when: datetime) -> int:
    """A bag of paper that the partner tells of; its number."""
    number = a_claimed_act(session, resident, "recycling.paper", when, when, GRAMS, evidence_class="A")
    assert number is not None
    session.commit()
    return number


def decide(session: Session) -> None:
    for shard in (0, 1):
        while credit_batch(session, shard, TODAY).picked:
            session.commit()
        session.commit()


def given(session: Session) -> dict[int, int]:
    """What stands of campaigns' points, by act."""
    rows = session.execute(
        text("""
            select activity_id, sum(points)::bigint as points from posting p join fund f on f.fund_id = p.contra_ref
            where f.kind = 'campaign' group by 1 having sum(points) <> 0
        """)
    )
    return {row.activity_id: row.points for row in rows}


def left(session: Session, code: str = "earth") -> int:
    found = campaigns.by_code(session, code)
    assert found.fund_id is not None
    return transfers.left(session, found.fund_id)


def sound(session: Session) -> None:
    assert [finding for finding in check(session, 3600) if finding.violations] == []


def test_a_campaign_is_for_whom_it_says(session: Session, staff: tuple[int, int]) -> None:
    """Streets as they were at the launch, newcomers, a group's members of the day, whoever had not acted for a while."""
    one, two, three, four = PEOPLE
    paper(session, two, at(FIRST - timedelta(days=3), 9))
    decide(session)
    group = session.execute(
        text("""
            insert into resident_group (kind, name_zh, name_en, made_by, decided_by, state, made_on)
            values ('estate', '小区', 'Estate', :by, :by, 'active', :day) returning group_id
        """),
        {"by": staff[0], "day": FIRST},
    ).scalar_one()
    days = [FIRST + timedelta(days=n) for n in range(4)]
    for person, until in ((one, None), (four, days[3])):
        session.execute(
            text("""
                insert into membership (group_id, kind, resident_id, shard_id, from_on, to_on, how)
                values (:group, 'estate', :r, :s, :from, :until, 'code')
            """),
            {"group": group, "r": person, "s": shard_of(person), "from": FIRST, "until": until},
        )
    for code, day, audience in (
        ("street", days[0], {"audience": "streets", "streets": ["zumiao"]}),
        ("fresh", days[1], {"audience": "new", "audience_days": 3}),
        ("lapsed", days[2], {"audience": "lapsed", "audience_days": 6}),
        ("estate", days[3], {"audience": "group", "group_id": group}),
    ):
        on = {"starts_on": day.isoformat(), "ends_on": day.isoformat()}
        launched(session, staff, code=code, **{**PAPER, **FIXED, **audience, **on})
    # who moves house after the launch moves neither in nor out; who comes later is asked at the first act
    session.execute(text("update resident set street = 'zumiao' where resident_id = :r"), {"r": two})
    session.execute(text("update resident set street = 'shiwan' where resident_id = :r"), {"r": four})
    newcomer = resident_id(17)
    enrolled(session, newcomer, "shiwan", days[1] - timedelta(days=2))
    session.commit()
    acts = {paper(session, person, at(day, 9)): person for person in (*PEOPLE, newcomer) for day in days}
    decide(session)
    rows = session.execute(
        text("select c.code, b.activity_id from bonus b join campaign c using (campaign_id)")
    ).all()
    by_campaign: dict[str, set[int]] = {}
    for code, act in rows:
        by_campaign.setdefault(code, set()).add(acts[act])
    assert by_campaign == {
        "street": {one, four},
        "fresh": {newcomer},
        "lapsed": {one, three, four},
        "estate": {one},
    }
    sound(session)


def test_who_is_held_out_is_what_anybody_can_compute(session: Session) -> None:
    salt = bytes(range(16))
    wanted = [
        n
        for n in range(1, 400)
        if int.from_bytes(sha256(salt + n.to_bytes(8, "big")).digest()[:8]) % 10**6 < 250_000
    ]
    asked = text("select n from generate_series(1, 399) n where held_out(:salt, n, 250000) order by n")
    assert list(session.execute(asked, {"salt": salt}).scalars()) == wanted
    assert 60 < len(wanted) < 140


def test_a_bonus_follows_what_counted_of_the_base(session: Session, staff: tuple[int, int]) -> None:
    """The fraction that the base dropped counts in the multiple; of what a policy cap cut nothing does."""
    a_cap(session, staff, "recycling", "points", BASE + 10)
    launched(session, staff, **PAPER)
    whole, cut, nothing = (paper(session, PEOPLE[0], at(FIRST, hour)) for hour in (8, 9, 10))
    decide(session)
    assert given(session) == {whole: HALF_AGAIN, cut: 5}
    told = session.execute(
        text("select points, bonus from decision where activity_id = :a"), {"a": nothing}
    ).one()
    assert tuple(told) == (0, 0)
    sound(session)


def test_pauses_and_an_early_end_count_by_the_instant_of_the_act(
    session: Session, staff: tuple[int, int]
) -> None:
    """Whenever it is decided: before the pause, in it, after it, after the end."""
    campaign, day = launched(session, staff, **PAPER), FIRST + timedelta(days=1)
    acts = [(paper(session, PEOPLE[0], at(day, hour)), hour) for hour in (8, 10)]
    decide(session)
    campaigns.pause(session, campaign.campaign_id, "查一个问题", staff[0], at(day, 9))
    campaigns.resume(session, campaign.campaign_id, staff[1], at(day, 11))
    campaigning.end(session, campaign.campaign_id, "提前结束", staff[0], at(day, 14))
    session.commit()
    acts += [(paper(session, PEOPLE[0], at(day, hour)), hour) for hour in (7, 9, 11, 14, 15)]
    decide(session)
    assert given(session) == {act: HALF_AGAIN for act, hour in acts if hour in (7, 8, 11, 14)}
    # another may have the days after
    launched(session, staff, code="next", **{**PAPER, "starts_on": (day + timedelta(days=1)).isoformat()})
    sound(session)


def test_the_budget_is_paid_to_the_last_point_and_the_campaign_stops(
    session: Session, staff: tuple[int, int]
) -> None:
    budget = 2 * HALF_AGAIN + 2
    campaign = launched(session, staff, **{**PAPER, "ends_on": TODAY.isoformat(), "budget_points": budget})
    acts = [paper(session, PEOPLE[0], at(FIRST, hour)) for hour in (8, 9, 10, 11)]
    decide(session)
    assert given(session) == dict(zip(acts[:3], (HALF_AGAIN, HALF_AGAIN, 2), strict=True))
    rows = session.execute(
        text("""
            select due_points, points, reasons from bonus join activity using (activity_id) order by occurred_from
        """)
    ).all()
    assert [tuple(row) for row in rows[2:]] == [
        (9, 2, ["campaign_exhausted"]),
        (9, 0, ["campaign_exhausted"]),
    ]
    noon = at(TODAY, 12)
    assert campaigning.end_due(session, noon) == 1
    session.refresh(campaign)
    assert (campaign.state, campaign.end_cause) == ("ended", "exhausted")
    assert campaigning.end_due(session, noon) == 0
    # what is taken back goes back to the campaign, in the journal of the base, and in the end to the source
    reverse(session, PEOPLE[0], public_id(FIRST, acts[0]), "fraud", TODAY)
    session.commit()
    assert left(session) == HALF_AGAIN
    taken = text("select count(distinct journal_id), count(*) from posting where contra_kind = 6")
    assert tuple(session.execute(taken).one()) == (1, 2)
    sound(session)
    assert campaigning.settle_due(session, clock.now() + timedelta(days=39)) == 0
    assert campaigning.settle_due(session, clock.now() + timedelta(days=41)) == 1
    assert campaigning.settle_due(session, clock.now() + timedelta(days=41)) == 0
    session.commit()
    assert left(session) == 0
    sound(session)


def test_a_campaign_ends_the_night_after_its_last_day_and_late_records_still_count(
    session: Session, staff: tuple[int, int]
) -> None:
    last = TODAY - timedelta(days=2)
    campaign = launched(session, staff, **{**PAPER, "ends_on": last.isoformat()})
    campaigns.pause(session, campaign.campaign_id, "…", staff[0], at(last, 8))
    assert campaigning.end_due(session, at(last, 23)) == 0
    assert campaigning.end_due(session, at(last + timedelta(days=1), 7)) == 1
    session.refresh(campaign)
    assert (campaign.end_cause, campaign.ended_at) == ("date", at(last + timedelta(days=1), 0))
    early, _ = paper(session, PEOPLE[0], at(last, 7)), paper(session, PEOPLE[0], at(last, 9))
    paper(session, PEOPLE[0], at(last + timedelta(days=1), 1))
    decide(session)
    assert given(session) == {early: HALF_AGAIN}
    sound(session)


def test_two_lanes_on_a_nearly_empty_fund_pay_exactly_the_budget(
    bare_app: Flask, session: Session, staff: tuple[int, int]
) -> None:
    budget = 33 * HALF_AGAIN + 4
    launched(session, staff, **{**PAPER, "budget_points": budget})
    for person in PEOPLE:
        for hour in range(1, 21):
            paper(session, person, at(FIRST + timedelta(days=hour % 4), hour))
    together = threading.Barrier(2)

    def lane(shard: int) -> None:
        with bare_app.app_context():
            for most in (3, 5, 7, 11, 100):
                together.wait(timeout=20)
                in_transaction(partial(credit_batch, shard_id=shard, today=TODAY, most=most))

    threads = [threading.Thread(target=lane, args=(shard,)) for shard in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(given(session).values()) == budget
    assert left(session) == 0
    sound(session)


def test_where_no_campaign_runs_the_batch_asks_nothing_more(
    session: Session, staff: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        # made once by each connection, whichever this one is
        if query != WORKING_TABLES:
            asked.append(query)
        return execute(self, query, *args, **options)

    def batch(day: date) -> int:
        """Statements of a batch that decides a day again, as the second act of it comes."""
        for hour in (8, 9):
            paper(session, PEOPLE[0], at(day, hour))
            asked.clear()
            with monkeypatch.context() as patch:
                patch.setattr(psycopg.Cursor, "execute", counted)
                credit_batch(session, 0, TODAY)
            session.commit()
        return len(asked)

    batch(FIRST)
    plain = batch(FIRST + timedelta(days=1))
    launched(session, staff, **{**PAPER, "ends_on": (FIRST + timedelta(days=2)).isoformat()})
    session.commit()
    assert plain > 15
    assert batch(TODAY - timedelta(days=1)) == plain
    assert batch(FIRST + timedelta(days=2)) > plain


def test_the_money_behind_a_campaigns_points_moves_with_them(
    session: Session, staff: tuple[int, int]
) -> None:
    """What stands behind all points is the same before and after."""
    paper(session, PEOPLE[0], at(FIRST, 8))
    decide(session)
    before = session.execute(text(MONEY)).all()
    launched(session, staff, **PAPER)
    paper(session, PEOPLE[0], at(FIRST, 9))
    decide(session)
    after = session.execute(text(MONEY)).all()
    assert sum(row.fen for row in after) == sum(row.fen for row in before) == 10**6
    assert {row.code: row.fen for row in after}["campaign_earth"] == 10_000
