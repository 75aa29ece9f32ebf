"""Bulk crediting: from the first COPY of partners' records to the last commit, with one worker and with two.

The worker lands its lanes' files as intake does and drains its lanes as the crediting job does, in the same
process, one after the other; with two, each has a lane of its own. The floor writes what the product wrote.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Final

from carbon_credits.activities import intake, staging
from carbon_credits.cli.bench import floor, records
from carbon_credits.cli.bench.district import FEEDS
from carbon_credits.cli.bench.figures import Figure, at_least
from carbon_credits.cli.bench.ground import Ground, fresh
from carbon_credits.core.db import transaction
from carbon_credits.jobs.crediting import drain_lane

BLOCK: Final = 1 << 20
GOALS: Final = {1: 9_000, 2: 17_000}
FLOOR_GOAL: Final = 0.25
LANES: Final = ((0,), (1,))
Work = Callable[[Ground, Path, tuple[int, ...]], int]


@dataclass(frozen=True)
class Load:
    """What is measured with: the database to copy, the folder of COPY files, how many records lie in it."""

    template: Ground
    folder: Path
    records: int


def figures(load: Load, owner_url: str, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """`bulk_credit` and `bulk_vs_floor`, each for one worker and for two."""
    taken: dict[tuple[str, int], list[float]] = {}
    floor_files = load.folder / "floor"
    for turn in range(1, rounds + 1):
        for workers in (1, 2):
            for name in ("credit", "floor"):
                with fresh(owner_url, load.template.settings, load.template) as ground:
                    folder, work = (load.folder, credit) if name == "credit" else (floor_files, floor.write)
                    done, seconds = in_processes(ground, folder, workers, work)
                    if name == "credit" and not floor_files.exists():
                        floor.export(ground, floor_files)
                taken.setdefault((name, workers), []).append(done / seconds)
                say(
                    f"{turn}/{rounds} {name} × {workers}: {done:,} in {seconds:.1f} s = {done / seconds:,.0f}/s"
                )
    return list(_judged({key: median(rates) for key, rates in taken.items()}))


def credit(ground: Ground, folder: Path, lanes: tuple[int, ...]) -> int:
    """Land the lanes' files, then drain the lanes; how many acts were decided."""
    with ground.at_work():
        for feed, path in records.files(folder, lanes):
            land(feed, path)
        return sum(drain_lane(lane).picked for lane in lanes)


def land(feed: int, path: Path) -> None:
    """One file of one feed, in one transaction."""
    with transaction() as session:
        terms = intake.terms_of(session, FEEDS[feed - 1][0])
        connection = staging.stage(session)
        with path.open("rb") as file, connection.cursor().copy(staging.COPY) as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        intake.land_staged(session, terms)


def in_processes(ground: Ground, folder: Path, workers: int, work: Work) -> tuple[int, float]:
    """Run `work` over all lanes in so many processes that start together; (acts, seconds until the last is done)."""
    dealt: list[tuple[int, ...]] = [LANES[0] + LANES[1]] if workers == 1 else list(LANES)
    with _standing_by(ground, folder, dealt, work) as pipes:
        began = time.perf_counter()
        for pipe in pipes:
            pipe.send("go")
        done = sum(pipe.recv() for pipe in pipes)
        return done, time.perf_counter() - began


@contextmanager
def _standing_by(
    ground: Ground, folder: Path, dealt: list[tuple[int, ...]], work: Work
) -> "Iterator[list[Connection]]":
    # forked from a process that has read the programme and done nothing else
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pipes, processes = [], []
    try:
        for lanes in dealt:
            ours, theirs = context.Pipe()
            process = context.Process(target=_obey, args=(theirs, ground, folder, lanes, work), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        for pipe in pipes:
            pipe.recv()
        yield pipes
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()


def _obey(pipe: Connection, ground: Ground, folder: Path, lanes: tuple[int, ...], work: Work) -> None:
    """A worker's life: say that one is there, wait for the word, work, say how much was done."""
    pipe.send("ready")
    pipe.recv()
    pipe.send(work(ground, folder, lanes))


def _judged(rate: dict[tuple[str, int], float]) -> Iterator[Figure]:
    for workers, suffix in ((1, ""), (2, "_two_workers")):
        credited, lowest = rate["credit", workers], rate["floor", workers]
        yield at_least(f"bulk_credit{suffix}", credited, "acts/s", GOALS[workers])
        yield at_least(f"bulk_vs_floor{suffix}", credited, "acts/s", FLOOR_GOAL, floor=lowest)
