"""Text messages: a line in a file, or a POST to a gateway that may say no."""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest

from carbon_credits.core.messages import NotDelivered, TextMessages
from integrations import sms_gateway
from integrations.sms_gateway import SmsGateway
from integrations.sms_outbox import SmsOutbox


def test_a_line_for_each_message_that_only_the_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "outbox" / "sms.jsonl"
    provider: TextMessages = SmsOutbox(path)
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(lambda n: provider.send(f"+86138{n:08}", "验证码\n" + "x" * 300, str(n)), range(200))
        )
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(int(line["code"]) for line in lines) == list(range(200))
    assert set(lines[0]) == {"to", "text", "code"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@contextmanager
def a_gateway(status: int, release: Event | None = None) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A gateway on loopback that answers with one status, after `release` where one is given."""
    heard: list[dict[str, Any]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            if release is not None:
                release.wait(10)
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/messages", heard
    finally:
        if release is not None:
            release.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_gateway_is_given_the_message() -> None:
    with a_gateway(202) as (url, heard):
        SmsGateway(url).send("+8613800000001", "验证码 123456", "123456")
    assert heard == [{"to": "+8613800000001", "text": "验证码 123456", "code": "123456"}]


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(500, False), (429, False), (401, False), (302, False), (422, True), (400, True)],
)
def test_a_gateway_that_says_no_is_asked_again_unless_the_message_is_wrong(
    status: int, permanent: bool
) -> None:
    with a_gateway(status) as (url, heard), pytest.raises(NotDelivered) as refused:
        SmsGateway(url).send("+8613800000001", "text", None)
    assert (refused.value.reason, refused.value.permanent) == (f"gateway_answered_{status}", permanent)
    assert len(heard) == 1


def test_a_gateway_that_is_away_is_asked_again() -> None:
    with a_gateway(200) as (url, _):
        pass
    with pytest.raises(NotDelivered) as refused:
        SmsGateway(url).send("+8613800000001", "text", None)
    assert not refused.value.permanent
    assert "1380000" not in refused.value.reason


def test_a_gateway_that_hangs_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sms_gateway.TIMEOUT_S == 3
    monkeypatch.setattr(sms_gateway, "TIMEOUT_S", 0.3)
    with a_gateway(200, Event()) as (url, _):
        started = monotonic()
        with pytest.raises(NotDelivered):
            SmsGateway(url).send("+8613800000001", "text", None)
        assert monotonic() - started < 9
