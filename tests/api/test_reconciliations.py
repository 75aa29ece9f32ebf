"""The daily check at the door: a partner's own feed and day, in numbers that add up; nothing of anybody else's."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from sqlalchemy import text

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.residents import bindings, consents
from integrations.bike_share import FEED
from tests.api.conftest import Caller, partner_in
from tests.api.credited import policy
from tests.api.test_case_commands import typed
from tests.api.test_partner_questions import another_partner

DAY = clock.today() - timedelta(days=2)
PATH = f"/partner/v1/reconciliations/{FEED.code}"


@pytest.fixture
def pushed(app: Flask, resident: Caller, vault: Vault) -> Caller:
    """The bike company, three of whose records came by push: one told again otherwise, one not decided yet."""
    policy(app)
    partner = partner_in(app, vault)
    with app.app_context(), transaction() as session:
        consents.give(session, resident.id, consents.Purpose.PARTNER_RECORDS, partner.id, clock.now())
        subject = bindings.subject_index(vault, FEED.partner, "rider-1")
        bindings.bind(session, partner.id, subject, resident.id, clock.now())
    push(partner, a_record(8), a_record(12), a_record(8, distance_m=3_400, version=2))
    with app.app_context(), transaction() as session:
        credit_batch(session, shard_of(resident.id), clock.today())
    push(partner, a_record(16))
    return partner


def a_record(hour: int, distance_m: int = 3_000, version: int = 1) -> dict[str, Any]:
    return {
        "record_id": f"ride at {hour}".replace(" ", "-"),
        "subject": "rider-1",
        "methodology": FEED.methodologies[0],
        "occurred_from": f"{DAY}T{hour:02}:00:00+08:00",
        "occurred_to": f"{DAY}T{hour:02}:16:00+08:00",
        "monitored": {"distance_m": distance_m},
        "references": {"vehicle": f"bike-{hour}"},
        "version": version,
    }


def push(partner: Caller, *records: dict[str, Any]) -> None:
    body = {"feed": FEED.code, "records": list(records)}
    told = partner.call("POST", "/partner/v1/records", key=str(uuid4()), json=body)
    assert told.get_json()["counts"]["accepted"] == len(records), told.data


def test_a_partner_reads_its_day_in_numbers_that_add_up(app: Flask, pushed: Caller) -> None:
    answered = pushed.get(f"{PATH}/{DAY}")
    told = answered.get_json()
    assert (answered.status_code, told["status"], told["watermark"]) == (200, "open", None)
    acts = dict(told["acts"])
    assert acts.pop("total") == sum(acts.values()) == 4
    assert {state: n for state, n in acts.items() if n} == {"undecided": 1, "credited": 2, "rejected": 1}
    assert (told["records"], told["received"]["by_push"], told["unexplained"]) == (3, 3, 0)
    assert told["matched"] == {"exact": 0, "window": 0, "group": 0, "record_only": 2}
    assert told["corrections"] == {"corrected": 1, "voided": 0, "versions": 0}
    assert told["withdrawn"]["corrected_by_partner"] == 1
    assert told["credited"]["verified_mg"] > 0 == told["credited"]["claimed_mg"]
    document = json.loads(pushed.client.get("/openapi/partner.json").data)
    schema = {**document["components"]["schemas"]["DayBody"], "components": document["components"]}
    assert list(Draft202012Validator(schema).iter_errors(told)) == []


def test_a_day_that_the_watermark_has_passed_is_complete(app: Flask, pushed: Caller) -> None:
    with app.app_context(), transaction() as session:
        session.execute(
            text("""insert into feed_watermark (source_id, seq, complete_through)
                    select source_id, 1, now() from source where feed = :feed"""),
            {"feed": FEED.code},
        )
    told = pushed.get(f"{PATH}/{DAY}").get_json()
    assert (told["status"], told["watermark"]["seq"]) == ("complete", 1)
    assert pushed.get(f"{PATH}/{clock.today()}").get_json()["status"] == "open"


def test_another_partners_feed_is_none(app: Flask, pushed: Caller, vault: Vault) -> None:
    stranger = another_partner(app, vault)
    unknown = stranger.get(f"/partner/v1/reconciliations/no_such_feed/{DAY}")
    other = stranger.get(f"{PATH}/{DAY}")
    assert (other.status_code, unknown.status_code) == (404, 404)
    words = [{**told.get_json(), "request_id": None, "instance": None} for told in (other, unknown)]
    assert words[0] == words[1]
    # nor does a wrong day tell them apart
    assert stranger.get(f"{PATH}/yesterday").status_code == 404


@pytest.mark.parametrize(
    ("day", "code"),
    [
        ("yesterday", "wrong_day"),
        ("2026-02-30", "wrong_day"),
        ("2999-12-31", "day_in_future"),
    ],
)
def test_a_day_that_is_none_or_to_come_is_refused(pushed: Caller, day: str, code: str) -> None:
    told = pushed.get(f"{PATH}/{day}")
    assert (told.status_code, told.get_json()["code"]) == (422, code)


def test_commands_show_a_day_and_all_feeds_side_by_side(app: Flask, pushed: Caller) -> None:
    shown = typed(app, "reconciliation", "day", FEED.code, DAY)
    assert all(words in shown for words in ("未齐 open", "corrected_by_partner", "未解释 unexplained: 0"))
    told = json.loads(typed(app, "reconciliation", "day", FEED.code, DAY, "--json"))
    assert (told["records"]["total"], set(told["beyond_ledger"].values())) == (4, {0})
    typed(app, "reconciliation", "day", "no_such_feed", DAY, fails=True)
    shown = typed(app, "reconciliation", "scorecard", "--until", DAY)
    assert all(words in shown for words in (FEED.code, "更正撤回率 changed", "33.3333 %"))
    (card,) = json.loads(typed(app, "reconciliation", "scorecard", FEED.code, "--until", DAY, "--json"))
    assert card["day"]["corrections"]["changed_ppm"] == 333_333
    assert card["window"]["corrections"]["changed_ppm"] is None
