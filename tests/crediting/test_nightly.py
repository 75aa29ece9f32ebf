"""The nightly replay walks everybody in steps, goes on where it was stopped, and begins once a day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.api.public.gauges import figures
from carbon_credits.crediting.nightly import last_replay, replay_step
from tests.crediting.conftest import PEOPLE

NIGHT = datetime(2026, 11, 24, 19, 0, tzinfo=UTC)  # three in the night, the 25th, in Shanghai


def steps(session: Session, now: datetime, most: int) -> int:
    done = 0
    while replay_step(session, now, most):
        session.commit()
        done += 1
    session.commit()
    return done


def test_a_night_looks_at_every_credit_once(credited: Session) -> None:
    assert steps(credited, NIGHT, most=3) == 2
    found = last_replay(credited)
    assert found is not None
    assert (found.credits, found.mismatches) == (12, 0)
    assert steps(credited, NIGHT + timedelta(hours=1), most=3) == 0
    assert credited.execute(text("select count(*) from replay_run")).scalar_one() == 1
    assert steps(credited, NIGHT + timedelta(days=1), most=100) == 1


def test_nothing_begins_before_two_in_the_night(credited: Session) -> None:
    assert replay_step(credited, datetime(2026, 11, 24, 17, 59, tzinfo=UTC)) == 0
    assert credited.execute(text("select count(*) from replay_run")).scalar_one() == 0


def test_a_step_that_dies_leaves_no_trace_and_the_next_goes_on_from_there(credited: Session) -> None:
    assert replay_step(credited, NIGHT, most=2) == 1
    credited.commit()
    assert replay_step(credited, NIGHT, most=1) == 1
    credited.rollback()
    assert last_replay(credited) is None
    assert steps(credited, NIGHT, most=1) == 2
    found = last_replay(credited)
    assert found is not None
    assert found.credits == 12


def test_a_run_that_another_process_holds_is_left_alone(credited: Session, database_url: str) -> None:
    assert replay_step(credited, NIGHT, most=1) == 1
    credited.commit()
    with psycopg.connect(database_url.replace("+psycopg", "")) as other:
        other.execute("select * from replay_run for update")
        assert replay_step(credited, NIGHT, most=1) == 0
        credited.commit()
    assert replay_step(credited, NIGHT, most=1) == 1


def test_what_does_not_agree_is_counted_and_the_first_is_kept(
    credited: Session, bare_app: Flask, tamper: "psycopg.Connection[Any]"
) -> None:
    assert b"carbon_replay" not in figures()
    tamper.execute(
        f"update decision set raw_mg = raw_mg + 1 where resident_id = {PEOPLE[2]} and state = 'credited'"
    )
    steps(credited, NIGHT, most=1)
    found = last_replay(credited)
    assert found is not None
    assert (found.credits, found.mismatches) == (12, 3)
    kept = credited.execute(text("select first_found from replay_run")).scalar_one()
    assert [finding["what"] for finding in kept] == ["raw_mg"] * 3
    told = figures().decode()
    assert "carbon_replay_credits 12.0" in told
    assert "carbon_replay_mismatches 3.0" in told
    assert "carbon_replay_age_seconds " in told
