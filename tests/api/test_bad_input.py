"""What a clever or a clumsy client sends: each gets its own 4xx with the field named, and nothing is stored."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.api.conftest import FEED, Caller, a_ride, stored

NOW = datetime.now(UTC).replace(microsecond=0)
JSON = {"Content-Type": "application/json"}


def _claim(resident: Caller, raw: bytes, headers: dict[str, str] | None = None) -> Any:
    return resident.call("POST", "/v1/activities", key="bad", data=raw, headers=headers or JSON)


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b'{"methodology": ', 400, "bad_json"),
        (b'{"a": NaN}', 400, "not_a_number"),
        (b'{"a": 1, "a": 2}', 400, "duplicate_name"),
        (b'{"a": "\\u0000"}', 400, "nul_character"),
        (b'{"a": "\\ud800"}', 400, "lone_surrogate"),
        (b'{"a": "\xff\xfe"}', 400, "bad_encoding"),
        (b'{"a": 123456789012345678901234567890}', 400, "number_too_large"),
        (b'{"a":' * 17 + b"1" + b"}" * 17, 400, "too_deep"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', 413, "too_large"),
        (b"[]", 422, "wrong_fields"),
        (b'"text"', 422, "wrong_fields"),
        (b"null", 422, "wrong_fields"),
    ],
)
def test_a_body_that_is_no_proper_object_is_refused(
    resident: Caller, records: Session, raw: bytes, status: int, code: str
) -> None:
    told = _claim(resident, raw)
    assert (told.status_code, told.get_json()["code"]) == (status, code)
    assert stored(records) == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=gb18030"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/problem+json"},
    ],
)
def test_anything_but_plain_json_is_415(resident: Caller, records: Session, headers: dict[str, str]) -> None:
    told = _claim(resident, json.dumps(a_ride()).encode(), headers)
    assert (told.status_code, told.get_json()["code"]) == (415, "unsupported_media_type")
    assert stored(records) == 0


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"methodology": 7}, "/methodology", "not_a_text"),
        ({"methodology": None}, "/methodology", "null"),
        ({"methodology": "travel.broomstick"}, "/methodology", "unknown_methodology"),
        ({"methodology": "'; drop table activity; --"}, "/methodology", "wrong_format"),
        ({"monitored": {"distance_m": True}}, "/monitored/distance_m", "not_an_integer"),
        ({"monitored": {"distance_m": "3200"}}, "/monitored/distance_m", "not_an_integer"),
        ({"monitored": {"distance_m": 1.5}}, "/monitored/distance_m", "not_an_integer"),
        ({"monitored": {"distance_m": 3200.0}}, "/monitored/distance_m", "not_an_integer"),
        ({"monitored": {"distance_m": None}}, "/monitored/distance_m", "not_an_integer"),
        ({"monitored": {"distance_m": -1}}, "/monitored/distance_m", "out_of_range"),
        ({"monitored": {"distance_m": 9_000_000_000_000_000}}, "/monitored/distance_m", "out_of_range"),
        ({"monitored": {}}, "/monitored/distance_m", "monitored_missing"),
        ({"monitored": {"distance_m": 3200, "mass_g": 4}}, "/monitored/mass_g", "monitored_unknown"),
        ({"monitored": {"Distance": 3200}}, "/monitored", "wrong_format"),
        ({"monitored": []}, "/monitored", "not_an_object"),
        ({"points": 1_000_000}, "/points", "unknown_field"),
        ({"reduction_mg": 1}, "/reduction_mg", "unknown_field"),
        ({"resident_id": 2}, "/resident_id", "unknown_field"),
        ({"references": {"vehicle": ""}}, "/references/vehicle", "wrong_length"),
        ({"references": {"vehicle": "x" * 65}}, "/references/vehicle", "wrong_length"),
        ({"references": {"vehicle": "a\nb"}}, "/references/vehicle", "wrong_format"),
        ({"references": {"colour": "red"}}, "/references/colour", "unknown_field"),
        ({"references": "x"}, "/references", "not_an_object"),
        ({"evidence": {"steps": -1}}, "/evidence/steps", "out_of_range"),
        ({"evidence": {"photo": "x"}}, "/evidence/photo", "unknown_field"),
        ({"occurred_to": "yesterday"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": "2026-11-22T08:00:00"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": "2026-11-22 08:00:00+08:00"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": "2026-02-30T08:00:00+08:00"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": "0001-01-01T00:00:00+08:00"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": 1_700_000_000}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": (NOW + timedelta(days=1)).isoformat()}, "/occurred_to", "in_the_future"),
        ({"occurred_to": "9999-12-31T23:59:59+00:00"}, "/occurred_to", "not_an_instant"),
        ({"occurred_to": "2999-12-31T23:59:59+00:00"}, "/occurred_to", "in_the_future"),
        (
            {"occurred_from": "2001-01-01T00:00:00+08:00", "occurred_to": "2001-01-01T00:16:00+08:00"},
            "/occurred_to",
            "too_old",
        ),
        ({"occurred_from": (NOW + timedelta(hours=12)).isoformat()}, "/occurred_to", "ends_before_start"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(
    resident: Caller, records: Session, changes: dict[str, Any], pointer: str, code: str
) -> None:
    told = resident.claim({**a_ride(), **changes})
    assert told.status_code == 422
    assert told.mimetype == "application/problem+json"
    assert (pointer, code) in {(fault.get("pointer"), fault["code"]) for fault in told.get_json()["errors"]}
    assert stored(records) == 0


@pytest.mark.parametrize("missing", ["methodology", "occurred_from", "occurred_to", "monitored"])
def test_a_missing_field_is_named(resident: Caller, missing: str) -> None:
    body = a_ride()
    del body[missing]
    told = resident.claim(body).get_json()
    assert [(fault["pointer"], fault["code"]) for fault in told["errors"]] == [(f"/{missing}", "required")]


def _trace(**changes: Any) -> dict[str, Any]:
    # the published example of the format at precision 5 is as good a line of three points as any
    trace = {
        "crs": "WGS84",
        "polyline6": "_p~iF~ps|U_ulLnnqC_mqNvxq`@",
        "dt_ms": [0, 500, 960],
        "accuracy_m": [5, 8.5, 12],
    }
    return {"evidence": {"trace": {**trace, **changes}}}


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"crs": "BD09"}, "/evidence/trace/crs", "not_one_of"),
        ({"dt_ms": [0, 500]}, "/evidence/trace/dt_ms", "lengths_differ"),
        ({"dt_ms": [0, 700, 500]}, "/evidence/trace/dt_ms", "runs_backwards"),
        ({"dt_ms": [0, 0.5, 960]}, "/evidence/trace/dt_ms/1", "not_an_integer"),
        ({"accuracy_m": [1, 2, -3]}, "/evidence/trace/accuracy_m/2", "out_of_range"),
        ({"accuracy_m": [1, "2", 3]}, "/evidence/trace/accuracy_m/1", "not_a_number"),
        ({"polyline6": "é"}, "/evidence/trace/polyline6", "wrong_length"),
        ({"polyline6": "éé"}, "/evidence/trace/polyline6", "wrong_format"),
        ({"altitude": [1]}, "/evidence/trace/altitude", "unknown_field"),
    ],
)
def test_a_trace_of_the_wrong_shape_is_refused(
    resident: Caller, records: Session, changes: dict[str, Any], pointer: str, code: str
) -> None:
    told = resident.claim({**a_ride(), **_trace(**changes)})
    assert told.status_code == 422
    assert (pointer, code) in {(fault["pointer"], fault["code"]) for fault in told.get_json()["errors"]}
    assert stored(records) == 0


def test_a_proper_trace_without_consent_is_the_phones_own_word_and_not_kept(
    resident: Caller, records: Session
) -> None:
    told = resident.claim({**a_ride(), **_trace()})
    assert told.status_code == 202
    assert told.get_json()["evidence_class"] == "D"
    assert "trace_needs_consent" in {reason["code"] for reason in told.get_json()["reasons"]}
    look = records.connection().exec_driver_sql
    assert look("select count(*) from activity where evidence is null").scalar() == 1
    assert look("select count(*) from trip_trace").scalar() == 0


def test_another_persons_act_looks_like_none(resident: Caller, neighbour: Caller) -> None:
    act = resident.claim(a_ride()).get_json()["id"]
    none = act[:-1] + str((int(act[-1]) + 1) % 10)
    for path in ("", "/receipt"):
        theirs, nobodys = (neighbour.get(f"/v1/activities/{name}{path}") for name in (act, none))
        assert theirs.status_code == nobodys.status_code == 404
        assert _without_id(theirs.get_json()) == _without_id(nobodys.get_json())
    objection = neighbour.call("POST", f"/v1/activities/{act}/appeal", key="k", json={"words": "mine"})
    assert objection.status_code == 404


@pytest.mark.parametrize(
    "name", ["x", "20261122-", "20261399-1", "-1", "20261122-99999999999999999999", "%00", "２０２６1122-1"]
)
def test_an_id_that_cannot_be_is_404(resident: Caller, name: str) -> None:
    assert resident.get(f"/v1/activities/{name}").status_code == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=101", 422),
        ("limit=1e9", 422),
        ("limit=-1", 422),
        ("limit=", 422),
        ("limit=%EF%BC%91", 422),
        ("limit=5&limit=6", 422),
        ("sort=points", 422),
        ("cursor=", 422),
        ("cursor=%00", 422),
        ("cursor=AAAA", 400),
        ("cursor=" + "A" * 201, 422),
    ],
)
@pytest.mark.parametrize("path", ["/v1/activities", "/v1/wallet/postings"])
def test_a_query_is_read_as_strictly_as_a_body(resident: Caller, path: str, query: str, status: int) -> None:
    told = resident.get(f"{path}?{query}")
    assert told.status_code == status
    if status == 422:
        assert told.get_json()["errors"][0]["parameter"] == query.partition("=")[0]


def test_a_cursor_belongs_to_one_resident_and_one_list(resident: Caller, neighbour: Caller) -> None:
    for minutes in (5, 40, 80):
        assert resident.claim(a_ride(minutes_ago=minutes)).status_code == 202
    first = resident.get("/v1/activities?limit=2").get_json()
    rest = resident.get(f"/v1/activities?limit=2&cursor={first['next']}").get_json()
    assert [len(first["items"]), len(rest["items"]), rest["next"]] == [2, 1, None]
    assert not {act["id"] for act in first["items"]} & {act["id"] for act in rest["items"]}
    for told in (
        neighbour.get(f"/v1/activities?cursor={first['next']}"),
        resident.get(f"/v1/wallet/postings?cursor={first['next']}"),
        resident.get(f"/v1/activities?cursor={first['next'][:-2]}AA"),
    ):
        assert (told.status_code, told.get_json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    "phone", ["12345", "+1 650 253 0000", "+862083333333", "13800x00001", "+８613800000001"]
)
def test_what_is_no_mainland_mobile_number_is_refused_by_name(client: FlaskClient, phone: str) -> None:
    told = client.post("/v1/auth/otp", json={"phone": phone})
    assert told.status_code == 422
    assert told.get_json()["errors"][0]["pointer"] == "/phone"


def _batch(**changes: Any) -> dict[str, Any]:
    ride = {**a_ride(), "methodology": FEED.methodologies[0]}
    return {"feed": FEED.code, "records": [{**ride, "record_id": "r1", "subject": "s1", **changes}]}


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"feed": FEED.code, "records": []}, "/records", "wrong_format"),
        ({"feed": FEED.code, "records": {}}, "/records", "not_a_list"),
        ({"feed": FEED.code, "records": [1]}, "/records/0", "not_an_object"),
        (_batch(record_id=""), "/records/0/record_id", "wrong_length"),
        (_batch(record_id="a b"), "/records/0/record_id", "wrong_format"),
        (_batch(resident_id=1), "/records/0/resident_id", "unknown_field"),
        (_batch(evidence_class="A"), "/records/0/evidence_class", "unknown_field"),
        (_batch(monitored={"distance_m": 1.5}), "/records/0/monitored/distance_m", "not_an_integer"),
        ({"feed": FEED.code, "records": [{}]}, "/records/0/record_id", "required"),
    ],
)
def test_a_wrong_record_is_named_by_its_place(
    partner: Caller, records: Session, body: dict[str, Any], pointer: str, code: str
) -> None:
    told = partner.call("POST", "/partner/v1/records", key="k", json=body)
    assert told.status_code == 422
    assert (pointer, code) in {(fault["pointer"], fault["code"]) for fault in told.get_json()["errors"]}
    assert stored(records) == 0


def test_a_partner_may_send_more_at_once_than_a_resident(partner: Caller) -> None:
    padded = json.dumps(_batch()).encode() + b" " * 100_000
    small = partner.call("POST", "/partner/v1/records", key="k", data=padded, headers=JSON)
    assert small.status_code == 200
    large = partner.call("POST", "/partner/v1/records", key="l", data=padded + b" " * 900_000, headers=JSON)
    assert (large.status_code, large.get_json()["code"]) == (413, "too_large")


def _without_id(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name != "request_id"}
