"""What runs how often: the one table of periodic work, and the step each task consists of."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.traces import forget_old
from carbon_credits.core import clock
from carbon_credits.core.signing import retire_old
from carbon_credits.crediting import campaigning
from carbon_credits.crediting.group_months import compute_due
from carbon_credits.crediting.nightly import replay_step
from carbon_credits.jobs.campaigns import ring_for_reports
from carbon_credits.jobs.corrections import settle_all
from carbon_credits.jobs.coverage import read_coverage
from carbon_credits.jobs.inbox import collect
from carbon_credits.jobs.settlement import make_statements, pay_all, read_statements
from carbon_credits.jobs.surroundings import settings
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.ledger.maturing import mature_due
from carbon_credits.ledger.sealing import seal_once
from carbon_credits.reconciliation import clawbacks, mass_balance
from carbon_credits.reconciliation.waiting import end_waiting
from carbon_credits.reconciliation.watching import watch
from carbon_credits.reporting import hub_counts, indicators_readings, proceeds_readings
from carbon_credits.reporting.export_work import erase_due
from carbon_credits.reporting.funnel import count_shard
from carbon_credits.reporting.rollups import roll_up
from carbon_credits.residents.service import forget_stale
from carbon_credits.rewards import codes, expiry_notices, gifts, inbox, leaving, offer_approval, offers
from carbon_credits.rewards.redemptions import lapse_due

log = logging.getLogger(__name__)

CHUNK = 2_000
# each is dealt with by statements of its own
PLEDGES = NOTICES = 200
EXPORTS = 20
KEPT_ANSWERS = timedelta(days=7)
KEPT_NOTICES = timedelta(days=30)


@dataclass(frozen=True)
class Task:
    """A task, how often it is due, and its step: done again, each time in a transaction, until nothing is left.

    A step of each shard is given the shard's lock first, so that it never meets a batch half-way. `work` opens its
    transactions by itself.
    """

    name: str
    every: timedelta
    step: Callable[[Session], int] | None = None
    step_of_shard: Callable[[Session, int], int] | None = None
    work: Callable[[], int] | None = None


def _at_now(step: Callable[[Session, datetime], int]) -> Callable[[Session], int]:
    """A step that is told what time it is."""
    return lambda session: step(session, clock.now())


def _mature(session: Session, shard: int) -> int:
    return mature_due(session, shard, clock.today(), CHUNK)


def _expire(session: Session, shard: int) -> int:
    return expire_due(session, shard, clock.today(), CHUNK)


def _seal(session: Session) -> int:
    head = seal_once(session, CHUNK)
    return 0 if head is None else 1


def _lapse(session: Session) -> int:
    due = text(
        "select distinct shard_id from hold where state = 'held' and expires_at <= clock_timestamp() order by 1"
    )
    for shard in session.execute(due).scalars().all():
        lock_shard(session, shard)
    return lapse_due(session, clock.today(), CHUNK)


def _finish_gifts(session: Session) -> int:
    return gifts.finish_due(session, clock.now(), clock.today(), PLEDGES)


def _partitions(session: Session) -> int:
    today = clock.today()
    session.execute(
        text("select make_partitions(:first, :last)"),
        {"first": today - timedelta(days=62), "last": today + timedelta(days=100)},
    )
    return 0


def _clean(session: Session) -> int:
    now = clock.now()
    forget_stale(session, now)
    done = codes.forget_guesses(session, now)
    for statement, before in (
        ("delete from idempotency_key where created_at < :before", now - KEPT_ANSWERS),
        ("delete from task_run where slot < :before", now - KEPT_ANSWERS),
        ("delete from hook_delivery where finished_at < :before", now - KEPT_NOTICES),
    ):
        done += len(session.execute(text(statement + " returning 1"), {"before": before}).all())
    return done


def _forget_traces(session: Session) -> int:
    return forget_old(session, clock.now(), CHUNK)


def _retire_keys(session: Session) -> int:
    retire_old(session, clock.now())
    return 0


def _end_waiting(session: Session, shard: int) -> int:
    return end_waiting(session, shard, clock.now(), CHUNK)


def _claw_back(session: Session, shard: int) -> int:
    return clawbacks.carry_out_due(session, shard, clock.now(), CHUNK)


def _forget_notices(session: Session) -> int:
    return inbox.forget_old(session, clock.now(), CHUNK)


def _tell_of_expiry(session: Session, shard: int) -> int:
    return expiry_notices.tell_due(session, settings().vault, shard, clock.now(), NOTICES)


def _end_offers(session: Session) -> int:
    return offers.end_due(session, clock.now(), CHUNK)


def _release_purses(session: Session) -> int:
    return offer_approval.release_due(session, clock.now(), CHUNK)


def _roll_up(session: Session, shard: int) -> int:
    return roll_up(session, shard, clock.now())


def _count_residents(session: Session, shard: int) -> int:
    return count_shard(session, shard, clock.now())


def _read_indicators(session: Session) -> int:
    return indicators_readings.read_due(session, clock.today())


def _read_proceeds(session: Session) -> int:
    return proceeds_readings.read_due(session, clock.today())


def _run_campaigns(session: Session) -> int:
    now = clock.now()
    return campaigning.launch_due(session, now) or campaigning.end_due(session, now)


def _erase_exports(session: Session) -> int:
    return erase_due(session, clock.now(), EXPORTS)


TASKS: tuple[Task, ...] = (
    Task("seal", timedelta(seconds=15), _seal),
    Task("lapse_holds", timedelta(seconds=30), _lapse),
    Task("finish_gifts", timedelta(seconds=30), _finish_gifts),
    Task("mature", timedelta(minutes=10), step_of_shard=_mature),
    Task("expire", timedelta(hours=1), step_of_shard=_expire),
    Task("tell_of_expiry", timedelta(hours=1), step_of_shard=_tell_of_expiry),
    Task("retire_keys", timedelta(minutes=5), _retire_keys),
    Task("make_partitions", timedelta(hours=12), _partitions),
    Task("clean", timedelta(hours=1), _clean),
    Task("forget_traces", timedelta(hours=1), _forget_traces),
    Task("end_waiting", timedelta(minutes=30), step_of_shard=_end_waiting),
    Task("claw_back", timedelta(minutes=30), step_of_shard=_claw_back),
    Task("watch_feeds", timedelta(minutes=15), _at_now(watch)),
    # looked at every hour, so that a replay that was killed goes on within the hour; a new one begins once a night
    Task("replay", timedelta(hours=1), _at_now(replay_step)),
    # files settle theirs at once; this is for what they referred to and came by another way
    Task("settle_corrections", timedelta(hours=1), work=settle_all),
    # holds what a bag or a month's purchases do not bear out, and lets go what a late ticket explains
    Task("mass_balance", timedelta(hours=1), _at_now(mass_balance.balance_step)),
    Task("station_flags", timedelta(hours=24), _at_now(mass_balance.flags_step)),
    # each group's months once a day of the programme; hourly, so that a night that was cut short is finished
    Task("group_months", timedelta(hours=1), _at_now(compute_due)),
    # a merchant's day is settled the day after; what a second person approved is paid within the minute
    Task("settle", timedelta(minutes=30), make_statements),
    Task("pay", timedelta(minutes=1), work=pay_all),
    Task("read_rails", timedelta(hours=1), work=read_statements),
    # what sponsors' notices did not tell, or told too early
    Task("collect", timedelta(minutes=5), work=collect),
    Task("forget_notices", timedelta(hours=12), _forget_notices),
    Task("coverage", timedelta(hours=1), work=read_coverage),
    Task("end_offers", timedelta(minutes=1), _end_offers),
    # what ended offers did not use goes back to the purse that topped them up, once nothing of them is out
    Task("release_purses", timedelta(minutes=15), _release_purses),
    # what the console shows at a glance; a step looks at what journals changed since the last
    Task("roll_up", timedelta(minutes=2), step_of_shard=_roll_up),
    Task("count_residents", timedelta(hours=1), step_of_shard=_count_residents),
    Task("erase_exports", timedelta(hours=1), _erase_exports),
    Task("close_merchants", timedelta(minutes=15), _at_now(leaving.finish_closing)),
    # once for each month that is over, and for each year that is settled
    Task("read_indicators", timedelta(hours=6), _read_indicators),
    # once for each month of a hub, when late records are in; and the names of stations to choose from
    Task("count_hubs", timedelta(hours=6), _at_now(hub_counts.count_due)),
    Task("see_stations", timedelta(hours=24), _at_now(hub_counts.see_stations)),
    # once for each day that is over
    Task("read_proceeds", timedelta(hours=6), _read_proceeds),
    # launched on their first day, ended after their last or when their money is spent
    Task("run_campaigns", timedelta(seconds=30), _run_campaigns),
    Task("settle_campaigns", timedelta(hours=1), _at_now(campaigning.settle_due)),
    # what they brought about, once a day of the programme; hourly, so that a night that was cut short is finished
    Task("report_on_campaigns", timedelta(hours=1), work=ring_for_reports),
)
