"""Every push format through the real door: known by its own means, answered in its own words, counted once."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.partners import feed_secrets, service
from carbon_credits.residents import bindings, consents
from integrations import PROVIDERS, ev_envelope
from tests.api.conftest import Caller
from tests.integrations.push_samples import PUSHES, SECRETS, PushSample, now, tcec, tcec_opened, written

YESTERDAY = clock.today() - timedelta(days=1)
EVERY = pytest.mark.parametrize("sample", PUSHES, ids=lambda sample: f"{sample.feed.code}-{sample.code}")
HARMED = pytest.mark.parametrize(
    ("sample", "reason"),
    [(sample, reason) for sample in PUSHES for reason in sample.harms],
    ids=lambda given: given if isinstance(given, str) else given.code,
)
STORED = text("""
select (select count(*) from act_key) + (select count(*) from record_set_aside)
     + (select count(*) from feed_push_seen)""")
ACTS = text("select count(*) from activity where source_id > 0")


@pytest.fixture
def door(app: Flask, vault: Vault, resident: Caller) -> FlaskClient:
    """A client; the resident is bound to every partner that pushes, whose secrets are in force."""
    at = clock.now()
    with app.app_context(), transaction() as session:
        for feed in {sample.feed.code: sample.feed for sample in PUSHES}.values():
            partner = service.partner_by_code(session, feed.partner)
            consents.give(session, resident.id, consents.Purpose.PARTNER_RECORDS, partner.partner_id, at)
            subject = bindings.subject_index(vault, feed.partner, "o_7Qm2x")
            bindings.bind(session, partner.partner_id, subject, resident.id, at)
            source = service.source_by_feed(session, feed.code)
            for scheme in feed.schemes:
                whole, made = feed_secrets.completed(feed, scheme, SECRETS[scheme])
                assert made == {}
                feed_secrets.put_in_force(session, vault, source.source_id, scheme, whole, at, timedelta(0))
    return app.test_client()


def pushed(door: FlaskClient, sample: PushSample, document: Any, **signing: Any) -> TestResponse:
    """Sign a document as its partner would, and push it."""
    body = document if isinstance(document, bytes) else written(document)
    if sample.operation.scheme == "tcec_102" and "token" not in signing:
        signing["token"] = token(door)
    headers, sent = sample.sign(sample.secrets, body, now(), **signing)
    return raw(door, sample, headers, sent)


def raw(door: FlaskClient, sample: PushSample, headers: dict[str, str], sent: bytes) -> TestResponse:
    """Push exactly this."""
    return door.post(sample.path, data=sent, headers=headers, content_type="application/json")


def token(door: FlaskClient) -> str:
    """A token of T/CEC 102, bought as an operator does."""
    secrets = SECRETS["tcec_102"]
    asked = written({"OperatorID": secrets["operator_id"], "OperatorSecret": secrets["operator_secret"]})
    headers, sent = tcec(secrets, asked, now())
    told = door.post("/partner/v1/feeds/ev_charging/query_token", data=sent, headers=headers).get_json()
    opened = tcec_opened(secrets, told)
    assert (opened["SuccStat"], opened["TokenAvailableTime"]) == (0, 7200)
    return str(opened["AccessToken"])


def stored(records: Session) -> int:
    """Rows of anything a push writes, numbers of `query_token` included."""
    records.rollback()
    return int(records.execute(STORED).scalar_one())


def acts(records: Session) -> int:
    """Acts of partners."""
    records.rollback()
    return int(records.execute(ACTS).scalar_one())


def test_every_operation_is_sampled_and_every_scheme_has_secrets() -> None:
    offered = {(feed.code, code) for feed in PROVIDERS for code in feed.operations}
    assert offered - {("ev_charging", "query_token")} == {(one.feed.code, one.code) for one in PUSHES}
    for feed in PROVIDERS:
        assert (feed.authenticate is None) == (not feed.operations) == (not feed.schemes)
        assert {one.scheme for one in feed.operations.values()} == set(feed.schemes)


@EVERY
def test_a_push_is_taken_once_however_often_it_comes(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    document = sample.document(YESTERDAY)
    for _ in range(2):
        told = pushed(door, sample, document)
        assert sample.is_taken(told.status_code, told.get_json()), told.data
    assert acts(records) == sample.acts
    assert records.execute(text("select count(*) from activity_queue")).scalar_one() == sample.acts
    on = records.execute(text("select distinct occurred_on from activity where source_id > 0")).scalars()
    assert set(on) == {YESTERDAY}


@EVERY
def test_the_very_same_request_again_is_the_same(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    given = {"token": token(door)} if sample.operation.scheme == "tcec_102" else {}
    headers, sent = sample.sign(sample.secrets, written(sample.document(YESTERDAY)), now(), **given)
    first, again = (raw(door, sample, headers, sent) for _ in range(2))
    assert sample.is_taken(first.status_code, first.get_json())
    assert sample.is_taken(again.status_code, again.get_json())
    assert acts(records) == sample.acts


@EVERY
def test_a_forged_push_is_told_in_the_partners_words_and_leaves_nothing(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    document = written(sample.document(YESTERDAY))
    good = {"token": token(door)} if sample.operation.scheme == "tcec_102" else {}
    before = stored(records)
    forged = {name: value[:-1] + ("y" if value[-1] != "y" else "z") for name, value in sample.secrets.items()}
    half = {**sample.secrets, **dict(list(forged.items())[-1:])}
    for secrets in (forged, half):
        headers, sent = sample.sign(secrets, document, now(), **good)
        _refused(raw(door, sample, headers, sent), sample)
    headers, sent = sample.sign(sample.secrets, document, now(), **good)
    _refused(raw(door, sample, {}, sent), sample)
    assert stored(records) == before
    assert acts(records) == 0


@EVERY
def test_a_body_cut_anywhere_is_refused_and_leaves_nothing(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    good = {"token": token(door)} if sample.operation.scheme == "tcec_102" else {}
    before = stored(records)
    body = written(sample.document(YESTERDAY))
    headers, sent = sample.sign(sample.secrets, body, now(), **good)
    for end in range(0, len(sent), 41):
        # cut on the way
        _refused(raw(door, sample, headers, sent[:end]), sample)
    for end in range(1, len(body), 97):
        # cut before it was signed: the signature is right, the document is not
        _refused(pushed(door, sample, body[:end], **good), sample)
    assert stored(records) == before


@EVERY
def test_what_a_document_has_beside_what_we_know_changes_nothing(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    more = {**sample.document(YESTERDAY), "x_new": {"deep": [1.5, None]}}
    told = pushed(door, sample, more)
    assert sample.is_taken(told.status_code, told.get_json()), told.data
    assert acts(records) == sample.acts


@HARMED
def test_each_defect_is_said_by_its_name_and_earns_nothing(
    door: FlaskClient, records: Session, sample: PushSample, reason: str
) -> None:
    told = pushed(door, sample, sample.harms[reason](sample.document(YESTERDAY)))
    said = told.get_json()
    if sample.operation.scheme == "tcec_102":
        said = {**said, "opened": tcec_opened(sample.secrets, said)}
    assert reason in json.dumps(said)
    assert acts(records) == 0


@EVERY
def test_another_shape_is_refused_by_its_place(
    door: FlaskClient, records: Session, sample: PushSample
) -> None:
    required = sample.operation.schema["required"]
    for name in required:
        document = sample.document(YESTERDAY)
        del document[name]
        assert f"/{name}" in _refused(pushed(door, sample, document), sample)
    for document in ([], b'"text"', b'{"a": NaN}', b'{"a": 1, "a": 1}', b"[" * 5000):
        _refused(pushed(door, sample, document), sample)
    assert acts(records) == 0


@EVERY
def test_what_is_too_large_or_packed_is_refused_in_the_partners_words(
    door: FlaskClient, sample: PushSample
) -> None:
    assert "too_large" in _refused(raw(door, sample, {}, b"x" * 1_000_001), sample)
    packed = raw(door, sample, {"Content-Encoding": "gzip"}, b"\x1f\x8b")
    assert "unsupported_media_type" in _refused(packed, sample)


def test_old_signatures_and_used_numbers_are_refused(door: FlaskClient, records: Session) -> None:
    for place, sample in enumerate(PUSHES):
        if sample.operation.scheme not in ("tcec_102", "box"):
            continue
        name = "seq" if sample.operation.scheme == "tcec_102" else "nonce"
        good = {"token": token(door)} if name == "seq" else {}
        body = written(sample.document(YESTERDAY))
        for late in (timedelta(minutes=-11), timedelta(minutes=11)):
            headers, sent = sample.sign(sample.secrets, body, now() + late, **good)
            assert "timestamp_wrong" in _refused(raw(door, sample, headers, sent), sample)
        given, at = {**good, name: f"987{place}" if name == "seq" else "nonce-once"}, now()
        headers, sent = sample.sign(sample.secrets, body, at, **given)
        assert sample.is_taken(200, raw(door, sample, headers, sent).get_json())
        before = stored(records)
        headers, sent = sample.sign(sample.secrets, body.replace(b"o_7Qm2x", b"o_8Qm2x"), at, **given)
        assert "nonce_reused" in _refused(raw(door, sample, headers, sent), sample)
        assert stored(records) == before


def test_numbers_are_forgotten_when_their_time_is_over(
    app: Flask, door: FlaskClient, records: Session
) -> None:
    token(door)
    with app.app_context(), transaction() as session:
        session.execute(text("delete from feed_push_seen"))
        session.execute(
            text("""insert into feed_push_seen select source_id, decode(repeat('ab', 16), 'hex'),
                    decode(repeat('cd', 32), 'hex'), now() - interval '1 minute'
                    from source where feed = 'ev_charging'""")
        )
    token(door)
    records.rollback()
    assert records.execute(text("select count(*) from feed_push_seen")).scalar_one() == 1


def test_a_token_of_the_envelope_ends_and_is_the_operators_own(door: FlaskClient, vault: Vault) -> None:
    sample, secrets = PUSHES[0], SECRETS["tcec_102"]
    old = ev_envelope.new_token(secrets, now() - timedelta(hours=2, seconds=1))
    other = ev_envelope.new_token({**secrets, "operator_id": "MA4FS0002"}, now())
    until, _, signature = token(door).partition(".")
    later = f"{int(until) + 1}.{signature}"
    for wrong in (old, other, later, "", "x", "9999999999", "²." + "0" * 64):
        headers, sent = tcec(secrets, written(sample.document(YESTERDAY)), now(), "")
        headers["Authorization"] = f"Bearer {wrong}".encode().decode("latin-1")
        told = raw(door, sample, headers, sent).get_json()
        assert (told["Ret"], told["Data"]) == (4002, "")


def test_a_wrong_password_buys_no_token(door: FlaskClient) -> None:
    secrets = SECRETS["tcec_102"]
    wrong: list[Any] = [{"OperatorID": "MA4FS0001", "OperatorSecret": "guess"}, {"OperatorID": "x"}, []]
    for asked in wrong:
        headers, sent = tcec(secrets, written(asked), now())
        told = door.post("/partner/v1/feeds/ev_charging/query_token", data=sent, headers=headers).get_json()
        assert (told["Ret"], told["Data"]) == (4002, "")


def test_totals_that_disagree_refuse_the_whole_check(door: FlaskClient, records: Session) -> None:
    document = {**PUSHES[1].document(YESTERDAY), "TotalOrderPower": 63}
    assert "totals_disagree" in _refused(pushed(door, PUSHES[1], document), PUSHES[1])
    assert acts(records) == 0


def test_an_order_of_nobody_is_no_dispute(door: FlaskClient, records: Session) -> None:
    document = PUSHES[0].document(YESTERDAY)
    del document["SubjectToken"]
    told = tcec_opened(SECRETS["tcec_102"], pushed(door, PUSHES[0], document).get_json())
    assert told["ConfirmResult"] == 0
    assert acts(records) == 0


def test_disputed_orders_are_listed_with_their_sums(door: FlaskClient, records: Session) -> None:
    sample = PUSHES[1]
    document = sample.document(YESTERDAY)
    document["ChargeOrders"][1]["StartTime"] = f"{YESTERDAY} 23:00:00"
    told = tcec_opened(SECRETS["tcec_102"], pushed(door, sample, document).get_json())
    assert (told["TotalDisputeOrder"], told["TotalDisputePower"], told["TotalDisputeMoney"]) == (
        1,
        31.42,
        27.34,
    )
    assert told["DisputeOrders"][0]["StartChargeSeq"] == document["ChargeOrders"][1]["StartChargeSeq"]
    assert acts(records) == 1


def test_the_same_record_told_otherwise_is_refused(door: FlaskClient, records: Session) -> None:
    for sample in (PUSHES[0], PUSHES[2]):
        document = sample.document(YESTERDAY)
        pushed(door, sample, document)
        energy = "TotalPower" if "TotalPower" in document else "total_energy"
        told = pushed(door, sample, {**document, energy: 12.5}).get_json()
        said = tcec_opened(sample.secrets, told) if "Ret" in told else told
        assert "content_differs" in json.dumps(told)
        assert said.get("ConfirmResult", 1) == 1
    assert acts(records) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/partner/v1/feeds/nobody/cdrs",
        "/partner/v1/feeds/metro_taps/cdrs",
        "/partner/v1/feeds/ev_charging/nothing",
        "/partner/v1/feeds/ev_charging/capture",
    ],
)
def test_a_feed_without_this_door_is_not_there(door: FlaskClient, path: str) -> None:
    told = door.post(path, json={})
    assert (told.status_code, told.mimetype, told.get_json()["code"]) == (
        404,
        "application/problem+json",
        "not_found",
    )
    assert door.get("/partner/v1/feeds/ev_charging/cdrs").status_code == 405


def test_without_secrets_nobody_comes_in(client: FlaskClient) -> None:
    for sample in PUSHES:
        given = {"token": "1.x"} if sample.operation.scheme == "tcec_102" else {}
        headers, sent = sample.sign(sample.secrets, written(sample.document(YESTERDAY)), now(), **given)
        _refused(raw(client, sample, headers, sent), sample)


def test_new_secrets_take_over_with_an_overlap(app: Flask, door: FlaskClient, vault: Vault) -> None:
    sample, newer = PUSHES[2], {"token": "ocpi-token-of-the-operator-0002"}
    with app.app_context(), transaction() as session:
        source_id = service.source_by_feed(session, sample.feed.code).source_id
        given = (session, vault, source_id, "ocpi")
        feed_secrets.put_in_force(*given, newer, clock.now(), timedelta(days=1))
    for secrets in (sample.secrets, newer):
        headers, sent = sample.sign(secrets, written(sample.document(YESTERDAY)), now())
        assert raw(door, sample, headers, sent).status_code == 200
    with app.app_context(), transaction() as session:
        older = next(
            one for one in feed_secrets.listed(session, source_id) if one.ends_at and one.scheme == "ocpi"
        )
        assert older.ends_at is not None
        assert sample.secrets["token"].encode() not in older.sealed
        feed_secrets.end(session, older.secret_id, clock.now())
    headers, sent = sample.sign(sample.secrets, written(sample.document(YESTERDAY)), now())
    assert raw(door, sample, headers, sent).status_code == 401
    headers, sent = sample.sign(newer, written(sample.document(YESTERDAY)), now())
    assert raw(door, sample, headers, sent).status_code == 200


def test_a_closed_partner_is_nobody(app: Flask, door: FlaskClient, records: Session) -> None:
    with app.app_context(), transaction() as session:
        service.partner_by_code(session, "ev_charging").status = "closed"
    sample = PUSHES[2]
    headers, sent = sample.sign(sample.secrets, written(sample.document(YESTERDAY)), now())
    assert raw(door, sample, headers, sent).status_code == 401
    assert acts(records) == 0


def test_the_same_push_from_many_at_once_is_one_act(
    door: FlaskClient, threaded_url: str, records: Session
) -> None:
    for sample in (PUSHES[0], PUSHES[2], PUSHES[4]):
        given = {"token": token(door)} if sample.operation.scheme == "tcec_102" else {}
        headers, sent = sample.sign(sample.secrets, written(sample.document(YESTERDAY)), now(), **given)
        before = acts(records)

        def push(
            _: int, path: str = sample.path, headers: dict[str, str] = headers, sent: bytes = sent
        ) -> tuple[int, Any]:
            told = requests.post(threaded_url + path, data=sent, headers=headers, timeout=30)
            return told.status_code, told.json()

        with ThreadPoolExecutor(8) as several:
            answers = list(several.map(push, range(16)))
        assert all(sample.is_taken(*told) for told in answers), answers
        assert acts(records) - before == 1


def _refused(told: TestResponse, sample: PushSample) -> str:
    """The text of a no in the partner's own shape."""
    assert told.mimetype == "application/json", told.data
    said = told.get_json()
    assert not sample.is_taken(told.status_code, said), told.data
    assert told.status_code < 500
    own = {"tcec_102": "Ret", "ocpi": "status_code", "epcis": "title", "box": "code", "registry": "error"}
    assert own[sample.operation.scheme] in said
    return json.dumps(said, ensure_ascii=False)
