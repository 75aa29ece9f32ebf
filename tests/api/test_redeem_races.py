"""Many at once, and processes that die, through real sockets to real processes: one winner, nothing spent twice."""

import json
import os
import random
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from carbon_credits.api.house import EXTENSION, House
from carbon_credits.core import clock, tokens
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.ledger.check import check
from carbon_credits.ledger.service import wallet_of
from carbon_credits.rewards import codes, redemptions
from tests.api.conftest import sign_in
from tests.api.redeemed import give_points_in
from tests.factories.redemptions import a_merchant, a_till, an_offer
from tests.faults.stack import children

TILLS = 100
ROUNDS = 20
SPENDERS = 60
PATIENCE_S = 60
Ask = Callable[[Session], Any]


@dataclass
class Shop:
    """A merchant with a hundred tills, a cup of tea for ten points, and whoever may buy it."""

    application: Flask
    vault: Vault
    port: int
    offer_id: int
    tills: list[str]
    resident_id: int
    resident: str

    def do(self, ask: Ask) -> Any:
        with self.application.app_context(), transaction() as session:
            return ask(session)

    def code(self) -> str:
        """A fresh code."""
        made = self.do(
            lambda session: redemptions.reserve(
                session, self.vault, self.resident_id, self.offer_id, clock.now()
            )
        )
        return codes.long_code(self.vault, made.id)


class Line:
    """One caller's connection, kept alive; it repeats until the answer settles the matter."""

    def __init__(self, port: int, token: str) -> None:
        self._open = lambda: HTTPConnection("127.0.0.1", port, timeout=15)
        self._connection = self._open()
        self._token = token

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def post(self, path: str, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                self._connection.request("POST", path, json.dumps(body), headers)
                answer = self._connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, HTTPException, ValueError):
                self._connection.close()
                self._connection = self._open()
                time.sleep(0.05)  # whoever answers is being started again
                continue
            if answer.status < 500 and told.get("code") != "still_running":
                return answer.status, told
            time.sleep(random.uniform(0.02, 0.1))
        raise AssertionError("no definite answer")


Lines = Callable[[int, list[str]], list[Line]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Connections for these tokens; all hang up in the end."""
    opened: list[Line] = []

    def open_all(port: int, those: list[str]) -> list[Line]:
        opened.extend(Line(port, token) for token in those)
        return opened[-len(those) :]

    yield open_all
    for line in opened:
        line.close()


@pytest.fixture(scope="module")
def shop(application: Flask, vault: Vault, served: str) -> Iterator[Shop]:
    """The shop, served by gunicorn."""
    house: House = application.extensions[EXTENSION]
    caller = sign_in(application, vault, "+8613800000031")
    with application.app_context(), transaction() as session:
        give_points_in(session, caller.id, 2_000)
        merchant_id = a_merchant(session)
        offer_id = an_offer(session, merchant_id, stock=5_000)
        clients = [a_till(session, merchant_id, "manager").client_id for _ in range(TILLS)]
        tills = [tokens.issue(session, house.keyring, "merchant", name, clock.now()) for name in clients]
    port = int(urlsplit(served).port or 0)
    yield Shop(application, vault, port, offer_id, tills, caller.id, caller.token)
    with application.app_context(), transaction() as session:
        assert [found for found in check(session, seal_delay_s=3600) if found.violations] == []


def test_a_hundred_tills_that_take_one_code_at_once_have_one_winner(shop: Shop, lines: Lines) -> None:
    tills = lines(shop.port, shop.tills)
    began, losers = time.monotonic(), Counter[str]()
    with ThreadPoolExecutor(TILLS) as threads:
        for turn in range(ROUNDS):
            code, together = shop.code(), threading.Barrier(TILLS)

            def take(
                number: int, code: str = code, turn: int = turn, gate: threading.Barrier = together
            ) -> Any:
                gate.wait()
                return tills[number].post("/merchant/v1/captures", f"{turn}-{number}", {"code": code})

            answers = list(threads.map(take, range(TILLS)))
            assert [status for status, _ in answers].count(201) == 1
            losers.update(told["code"] for status, told in answers if status != 201)
    print(f"{ROUNDS} rounds, {TILLS} threads, {time.monotonic() - began:.1f} s: {dict(losers)}")
    assert losers == {"code_used": ROUNDS * (TILLS - 1)}


def test_of_sixty_that_spend_ten_of_two_hundred_at_once_twenty_do(shop: Shop, lines: Lines) -> None:
    spender = sign_in(shop.application, shop.vault, "+8613800000032")
    shop.do(lambda session: give_points_in(session, spender.id, 200))
    phones = lines(shop.port, [spender.token] * SPENDERS)
    together = threading.Barrier(SPENDERS)

    def spend(number: int) -> Any:
        together.wait()
        wish = {"offer_id": str(shop.offer_id), "points": 10}
        return phones[number].post("/v1/redemptions", f"spend-{number}", wish)

    with ThreadPoolExecutor(SPENDERS) as threads:
        answers = list(threads.map(spend, range(SPENDERS)))
    print(
        f"{SPENDERS} threads: {Counter(told.get('code', 'made')[:20] for status, told in answers if status != 201)}"
    )
    made = {told["id"] for status, told in answers if status == 201}
    assert len(made) == 20
    assert {told["code"] for status, told in answers if status != 201} == {"insufficient_points"}
    wallet = shop.do(lambda session: wallet_of(session, spender.id))
    assert (wallet.available, wallet.held) == (0, 200)


def test_whoever_answers_is_killed_between_and_amid_reserve_and_capture_and_a_repeat_says_the_same(
    shop: Shop, lines: Lines
) -> None:
    (master,) = [
        pid for pid in children(os.getpid()) if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    seed = secrets.randbelow(10**6)
    chance = random.Random(seed)
    print(f"seed {seed}")
    resident, till = lines(shop.port, [shop.resident, shop.tills[0]])
    before = shop.do(lambda session: wallet_of(session, shop.resident_id))
    wish = {"offer_id": str(shop.offer_id)}
    made = _while_killing(master, chance, lambda: resident.post("/v1/redemptions", "r", wish))
    assert made == resident.post("/v1/redemptions", "r", wish)
    _kill(master)
    sent = {"code": made[1]["code"]}
    assert till.post("/merchant/v1/captures/preview", "p", sent)[0] == 200
    taken = _while_killing(master, chance, lambda: till.post("/merchant/v1/captures", "c", sent))
    assert taken[0] == 201
    assert taken == till.post("/merchant/v1/captures", "c", sent)
    again = till.post("/merchant/v1/captures", "other", sent)
    assert (again[0], again[1]["code"]) == (409, "code_used")
    after = shop.do(lambda session: wallet_of(session, shop.resident_id))
    assert (before.available - after.available, after.held) == (10, before.held)


def _while_killing(master: int, chance: random.Random, ask: Callable[[], Any]) -> Any:
    """Ask, and kill whoever answers some milliseconds later; the asker repeats with its key."""
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask)
        time.sleep(chance.uniform(0, 0.02))
        _kill(master)
        return asked.result()


def _kill(master: int) -> None:
    for worker in children(master):
        os.kill(worker, signal.SIGKILL)
