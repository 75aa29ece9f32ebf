"""What operators type about merchants, offers and purses: two people for what matters, one for stopping."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.clients import NewClient
from carbon_credits.core.db import transaction
from carbon_credits.rewards import merchants
from carbon_credits.staff.service import Role, add
from tests.api.conftest import caller_of
from tests.api.test_case_commands import typed
from tests.api.test_merchant_doors import an_offer_body
from tests.factories.rewards import a_licence

AS = ("--reason", "试点 / a trial", "--as", "商")


@pytest.fixture
def staff(app: Flask) -> None:
    """Two who look after merchants and money."""
    with app.app_context(), transaction() as session:
        for name in ("商", "批"):
            add(session, name, [Role.MERCHANT, Role.FINANCE], by="tests")
        add(session, "援", [Role.SUPPORT], by="tests")


def approve(app: Flask, told: str) -> str:
    """Let the second person approve what was just proposed."""
    (number,) = re.findall(r"#(\d+) waits", told)
    return typed(app, "approvals", "approve", number, "--as", "批")


@pytest.mark.usefixtures("staff")
def test_from_an_application_to_an_offer_and_to_the_end(app: Flask) -> None:
    applied = ("merchants", "apply", "sanyou", "--zh", "三友", "--en", "Sanyou", "--category", "food")
    rest = ("--address", "祖庙路", "--contact", "何", "--phone", "13800000000")
    wrong = typed(app, *applied, *rest, "--licence", "91350100M000100Y44", fails=True)
    assert "/licence_no" in wrong
    typed(app, *applied, *rest, "--licence", a_licence())
    assert "何  13800000000" in typed(app, "merchants", "show", "sanyou")
    assert "role_missing" in typed(app, "merchants", "propose-admission", "sanyou", *AS[:3], "援", fails=True)
    told = typed(app, "merchants", "propose-admission", "sanyou", *AS)
    (number,) = re.findall(r"#(\d+) waits", told)
    assert "wrong_person" in typed(app, "approvals", "approve", number, "--as", "商", fails=True)
    approve(app, told)
    made = dict(re.findall(r"(client_\w+) +(\S+)", typed(app, "merchants", "add-client", "sanyou")))
    assert re.search(
        r"PIN \d{6}", typed(app, "merchants", "add-member", "sanyou", 1, "何", "--role", "owner")
    )
    assert re.search(r"[0-9A-Z]{5}-[0-9A-Z]{5}", typed(app, "merchants", "pair", "sanyou", "收银台"))
    assert made["client_id"] in typed(app, "merchants", "list")

    typed(app, "purses", "create", "city", "--kind", "programme", "--zh", "市", "--en", "City")
    approve(app, typed(app, "purses", "propose-pay-in", "city", "--amount-fen", 600, *AS))
    value = ("offers", "propose-point-value", "--micro-fen", 10_000, "--from", clock.today().isoformat())
    approve(app, typed(app, *value, *AS))
    assert "10,000 micro-fen" in typed(app, "offers", "point-value")

    merchant = caller_of(app, NewClient(made["client_id"], made["client_secret"]), 0)
    offer = merchant.call("POST", "/merchant/v1/offers", key="o", json=an_offer_body()).get_json()["id"]
    merchant.call("POST", f"/merchant/v1/offers/{offer}/proposal", key="p")
    assert f"#{offer} sanyou" in typed(app, "offers", "list", "--waiting")
    propose = ("offers", "propose-approval", offer, "--subsidy-fen", 200, "--purse", "city")
    approve(app, typed(app, *propose, *AS))
    assert "points 20, programme 200, sponsor 0, merchant 780" in typed(app, "offers", "list")
    assert "reserved 600  spent 0  refunded 0  free 0" in typed(app, "purses", "show")

    assert "suspended" in typed(app, "merchants", "suspend", "sanyou", *AS)
    told_why = merchant.get("/merchant/v1/me").get_json()
    assert (told_why["state"], told_why["state_reason"]) == ("suspended", AS[1])
    approve(app, typed(app, "merchants", "propose-resume", "sanyou", *AS))
    assert "closing" in typed(app, "merchants", "close", "sanyou", *AS)
    with app.app_context(), transaction() as session:
        assert session.execute(text("select state from offer")).scalar_one() == "ended"
        assert merchants.by_code(session, "sanyou").state == "closing"


@pytest.mark.usefixtures("staff")
def test_a_refused_merchant_reads_why_and_applies_again(app: Flask) -> None:
    words = (
        "merchants",
        "apply",
        "sanyou",
        "--zh",
        "三友",
        "--en",
        "Sanyou",
        "--category",
        "food",
        "--address",
        "x",
    )
    again = (*words, "--contact", "何", "--phone", "13800000000", "--licence", a_licence())
    typed(app, *again)
    assert "refused" in typed(app, "merchants", "refuse", "sanyou", *AS)
    assert AS[1] in typed(app, "merchants", "show", "sanyou")
    typed(app, *again)
    assert "applied" in typed(app, "merchants", "list")


@pytest.mark.usefixtures("staff")
def test_points_below_their_value_are_refused_before_anybody_is_asked(app: Flask) -> None:
    value = ("offers", "propose-point-value", "--micro-fen", 1_000_000, "--from", clock.today().isoformat())
    approve(app, typed(app, *value, *AS))
    made = typed(app, "funds", "create", "base", "--zh", "基础", "--en", "Base")
    (fund,) = re.findall(r"fund (\d+):", made)
    deposit = ("funds", "propose-deposit", "--fund", fund, "--points", 1_000, "--amount-fen")
    assert "/amount_fen" in typed(app, *deposit, 999, *AS, fails=True)
    approve(app, typed(app, *deposit, 1_000, *AS))
