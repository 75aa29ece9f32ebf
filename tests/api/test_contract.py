"""Each document, held against the running door by Schemathesis: every check, every phase, one seed.

Tokens and names are seeded so that each operation is answered with a 2xx at least once; that is asserted too, for
a contract that is only ever refused has not been tried.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from carbon_credits.activities.names import parse_public_id
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.groups import drive_requests, membership
from carbon_credits.groups.service import GroupKind
from carbon_credits.incentives.programmes import Programme
from carbon_credits.partners import feed_secrets, keys
from carbon_credits.partners import service as partners
from carbon_credits.reconciliation import cases, questions
from carbon_credits.reconciliation.cases import act_subject
from carbon_credits.residents import consents
from integrations import carpool
from tests.api import redeemed
from tests.api.conftest import FEED, Caller, a_ride, code_of, partner_in, sign_in
from tests.api.settled import a_reading, settled
from tests.factories.groups import a_group, admitted, founded
from tests.factories.incentives import a_bank, give_grams, put_in_force
from tests.factories.partner_files import Sender
from tests.factories.rewards import a_merchant, an_offer
from tests.integrations.push_samples import SECRETS

SEED = 20_261_122
EXAMPLES = 24
# one of the formats of partners stands for all of them: what each answers has tests of its own
HOUSEHOLD = "POST /v1/groups/{group}/codes"
KEEPING = "PUT /v1/groups/{group}/membership"
LEAVING = "DELETE /v1/groups/{group}/membership"
STANDING = "GET /v1/groups/{group}/drives"
ASKING = "POST /v1/groups/{group}/drives/{drive}/requests"
TAKING_BACK = "DELETE /v1/groups/{group}/drives/{drive}/requests/{request}"
CONSENT = "PUT /v1/consents/{purpose}"
JOINING = "POST /v1/groups/memberships"
RECONCILIATION = "GET /partner/v1/reconciliations/{feed}/{date}"
DAY = "2026-11-20"
OUTCOME = "POST /partner/v1/incentives/outcomes"
PUSH = "POST /partner/v1/feeds/{feed}/{operation}"
PATH_NAMES = (
    "group",
    "drive",
    "request",
    "activity",
    "file",
    "case",
    "redemption",
    "join",
    "capture",
    "offer",
    "hook",
    "settlement",
    "incentive",
    "statement",
    "status_list",
)
END_HOOK = "DELETE /merchant/v1/hooks/{hook}"
QR = "GET /v1/redemptions/{redemption}/qr.svg"
# what one call ends or uses up is not what the others ask for
OWN_NAMES = {
    END_HOOK: "hook",
    QR: "redemption",
    **dict.fromkeys((HOUSEHOLD, KEEPING, LEAVING, STANDING, ASKING, TAKING_BACK), "group"),
}
# what a well-formed request may still be told, for a reason of the programme
ACCEPTED = ["2xx", "401", "403", "404", "409", "429"]
# a list that is too long may be too long for the door before it is looked at
REFUSED = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429"]


@pytest.fixture
def example(app: Flask, vault: Vault, resident: Caller, partner: Caller, merchant: Caller) -> dict[str, Any]:
    """Something for each operation that needs more than its schema says."""
    act = resident.claim(a_ride(minutes_ago=60)).get_json()["id"]
    with app.app_context(), transaction() as session:
        credit_batch(session, shard_of(resident.id), clock.today())
    assert resident.get(f"/v1/activities/{act}").get_json()["status"] != "claimed"
    challenge = (
        app.test_client().post("/v1/auth/otp", json={"phone": "+8613800000021"}).get_json()["challenge_id"]
    )
    record = {**a_ride(), "methodology": FEED.methodologies[0], "record_id": "r1", "subject": "s1"}
    a_reading(app)
    sent = a_sent_file(app)
    with app.app_context(), transaction() as session:
        source = partners.source_by_feed(session, "carpool")
        feed_secrets.put_in_force(
            session, vault, source.source_id, "registry", SECRETS["registry"], clock.now(), timedelta(0)
        )
    loan, statement, status_url, bank = a_statement(app, vault, resident)
    own = partner.call(
        "POST", "/partner/v1/files", key="own", data=_as_parts(sent), content_type="multipart/form-data"
    )
    return {
        **redeemed.examples(app, resident, merchant),
        "hook": a_hook(merchant, "stays"),
        END_HOOK: a_hook(merchant, "ends"),
        "activity": act,
        "settlement": settled(app, merchant),
        "file": own.get_json()["id"],
        "case": a_question(app, resident, act),
        "incentive": loan.id,
        "statement": statement,
        "status_list": int(status_url.rpartition("/")[2]),
        "bank": bank,
        "POST /v1/incentives/{incentive}/statements": {"consent_version": loan.terms.consent_version},
        OUTCOME: {"statement_id": statement, "outcome": "not_used"},
        "offer": an_open_offer(app, vault),
        **some_groups(app, vault, resident),
        "POST /partner/v1/files": sent,
        "POST /v1/auth/token": {"challenge_id": challenge, "code": code_of(app, vault, challenge)},
        "POST /v1/auth/refresh": {"refresh_token": sign_in(app, vault, "+8613800000022").refresh_token},
        "POST /v1/activities": a_ride(),
        "POST /partner/v1/records": {"feed": FEED.code, "records": [record]},
        "POST /partner/v1/records/withdrawals": {
            "feed": FEED.code,
            "records": [{"record_id": "r1", "version": 2}],
        },
        "POST /oauth/token": partner.headers,
        PUSH: carpool.FEED.operations["journeys"].example(clock.today() - timedelta(days=1)),
    }


def a_question(app: Flask, resident: Caller, name: str) -> str:
    """A case in which the first feed's partner is asked about an act."""
    now = clock.now()
    with app.app_context(), transaction() as session:
        act = act_subject(session, resident.id, *parse_public_id(name))
        assert act is not None
        number = cases.open_case(session, cases.DISPUTED, "appeal:0", "…", "tests", now, **act.columns())
        assert number is not None
        questions.ask(session, number, FEED.code, "请核实", 1, now)
    return str(number)


