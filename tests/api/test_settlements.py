"""A merchant reads its statements line by line, and nobody else's; anyone reads what stands behind points."""

import csv
import io

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.coverage import read_coverage
from carbon_credits.rewards import accounts, standing
from tests.api.conftest import Caller, merchant_in
from tests.api.settled import settled
from tests.api.test_case_commands import typed
from tests.factories.redemptions import a_point_value, an_approval

SETTLEMENTS = "/merchant/v1/settlements"


def test_a_merchant_reads_its_statements_newest_first_page_by_page(app: Flask, merchant: Caller) -> None:
    numbers = [settled(app, merchant, 2, days) for days in (3, 2, 1)]
    first = merchant.get(f"{SETTLEMENTS}?limit=2").get_json()
    rest = merchant.get(f"{SETTLEMENTS}?limit=2&cursor={first['next']}").get_json()
    assert [item["id"] for item in first["items"] + rest["items"]] == numbers[::-1]
    assert rest["next"] is None
    for item in first["items"]:
        whole = item["carried_in_micro_fen"] + item["lines_micro_fen"] + item["adjusted_fen"] * 1_000_000
        assert whole == item["amount_fen"] * 1_000_000 + item["carried_out_micro_fen"]


def test_its_lines_come_by_page_and_as_a_table_and_add_up(app: Flask, merchant: Caller) -> None:
    number = settled(app, merchant, 5)
    one = merchant.get(f"{SETTLEMENTS}/{number}").get_json()
    assert (one["captures"], one["reversals"], one["status"], one["payments"]) == (5, 1, "frozen", [])
    page = merchant.get(f"{SETTLEMENTS}/{number}/lines?limit=2").get_json()
    lines = page["items"]
    while page["next"] is not None:
        page = merchant.get(f"{SETTLEMENTS}/{number}/lines?limit=2&cursor={page['next']}").get_json()
        lines += page["items"]
    assert len(lines) == len({(line["capture"], line["kind"]) for line in lines}) == 6
    assert sum(line["micro_fen"] for line in lines) == one["lines_micro_fen"]
    told = merchant.get(f"{SETTLEMENTS}/{number}/lines.csv")
    assert told.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(told.get_data(as_text=True).removeprefix("\ufeff"))))
    assert [(row["capture"], row["kind"], int(row["micro_fen"])) for row in rows] == [
        (line["capture"], line["kind"], line["micro_fen"]) for line in lines
    ]


def test_what_a_payment_waits_for_is_said_to_its_merchant_and_to_staff(app: Flask, merchant: Caller) -> None:
    number = settled(app, merchant)
    with app.app_context(), transaction() as session:
        approve = text("update settlement set state = 'approved', approval_id = :approval")
        session.execute(approve, {"approval": an_approval(session)})
        account = accounts.in_force(session, merchant.id)
        assert account is not None
        standing.note(session, account.account_id, False, None, clock.now())
    waits = "cannot pay this account yet"
    assert waits in merchant.get(f"{SETTLEMENTS}/{number}").get_json()["to_do"]["en"]
    assert waits in typed(app, "settlements", "show", number)
    with app.app_context(), transaction() as session:
        standing.note(session, account.account_id, True, None, clock.now())
    assert merchant.get(f"{SETTLEMENTS}/{number}").get_json()["to_do"] is None
    assert waits not in typed(app, "settlements", "show", number)


def test_another_merchants_statement_is_the_same_404_as_none(
    app: Flask, vault: Vault, merchant: Caller
) -> None:
    number = settled(app, merchant)
    other = merchant_in(app, vault)
    page = merchant.get(f"{SETTLEMENTS}/{number}/lines?limit=1").get_json()["next"]
    for rest in ("", "/lines", "/lines.csv"):
        theirs = other.get(f"{SETTLEMENTS}/{number}{rest}")
        none = other.get(f"{SETTLEMENTS}/999999{rest}")
        odd = other.get(f"{SETTLEMENTS}/0x1{rest}")
        assert theirs.status_code == none.status_code == odd.status_code == 404
        codes = {told.get_json()["code"] for told in (theirs, none, odd)}
        assert codes == {"settlement_unknown"}
    assert other.get(f"{SETTLEMENTS}/{number}/lines?cursor={page}").get_json()["code"] == "bad_cursor"
    assert other.get(SETTLEMENTS).get_json() == {"items": [], "next": None}


def test_anyone_reads_what_stands_behind_points(app: Flask, empty: None) -> None:
    client: FlaskClient = app.test_client()
    assert client.get("/public/v1/coverage").status_code == 404
    assert "尚未公布" in client.get("/coverage").get_data(as_text=True)
    with app.app_context(), transaction() as session:
        a_point_value(session, 950_001)
    with app.app_context():
        assert read_coverage() == 1
    told = client.get("/public/v1/coverage").get_json()
    assert (told["value_micro_fen"], told["points_outstanding"], told["coverage_ppm"]) == (950_001, 0, None)
    page = client.get("/coverage?lang=en").get_data(as_text=True)
    assert "0.00950001" in page
    assert "no points yet" in page


def test_an_alarm_stands_at_nothing(app: Flask, empty: None) -> None:
    told = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'carbon_rail_unexplained_fen{rail="stripe"} 0.0' in told
    assert 'carbon_payments_stuck{rail="none"} 0.0' in told
