"""What stands on the console's first page: right, from rollups, in a statement or two each."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import Invalid
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.reconciliation import cases
from carbon_credits.reporting import dashboard, desk, forecast, funnel
from carbon_credits.reporting.indicators_own import POPULATION
from carbon_credits.reporting.population import populations
from carbon_credits.rewards import coverage
from carbon_credits.staff.service import Role, add
from tests.crediting.test_oracle import World
from tests.factories.acts import a_partner_source
from tests.factories.ledger import a_fund
from tests.reporting.test_indicators import stated
from tests.reporting.test_rollups import people_of, roll
from tests.statements import asked_of

NOW = clock.now()
TODAY = clock.day_of(NOW)
A_DAY = timedelta(days=1)
EVERY = {task.name: task.every for task in TASKS}
FIGURES: dict[str, Callable[[Session], object]] = {
    "grams": lambda s: dashboard.grams(s, TODAY),
    "trend": lambda s: dashboard.trend(s, TODAY),
    "active_months": lambda s: dashboard.active_months(s, TODAY),
    "coverage": coverage.newest,
    "forecasts": lambda s: forecast.forecasts(s, TODAY),
    "ages": lambda s: desk.ages(s, NOW),
    "feeds": lambda s: desk.feeds(s, NOW),
    "work_lists": lambda s: desk.work_lists(s, NOW),
    "late_tasks": lambda s: desk.late_tasks(s, NOW, EVERY),
    "come": funnel.come,
}


@pytest.fixture
def district(session: Session) -> World:
    """Some days of acts, rolled up and counted."""
    world = World(session, random.Random(11), budget=10**9)
    people_of(world)
    world.claim_some(120)
    world.drain()
    roll(session)
    for shard in (0, 1):
        funnel.count_shard(session, shard, NOW)
    session.commit()
    return world


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_asks_two_statements_at_most_and_never_the_acts(district: World, name: str) -> None:
    with asked_of(district.session.get_bind()) as asked:
        FIGURES[name](district.session)
    assert 1 <= len(asked) <= 2
    assert not [s for s in asked if " activity " in s or " decision " in s or " posting " in s]


def test_grams_by_methodology_and_street_add_up_to_the_whole(district: World) -> None:
    # in the first days of January what was done a few days ago is of the year before
    years = [dashboard.grams(district.session, day) for day in (TODAY, TODAY.replace(month=1, day=1) - A_DAY)]
    wallets = text("select sum(verified_mg), sum(claimed_mg), sum(removal_mg) from wallet")
    pools = ("verified_mg", "claimed_mg", "removal_mg")
    assert [sum(getattr(found.year, pool) for found in years) for pool in pools] == list(
        district.session.execute(wallets).one()
    )
    assert sum(found.year.verified_mg for found in years) > 0
    for found in years:
        for lines in (found.methodologies, found.streets):
            for figure in ("acts", "verified_mg", "claimed_mg", "points", "reversals"):
                assert sum(getattr(line.year, figure) for line in lines) == getattr(found.year, figure)
    codes = {line.code for found in years for line in found.methodologies}
    assert codes >= {"travel.metro", "recycling.paper"}
    yesterday = dashboard.grams(district.session, TODAY - A_DAY)
    assert yesterday.streets[0].name.zh
    days = {day.on: day for day in dashboard.trend(district.session, TODAY)}
    assert yesterday.today == days[TODAY - A_DAY].sums
    assert len(days) == 90
    assert sum(day.sums.points for day in days.values()) == sum(found.year.points for found in years)


def test_a_territory_sees_its_own_street_alone(district: World) -> None:
    # acts end the day before: on New Year's Day this year has none
    whole = dashboard.grams(district.session, TODAY - A_DAY)
    of = {line.code: line for line in whole.streets}
    assert dashboard.grams(district.session, TODAY - A_DAY, {"shiwan"}).year == of["shiwan"].year
    shown = dashboard.active_months(district.session, TODAY, {"shiwan"})
    assert ({line.street for line in shown.streets}, shown.district) == ({"shiwan"}, ())


def test_active_residents_are_held_against_the_district_and_those_registered(district: World) -> None:
    shown = dashboard.active_months(district.session, TODAY)
    counted = text("select count(distinct resident_id) from decision where state = 'credited' and points > 0")
    months = {one.month: one for one in shown.district}
    assert len(months) == 12
    (assumed,) = shown.populations
    assert (assumed.people, assumed.as_of.year, assumed.official) == (1_330_300, 2020, None)
    assert assumed.source.zh
    if TODAY.day > 4:
        this = months[TODAY.replace(day=1)]
        assert this.active == district.session.execute(counted).scalar_one() == 5
        assert this.per_100_000 == 5 * 100_000 // 1_330_300
    zumiao = [one for one in shown.streets if one.street == "zumiao"]
    assert {(one.of, one.living) for one in zumiao} == {(2, None)}


def test_the_population_is_what_two_people_approved_and_nothing_else(district: World) -> None:
    session = district.session
    for name in ("提", "批"):
        add(session, name, [Role.PROGRAMME], by="tests")
    stated(session, indicator=POPULATION, value=1, as_of=f"{TODAY.year - 2}-12-31")
    with pytest.raises(Invalid):
        stated(session, indicator=POPULATION, value=0)
    stated(session, indicator=POPULATION, value=1_330_000, as_of=f"{TODAY.year - 2}-12-31")
    new_year = TODAY.replace(day=1) - timedelta(days=100)
    stated(session, indicator=POPULATION, value=1_342_700, as_of=new_year.isoformat(), source_page="第 9 页")
    stated(session, indicator=POPULATION, value=400_000, street="zumiao")
    living = populations(session)
    # before every value the oldest, as it was corrected; from its day on the newest
    days = (date(2015, 1, 1), new_year - A_DAY, new_year, TODAY)
    assert [living.of_district(day).people for day in days] == [1_330_000] * 2 + [1_342_700] * 2
    assert living.on(TODAY, "shiwan") is None
    shown = dashboard.active_months(session, TODAY)
    assert {(one.month >= new_year, one.of) for one in shown.district} == {
        (False, 1_330_000),
        (True, 1_342_700),
    }
    assert {one.of for one in shown.streets if one.street == "zumiao"} == {400_000}
    told = [(one.street, one.people, one.official is not None) for one in shown.populations]
    assert told == [(None, 1_342_700, True), (None, 1_330_000, True), ("zumiao", 400_000, True)]
    assert shown.populations[0].source.zh.endswith("第 9 页")
    assert len(dashboard.active_months(session, TODAY, {"zumiao"}).populations) == 1


def test_a_fund_runs_out_within_a_span_or_not_at_all(session: Session) -> None:
    steady, uneven, fresh, idle = (a_fund(session, 28_000) for _ in range(4))
    for ago in range(1, 36):
        for fund, points in ((steady, 100), (uneven, 200 if ago <= 7 else 0), (fresh, 50 if ago < 5 else 0)):
            given = {"fund": fund, "on": TODAY - timedelta(days=ago), "points": points}
            if points:
                session.execute(text("insert into rollup_fund values (:fund, :on, :points)"), given)
    session.execute(
        text("insert into rollup_fund values (:fund, :on, 1)"),
        {"fund": uneven, "on": TODAY - timedelta(days=34)},
    )
    session.commit()
    found = {one.fund_id: one for one in forecast.forecasts(session, TODAY)}
    lasts = TODAY + timedelta(days=280)
    assert (found[steady].earliest, found[steady].middle, found[steady].latest) == (lasts, lasts, lasts)
    assert found[uneven].weeks == (1_400, 0, 0, 0)
    assert found[uneven].earliest == TODAY + timedelta(days=140)
    assert found[uneven].middle == TODAY + timedelta(days=560)
    assert found[uneven].latest is None, "at the pace of the slowest week it does not run out"
    assert not found[fresh].is_known, "four days are no pace"
    assert not found[idle].is_known
    assert not found[idle].runs_out


def test_cases_are_told_by_age_and_the_overdue_apart(session: Session) -> None:
    a_partner_source(session)
    for number, (opened, days) in enumerate(((0, 9), (2, 9), (5, 9), (8, 9), (8, 1), (9, 2))):
        at = NOW - timedelta(days=opened, hours=1)
        about = {"source_id": 900, "occurred_on": TODAY}
        cases.open_case(
            session, "clawback_outlier", f"feed:900:{number}", "x", "tests", at, days=days, **about
        )
    (found,) = desk.ages(session, NOW)
    assert (found.day, found.three_days, found.week, found.later, found.overdue) == (1, 1, 1, 1, 2)
    assert (found.total, found.oldest) == (6, timedelta(days=9, hours=1))
    assert found.name.zh


def test_a_feed_is_late_beyond_its_grace(session: Session) -> None:
    a_partner_source(session)
    session.execute(
        text("insert into feed_watermark (source_id, seq, complete_through) values (900, 1, :through)"),
        {"through": NOW - timedelta(days=5)},
    )
    (feed,) = desk.feeds(session, NOW)
    assert (feed.partner, feed.late) == ("tests", timedelta(days=2))


def test_what_lies_behind_is_told_and_what_is_merely_waiting_is_not(district: World) -> None:
    session = district.session
    district.claim_some(3)
    assert {one.n for one in desk.work_lists(session, clock.now())} == {0}
    late = {one.name: one for one in desk.work_lists(session, clock.now() + timedelta(minutes=2))}
    waiting = session.execute(text("select count(*), min(queued_at) from activity_queue")).one()
    assert (late["queued_acts"].n, late["queued_acts"].oldest) == tuple(waiting)
    session.execute(
        text(
            "insert into task_run (task, slot, finished_at) values ('seal', :slot, :slot), ('mature', :slot, :slot)"
        ),
        {"slot": NOW - timedelta(minutes=20)},
    )
    assert [task.name for task in desk.late_tasks(session, NOW, EVERY)] == ["seal"]
