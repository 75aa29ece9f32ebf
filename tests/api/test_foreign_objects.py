"""Whatever a merchant asks of another's is answered like what was never there: every such call of its document."""

from typing import Any

import pytest
from flask import Flask

from carbon_credits.core.crypto import Vault
from tests.api import redeemed
from tests.api.conftest import Caller, merchant_in
from tests.api.settled import settled
from tests.api.test_merchant_doors import an_offer_body

METHODS = ("get", "post", "put", "patch", "delete")
# for each name in a path: one that nobody has ever had
MISSING = {
    "capture": "0193a1b2-0000-7000-8000-0000000000ff",
    "client": "nobody-0123456789",
    "hook": "999999999",
    "number": "998",
    "offer": "999999999",
    "settlement": "999999999",
}


@pytest.fixture
def owned(app: Flask, resident: Caller, merchant: Caller) -> dict[str, str]:
    """For each name in a path: one that a merchant has."""
    hook = {"url": "https://shop.example.com/", "events": ["settlement.paid"]}
    member = {"number": 7, "name": "陈小姐", "role": "cashier", "pin": "480213"}
    made = {
        "hook": merchant.call("POST", "/merchant/v1/hooks", key="h", json=hook).get_json()["id"],
        "number": merchant.call("POST", "/merchant/v1/members", key="m", json=member).get_json()["number"],
        "offer": merchant.call("POST", "/merchant/v1/offers", key="o", json=an_offer_body()).get_json()["id"],
        "client": merchant.headers["client_id"],
        "capture": redeemed.examples(app, resident, merchant)["capture"],
        "settlement": settled(app, merchant),
    }
    return {name: str(value) for name, value in made.items()}


def _calls(document: dict[str, Any]) -> list[tuple[str, str, Any]]:
    """Every operation that names something in its path, with its example of a body."""
    found = []
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item and "{" in path:
                content = item[method].get("requestBody", {}).get("content", {}).get("application/json", {})
                found.append((method.upper(), path, _example(content)))
    return found


def _example(content: dict[str, Any]) -> Any:
    if "example" in content:
        return content["example"]
    named = content.get("examples", {})
    return next(iter(named.values()))["value"] if named else ({"reason": "test"} if content else None)


def test_another_s_is_answered_like_what_was_never_there(
    app: Flask, vault: Vault, merchant: Caller, owned: dict[str, str]
) -> None:
    document = merchant.client.get("/openapi/merchant.json").get_json()
    stranger = merchant_in(app, vault)
    calls = _calls(document)
    assert len(calls) >= 12

    def ask(caller: Caller, method: str, path: str, names: dict[str, str], body: Any) -> tuple[int, Any]:
        given = {} if body is None else {"json": body}
        key = {} if method != "POST" else {"key": f"{path.format(**names)}|{caller.id}".replace(" ", "")}
        answer = caller.call(method, path.format(**names), **given, **key)
        told = answer.get_json(silent=True) or {}
        told.pop("request_id", None)
        return answer.status_code, told

    for method, path, body in calls:
        theirs, nobody_s = (ask(stranger, method, path, names, body) for names in (owned, MISSING))
        assert theirs == nobody_s, (method, path)
        assert theirs[0] == 404, (method, path, theirs)
    # and what belongs to the one who asks is there, so that it was not the call that was wrong
    seen = [ask(merchant, method, path, owned, body)[0] for method, path, body in calls if method == "GET"]
    assert set(seen) == {200}
