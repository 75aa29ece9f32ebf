"""Everything is killed, several times over, while sixteen phones claim: what was acknowledged is there, once."""

import os
import secrets
import sys
import time
from typing import Any

import pytest

from tests.faults import verdict
from tests.faults.clients import Clients, Log
from tests.faults.nemesis import Nemesis
from tests.faults.signing_in import phones, sign_in
from tests.faults.stack import Stack

pytestmark = pytest.mark.fault

RESIDENTS = 48
ROUNDS = 5
ENOUGH = 2_000
SETTLED_WITHIN_S = 300.0
STILL_S = 5.0


def test_whatever_dies_every_acknowledged_act_is_credited_exactly_once(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("CARBON_FAULT_SEED") or secrets.randbelow(1_000_000))
    with capsys.disabled():
        # standard error: it is heard from another process too
        print(f"\nCARBON_FAULT_SEED={seed}", file=sys.stderr, flush=True)
    numbers = phones(RESIDENTS)
    log = Log()
    tokens = sign_in(stack, numbers, log)
    assert not log.wrong

    clients = Clients(stack.port, tokens, seed)
    nemesis = Nemesis(stack, seed)
    try:
        nemesis.torment(ROUNDS, lambda: clients.accepted() >= ENOUGH)
    finally:
        clients.finish()
    verdict.settle(stack, SETTLED_WITHIN_S - (time.monotonic() - nemesis.last))
    settled_s = time.monotonic() - nemesis.last
    with capsys.disabled():
        print(_summary(clients.log, nemesis, settled_s), file=sys.stderr, flush=True)

    assert not clients.log.wrong, clients.log.wrong[:5]
    assert min(nemesis.inflicted.values()) >= ROUNDS
    assert len(nemesis.inflicted) == 6
    found = verdict.acts(stack)
    verdict.assert_each_act_is_credited_once(clients, found)
    verdict.assert_each_trace_is_looked_at_once(stack, clients)
    verdict.assert_each_answer_is_kept(stack, clients)
    verdict.assert_wallets_add_up(clients, numbers)
    _assert_calm(stack, nemesis)
    verdict.assert_the_same_is_said_again(clients)
    assert verdict.acts(stack) == found, "telling it again made a difference"
    verdict.assert_the_books_are_sound(stack)
    verdict.assert_nobody_is_named(stack, numbers)
    assert not clients.log.wrong, clients.log.wrong[:5]
    assert stack.heard_outside() == []


def _assert_calm(stack: Stack, nemesis: Nemesis) -> None:
    """Nobody died who was not killed, and nobody is dying now."""
    before = stack.entries()
    assert before["postgres"]["restarts"] == nemesis.inflicted["PostgreSQL restarted at once"]
    assert before["valkey"]["restarts"] == nemesis.inflicted["Valkey killed"]
    assert (before["api"]["restarts"], before["scheduler"]["restarts"]) == (0, 0)
    workers = stack.api_workers()
    time.sleep(STILL_S)
    assert stack.entries() == before
    assert stack.api_workers() == workers
    assert stack.supervisor.poll() is None


def _summary(log: Log, nemesis: Nemesis, settled_s: float) -> str:
    rows: list[tuple[str, Any]] = [
        *sorted(nemesis.inflicted.items()),
        ("claims acknowledged", len(log.accepted())),
        ("acts acknowledged", len(log.by_ride())),
        ("claims refused", sum(answer.status != 202 for answer in log.answers.values())),
        *((f"retried: {cause}", n) for cause, n in sorted(log.retries.items())),
        ("slowest answer", f"{max(answer.seconds for answer in log.answers.values()):.2f} s"),
        ("settled after the last fault", f"{settled_s:.2f} s"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"  {name:<{width}}  {value:>8}" for name, value in rows)
