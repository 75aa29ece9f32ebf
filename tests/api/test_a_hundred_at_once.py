"""A hundred phones say the same at the same moment, to the programme as it is served: one effect.

A module of its own, for what is served stands on one set of rows.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import requests
from flask import Flask

from carbon_credits.core.crypto import Vault
from tests.api.conftest import a_ride, sign_in

MANY = 100
REPEATS = 10


@pytest.mark.parametrize("one_key", [True, False])
def test_a_hundred_identical_requests_at_once_have_one_effect(
    served: str, application: Flask, vault: Vault, owner_url: str, one_key: bool
) -> None:
    caller = sign_in(application, vault, "+8613800000011" if one_key else "+8613800000012")
    body = a_ride()
    together = threading.Barrier(MANY)

    def send(number: int) -> tuple[int, Any]:
        together.wait(30)
        headers = {
            "Authorization": f"Bearer {caller.token}",
            "Idempotency-Key": "one" if one_key else f"k{number}",
        }
        for _ in range(REPEATS):
            told = requests.post(f"{served}/v1/activities", json=body, headers=headers, timeout=30)
            # the first is not done yet: a phone asks again
            if told.json().get("code") != "still_running":
                break
        return told.status_code, told.json().get("id")

    with ThreadPoolExecutor(MANY) as pool:
        answers = Counter(pool.map(send, range(MANY)))
    assert len(answers) == 1, answers
    ((status, act),) = answers
    assert status == 202
    assert act is not None
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        for table in ("activity", "act_key", "activity_queue"):
            found = owner.execute(
                f"select count(*) from {table} where resident_id = %s", [caller.id]
            ).fetchone()
            assert found == (1,), table
        actor = f"resident:{caller.id}"
        kept = owner.execute("select count(*) from idempotency_key where actor = %s", [actor]).fetchone()
        assert kept == (1 if one_key else MANY,)
