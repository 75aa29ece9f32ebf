"""Green finance through the doors; the bank checks with nothing but PyJWT and the page it is given."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from carbon_credits.api import house as houses
from carbon_credits.api.access import ACCESS, Who
from carbon_credits.api.house import EXTENSION, House
from carbon_credits.core import clock, signing
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.signing import Keyring
from carbon_credits.incentives import statements
from carbon_credits.incentives.programmes import Programme
from carbon_credits.incentives.status_lists import StatusLists
from tests.api.conftest import Caller, partner_in
from tests.factories.incentives import a_bank, give_grams, put_in_force

PAGE = Path(__file__).parents[2] / "docs" / "banks.md"
Check = Callable[[str], dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """A resident with 60 kg of verified travel, a programme, its bank, and another bank's."""

    app: Flask
    vault: Vault
    resident: Caller
    loan: Programme
    other: Programme

    def house(self) -> House:
        """The house of the application."""
        house: House = self.app.extensions[EXTENSION]
        return house

    def ask(self, loan: Programme | None = None, key: str = "k") -> dict[str, Any]:
        """A statement through the door."""
        wanted = loan or self.loan
        body = {"consent_version": wanted.terms.consent_version}
        told = self.resident.call("POST", f"/v1/incentives/{wanted.id}/statements", key=key, json=body)
        assert told.status_code == 201, told.text
        made: dict[str, Any] = told.get_json()
        return made

    def issued_at(self, now: datetime) -> str:
        """A statement as it is signed at another time."""
        house, version = self.house(), self.loan.terms.consent_version
        with self.app.app_context(), transaction() as session:
            made = statements.issue(
                session, self.vault, house.keyring, self.resident.id, self.loan.id, version, now
            )
        return made.statement

    def signed(self, claims: dict[str, Any], typ: str) -> str:
        """Anything, signed with the key that signs statements."""
        with self.app.app_context(), transaction() as session:
            keys = self.house().keyring.of("statement").keys(session)
        headers = {"kid": keys.signing_kid, "typ": typ}
        return jwt.encode(claims, keys.signing_key, algorithm="ES256", headers=headers)


@pytest.fixture
def scene(app: Flask, vault: Vault, resident: Caller) -> Scene:
    """Two banks with a programme each."""
    with app.app_context(), transaction() as session:
        a_bank(session, vault)
        a_bank(session, vault, "other_bank")
        loan = put_in_force(session)
        other = put_in_force(session, code="other_loan", bank="other_bank")
        # old enough for a statement that has expired by now
        give_grams(session, resident.id, 60_000, days=[clock.today() - timedelta(days=40)])
    return Scene(app, vault, resident, loan, other)


