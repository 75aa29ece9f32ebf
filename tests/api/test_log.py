"""Log lines hold no personal data, whatever is put into them."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from flask.testing import FlaskClient
from sqlalchemy.exc import IntegrityError

from carbon_credits.core import log
from tests.api.conftest import Caller, a_ride


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the process writes to its log."""
    log.configure()
    written = io.StringIO()
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", written)
    return written


def _read(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.mark.parametrize(
    "value",
    [
        "13800138000",
        "+8613800138000",
        "tel:138 0013 8000",
        "138-0013-8000",
        "１３８００１３８０００",
        13800138000,
        13800138000.0,
        ["x", {"y": "13800138000"}],
        ("13800138000",),
        {"13800138000": 1},
        b"13800138000",
    ],
)
def test_what_looks_like_a_phone_number_is_hidden(lines: io.StringIO, value: Any) -> None:
    structlog.stdlib.get_logger("test").info("told", told=value)
    assert "0013" not in lines.getvalue()
    assert "8000" not in lines.getvalue()
    assert "００" not in lines.getvalue()
    assert log.HIDDEN in lines.getvalue()


@pytest.mark.parametrize(
    "key",
    ["phone", "access_token", "code", "client_secret", "Authorization", "otp_code", "password", "set-cookie"],
)
def test_what_stands_under_a_secrets_name_is_hidden(lines: io.StringIO, key: str) -> None:
    structlog.stdlib.get_logger("test").info("told", **{key: "hush", "inner": {key: {"deep": "hush"}}})
    assert "hush" not in lines.getvalue()


def test_what_the_guard_does_not_know_is_not_written(lines: io.StringIO) -> None:
    class Row:
        def __repr__(self) -> str:
            return "Row(name=Ada)"

    structlog.stdlib.get_logger("test").info("told", row=Row())
    assert "Ada" not in lines.getvalue()
    assert _read(lines)[0]["row"] == log.HIDDEN


def test_an_exception_is_told_by_class_and_place_never_by_message(lines: io.StringIO) -> None:
    try:
        raise IntegrityError("insert into resident", {"phone": "Ada"}, ValueError("DETAIL: Key (name)=(Ada)"))
    except IntegrityError as error:
        logging.getLogger("library").exception("failed", exc_info=error)
    (line,) = _read(lines)
    assert "Ada" not in lines.getvalue()
    assert line["exception"][0]["class"] == "sqlalchemy.exc.IntegrityError"
    assert line["exception"][0]["at"]


def test_libraries_lines_pass_the_same_guard(lines: io.StringIO) -> None:
    logging.getLogger("library").warning("sending to %s", "13800138000")
    (line,) = _read(lines)
    assert line["event"] == f"sending to {log.HIDDEN}"
    assert line["level"] == "warning"


def test_times_identifiers_and_amounts_stay_readable(lines: io.StringIO) -> None:
    structlog.stdlib.get_logger("test").info(
        "told", request_id="kqzvvhtwcmopbyex", reduction_mg=128_000, shard=7
    )
    (line,) = _read(lines)
    assert (line["request_id"], line["reduction_mg"], line["shard"]) == ("kqzvvhtwcmopbyex", 128_000, 7)
    assert line["at"].startswith("20")


def test_a_request_leaves_one_line_with_its_id_and_nothing_of_the_caller(
    lines: io.StringIO, client: FlaskClient, resident: Caller
) -> None:
    told = client.post(
        "/v1/auth/otp?x=13800000001",
        json={"phone": "+8613800000001"},
        headers={"X-Request-Id": "request-one"},
    )
    assert told.status_code == 202
    resident.claim(a_ride(references={"vehicle": "my-bike"}))
    line = next(line for line in _read(lines) if line.get("request_id") == "request-one")
    assert (line["route"], line["method"], line["status"]) == ("auth.ask_for_code", "POST", 202)
    for secret in ("13800000001", resident.token, "my-bike", "127.0.0.1"):
        assert secret not in lines.getvalue()
