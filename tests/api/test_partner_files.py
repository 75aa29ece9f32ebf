"""Whole files at the partners' door: taken once, answered at once, refused by name, seen by their sender alone."""

import io
import logging
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbon_credits.api.house import EXTENSION, House
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.jobs.partner_files import work_on_files
from carbon_credits.partners import clients, keys, service
from tests.api.conftest import Caller
from tests.factories.partner_files import Sender, Sent

COLUMNS = (
    "transaction_id,service_date,event_timestamp,fare_action,stop_id,route_id,vehicle_id,device_id,"
    "fare_media_id,token_id,amount,currency_type,fare_capped"
)
TODAY = clock.today()


def taps(*riders: str, marker: str = "") -> bytes:
    """An entry and an exit for each rider, today just after midnight."""
    rows = []
    for rider in riders:
        for number, (action, at, stop, amount) in enumerate(
            (("Enter", "00:00:01", "魁奇路", "0"), ("Exit", "00:00:02", "祖庙", "3.00"))
        ):
            rows.append(
                f"{rider}{marker}-{number},{TODAY},{TODAY}T{at}+08:00,{action},{stop},,,AGM-1,Optical scan,"
                f"{rider},{amount},CNY,false"
            )
    return "\n".join([COLUMNS, *rows, ""]).encode()


@pytest.fixture
def sender(app: Flask) -> Sender:
    """The metro, whose key is registered."""
    made = Sender("metro", "metro_taps", TODAY)
    with app.app_context(), transaction() as session:
        found = service.partner_by_code(session, "metro")
        keys.add_key(session, found.partner_id, made.public_key, clock.now())
    return made


@pytest.fixture
def metro(app: Flask, vault: Vault, sender: Sender) -> Caller:
    """The metro's system, signed in."""
    with app.app_context(), transaction() as session:
        partner = service.partner_by_code(session, "metro")
        made = clients.add_client(session, vault, partner.partner_id, clock.now())
    client = app.test_client()
    form = {
        "grant_type": "client_credentials",
        "client_id": made.client_id,
        "client_secret": made.client_secret,
    }
    return Caller(
        client, client.post("/oauth/token", data=form).get_json()["access_token"], partner.partner_id
    )


def put(caller: Caller, sender: Sender, sent: Sent, key: str | None = None, **parts: Any) -> TestResponse:
    """Send a file; `parts` replace those that are right, None leaves one out."""
    told = {name: part for name, part in {**sender.parts(sent), **parts}.items() if part is not None}
    english = {"Accept-Language": "en"}
    return caller.call(
        "POST",
        "/partner/v1/files",
        key=key or str(uuid4()),
        data=told,
        headers=english,
        content_type="multipart/form-data",
    )


def test_a_file_is_answered_at_once_and_its_ack_follows_it(app: Flask, metro: Caller, sender: Sender) -> None:
    raw = taps("a", "b")
    told: dict[str, Any] = {"totals": {"amount": "6.00"}, "by_type": {"Enter": 2, "Exit": 2}}
    answered = put(metro, sender, sender.send(raw, **told))
    assert answered.status_code == 202, answered.get_json()
    ack = answered.get_json()
    assert (ack["status"], ack["rows_declared"], ack["rows_read"]) == ("seen", 4, 0)
    assert answered.headers["Location"] == f"/partner/v1/files/{ack['id']}"
    with app.app_context():
        work_on_files()
    ack = metro.get(ack["links"]["self"]).get_json()
    assert (ack["status"], ack["rows_read"], ack["dropped"]) == ("applied", 4, 4)
    assert ack["watermark"]["seq"] == 1
    listed = metro.get(ack["links"]["rejects"])
    assert (listed.mimetype, listed.text) == ("text/csv", "line,code,zh,en\n")


def test_the_same_again_is_the_same_file_by_key_or_by_bytes(
    metro: Caller, sender: Sender, records: Session
) -> None:
    sent = sender.send(taps("a"))
    first = put(metro, sender, sent, key="once")
    again = put(metro, sender, sent, key="once")
    assert (again.data, again.headers["Idempotency-Replayed"]) == (first.data, "true")
    assert put(metro, sender, sent).get_json()["id"] == first.get_json()["id"]
    other = put(metro, sender, sender.send(taps("b"), seq=2), key="once")
    assert (other.status_code, other.get_json()["code"]) == (422, "idempotency_key_reused")
    assert records.execute(text("select count(*) from partner_file")).scalar_one() == 1


