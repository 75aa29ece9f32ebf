"""A simulation says of last month what the batch then does, to the point and the fen, and writes nothing."""

import json
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from flask import Flask
from redis import Redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.cli.campaigns import group
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.db import undone
from carbon_credits.core.errors import Invalid
from carbon_credits.crediting import bonus_figures, simulations
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.crediting.ledger_hash import ledger_hash
from carbon_credits.crediting.simulating import Simulated, Trial, simulate
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.campaigns import simulate_all
from carbon_credits.jobs.scheduler import sweep
from carbon_credits.jobs.surroundings import HANDLERS, SETTINGS
from carbon_credits.ledger import funds, transfers
from carbon_credits.programme import campaign_terms, campaigns
from carbon_credits.programme.campaign_models import Campaign
from carbon_credits.reporting.campaigns import AfterAction, after_action, as_document
from carbon_credits.reporting.kept_effects import Kept, compute_next, newest
from tests.factories.acts import a_partner_source
from tests.factories.campaigns import a_document, launched, pin_lots
from tests.factories.district import claim_acts, enrol
from tests.factories.ledger import months_of
from tests.factories.programme import a_cap, a_fund, a_rate, approved, two_staff

# a Monday; what is replayed lies four weeks before, and all of it is over
WEEKS = 4
STARTS = date(2026, 6, 1)
ENDS = date(2026, 6, 25)
TODAY = date(2026, 7, 20)
BEFORE = (STARTS - timedelta(weeks=WEEKS), ENDS - timedelta(weeks=WEEKS))


