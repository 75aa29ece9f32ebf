"""One key, one effect: replays, other bodies, refusals, twins that are still running."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities import service
from tests.api.conftest import Caller, a_ride, stored


def _rows(session: Session) -> int:
    session.rollback()
    return int(session.execute(text("select count(*) from activity")).scalar_one())


def test_a_post_that_changes_something_needs_a_key(resident: Caller, records: Session) -> None:
    told = resident.call("POST", "/v1/activities", json=a_ride())
    assert (told.status_code, told.get_json()["code"]) == (400, "idempotency_key_missing")
    assert stored(records) == 0


@pytest.mark.parametrize("key", ["a b", "x" * 256, "ключ", "\x7f"])
def test_a_key_is_visible_ascii(resident: Caller, key: str) -> None:
    told = resident.claim(a_ride(), key=key.encode().decode("latin-1"))
    assert (told.status_code, told.get_json()["code"]) == (400, "bad_idempotency_key")


def test_the_same_request_hears_the_same_bytes(resident: Caller, records: Session) -> None:
    body = a_ride()
    first, second = resident.claim(body, "k"), resident.claim(body, "k")
    assert first.status_code == second.status_code == 202
    assert first.data == second.data
    assert first.headers["Location"] == second.headers["Location"] == first.get_json()["links"]["self"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _rows(records) == 1


def test_the_order_of_names_in_a_body_does_not_matter(resident: Caller) -> None:
    body = a_ride()
    resident.claim(body, "k")
    again = resident.claim(dict(reversed(body.items())), "k")
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_same_key_with_other_numbers_is_422(resident: Caller, records: Session) -> None:
    resident.claim(a_ride(), "k")
    for body in (a_ride(monitored={"distance_m": 9000}), a_ride(minutes_ago=60)):
        told = resident.claim(body, "k")
        assert (told.status_code, told.get_json()["code"]) == (422, "idempotency_key_reused")
    assert _rows(records) == 1


def test_the_same_act_under_another_key_is_the_act_already_known(resident: Caller, records: Session) -> None:
    body = a_ride()
    assert resident.claim(body, "k").get_json()["id"] == resident.claim(body, "l").get_json()["id"]
    assert _rows(records) == 1


def test_two_residents_may_choose_the_same_key(resident: Caller, neighbour: Caller, records: Session) -> None:
    body = a_ride()
    first, second = resident.claim(body, "k"), neighbour.claim(body, "k")
    assert first.status_code == second.status_code == 202
    assert first.get_json()["id"] != second.get_json()["id"]
    assert _rows(records) == 2


def test_a_refusal_by_the_programme_is_kept(resident: Caller) -> None:
    body = a_ride(methodology="travel.broomstick")
    first, second = resident.claim(body, "k"), resident.claim(body, "k")
    assert first.status_code == second.status_code == 422
    assert first.data == second.data
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.mimetype == "application/problem+json"


def test_a_refusal_by_the_door_is_not_kept(resident: Caller) -> None:
    assert resident.claim(a_ride(extra=1), "k").status_code == 422
    assert resident.claim(a_ride(), "k").status_code == 202


def test_what_goes_wrong_on_our_side_is_not_kept(
    resident: Caller, records: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, whole = a_ride(), service.RECORD
    monkeypatch.setattr(service, "RECORD", text("select 1 / (:resident - :resident)"))
    broken = resident.claim(body, "k")
    assert (broken.status_code, broken.get_json()["code"]) == (500, "internal_error")
    monkeypatch.setattr(service, "RECORD", whole)
    assert resident.claim(body, "k").status_code == 202
    assert _rows(records) == 1


def test_what_was_not_found_is_not_kept(resident: Caller, records: Session) -> None:
    path = "/v1/activities/20261122-1/appeal"
    assert resident.call("POST", path, key="k", json={"words": "no"}).status_code == 404
    assert records.execute(text("select count(*) from idempotency_key")).scalar_one() == 0


def test_a_twin_that_is_still_running_is_told_to_come_back(resident: Caller, owner_url: str) -> None:
    """Another transaction holds the key and does not end: after a second the request gives up, and nothing is done."""
    with psycopg.connect(owner_url.replace("+psycopg", "")) as other:
        other.execute(
            "insert into idempotency_key (actor, operation, key, fingerprint, status, body)"
            " values (%s, 'activities.submit', 'k', '', 202, '')",
            [f"resident:{resident.id}"],
        )
        told = resident.claim(a_ride(), "k")
        assert (told.status_code, told.get_json()["code"]) == (409, "still_running")
        assert told.headers["Retry-After"] == "1"
        other.rollback()
    assert resident.claim(a_ride(), "k").status_code == 202
