"""Something to redeem, and something redeemed, for tests that need an example of everything."""

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import transaction
from carbon_credits.ledger.service import open_wallet
from tests.api.conftest import Caller
from tests.factories.ledger import Act, a_fund, credit, months_of
from tests.factories.redemptions import an_offer


def give_points(app: Flask, resident: Caller, points: int) -> None:
    """Points to spend, out of a fund that can pay."""
    with app.app_context(), transaction() as session:
        give_points_in(session, resident.id, points)


def give_points_in(session: Session, resident_id: int, points: int) -> None:
    """The same in a transaction of the caller's."""
    months_of(session, clock.today(), clock.today())
    open_wallet(session, resident_id)
    credit(session, Act(resident_id, points=points, fund_id=a_fund(session)), clock.today())


def offered(app: Flask, merchant: Caller, **changes: Any) -> str:
    """The number of an offer of this merchant's."""
    with app.app_context(), transaction() as session:
        return str(an_offer(session, merchant.id, **changes))


def examples(app: Flask, resident: Caller, merchant: Caller) -> dict[str, Any]:
    """An example for each call of redemption: names in paths, and bodies."""
    give_points(app, resident, 10_000)
    tea, grove = offered(app, merchant), offered(app, merchant, kind="group_gift")
    made = [_redeem(resident, tea, f"example-{n}") for n in range(4)]
    gift = {
        "offer_id": grove,
        "title": "三班的小树林",
        "pieces": 1_000,
        "deadline": (clock.now() + timedelta(days=7)).isoformat(),
    }
    begun = resident.call("POST", "/v1/gifts", key="example", json=gift).get_json()
    taken = merchant.call(
        "POST", "/merchant/v1/captures", key="example", json={"code": made[0]["code"]}
    ).get_json()
    return {
        "offer": tea,
        "redemption": made[1]["id"],
        "join": begun["join_code"],
        "capture": taken["id"],
        "GET /v1/redemptions/{redemption}/qr.svg": made[3]["id"],
        "POST /v1/redemptions": {"offer_id": tea, "points": 10},
        "POST /v1/gifts": gift,
        "POST /merchant/v1/captures": {"code": made[2]["code"], "reference": "7"},
        "POST /merchant/v1/captures/preview": {"code": made[3]["code"]},
    }


def _redeem(resident: Caller, offer_id: str, key: str) -> dict[str, Any]:
    told: dict[str, Any] = resident.call(
        "POST", "/v1/redemptions", key=key, json={"offer_id": offer_id}
    ).get_json()
    return told
