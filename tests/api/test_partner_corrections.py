"""The push door: a correction says its version, a withdrawal names the version it is above; receipts tell of both."""

from itertools import count
from typing import Any

import pytest
from flask import Flask

from carbon_credits.api.pages.receipt_page import receipt_view
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.residents import bindings, consents
from integrations.bike_share import FEED
from tests.api.conftest import Caller, a_ride


@pytest.fixture
def rider(app: Flask, resident: Caller, partner: Caller, vault: Vault) -> Caller:
    """A resident whose account with the partner is bound."""
    with app.app_context(), transaction() as session:
        consents.give(session, resident.id, consents.Purpose.PARTNER_RECORDS, partner.id, clock.now())
        subject = bindings.subject_index(vault, FEED.partner, "rider-1")
        bindings.bind(session, partner.id, subject, resident.id, clock.now())
    return resident


RIDE = a_ride(minutes_ago=60)
_pushes = count(1)


def send(partner: Caller, distance_m: int, **changes: Any) -> tuple[str, str | None]:
    """Tell the ride; what became of it and the act's name."""
    record = {
        **RIDE,
        "methodology": FEED.methodologies[0],
        "monitored": {"distance_m": distance_m},
        "record_id": "r1",
        "subject": "rider-1",
        **changes,
    }
    key = f"push-{next(_pushes)}"
    told = partner.call("POST", "/partner/v1/records", key=key, json={"feed": FEED.code, "records": [record]})
    assert told.status_code == 200, told.data
    (row,) = told.get_json()["results"]
    return row["status"], row["id"]


def decide(app: Flask, rider: Caller) -> None:
    with app.app_context(), transaction() as session:
        credit_batch(session, shard_of(rider.id), clock.today())


def test_a_correction_says_its_version_and_the_receipt_says_what_it_corrects(
    app: Flask, rider: Caller, partner: Caller
) -> None:
    first = send(partner, 3_000)
    decide(app, rider)
    assert send(partner, 2_000)[0] == "refused"
    second = send(partner, 2_000, version=2)
    assert (first[0], second[0]) == ("accepted", "accepted")
    assert send(partner, 2_000, version=2) == ("duplicate", second[1])
    decide(app, rider)
    old = rider.get(f"/v1/activities/{first[1]}").get_json()
    assert (old["status"], [r["code"] for r in old["reasons"]]) == ("rejected", ["corrected_by_partner"])
    assert rider.get(f"/v1/activities/{second[1]}").get_json()["status"] == "credited"
    receipts = [rider.get(f"/v1/activities/{act}/receipt").get_json() for _, act in (first, second)]
    assert [receipt["record"] for receipt in receipts] == [
        {"version": 1, "corrects": None, "corrected": True, "corrected_by": second[1], "withdrawn_at": None},
        {"version": 2, "corrects": first[1], "corrected": False, "corrected_by": None, "withdrawn_at": None},
    ]
    for language, words in (("zh", "合作方已更正该记录"), ("en", "The partner corrected it")):
        view = receipt_view(receipts[0], language)
        assert view["reasons"][0].startswith(words)
    page = rider.get(f"/v1/activities/{second[1]}/receipt", headers={"Accept": "text/html"})
    assert str(first[1]) in page.get_data(as_text=True)


def test_a_withdrawal_holds_for_what_is_told_before_and_later_up_to_its_version(
    app: Flask, rider: Caller, partner: Caller
) -> None:
    def take_back(version: int) -> dict[str, Any]:
        body = {"feed": FEED.code, "records": [{"record_id": "r1", "version": version}]}
        told = partner.call("POST", "/partner/v1/records/withdrawals", key=f"v{version}", json=body)
        assert told.status_code == 200, told.data
        answer: dict[str, Any] = told.get_json()
        return answer

    assert take_back(2) == {"feed": FEED.code, "records": 1, "acts": 0}
    _, act = send(partner, 3_000)
    decide(app, rider)
    assert [r["code"] for r in rider.get(f"/v1/activities/{act}").get_json()["reasons"]] == [
        "withdrawn_by_partner"
    ]
    told = rider.get(f"/v1/activities/{act}/receipt").get_json()["record"]
    assert told["withdrawn_at"] is not None
    # told again above the withdrawal it counts, and may be taken back once more
    assert send(partner, 3_000, version=3)[1] == act
    decide(app, rider)
    assert rider.get(f"/v1/activities/{act}").get_json()["status"] == "credited"
    assert take_back(4)["acts"] == 1
    decide(app, rider)
    assert rider.get(f"/v1/activities/{act}").get_json()["status"] == "rejected"


@pytest.mark.parametrize("version", [1, 1_000, "2", None])
def test_a_withdrawal_says_a_version_above_the_first(partner: Caller, version: object) -> None:
    body = {"feed": FEED.code, "records": [{"record_id": "r1", "version": version}]}
    assert partner.call("POST", "/partner/v1/records/withdrawals", key="k", json=body).status_code == 422


def test_another_partners_feed_looks_like_none(partner: Caller) -> None:
    body = {"feed": "metro_taps", "records": [{"record_id": "r1", "version": 2}]}
    assert partner.call("POST", "/partner/v1/records/withdrawals", key="k", json=body).status_code == 404
