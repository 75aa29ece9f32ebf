"""One charging session, whatever the format it was told in, and what makes it an act or not."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from carbon_credits.partners.contract import Record, Scalar
from integrations.telling import Told, refused

METHODOLOGY: Final = "travel.electric_car"
# 150 Wh/km, and 10 % lost in charging: the same two numbers as the methodology's (a test holds them together)
CHARGED_WH_PER_KM: Final = 165
LONGEST: Final = timedelta(days=7)
# more than any connector for cars gives; energy over a shorter time than a minute is not held against it
MOST_W: Final = 600_000
_LEAST_S: Final = 60


class Scale(NamedTuple):
    """How many of a partner's units make a kilowatt-hour and a yuan; some send whole hundredths and millionths."""

    per_kwh: int = 1
    per_yuan: int = 1


class Session(NamedTuple):
    """A session as it was told, times in UTC. `done` is when the car was full, `flaw` what its format found."""

    record_id: str
    line: int
    connector: str
    subject_token: str
    order_no: str
    start: datetime
    stop: datetime
    energy_wh: int
    done: datetime | None = None
    vehicle: str = ""
    flaw: str | None = None
    evidence: Mapping[str, Scalar] = {}


def told_of(session: Session, facts: Mapping[str, int] | None = None) -> Told:
    """The session as an act, or why it is none."""
    counted = {"energy_wh": session.energy_wh, **(facts or {})}
    span = (session.connector, session.start, session.stop) if session.start <= session.stop else None
    reasons = _flaws(session)
    if reasons:
        return Told(refused(session.record_id, session.line, *reasons), counted, span)
    record = Record(
        record_id=session.record_id,
        subject_token=session.subject_token,
        methodology=METHODOLOGY,
        occurred_from=session.start,
        occurred_to=session.stop,
        monitored={"distance_m": session.energy_wh * 1000 // CHARGED_WH_PER_KM},
        references={
            "vehicle": session.vehicle or f"account {session.subject_token}",
            "order_no": session.order_no,
        },
        evidence={
            **session.evidence,
            "distance": "energy_over_consumption",
            "energy_wh": session.energy_wh,
            "vehicle": "vin" if session.vehicle else "account",
        },
        line=session.line,
    )
    return Told(record, counted, span)


def _flaws(session: Session) -> tuple[str, ...]:
    length = session.stop - session.start
    is_backwards = length < timedelta(0)
    seconds = max(int(length.total_seconds()), _LEAST_S)
    found = {
        session.flaw or "": session.flaw is not None,
        "ends_before_start": is_backwards,
        "done_before_start": session.done is not None and session.done < session.start,
        "done_after_unplug": session.done is not None and session.done > session.stop,
        "absurd_duration": length > LONGEST,
        "implausible_power": not is_backwards and session.energy_wh * 3600 > MOST_W * seconds,
        "subject_missing": not session.subject_token,
    }
    return tuple(reason for reason, is_found in found.items() if is_found)
