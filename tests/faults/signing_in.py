"""Demonstration residents sign in as people do: by a code from a text message."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.faults.clients import Log, Phone
from tests.faults.stack import Stack

CODE_WITHIN_S: Final = 180.0


def phones(many: int) -> list[str]:
    """The first demonstration residents' numbers."""
    return [f"+86138{number:08}" for number in range(1, many + 1)]


def sign_in(stack: Stack, numbers: Sequence[str], log: Log) -> dict[str, str]:
    """An access token for each number."""
    texts = stack.home / "outbox" / "sms.jsonl"
    with ThreadPoolExecutor(8) as threads:
        tokens = threads.map(lambda number: _token(stack.port, number, texts, log), numbers)
        return dict(zip(numbers, tokens, strict=True))


def _token(port: int, number: str, texts: Path, log: Log) -> str:
    own = Phone(port, log)
    asked = own.definite(_post("/v1/auth/otp", {"phone": number}))
    assert asked.status == 202, asked
    challenge, tried = asked.told()["challenge_id"], ""
    # whoever asks again because no answer came is sent one code more, and the newest may still be on its way
    while True:
        tried = _code(texts, number, other_than=tried)
        signed_in = own.definite(_post("/v1/auth/token", {"challenge_id": challenge, "code": tried}))
        if signed_in.status == 200:
            break
        assert signed_in.told()["type"].endswith(":wrong_code"), signed_in
    token = str(signed_in.told()["access_token"])
    agreed = own.definite(_agree_to_traces(token))
    own.close()
    assert agreed.status == 200, agreed
    return token


def _agree_to_traces(token: str) -> tuple[str, str, bytes, dict[str, str]]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    return "PUT", "/v1/consents/location_traces", b'{"granted": true}', headers


def _post(path: str, told: dict[str, str]) -> tuple[str, str, bytes, dict[str, str]]:
    return "POST", path, json.dumps(told).encode(), {"Content-Type": "application/json"}


def _code(texts: Path, number: str, other_than: str) -> str:
    """The newest code sent to a number, once it is not the one that was tried."""
    ends = time.monotonic() + CODE_WITHIN_S
    while time.monotonic() < ends:
        lines = texts.read_text().splitlines() if texts.exists() else []
        codes = [str(told["code"]) for told in map(json.loads, lines) if told["to"] == number]
        if codes and codes[-1] != other_than:
            return codes[-1]
        time.sleep(0.1)
    raise AssertionError(f"no text message within {CODE_WITHIN_S:.0f} s")