@pytest.fixture
def month(session: Session, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A programme whose base caps bind, and whose points cost odd fractions of a fen."""
    # chance alone shows no effect under it
    pin_lots(monkeypatch, bytes([5]) * 16)
    people = two_staff(session)
    fund = a_fund(session, people, 0)
    payload = {"fund_id": fund, "points": 10**9, "amount_fen": 1_234_567_891}
    funds.deposit(session, fund, 10**9, 1_234_567_891, approved(session, people, "fund.deposit", payload))
    a_rate(session, people, fund, "A", "0.00137")
    a_rate(session, people, fund, "D", "0.00091")
    a_cap(session, people, "travel.cycling", "quantity", 9_000)
    a_cap(session, people, "travel", "points", 1_900)
    a_partner_source(session)
    months_of(session, BEFORE[0], TODAY)
    return session


def with_acts(session: Session, people: int, often: int) -> list[int]:
    """People's acts of a month in eight shards, credited."""
    numbers = enrol(session, people, STARTS - timedelta(days=100))
    claim_acts(session, numbers, *BEFORE, often=often)
    credit(session)
    return numbers


def credit(session: Session) -> None:
    session.commit()
    for shard in session.execute(text("select distinct shard_id from wallet order by 1")).scalars().all():
        while credit_batch(session, shard, TODAY).picked:
            session.commit()
        session.commit()


def riding(**given: Any) -> dict[str, Any]:
    """A multiplier for riding whose caps of a person all bind, for everybody but three in ten."""
    words = {
        "starts_on": STARTS.isoformat(),
        "ends_on": ENDS.isoformat(),
        "methodologies": ["travel.cycling"],
    }
    caps = {"cap_day": 110, "cap_week": 450, "cap_total": 1_200}
    more = {"multiplier": "1.337", "holdout_ppm": 300_000, "budget_points": 10**7}
    return a_document(**words | caps | more | given)


def travelling(**given: Any) -> dict[str, Any]:
    """A fixed bonus for each journey of people of two streets, later in the month."""
    days = {"starts_on": (STARTS + timedelta(days=3)).isoformat(), "ends_on": ENDS.isoformat()}
    reward = {"reward": "bonus", "multiplier": None, "bonus_points": 7, "cap_day": 7, "cap_week": 20}
    whom = {"audience": "streets", "streets": ["zumiao", "nanzhuang"], "methodologies": ["travel.metro"]}
    return a_document(code="metro", budget_points=10**6, **days, **reward, **whom, **given)


def trial_of(session: Session, campaign: Campaign) -> Trial:
    return Trial(campaigns.terms_of(session, campaign), campaign.salt)


def test_what_is_simulated_is_what_crediting_then_does(month: Session) -> None:
    numbers = with_acts(month, people=420, often=240)
    staff = tuple(month.execute(text("select staff_id from staff order by 1")).scalars())
    both = [launched(month, staff, **document) for document in (riding(), travelling())]
    month.commit()
    hash_before = ledger_hash(month)
    told: list[tuple[int, int]] = []
    trials = [trial_of(month, campaign) for campaign in both]
    simulated = simulate(month, trials, WEEKS, TODAY, lambda done, acts: told.append((done, acts)))
    month.commit()
    assert ledger_hash(month) == hash_before
    acts = sum(one.acts for one in simulated)
    assert (told[0], told[-1]) == ((0, acts), (acts, acts))
    assert [done for done, _ in told] == sorted(done for done, _ in told)

    # four weeks later people do the same again, and both campaigns truly run
    claim_acts(month, numbers, *BEFORE, moved=7 * WEEKS, often=240)
    credit(month)
    for campaign, one in zip(both, simulated, strict=True):
        happened = bonus_figures.standing(month, campaign.campaign_id, campaign.starts_on, campaign.ends_on)
        assert asdict(happened) == asdict(one.bonuses)
        assert happened.points > 0
        paid = "select sum(points) from posting where contra_kind = 2 and contra_ref = :fund"
        assert month.execute(text(paid), {"fund": campaign.fund_id}).scalar_one() == happened.points
        assert transfers.left(month, campaign.fund_id or 0) == one.left
        report = after_action(month, campaign.code, TODAY)
        assert report.cost_micro_fen == one.cost_micro_fen(happened.points)
        assert {(line.street, line.gained, line.points) for line in report.streets if line.gained} == {
            (line.street, line.people, line.points) for line in happened.streets
        }
    assert {cut.reason for cut in simulated[0].bonuses.cuts} == {
        "campaign_daily_cap",
        "campaign_weekly_cap",
        "campaign_total_cap",
    }
    report = after_action(month, "earth", TODAY)
    assert min(report.effect.offered, report.effect.held_out) >= 100
    effect = report.effect.of("avoided")
    assert effect is not None
    # people did what they had done before: the past explains nearly all, and nothing was added
    assert effect.during is not None
    assert not effect.during.is_seen
    assert effect.during.weight_ppm > 950_000
    assert report.price is not None
    assert report.compared_points == report.bonuses.points
    assert after_action(month, "metro", TODAY).effect.refused == "no_hold_out"
    # the night writes down what it finds, once a day, and a page reads that
    assert newest(month, "earth") is None
    while compute_next(month, datetime(2026, 7, 20, 3, tzinfo=UTC)):
        month.commit()
    assert newest(month, "earth") == Kept(TODAY, report)
    assert month.execute(text("select count(*) from campaign_effect")).scalar_one() == 2
    assert_commands_say_the_same(simulated, after_action(month, "earth", clock.today()))


def assert_commands_say_the_same(simulated: list[Simulated], report: AfterAction) -> None:
    def said(*words: str) -> str:
        return CliRunner().invoke(group, words).output

    tried = json.loads(said("simulate", "earth", "--weeks", str(WEEKS), "--json"))
    found = tried["outcomes"][0]
    assert (found["points"], found["binds_most"]) == (
        simulated[0].bonuses.points,
        simulated[0].bonuses.binds_most,
    )
    assert found["cost_micro_fen"] == report.cost_micro_fen
    assert json.loads(said("report", "earth", "--json")) == as_document(report)
    assert "campaign_weekly_cap" in said("simulate", "earth")
    assert "不能与偶然区分" in said("report", "earth")
    assert "没有对照组" in said("report", "metro")
    assert "campaign_unknown" in said("report", "nothing")


def test_a_budget_that_does_not_last_is_shared_out_in_order_of_time_beside_its_variant(
    month: Session,
) -> None:
    with_acts(month, people=40, often=300)
    plenty = Trial(campaign_terms.read(riding()), bytes(16))
    days = simulate(month, [plenty], WEEKS, TODAY)[0].bonuses.days
    until_then = sum(day.points for day in days[:9])
    scarce = replace(plenty, terms=replace(plenty.terms, budget_points=until_then + days[9].points // 2))
    short, whole = simulate(month, [scarce, plenty], WEEKS, TODAY)
    assert (short.runs_out_on, whole.runs_out_on) == (days[9].day, None)
    assert whole.bonuses.days == days
    assert short.bonuses.days[:9] == days[:9]
    assert [day.points for day in short.bonuses.days[9:]] == [days[9].points // 2] + [0] * (len(days) - 10)
    assert short.left == 0
    exhausted = next(cut for cut in short.bonuses.cuts if cut.reason == "campaign_exhausted")
    assert exhausted.points == whole.bonuses.points - short.bonuses.points


def test_the_database_refuses_to_credit_while_it_is_simulated(month: Session) -> None:
    with undone(month), pytest.raises(DBAPIError, match="read-only transaction"):
        month.execute(text("update fund set unallocated = unallocated - 1"))
    assert month.execute(text("select unallocated from fund")).scalar_one() == 10**9


def test_staff_ask_for_a_simulation_and_a_worker_tells_how_far_it_is(
    month: Session, bare_app: Flask, settings: Settings, redis_url: str
) -> None:
    bare_app.config[SETTINGS], bare_app.config[HANDLERS] = settings, {}
    redis: Redis = doorbell.connect(redis_url, patience_s=30)
    redis.flushdb()
    with_acts(month, people=30, often=200)
    staff = month.execute(text("select min(staff_id) from staff")).scalar_one()
    with pytest.raises(Invalid) as refused:
        simulations.ask(month, [riding()], 0, staff, ENDS)
    assert refused.value.code == "period_not_over"
    draft = campaigns.draft(month, riding(), staff)
    campaign_id, terms = draft.campaign_id, campaigns.terms_of(month, draft)
    both = [riding(), riding(multiplier="2")]
    number = simulations.ask(month, both, WEEKS, staff, TODAY, campaign_id=campaign_id, salt=draft.salt)
    month.commit()
    assert simulations.standing(month, number).state == "waiting"
    month.rollback()

    sweep(redis)
    (job,) = doorbell.queue(redis, doorbell.FILES).get_jobs()
    job.func(*job.args)
    sweep(redis)
    assert len(doorbell.queue(redis, doorbell.FILES)) == 1

    done = simulations.standing(month, number)
    assert (done.state, done.acts_done) == ("done", done.acts)
    wanted = simulate(month, simulations.trials_of(month, number)[0], WEEKS, TODAY)
    assert list(done.outcomes) == wanted
    assert wanted[1].bonuses.points > wanted[0].bonuses.points > 0
    assert simulations.of_campaign(month, campaign_id) == [done]
    # a second person is shown what the very same terms came to, and nothing once they were changed
    assert simulations.newest_of(month, terms) == done
    changed = campaigns.change(month, campaign_id, 1, riding(multiplier="1.5"), staff)
    assert simulations.newest_of(month, campaigns.terms_of(month, changed)) is None
    with pytest.raises(DBAPIError, match="is not changed"):
        month.execute(text("update simulation set failure = 'x', result = null"))
    month.rollback()


def test_a_simulation_whose_worker_dies_is_begun_again_and_given_up_after_three_times(month: Session) -> None:
    staff = month.execute(text("select min(staff_id) from staff")).scalar_one()
    number = simulations.ask(month, [riding()], WEEKS, staff, TODAY)
    for attempt in (1, 2, 3):
        assert simulations.take(month) == number
        assert simulations.take(month) is None
        assert simulations.standing(month, number).state == "running"
        month.execute(text("update simulation set touched_at = touched_at - interval '6 minutes'"))
        assert month.execute(text("select attempts from simulation")).scalar_one() == attempt
    assert simulations.take(month) is None
    assert (simulations.standing(month, number).state, simulations.standing(month, number).failure) == (
        "failed",
        "interrupted",
    )


def test_a_simulation_that_cannot_be_worked_out_says_why(month: Session, owner_url: str) -> None:
    staff = month.execute(text("select min(staff_id) from staff")).scalar_one()
    numbers = [simulations.ask(month, [riding()], WEEKS, staff, TODAY)]
    month.commit()
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        owner.execute("lock table decision in access exclusive mode")
        assert simulate_all() == 1
    numbers.append(simulations.ask(month, [riding()], WEEKS, staff, TODAY))
    month.commit()
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        owner.execute("update fund set code = 'renamed'")
    assert simulate_all() == 1
    failures = [simulations.standing(month, number).failure for number in numbers]
    assert failures == ["database 55P03", "wrong_campaign"]
