"""What operators type about cases and months, and what whoever watches sees of them."""

import logging
from datetime import timedelta
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import text

from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs import scheduler
from carbon_credits.staff.service import Role, add
from tests.api.conftest import FEED, Caller
from tests.api.credited import a_decided_ride, decide, policy

SAID = ("--zh", "已核实", "--en", "we looked")


@pytest.fixture
def staff(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        for name, role in (
            ("援", Role.SUPPORT),
            ("策", Role.PROGRAMME),
            ("批", Role.PROGRAMME),
            ("账", Role.FINANCE),
        ):
            add(session, name, [role], by="tests")


def typed(app: Flask, *words: Any, fails: bool = False) -> str:
    with app.app_context():
        done = app.test_cli_runner().invoke(args=[str(word) for word in words])
    assert (done.exit_code != 0) is fails, done.output
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.output


def an_appeal(resident: Caller, act: str) -> None:
    resident.call("POST", f"/v1/activities/{act}/appeal", key="k", json={"words": "我确实骑了"})


def the_case(app: Flask) -> int:
    with app.app_context(), transaction() as session:
        return int(session.execute(text("select max(case_id) from recon_case")).scalar_one())


@pytest.mark.usefixtures("staff")
def test_an_appeal_is_listed_shown_asked_about_and_decided(app: Flask, resident: Caller) -> None:
    policy(app)
    act = a_decided_ride(app, resident)
    assert "nothing waits" in typed(app, "cases", "list")
    an_appeal(resident, act)
    case = the_case(app)
    assert "disputed" in typed(app, "cases", "list")
    shown = typed(app, "cases", "show", case)
    assert all(words in shown for words in (act, "我确实骑了", "case.opened"))
    typed(app, "cases", "assign", case, "--to", "策", "--as", "援", fails=True)
    typed(app, "cases", "assign", case, "--to", "援", "--as", "援")
    typed(app, "cases", "ask", case, "--feed", FEED.code, "--question", "请核实", "--as", "援")
    assert "waiting_for_partner" in typed(app, "cases", "show", case)
    typed(app, "cases", "decide", case, *SAID, "--as", "援", fails=True)
    typed(app, "cases", "decide", case, "--uphold", *SAID, "--as", "策", fails=True)
    typed(app, "cases", "decide", case, "--uphold", "--class", "C", *SAID, "--as", "援")
    decide(app, resident)
    assert resident.get(f"/v1/activities/{act}").get_json()["evidence_class"] == "C"
    assert "nothing waits" in typed(app, "cases", "list")
    assert "upheld" in typed(app, "cases", "show", case)


@pytest.mark.usefixtures("staff")
def test_a_clawback_is_announced_or_for_fraud_approved_by_another(
    app: Flask, resident: Caller, vault: Vault
) -> None:
    policy(app)
    first, second = a_decided_ride(app, resident), a_decided_ride(app, resident, **an_earlier_ride())
    typed(app, "cases", "clawback", resident.id, first, *SAID, "--as", "援", fails=True)
    assert "announced 1, skipped 0" in typed(
        app, "cases", "clawback", resident.id, first, *SAID, "--as", "策"
    )
    assert "announced 0, skipped 1" in typed(
        app, "cases", "clawback", resident.id, first, *SAID, "--as", "策"
    )
    typed(app, "cases", "clawback", resident.id, second, "--fraud", *SAID, "--as", "策")
    with app.app_context(), transaction() as session:
        number = session.execute(text("select max(approval_id) from approval")).scalar_one()
    typed(app, "approvals", "approve", number, "--as", "策", fails=True)
    typed(app, "approvals", "approve", number, "--as", "批")
    decide(app, resident)
    assert resident.get(f"/v1/activities/{first}").get_json()["status"] == "credited"
    taken = resident.get(f"/v1/activities/{second}").get_json()
    assert (taken["status"], taken["clawback"]["state"]) == ("rejected", "taken_back")


@pytest.mark.usefixtures("staff")
def test_a_month_is_reported_and_closed(app: Flask, resident: Caller) -> None:
    last = (clock.today().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    told = typed(app, "reconciliation", "report", FEED.code, last)
    assert f"{FEED.code} {last}: open" in told
    assert told.count("unexplained") == 2
    typed(app, "reconciliation", "close", FEED.code, last, "--as", "账", fails=True)
    with app.app_context(), transaction() as session:
        session.execute(
            text("""insert into feed_watermark (source_id, seq, complete_through)
                    select source_id, 1, now() from source where feed = :feed"""),
            {"feed": FEED.code},
        )
    since = clock.today() - timedelta(days=90)
    grace = ("reconciliation", "grace", FEED.code, 0, "--from", since, "--reason", "实时上报 / told at once")
    typed(app, *grace, "--as", "账", fails=True)
    typed(app, *grace, "--as", "策")
    typed(app, "reconciliation", "close", FEED.code, last, "--as", "策", fails=True)
    typed(app, "reconciliation", "close", FEED.code, last, "--as", "账")
    assert '"state": "closed"' in typed(app, "reconciliation", "report", FEED.code, last, "--json")


def test_overdue_cases_are_on_metrics_and_in_the_schedulers_log(
    app: Flask, resident: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    policy(app)
    an_appeal(resident, a_decided_ride(app, resident))
    lines = resident.client.get("/metrics").get_data(as_text=True).splitlines()
    assert 'carbon_cases_unfinished{kind="disputed"} 1.0' in lines
    assert 'carbon_cases_overdue{kind="disputed"} 0.0' in lines
    now = clock.now()

    def said() -> list[str]:
        return [record.message for record in caplog.records if record.name == scheduler.log.name]

    caplog.clear()
    with app.app_context(), caplog.at_level(logging.WARNING, scheduler.log.name):
        looked = scheduler.remind(None, now)
        assert not said()
        late = now + timedelta(days=16)
        assert scheduler.remind(looked, now + timedelta(minutes=59)) == looked
        assert scheduler.remind(looked, late) == late
    assert said() == ["cases overdue"]


def an_earlier_ride() -> dict[str, str]:
    """Three hours before the ride of the tests."""
    end = clock.now().replace(microsecond=0) - timedelta(hours=3)
    return {"occurred_from": (end - timedelta(minutes=16)).isoformat(), "occurred_to": end.isoformat()}


def test_a_command_that_meets_a_start_says_so_and_changes_nothing(app: Flask, owner_url: str) -> None:
    with psycopg.connect(owner_url.replace("+psycopg", "")) as starting:
        starting.execute("lock table partner in access exclusive mode")
        assert "数据库正忙" in typed(app, "partners", "add-client", "planting", fails=True)
    assert "client_secret" in typed(app, "partners", "add-client", "planting")


def test_a_command_that_finds_no_tables_yet_says_what_to_do(app: Flask) -> None:
    @click.command()
    @plainly
    def early() -> None:
        with transaction() as session:
            session.execute(text("select from what_a_migration_makes"))

    with app.app_context():
        told = CliRunner().invoke(early)
    assert told.exit_code == 1
    assert "flask db upgrade" in told.output
