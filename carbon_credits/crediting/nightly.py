"""The nightly replay: everything, a bounded step of residents at a time, each step and its outcome in one transaction.

How far it is stands in its row, so a replay that was killed goes on where it was; nothing is counted twice.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import cast, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.crediting.models import ReplayRun
from carbon_credits.crediting.replay import LISTED, Replayed, Scope, replay

# a year of daily acts of so many residents is some seconds' work
STEP_RESIDENTS: Final = 500
NIGHT_FROM: Final = 2
NEXT = text("""
select max(resident_id) from (
  select resident_id from wallet where resident_id > :after order by resident_id limit :most
) next
""")


@dataclass(frozen=True)
class LastReplay:
    """The newest finished replay: when it ended, what it looked at, what did not agree."""

    finished_at: datetime
    credits: int
    mismatches: int


def replay_step(session: Session, now: datetime, most: int = STEP_RESIDENTS) -> int:
    """Replay the next residents of tonight's run; 0 when it is done, or when another process is at it.

    A run begins once for a day of the programme, from two in the night on.
    """
    run = _open_run(session, now)
    if run is None:
        return 0
    upto = session.execute(NEXT, {"after": run.after_resident, "most": most}).scalar_one()
    if upto is None:
        _write(session, run, finished_at=func.clock_timestamp())
        return 0
    found = replay(session, replace(Scope(), residents=(run.after_resident, upto)))
    _write(
        session,
        run,
        after_resident=upto,
        credits=run.credits + found.credits + found.restated,
        mismatches=run.mismatches + found.mismatches,
        first_found=cast([*run.first_found, *_told(found)][:LISTED], JSONB),
    )
    return 1


def last_replay(session: Session) -> LastReplay | None:
    """The newest replay that reached the end; None before the first."""
    finished = select(ReplayRun).where(ReplayRun.finished_at.is_not(None))
    run = session.scalars(finished.order_by(ReplayRun.finished_at.desc()).limit(1)).first()
    if run is None or run.finished_at is None:
        return None
    return LastReplay(run.finished_at, run.credits, run.mismatches)


def _open_run(session: Session, now: datetime) -> ReplayRun | None:
    """The run under way, locked; begun if it is night and today has had none; None if another process holds it."""
    under_way = select(ReplayRun).where(ReplayRun.finished_at.is_(None))
    if session.scalars(under_way).first() is not None:
        return session.scalars(under_way.with_for_update(skip_locked=True)).first()
    if now.astimezone(PROGRAMME_ZONE).hour < NIGHT_FROM:
        return None
    begun = insert(ReplayRun).values(started_on=clock.day_of(now)).on_conflict_do_nothing()
    return session.scalars(begun.returning(ReplayRun)).first()


def _write(session: Session, run: ReplayRun, **values: Any) -> None:
    statement = update(ReplayRun).where(ReplayRun.replay_id == run.replay_id).values(**values)
    session.execute(statement.execution_options(synchronize_session=False))
    session.expire(run)


def _told(found: Replayed) -> list[dict[str, Any]]:
    return [asdict(finding) for finding in found.findings]
