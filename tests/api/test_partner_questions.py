"""A partner reads what it is asked, beside its files too, and answers once; another partner sees nothing."""

from uuid import uuid4

import pytest
from flask import Flask

from carbon_credits.activities.names import parse_public_id
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.partners import clients
from carbon_credits.partners import service as partners
from carbon_credits.reconciliation import cases, questions
from carbon_credits.reconciliation.models import Case
from integrations import PROVIDERS
from tests.api.conftest import FEED, Caller
from tests.api.credited import a_decided_ride, policy


@pytest.fixture
def asked(app: Flask, resident: Caller) -> int:
    """A case in which the first feed's partner is asked about a resident's ride."""
    policy(app)
    act = a_decided_ride(app, resident)
    resident.call("POST", f"/v1/activities/{act}/appeal", key="k", json={"words": "我骑了"})
    with app.app_context(), transaction() as session:
        day, number = parse_public_id(act)
        of_act = cases.act_subject(session, resident.id, day, number)
        assert of_act is not None
        (case,) = cases.listed(session, every=False, kind=cases.DISPUTED, overdue_at=None, most=9)
        questions.ask(session, case.case_id, FEED.code, "请核实该次骑行", 1, clock.now())
        return case.case_id


def reply(partner: Caller, case: int | str, **body: object) -> int:
    told = partner.call(
        "POST", f"/partner/v1/questions/{case}/answer", key=str(uuid4()), json={"confirms": True, **body}
    )
    return told.status_code


def another_partner(app: Flask, vault: Vault) -> Caller:
    code = next(feed.partner for feed in PROVIDERS if feed.partner != FEED.partner)
    with app.app_context(), transaction() as session:
        row = partners.partner_by_code(session, code)
        made = clients.add_client(session, vault, row.partner_id, clock.now())
        number = row.partner_id
    client = app.test_client()
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
    }
    return Caller(client, client.post("/oauth/token", data=form).get_json()["access_token"], number)


def test_a_question_is_answered_once_and_stands_with_the_case(
    app: Flask, partner: Caller, resident: Caller, asked: int
) -> None:
    (told,) = partner.get("/partner/v1/questions").get_json()["items"]
    assert (told["case"], told["question"], told["methodology"]) == (
        str(asked),
        "请核实该次骑行",
        "travel.cycling",
    )
    assert not any(
        resident.id == value or str(resident.id) == value for key, value in told.items() if key != "case"
    )
    assert not [name for name in told if "resident" in name]
    assert reply(partner, asked, words="属实") == 201
    assert partner.get("/partner/v1/questions").get_json()["items"] == []
    assert reply(partner, asked) == 409
    with app.app_context(), transaction() as session:
        case = session.get_one(Case, asked)
        assert (case.state, case.partner_said, case.partner_words) == ("open", True, "属实")


def test_another_partner_neither_reads_nor_answers_it(app: Flask, vault: Vault, asked: int) -> None:
    other = another_partner(app, vault)
    assert other.get("/partner/v1/questions").get_json()["items"] == []
    assert reply(other, asked) == 404


@pytest.mark.parametrize("case", ["0", "x", "9" * 19, "1e3", "4711"])
def test_a_case_that_is_none_of_theirs_is_not_found(partner: Caller, asked: int, case: str) -> None:
    assert reply(partner, case) == 404
