"""Partners' files become acts: one feed at a time by whoever holds its lock, one file after the other.

The lock is the database's and ends with the process; the state and the mark of a file say where to go on.
"""

import logging
from pathlib import Path
from typing import Final

from sqlalchemy import text

from carbon_credits.activities.delivered import Ground, advance
from carbon_credits.activities.files import Landed
from carbon_credits.core import clock
from carbon_credits.core.db import alone, in_transaction, reading
from carbon_credits.core.errors import Conflict
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.corrections import FEED_LOCK, settle_feed
from carbon_credits.jobs.doorbell import PARTNER_FILES, hear
from carbon_credits.jobs.drop_folder import answer_in_folder, take_dropped
from carbon_credits.jobs.surroundings import begin, feeds, redis_of, settings
from carbon_credits.partners import progress
from carbon_credits.partners.contract import ParseOptions
from carbon_credits.partners.inbox import ABANDONED_S, Inbox

log = logging.getLogger(__name__)

FOLDER_LOCK: Final = 440_611
STATES = text(
    "select file_id, state in ('applied', 'superseded', 'refused') from partner_file where file_id = any(:ids)"
)


def work_on_files() -> None:
    """RQ's entry: take what was dropped, then work on every feed that has files, until nothing is left to do."""
    begin()
    hear(redis_of(), PARTNER_FILES)
    with alone(FOLDER_LOCK, 0) as ours:
        if ours:
            take_dropped(settings().drop, inbox(), feeds())
            answer_in_folder(settings().drop)
    for waiting in in_transaction(progress.feeds_waiting):
        work_on_feed(waiting)
    with alone(FOLDER_LOCK, 0) as ours:
        if ours:
            answer_in_folder(settings().drop)
            tidy()


def work_on_feed(waiting: progress.Waiting) -> int:
    """Work on a feed's files until none is left, then on what they corrected; returns how many files ended.

    None when another process is at them.
    """
    done = 0
    with alone(FEED_LOCK, waiting.source_id) as ours:
        if not ours:
            return 0
        ground = ground_of(waiting.feed)
        while True:
            row = in_transaction(lambda session: progress.next_file(session, waiting.source_id))
            if row is None:
                settle_feed(ground.vault, waiting.source_id)
                return done
            try:
                advance(ground, row)
            except Conflict:
                log.warning("another is at this file", extra={"file": row.file_id})
                return done
            done += 1


def ground_of(feed: str) -> Ground:
    """What the work on a feed's files stands on, in a job's surroundings."""
    redis = redis_of()

    def heard(landed: Landed) -> None:
        doorbell.ring(redis, landed.shards)

    table = distances_of(feed)
    options = ParseOptions(distances=table if table.exists() else None)
    return Ground(settings().vault, inbox(), feeds().feed(feed), heard, in_transaction, clock.now, options)


def distances_of(feed: str) -> Path:
    """Where this home keeps a feed's table of station distances, for files that come by door or folder."""
    return settings().home / "tables" / feed / "distances.csv"


def inbox() -> Inbox:
    """The inbox of this home."""
    return Inbox(settings().home)


def tidy() -> None:
    """Bytes of files that are done go, and what was abandoned half-way: bytes without a row a day later."""
    ours, now_s = inbox(), clock.now().timestamp()
    ours.tidy(now_s)
    left = ours.files()
    if not left:
        return
    with reading() as session:
        is_done = {row[0]: row[1] for row in session.execute(STATES, {"ids": sorted(left)})}
    for file_id, since_s in left.items():
        if is_done.get(file_id, since_s < now_s - ABANDONED_S):
            ours.forget(file_id)
