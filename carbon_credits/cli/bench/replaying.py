"""Replay of credits on one core, beside reading the same rows with COPY and doing nothing with them.

Both, and the server's process that answers them, are kept on one core where the machine lets us say so.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.cli.bench.bulk import LANES, Load, credit
from carbon_credits.cli.bench.figures import Figure, interleaved
from carbon_credits.cli.bench.ground import Ground, fresh
from carbon_credits.core.db import raw_connection, reading
from carbon_credits.crediting import replay
from carbon_credits.crediting.replayed_rows import CREDITS

GOAL: Final = 50_000


def figures(load: Load, owner_url: str, rounds: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """`replay`: credits recomputed a second on one core. Raises RuntimeError when any does not agree."""
    with fresh(owner_url, load.template.settings, load.template) as ground:
        credit(ground, load.folder, LANES[0] + LANES[1])
        with ground.owner() as owner:
            owner.execute("vacuum (analyze) activity, decision, posting")
            asked = "select count(*) from decision where state = 'credited'"
            credited = owner.execute(asked).fetchone() or (0,)
        rates = interleaved(
            rounds,
            {"replay": lambda: _rate(ground, _replayed, say), "floor": lambda: _rate(ground, _read, say)},
        )
        say(f"{credited[0]:,} credits: " + ", ".join(f"{name} {rate:,.0f}/s" for name, rate in rates.items()))
        value, floor = rates["replay"], rates["floor"]
        yield Figure("replay", value, "credits/s", floor, value / floor, GOAL, value >= GOAL)


def _rate(ground: Ground, work: Callable[[Session], int], say: Callable[[str], None]) -> float:
    with ground.at_work(), reading() as session, _on_one_core(session) as shared:
        if not shared:
            say("the server's process could not be kept on our core: two cores were at work")
        began = time.perf_counter()
        done = work(session)
        return done / (time.perf_counter() - began)


def _replayed(session: Session) -> int:
    found = replay.replay(session)
    if found.mismatches:
        raise RuntimeError(f"{found.mismatches} credits do not agree: {found.findings[:3]}")
    return found.credits


def _read(session: Session) -> int:
    raw = raw_connection(session)
    return sum(1 for _ in replay.lines(raw, CREDITS, replay.Scope()))


@contextmanager
def _on_one_core(session: Session) -> Iterator[bool]:
    """Keep us and our server's process on one core; whether that could be done."""
    ours = os.sched_getaffinity(0)
    backend = session.execute(text("select pg_backend_pid()")).scalar_one()
    one = {min(ours)}
    try:
        os.sched_setaffinity(0, one)
        os.sched_setaffinity(backend, one)
        shared = True
    except OSError:
        # another user's server, or another machine's: then it has a core of its own, and the figure says so
        shared = False
    try:
        yield shared
    finally:
        os.sched_setaffinity(0, ours)
