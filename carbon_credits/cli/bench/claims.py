"""Accepting claims over HTTP, beside one INSERT on the same server and beside TPC-B; and how soon they are credited."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from carbon_credits.cli.bench import clients, memory, web
from carbon_credits.cli.bench.clients import THREADS, Load
from carbon_credits.cli.bench.figures import Figure, at_least, at_most, interleaved
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.cli.bench.tpcb import TpcB, pgbench
from carbon_credits.core import clock, ids
from carbon_credits.core.db import transaction
from carbon_credits.core.signing import Keyring, ensure_keys
from carbon_credits.residents.sessions import open_session

RESIDENTS: Final = 256
CLAIM, FLOOR = "/v1/activities", "/bench/insert"
CLAIM_GOAL, P95_GOAL_S = 0.6, 1.0
SETTLED_S: Final = 60.0
# Both times are the database's own; what follows a decision in its transaction is not in it.
LATENCY: Final = """
select percentile_disc(0.95) within group (order by extract(epoch from d.decided_at - a.told_at))::float8, count(*)
from activity a join decision d using (resident_id, occurred_on, activity_id) where a.told_at >= %s
"""


@dataclass(frozen=True)
class Length:
    """How long one round lasts and how many there are; how long claims are offered while workers credit them."""

    seconds: float
    rounds: int
    offered_s: float


def figures(
    ground: Ground, folder: Path, wanted: frozenset[str], length: Length, say: Callable[[str], None]
) -> Iterator[Figure]:
    """`claims_vs_insert`, `claims_vs_tpcb`, `credited_p95` and the memory of everything while it runs."""
    with web.serving(ground, folder) as (served, api):
        sender = Sender(ground, served.port)
        program = pgbench() if "claims_vs_tpcb" in wanted else None
        tpcb = None if program is None else TpcB(ground, folder, program)
        rates = _rates(sender, tpcb, length, say)
        if "claims_vs_insert" in wanted:
            yield at_least("claims_vs_insert", rates["claims"], "claims/s", CLAIM_GOAL, floor=rates["insert"])
        if "tpcb" in rates:
            yield at_least("claims_vs_tpcb", rates["claims"], "claims/s", None, floor=rates["tpcb"])
        if wanted & {"credited_p95", "memory"}:
            yield from _with_workers(served, api, sender, rates["claims"] / 2, length, wanted, say)


class Sender:
    """Signed-in residents and the next number, so that no two loads tell the same ride."""

    def __init__(self, ground: Ground, port: int) -> None:
        tokens = sign_in(ground, RESIDENTS)
        since = clock.now() - timedelta(days=6)
        self._load = Load(port, CLAIM, tokens, web.host_header(ground.settings), since, 0, 0.0)

    def send(self, path: str, seconds: float, rate: float | None = None) -> float:
        """Send for a while; accepted answers a second."""
        heard = clients.drive(replace(self._load, path=path, seconds=seconds, rate=rate))
        self._load = replace(self._load, first=heard.sent)
        return heard.rate


def sign_in(ground: Ground, residents: int) -> list[str]:
    """Access tokens of the first residents, made by the same service that signs anyone in."""
    keyring, now = Keyring(ground.settings.vault, ground.settings.public_url), clock.now()
    with ground.at_work(), transaction() as session:
        ensure_keys(session, ground.settings.vault)
        people = [ids.resident_id(number) for number in range(1, residents + 1)]
        vault = ground.settings.vault
        return [open_session(session, vault, keyring, person, now).access_token for person in people]


def _rates(sender: Sender, tpcb: TpcB | None, length: Length, say: Callable[[str], None]) -> dict[str, float]:
    """No crediting worker runs meanwhile: claims wait in the work list."""
    ways = {
        "claims": lambda: sender.send(CLAIM, length.seconds),
        "insert": lambda: sender.send(FLOOR, length.seconds),
    }
    if tpcb is not None:
        ways["tpcb"] = lambda: tpcb.rate(length.seconds)
    for path in (CLAIM, FLOOR):
        sender.send(path, length.seconds / 2)
    rates = interleaved(length.rounds, ways)
    say(f"{THREADS} clients: " + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
    return rates


def _with_workers(
    served: web.Served,
    api: "subprocess.Popen[bytes]",
    sender: Sender,
    rate: float,
    length: Length,
    wanted: frozenset[str],
    say: Callable[[str], None],
) -> Iterator[Figure]:
    with ExitStack() as running, served.ground.owner() as owner:
        flask = ("-m", "flask", "--app", "wsgi")
        crew = [
            running.enter_context(served.running(f"crediting-{n}", *flask, "worker", "crediting"))
            for n in (1, 2)
        ]
        scheduler = running.enter_context(served.running("scheduler", *flask, "scheduler"))
        _until_settled(owner)
        since = _database_clock(owner)
        sender.send(CLAIM, length.offered_s, rate)
        if "memory" in wanted:
            yield from memory.of("api_master", [api.pid])
            yield from memory.of("api_workers", memory.children_of(api.pid))
            yield from memory.of("crediting_workers", [pid for one in crew for pid in _family(one.pid)])
            yield from memory.of("scheduler", [scheduler.pid])
            yield from memory.servers(served.ground, served.redis_url)
        _until_settled(owner)
        found = owner.execute(LATENCY, (since,)).fetchone()
        assert found is not None
        p95, acts = found
        say(
            f"offered {rate:,.0f}/s for {length.offered_s:.0f} s, two crediting workers: {acts:,} acts decided"
        )
        if "credited_p95" in wanted:
            yield at_most("credited_p95", p95, "s", P95_GOAL_S)


def _family(pid: int) -> list[int]:
    return [pid, *memory.children_of(pid)]


def _until_settled(owner: Any) -> None:
    """Until nothing waits to be decided; raises when that takes more than a minute."""
    until = time.monotonic() + SETTLED_S
    while owner.execute("select exists (select from activity_queue)").fetchone()[0]:
        if time.monotonic() > until:
            raise RuntimeError(f"acts are still undecided after {SETTLED_S:.0f} s")
        time.sleep(0.05)


def _database_clock(owner: Any) -> datetime:
    now: datetime = owner.execute("select clock_timestamp()").fetchone()[0]
    return now