def a_statement(app: Flask, vault: Vault, resident: Caller) -> tuple[Programme, str, str, str]:
    """A programme in force, the number and status list of a statement under it, and its bank's token."""
    with app.app_context(), transaction() as session:
        a_bank(session, vault)
        loan = put_in_force(session)
        give_grams(session, resident.id, 60_000)
    version = {"consent_version": loan.terms.consent_version}
    made = resident.call("POST", f"/v1/incentives/{loan.id}/statements", key="own", json=version).get_json()
    return loan, made["id"], made["status_url"], partner_in(app, vault, loan.bank.code).token


def a_hook(merchant: Caller, key: str) -> str:
    """An address that the merchant is told at; nothing is sent while nobody carries it."""
    body = {"url": f"https://{key}.example.com/", "events": ["settlement.paid"]}
    return str(merchant.call("POST", "/merchant/v1/hooks", key=key, json=body).get_json()["id"])


def an_open_offer(app: Flask, vault: Vault) -> str:
    """What a resident can look at, at the value that `a_reading` put in force."""
    with app.app_context(), transaction() as session:
        return str(an_offer(session, a_merchant(session, vault)))


def some_groups(app: Flask, vault: Vault, resident: Caller) -> dict[str, Any]:
    """One to look at and ask for, a household to invite to, one to leave, a code of a fourth, and two that one runs."""
    now = clock.now()
    with app.app_context(), transaction() as session:
        consents.give(session, resident.id, consents.Purpose.GROUPS, None, now)
        kinds = (GroupKind.ESTATE, GroupKind.HOUSEHOLD, GroupKind.FIRM, GroupKind.MALL)
        estate, household, firm, mall = (a_group(session, now, kind) for kind in kinds)
        for number in (household, firm):
            admitted(session, number, [resident.id], now)
        runs, other = (
            founded(session, resident.id, now, kind) for kind in (GroupKind.HUB, GroupKind.PUBLIC_BODY)
        )
        waits, _ = drive_requests.ask(session, "travel", other, resident.id, now)
        code = membership.new_code(session, vault, mall, "tests", now, now + timedelta(days=1)).code
    return {
        "group": str(estate),
        HOUSEHOLD: str(household),
        KEEPING: str(household),
        LEAVING: str(firm),
        "drive": "travel",
        "request": str(waits.request_id),
        STANDING: str(runs),
        ASKING: str(runs),
        TAKING_BACK: str(other),
        JOINING: {"code": code},
    }


def _as_parts(sent: dict[str, str]) -> dict[str, Any]:
    """With the file as a file."""
    return {**sent, "file": (BytesIO(sent["file"].encode()), "day.csv")}


