"""What merchants are told has a queue of its own, rung for by the sweeper, and never goes to a place of ours."""

from flask import Flask
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core.crypto import Vault
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.hooks import tell
from carbon_credits.jobs.scheduler import sweep
from carbon_credits.jobs.surroundings import HANDLERS, SETTINGS
from carbon_credits.rewards import hooks
from tests.factories.rewards import a_merchant
from tests.jobs.listeners import LOOPBACK, trap


def test_a_notice_that_is_due_is_rung_for_and_a_worker_calls_by_the_rules_of_the_house(
    session: Session, bare_app: Flask, settings: Settings, redis_url: str, vault: Vault
) -> None:
    bare_app.config[SETTINGS], bare_app.config[HANDLERS] = settings, {}
    redis: Redis = doorbell.connect(redis_url, patience_s=30)
    redis.flushdb()
    merchant = a_merchant(session, vault)
    with trap() as (port, hits):
        hooks.add(session, vault, merchant, f"https://127.0.0.1:{port}/", hooks.EVENTS, "test", LOOPBACK)
        session.commit()
        sweep(redis)
        assert len(doorbell.queue(redis, doorbell.CALLS)) == 0
        hooks.announce(session, merchant, "settlement.paid", "s1", {})
        session.commit()
        sweep(redis)
        (job,) = doorbell.queue(redis, doorbell.CALLS).get_jobs()
        assert job.func is tell
        job.func(*job.args)
        assert hits == []
    session.rollback()
    told = session.execute(text("select state, attempts, last_error from hook_delivery")).one()
    assert tuple(told) == ("waiting", 1, "port_not_called")