def test_other_bytes_under_a_taken_number_are_refused_and_alarmed(
    metro: Caller, sender: Sender, records: Session
) -> None:
    put(metro, sender, sender.send(taps("a")))
    refused = put(metro, sender, sender.send(taps("b")))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "version_taken")
    assert "raise the version" in refused.get_json()["detail"]
    forged = put(metro, sender, sender.send(taps("c"), seq=2), signature="A" * 86 + "==")
    assert (forged.status_code, forged.get_json()["code"]) == (422, "signature_wrong")
    alarms = records.execute(
        text("select after->>'code' from audit_entry where action = 'file.alarm' order by audit_id")
    )
    assert alarms.scalars().all() == ["version_taken", "signature_wrong"]


def test_what_is_wrong_is_named_and_nothing_of_it_is_kept(app: Flask, metro: Caller, sender: Sender) -> None:
    right = sender.send(taps("a"))
    zipped = (io.BytesIO(b"PK\x03\x04" + b"x" * 500), "f.zip")
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"manifest": (io.BytesIO(b"{}"), "m")}, "manifest_wrong"),
        ({"manifest": (io.BytesIO(b"{"), "m")}, "manifest_unreadable"),
        ({"manifest": (io.BytesIO(b" " * 70_000), "m")}, "wrong_fields"),
        ({"manifest": None}, "wrong_fields"),
        ({"signature": None}, "wrong_fields"),
        ({"signature": "?"}, "signature_unreadable"),
        ({"file": None}, "wrong_fields"),
        ({"file": (io.BytesIO(b""), "f")}, "file_empty"),
        ({"file": zipped}, "packing_not_taken"),
        ({"file": (io.BytesIO(right.file[:-1]), "f")}, "bytes_differ"),
        ({"file": (io.BytesIO(right.file[:-1] + b"x"), "f")}, "sha256_differs"),
        ({"more": "x"}, "wrong_fields"),
    ]
    for parts, code in wrong:
        told = put(metro, sender, right, **parts)
        assert (told.status_code, told.get_json()["code"]) == (422, code), parts
    house: House = app.extensions[EXTENSION]
    left = [path.name for path in (house.settings.home / "inbox").glob("*.part")]
    assert left == []


def test_a_file_may_come_after_its_signature_in_a_header(metro: Caller, sender: Sender) -> None:
    sent = sender.send(taps("a"), packed=False)
    parts = sender.parts(sent)
    del parts["signature"]
    headers = {"X-Manifest-Signature": sent.signature.decode()}
    told = metro.call("POST", "/partner/v1/files", key="k", data=parts, headers=headers)
    assert told.status_code == 202


def test_a_body_that_is_no_upload_is_refused(metro: Caller) -> None:
    kinds: list[tuple[str, bytes, int]] = [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Dispos", 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc',
            422,
        ),
        ("multipart/form-data; boundary=x", b"--x--", 422),
    ]
    for kind, body, status in kinds:
        told = metro.call("POST", "/partner/v1/files", key="k", data=body, content_type=kind)
        assert told.status_code == status, (kind, body, told.get_json())
    without = metro.call(
        "POST", "/partner/v1/files", data=b"x", content_type="multipart/form-data; boundary=x"
    )
    assert (without.status_code, without.get_json()["code"]) == (400, "idempotency_key_missing")


def test_a_partner_sees_its_own_files_alone(
    app: Flask, vault: Vault, metro: Caller, sender: Sender, partner: Caller
) -> None:
    own = put(metro, sender, sender.send(taps("a"))).get_json()["links"]
    for path in own.values():
        assert metro.get(path).status_code == 200
        told = partner.get(path)
        assert (told.status_code, told.get_json()["code"]) == (404, "file_unknown")
    assert metro.get("/partner/v1/files/999999").get_json()["code"] == "file_unknown"
    stolen = put(partner, sender, sender.send(taps("b"), seq=2))
    assert (stolen.status_code, stolen.get_json()["code"]) == (422, "partner_differs")


def test_a_file_in_quarantine_says_what_to_mend_in_the_readers_language(
    app: Flask, metro: Caller, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    ack = put(metro, sender, sender.send(taps("a"), totals={"amount": "3.01"})).get_json()
    with app.app_context(), caplog.at_level(logging.ERROR):
        work_on_files()
    for language, words in (("en", "The total of amount is 3.00"), ("zh", "amount 合计声明为 3.01")):
        told = metro.get(ack["links"]["self"], headers={"Accept-Language": language}).get_json()
        assert told["status"] == "quarantined"
        assert told["reason"]["code"] == "totals_differ"
        assert words in told["reason"]["text"]