def a_sent_file(app: Flask) -> dict[str, str]:
    """The parts of an upload by the first feed's partner, as text; the door does not look into the file."""
    sender = Sender(FEED.partner, FEED.code, clock.today())
    with app.app_context(), transaction() as session:
        found = partners.partner_by_code(session, FEED.partner)
        keys.add_key(session, found.partner_id, sender.public_key, clock.now())
    sent = sender.send(b"a,b\n1,2\n", packed=False)
    return {
        "manifest": sent.manifest.decode(),
        "signature": sent.signature.decode(),
        "file": sent.file.decode(),
    }


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "responses" in operation:
                yield f"{method.upper()} {path}", operation


def _with_examples(document: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """The document with examples that are true at this moment."""
    for name, operation in _operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            if name in example:
                content["example"] = example[name]
    return document


def _parameters(name: str, example: dict[str, Any]) -> dict[str, Any]:
    """What one operation asks for by itself."""
    if name == RECONCILIATION:
        return {"parameters": {"feed": FEED.code, "date": DAY}}
    # what is taken back takes what hangs on it away
    if name == CONSENT:
        return {"parameters": {"purpose": "statistics"}}
    return {"parameters": {OWN_NAMES[name]: example[name]}} if name in OWN_NAMES else {}


def _configuration(
    document: dict[str, Any], token: str, throwaway: str, example: dict[str, Any]
) -> SchemathesisConfig:
    operations: list[dict[str, Any]] = []
    for name, operation in _operations(document):
        allowed = list(ACCEPTED)
        if "422" in operation["responses"] and "requestBody" in operation:
            allowed.append("422")
        # the document of a push is any object there; its own schema is published beside it
        if name == PUSH or any(told["name"] == "cursor" for told in operation.get("parameters", [])):
            allowed.append("400")
        bearer = throwaway if name == "POST /v1/auth/logout" else token
        if name == OUTCOME:
            bearer = example["bank"]
        if name == PUSH:
            bearer = SECRETS["registry"]["token"]
        operations.append(
            {
                "include-name": name,
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": allowed},
                    "negative_data_rejection": {"expected-statuses": REFUSED},
                },
                # where nobody need sign in a token is one way too many of saying who one is
                "headers": {"Authorization": f"Bearer {bearer}"} if operation["security"] else {},
                # a feed of the caller's own, and a day that has begun
                **_parameters(name, example),
            }
        )
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "workers": 1,
            "continue-on-failure": True,
            "parameters": {
                **{name: example[name] for name in PATH_NAMES},
                "feed": "carpool",
                "operation": "journeys",
            },
            "generation": {"max-examples": EXAMPLES, "deterministic": True},
            "operations": operations,
        }
    )


@pytest.mark.parametrize("name", ["resident", "partner", "public"])
def test_the_door_does_what_its_document_says(
    app: Flask,
    threaded_url: str,
    vault: Vault,
    resident: Caller,
    example: dict[str, Any],
    name: str,
) -> None:
    token = {
        "resident": resident.token,
        "partner": partner_in(app, vault).token,
        "public": "",
    }[name]
    throwaway = sign_in(app, vault, "+8613800000023").token
    document = _with_examples(json.loads(resident.client.get(f"/openapi/{name}.json").data), example)
    configuration = _configuration(document, token, throwaway, example)
    schema = openapi.from_dict(document, config=configuration)
    schema.config.update(base_url=threaded_url)

    statuses: dict[str, set[int]] = defaultdict(set)
    found: list[str] = []
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _collect(event, statuses, found)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(getattr(event, "info", event)))
    assert not found, "\n\n".join(dict.fromkeys(found))
    names = {operation for operation, _ in _operations(document)}
    reached = {operation for operation in names if any(200 <= status < 300 for status in statuses[operation])}
    assert reached == names
    assert not any(status >= 500 for answered in statuses.values() for status in answered)


def _collect(event: events.ScenarioFinished, statuses: dict[str, set[int]], found: list[str]) -> None:
    recorder = event.recorder
    for case_id, node in recorder.cases.items():
        interaction = recorder.interactions.get(case_id)
        if interaction is not None and interaction.response is not None:
            statuses[node.value.operation.label].add(interaction.response.status_code)
        for check in recorder.checks.get(case_id, []):
            if check.status == Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info
                found.append(
                    f"{node.value.operation.label}: {check.name}\n{failure.failure}\n{failure.code_sample}"
                )