@pytest.fixture
def check(scene: Scene, client: FlaskClient) -> Check:
    """The page's own code, with the bank's address, fetching from the application as anybody does."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    issuer = scene.house().settings.public_url
    there: dict[str, Any] = {}
    exec(code, there)
    assert {"ISSUER", "AUDIENCE", "check"} <= set(there)
    there |= {"ISSUER": issuer, "AUDIENCE": scene.loan.bank.audience}

    def get(url: str) -> str:
        assert url.startswith(issuer)
        told = client.get(url.removeprefix(issuer))
        assert told.status_code == 200
        assert "public, max-age=" in told.headers["Cache-Control"]
        return told.text

    return lambda statement: there["check"](statement, get)


def test_a_bank_accepts_a_true_statement_also_after_both_kinds_of_keys_were_rotated(
    scene: Scene, check: Check
) -> None:
    made = scene.ask()
    assert check(made["statement"])["tier"] == made["tier"] == "light"
    with scene.app.app_context(), transaction() as session:
        for purpose in signing.PURPOSES:
            signing.rotate(session, scene.vault, clock.now(), purpose)
        signing.retire_old(session, clock.now() + timedelta(days=30))
    # as a process that has just started
    house = scene.house()
    fresh = replace(house, keyring=Keyring(scene.vault, house.settings.public_url), statuses=StatusLists())
    houses.install(scene.app, fresh)
    assert check(made["statement"])["jti"] == made["id"]
    assert check(scene.issued_at(clock.now()))["tier"] == "light"


def test_a_bank_refuses_what_is_expired_not_yet_valid_altered_or_somebody_elses(
    scene: Scene, check: Check
) -> None:
    now, true = clock.now(), scene.ask()["statement"]
    with pytest.raises(jwt.ExpiredSignatureError):
        check(scene.issued_at(now - timedelta(days=31)))
    with pytest.raises(jwt.ImmatureSignatureError):
        check(scene.issued_at(now + timedelta(minutes=5)))
    with pytest.raises(jwt.InvalidAudienceError):
        check(scene.ask(scene.other, key="other")["statement"])
    head, body, seal = true.split(".")
    claims = jwt.decode(true, options={"verify_signature": False})
    better = jwt.encode({**claims, "tier": "mid"}, "x" * 32, algorithm="HS256").split(".")[1]
    for altered in (f"{head}.{better}.{seal}", f"{head}.{body}.{seal[:-6]}AAAAAA"):
        with pytest.raises(jwt.InvalidSignatureError):
            check(altered)
    unsigned = jwt.encode(
        claims, "", algorithm="none", headers=jwt.get_unverified_header(true) | {"alg": "none"}
    )
    with pytest.raises(jwt.InvalidTokenError):
        check(unsigned)


def test_a_bank_refuses_another_kind_of_token_and_a_strange_status_list(scene: Scene, check: Check) -> None:
    claims = jwt.decode(scene.ask()["statement"], options={"verify_signature": False})
    for token in (
        scene.resident.token,
        scene.signed(claims, "at+jwt"),
        scene.signed(claims, "statuslist+jwt"),
    ):
        with pytest.raises(jwt.InvalidTokenError, match="not a incentive-statement"):
            check(token)
    # the key of access tokens signs no statement, and the door takes no statement for an access token
    with scene.app.app_context(), transaction() as session:
        access = scene.house().keyring.keys(session)
    assert access.signing_kid != jwt.get_unverified_header(scene.signed(claims, "x"))["kid"]
    for typ in ("at+jwt", "incentive-statement+jwt"):
        forged = scene.signed({**claims, "aud": "resident", "sid": "1"}, typ)
        told = scene.resident.client.get("/v1/me", headers={"Authorization": f"Bearer {forged}"})
        assert (told.status_code, told.get_json()["code"]) == (401, "token_refused")
    elsewhere = {"status_list": {"idx": 1, "uri": "https://evil.example/public/v1/status/1"}}
    with pytest.raises(jwt.InvalidTokenError, match="somebody else"):
        check(scene.signed({**claims, "status": elsewhere}, "incentive-statement+jwt"))


def test_a_bank_refuses_a_revoked_statement_at_once(scene: Scene, check: Check) -> None:
    made, kept = scene.ask(), scene.ask(key="second")
    check(made["statement"])
    assert scene.resident.call("DELETE", f"/v1/incentives/statements/{made['id']}").status_code == 204
    with pytest.raises(jwt.InvalidTokenError, match="revoked"):
        check(made["statement"])
    check(kept["statement"])
    told = scene.resident.call("PUT", "/v1/consents/green_finance", json={"granted": False})
    assert told.status_code == 200
    with pytest.raises(jwt.InvalidTokenError, match="revoked"):
        check(kept["statement"])


def test_a_resident_sees_what_there_is_what_is_missing_and_what_would_be_told_to_whom(
    scene: Scene, neighbour: Caller
) -> None:
    told = scene.resident.get("/v1/incentives").get_json()
    mine = next(item for item in told["items"] if item["id"] == scene.loan.id)
    assert (mine["tier"], mine["next"]) == ("light", {"tier": "mid", "grams_missing": 40_000})
    assert mine["counted"]["grams"] == 60_000
    assert mine["bank"]["audience"] == scene.loan.bank.audience
    assert mine["disclosed"]
    assert "不参加" in told["neutral"]
    theirs = neighbour.get("/v1/incentives", headers={"Accept-Language": "en"}).get_json()["items"][0]
    assert (theirs["tier"], theirs["name"]) == (None, "Green loan")
    refused = neighbour.call(
        "POST",
        f"/v1/incentives/{scene.loan.id}/statements",
        key="k",
        json={"consent_version": scene.loan.terms.consent_version},
    )
    assert (refused.status_code, refused.get_json()["code"]) == (409, "no_tier_yet")


def test_the_same_key_gives_the_same_statement_and_another_residents_is_not_there(
    scene: Scene, neighbour: Caller
) -> None:
    made = scene.ask()
    assert scene.ask() == made
    assert len(scene.resident.get("/v1/incentives/statements").get_json()["items"]) == 1
    assert neighbour.get("/v1/incentives/statements").get_json()["items"] == []
    told = neighbour.call("DELETE", f"/v1/incentives/statements/{made['id']}")
    assert (told.status_code, told.get_json()["code"]) == (404, "statement_unknown")


def test_a_bank_reports_an_outcome_and_its_resident_sees_it(
    scene: Scene, vault: Vault, partner: Caller
) -> None:
    bank, stranger = partner_in(scene.app, vault, "chan_bank"), partner_in(scene.app, vault, "other_bank")
    made = scene.ask()
    days = {"from": "2026-12-01", "to": "2027-11-30"}
    body = {"statement_id": made["id"], "outcome": "granted", "benefit_fen": 195_000, **days}

    def report(caller: Caller, key: str, **changes: Any) -> tuple[int, str | None]:
        told = caller.call("POST", "/partner/v1/incentives/outcomes", key=key, json={**body, **changes})
        return told.status_code, told.get_json().get("code")

    assert report(bank, "a") == (201, None)
    assert report(bank, "a") == (201, None)
    assert report(bank, "b") == (409, "version_not_next")
    assert report(stranger, "c", version=2) == report(partner, "d", version=2) == (404, "statement_unknown")
    assert report(bank, "e", version=2, **{"from": "2026-02-30"}) == (422, "wrong_fields")
    assert report(bank, "f", version=2, benefit_fen=180_000) == (201, None)
    (seen,) = scene.resident.get("/v1/incentives/statements").get_json()["items"]
    assert seen["outcome"] == "granted"
    assert seen["checked_at"] is not None


def test_banks_have_one_call_and_it_lists_nobody(application: Flask) -> None:
    theirs = [
        (rule.endpoint, sorted((rule.methods or set()) - {"HEAD"}))
        for rule in application.url_map.iter_rules()
        if "incentive" in rule.rule and ACCESS[rule.endpoint] is not Who.RESIDENT
    ]
    assert theirs == [("outcomes.report", ["POST"])]
