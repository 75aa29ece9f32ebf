"""Periodic work done: a row for each task and slot makes it run once.

Two schedulers, or one that stutters, meet at the row's unique key. A task is safe to run twice all the same.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.jobs.schedule import TASKS, Task
from carbon_credits.jobs.surroundings import begin
from carbon_credits.ledger.locks import lock_shard


def slot_of(task: Task, now: datetime) -> datetime:
    """The slot of time a moment falls into: whole periods since the epoch."""
    seconds = int(task.every.total_seconds())
    return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=now.tzinfo)


def due(session: Session, now: datetime) -> list[tuple[str, datetime]]:
    """Tasks whose present slot has not been started yet."""
    wanted = [(task.name, slot_of(task, now)) for task in TASKS]
    started = {
        (row.task, row.slot)
        for row in session.execute(
            text("select task, slot from task_run where slot > :since"), {"since": now - timedelta(days=1)}
        )
    }
    return [(name, slot) for name, slot in wanted if (name, slot) not in started]


def run_task(name: str, slot: str) -> None:
    """RQ's entry: claim the slot, do the task step by step, note how it ended."""
    begin()
    task = next(task for task in TASKS if task.name == name)
    at = datetime.fromisoformat(slot)
    if not in_transaction(lambda session: _claim(session, name, at)):
        return
    done = sum(_repeat(step) for step in _steps(task)) + (task.work() if task.work is not None else 0)
    in_transaction(lambda session: _finish(session, name, at, f"done {done}"))


def _steps(task: Task) -> Iterator[Callable[[Session], int]]:
    """The task's step, or one for each shard that has wallets."""
    if task.step is not None:
        yield task.step
    if task.step_of_shard is not None:
        with reading() as session:
            shards = session.execute(text("select distinct shard_id from wallet order by 1")).scalars().all()
        for shard in shards:
            yield partial(_of_shard, task.step_of_shard, shard)


def _of_shard(step: Callable[[Session, int], int], shard: int, session: Session) -> int:
    lock_shard(session, shard)
    return step(session, shard)


def _repeat(step: Callable[[Session], int]) -> int:
    done = 0
    while now := in_transaction(step):
        done += now
    return done


def _claim(session: Session, name: str, slot: datetime) -> bool:
    return (
        session.execute(
            text(
                "insert into task_run (task, slot) values (:task, :slot) on conflict do nothing returning task"
            ),
            {"task": name, "slot": slot},
        ).first()
        is not None
    )


def _finish(session: Session, name: str, slot: datetime, outcome: str) -> None:
    session.execute(
        text(
            "update task_run set finished_at = clock_timestamp(), outcome = :outcome where task = :task and slot = :slot"
        ),
        {"task": name, "slot": slot, "outcome": outcome},
    )


def due_now() -> list[tuple[str, datetime]]:
    """What the scheduler should put on the queue at this moment."""
    with reading() as session:
        return due(session, clock.now())
