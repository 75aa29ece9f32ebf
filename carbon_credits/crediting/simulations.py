"""Simulations that staff ask for: rows that say what is to be tried, how far it is, and what it came to.

Whoever works on one touches its row as it goes; one that nobody touched for a while belongs to nobody any more and is
begun again, three times at most. What is finished stays, beside the digest of the terms it is of.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final, Literal

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.crediting.bonus_figures import BonusFigures, of_document
from carbon_credits.crediting.models import Simulation
from carbon_credits.crediting.simulating import Simulated, Trial, require_over
from carbon_credits.programme import campaign_terms, campaigns
from carbon_credits.programme.campaign_checks import known
from carbon_credits.programme.campaign_terms import Terms

MOST_ATTEMPTS: Final = 3
LOST_AFTER: Final = text("interval '5 minutes'")
WAITING: Final = or_(
    Simulation.begun_at.is_(None), Simulation.touched_at < func.clock_timestamp() - LOST_AFTER
)
INTERRUPTED: Final = "interrupted"
State = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Standing:
    """A simulation as it stands: acts tried of those to be tried, and per definition what it came to.

    `failure` is `interrupted` where whoever worked on it died three times, else the code of a refusal, or `database` and
    the five characters of why it gave up.
    """

    simulation_id: int
    campaign_id: int | None
    state: State
    weeks: int
    asked_by: int
    asked_at: datetime
    acts_done: int
    acts: int | None
    finished_at: datetime | None
    terms: tuple[Terms, ...]
    outcomes: tuple[Simulated, ...]
    failure: str | None


def digest_of(terms: Terms) -> bytes:
    """What a result is bound to: SHA-256 of the terms in their one form."""
    document = json.dumps(terms.as_document(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(b"cc/campaign/v1\n" + document.encode()).digest()


def ask(
    session: Session,
    documents: Sequence[Mapping[str, Any]],
    weeks: int,
    by: int,
    today: date,
    *,
    campaign_id: int | None = None,
    salt: bytes | None = None,
) -> int:
    """Ask for one definition, or two side by side, on acts so many weeks before; returns the simulation's number.

    With the campaign's own salt the same people are held out as would be. Raises Invalid for wrong terms, an
    unknown fund or group, and when not all the days are over.
    """
    terms = [campaign_terms.read(document) for document in documents]
    for one in terms:
        require_over(one, weeks, today)
        known(session, one)
    asked = insert(Simulation).values(
        campaign_id=campaign_id,
        definitions=[one.as_document() for one in terms],
        digests=[digest_of(one) for one in terms],
        salt=salt or campaigns.draw_salt(),
        weeks=weeks,
        asked_by=by,
    )
    number = int(session.execute(asked.returning(Simulation.simulation_id)).scalar_one())
    after = {"codes": [one.code for one in terms], "weeks": weeks}
    audit.record(session, f"staff:{by}", "simulation.asked", f"simulation:{number}", None, after)
    return number


def take(session: Session) -> int | None:
    """Take the next that waits or was lost; None when there is none. One lost too often is given up."""
    while True:
        asked = (
            select(Simulation)
            .where(Simulation.finished_at.is_(None), WAITING)
            .order_by(Simulation.simulation_id)
        )
        found = session.scalars(asked.limit(1).with_for_update(skip_locked=True)).first()
        if found is None:
            return None
        if found.attempts < MOST_ATTEMPTS:
            _write(
                session,
                found.simulation_id,
                begun_at=func.clock_timestamp(),
                attempts=found.attempts + 1,
                acts_done=0,
                acts=None,
            )
            return found.simulation_id
        fail(session, found.simulation_id, INTERRUPTED)
        session.expire(found)


def trials_of(session: Session, simulation_id: int) -> tuple[list[Trial], int]:
    """What is to be tried, and how many weeks back."""
    row = session.execute(select(Simulation).where(Simulation.simulation_id == simulation_id)).scalar_one()
    return [Trial(campaign_terms.read(document), row.salt) for document in row.definitions], row.weeks


def note_progress(session: Session, simulation_id: int, done: int, acts: int) -> None:
    """Write down how many acts of how many are done."""
    _write(session, simulation_id, acts_done=min(done, acts), acts=acts)


def finish(session: Session, simulation_id: int, outcomes: Sequence[Simulated]) -> None:
    """Write down what it came to."""
    result = [json.loads(json.dumps(asdict(outcome), default=date.isoformat)) for outcome in outcomes]
    _write(session, simulation_id, finished_at=func.clock_timestamp(), result=result)


def fail(session: Session, simulation_id: int, failure: str) -> None:
    """Write down that it came to nothing, and why."""
    _write(session, simulation_id, finished_at=func.clock_timestamp(), failure=failure)


def standing(session: Session, simulation_id: int) -> Standing:
    """A simulation as it stands; raises NotFound."""
    asked = select(Simulation).where(Simulation.simulation_id == simulation_id)
    row = session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise NotFound("simulation_unknown", Text("没有此模拟", "There is no such simulation"))
    return _standing(row)


def of_campaign(session: Session, campaign_id: int, most: int = 20) -> list[Standing]:
    """The newest simulations of a campaign's draft, the newest first."""
    asked = select(Simulation).where(Simulation.campaign_id == campaign_id)
    rows = session.scalars(asked.order_by(Simulation.simulation_id.desc()).limit(most))
    return [_standing(row) for row in rows]


def newest_of(session: Session, terms: Terms) -> Standing | None:
    """The newest simulation of exactly these terms that came to something: what a second person may be shown of them."""
    asked = select(Simulation).where(
        Simulation.digests.contains([digest_of(terms)]), Simulation.result.is_not(None)
    )
    row = session.scalars(asked.order_by(Simulation.simulation_id.desc()).limit(1)).first()
    return None if row is None else _standing(row)


def _write(session: Session, simulation_id: int, **values: Any) -> None:
    """Nothing where it is finished: somebody else took it for lost, and was the first to end it."""
    statement = update(Simulation).where(
        Simulation.simulation_id == simulation_id, Simulation.finished_at.is_(None)
    )
    session.execute(
        statement.values(touched_at=func.clock_timestamp(), **values).execution_options(
            synchronize_session=False
        )
    )


def _standing(row: Simulation) -> Standing:
    names = (
        "simulation_id",
        "campaign_id",
        "weeks",
        "asked_by",
        "asked_at",
        "acts_done",
        "acts",
        "finished_at",
        "failure",
    )
    return Standing(
        **{name: getattr(row, name) for name in names},
        state=_state(row),
        terms=tuple(campaign_terms.read(document) for document in row.definitions),
        outcomes=tuple(_outcome(told) for told in row.result or ()),
    )


def _state(row: Simulation) -> State:
    if row.finished_at is not None:
        return "failed" if row.result is None else "done"
    return "waiting" if row.begun_at is None else "running"


def _outcome(told: Mapping[str, Any]) -> Simulated:
    figures: BonusFigures = of_document(told["bonuses"])
    runs_out = told["runs_out_on"]
    return Simulated(
        **{
            **told,
            "bonuses": figures,
            "runs_out_on": None if runs_out is None else date.fromisoformat(runs_out),
        }
    )
