"""The merchant document, held against the running door by Schemathesis; each operation is answered with a 2xx once."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from carbon_credits.api.merchant.applications import EXAMPLE as APPLICATION
from carbon_credits.core.clients import NewClient
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from tests.api import redeemed
from tests.api.conftest import Caller, caller_of
from tests.api.settled import a_reading, settled
from tests.api.test_contract import (
    ACCEPTED,
    EXAMPLES,
    REFUSED,
    SEED,
    _collect,
    _operations,
    _with_examples,
    a_hook,
)
from tests.api.test_merchant_doors import PIN, an_offer_body
from tests.factories.redemptions import an_offer
from tests.factories.rewards import a_member_of, a_till

# told in two documents, and tried as the partners' tells it
ELSEWHERE = "POST /oauth/token"
SHIFT = "/merchant/v1/shift"


@dataclass
class Given:
    """What the calls name: in paths by name, for one call alone by its operation, and bodies by theirs."""

    till: Caller
    names: dict[str, str]
    own: dict[str, dict[str, str]]
    bodies: dict[str, Any]


@pytest.fixture
def given(app: Flask, vault: Vault, merchant: Caller, resident: Caller) -> Given:
    """A merchant that has one of everything, and another of whatever a call uses up."""
    a_reading(app)
    taken = redeemed.examples(app, resident, merchant)
    with app.app_context(), transaction() as session:
        for number in (7, 8):
            a_member_of(session, vault, merchant.id, number, PIN)
        tills = [a_till(session, vault, merchant.id, f"收银台 {n}") for n in (1, 2)]
        live = [str(an_offer(session, merchant.id)) for _ in range(3)]
    paused = f"/merchant/v1/offers/{live[2]}/pause"
    assert merchant.call("POST", paused, key="p", json={"reason": "x"}).status_code == 200
    drafts = [_draft(merchant, n) for n in range(4)]
    proposed = merchant.call("POST", f"/merchant/v1/offers/{drafts[2]}/proposal", key="q")
    assert proposed.status_code == 200, proposed.get_json()
    pairing = merchant.call("POST", "/merchant/v1/tills/pairings", json={"label": "收银台 3"}).get_json()
    names = {"capture": taken["capture"], "settlement": settled(app, merchant), "offer": drafts[0]}
    offers = "/merchant/v1/offers/{offer}"
    own = {
        "DELETE /merchant/v1/hooks/{hook}": {"hook": a_hook(merchant, "ends")},
        "DELETE /merchant/v1/clients/{client}": {"client": tills[1].client_id},
        "DELETE /merchant/v1/members/{number}": {"number": "8"},
        f"PUT {offers}": {"offer": drafts[1]},
        f"POST {offers}/proposal": {"offer": drafts[3]},
        f"POST {offers}/withdrawal": {"offer": drafts[2]},
        f"POST {offers}/pause": {"offer": live[0]},
        f"POST {offers}/end": {"offer": live[1]},
        f"POST {offers}/resumption": {"offer": live[2]},
    }
    bodies = {
        **taken,
        "POST /merchant/v1/applications": APPLICATION,
        "POST /merchant/v1/tills": {"code": pairing["code"]},
        "POST /merchant/v1/offers": an_offer_body(),
        f"PUT {offers}": an_offer_body(),
        f"PUT {SHIFT}": {"number": 7, "pin": PIN},
        "POST /merchant/v1/tills/pairings": {"label": "收银台 4"},
        "POST /merchant/v1/members": {"number": 9, "name": "何先生", "role": "cashier", "pin": PIN},
    }
    till = caller_of(app, NewClient(tills[0].client_id, tills[0].client_secret), merchant.id)
    return Given(
        till, {**names, "hook": a_hook(merchant, "stays"), "client": "x", "number": "7"}, own, bodies
    )


def _draft(merchant: Caller, number: int) -> str:
    made = merchant.call("POST", "/merchant/v1/offers", key=f"draft-{number}", json=an_offer_body())
    assert made.status_code == 201, made.get_json()
    return str(made.get_json()["id"])


def _configuration(document: dict[str, Any], merchant: Caller, given: Given) -> SchemathesisConfig:
    operations: list[dict[str, Any]] = []
    for name, operation in _operations(document):
        allowed = list(ACCEPTED)
        if "422" in operation["responses"] and "requestBody" in operation:
            allowed.append("422")
        if any(told["name"] == "cursor" for told in operation.get("parameters", [])):
            allowed.append("400")
        bearer = given.till.token if name.endswith(SHIFT) else merchant.token
        operations.append(
            {
                "include-name": name,
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": allowed},
                    "negative_data_rejection": {"expected-statuses": REFUSED},
                },
                "headers": {"Authorization": f"Bearer {bearer}"} if operation["security"] else {},
                **({"parameters": given.own[name]} if name in given.own else {}),
            }
        )
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "workers": 1,
            "continue-on-failure": True,
            "parameters": given.names,
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
            "operations": operations,
        }
    )


def test_the_door_does_what_the_merchant_document_says(
    threaded_url: str, merchant: Caller, given: Given
) -> None:
    document = _with_examples(json.loads(merchant.client.get("/openapi/merchant.json").data), given.bodies)
    schema = openapi.from_dict(document, config=_configuration(document, merchant, given))
    schema.config.update(base_url=threaded_url)

    statuses: dict[str, set[int]] = defaultdict(set)
    found: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _collect(event, statuses, found)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(getattr(event, "info", event)))
    assert not found, "\n\n".join(dict.fromkeys(found))
    names = {operation for operation, _ in _operations(document)} - {ELSEWHERE}
    reached = {operation for operation in names if any(200 <= status < 300 for status in statuses[operation])}
    assert reached == names
    assert not any(status >= 500 for answered in statuses.values() for status in answered)
