"""Traces at rest: sealed with the resident's own key, apart from everything else, thirty days at most.

While a trace waits for its verdict the act waits with it. Once there is one, the ends of the trace are cut off, for they
say where somebody lives; a month later, or when the resident takes the consent back, it is gone.
"""

import json
import zlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from carbon_credits.activities.models import TripTrace
from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.trips.drawing import Drawing, draw
from carbon_credits.activities.trips.trace import BrokenTrace, Trace, as_claim, read_claim
from carbon_credits.core import audit
from carbon_credits.core.crypto import CannotOpen, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.residents.service import resident_key, seal_for, unseal_for

KEPT: Final = timedelta(days=30)
CUT_OFF_M: Final = 200
PURPOSE: Final = "trip-trace"

# An act whose trace goes before anybody looked is put on the work list as what it is without one.
FORGET = """
with gone as (
  delete from trip_trace t
  where t.activity_id = any(array(
    select activity_id from trip_trace where {which} order by received_at limit :most for update))
  returning activity_id, resident_id, occurred_on, shard_id, judged_at
), orphaned as (
  insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id, reasons)
  select activity_id, resident_id, occurred_on, 1, shard_id, array[:reason] from gone where judged_at is null
)
select shard_id, judged_at from gone
"""
OF_RESIDENT: Final = text(FORGET.format(which="resident_id = :resident"))
OLD: Final = text(FORGET.format(which="received_at < :before"))
ALL: Final = 1_000_000


def keep(
    session: Session,
    vault: Vault,
    resident_id: int,
    act: tuple[date, int],
    trace: Mapping[str, Any],
) -> None:
    """Seal a trace in the API's shape beside its act (day and number)."""
    day, activity_id = act
    sealed = _seal(resident_key(session, vault, resident_id), activity_id, trace)
    session.execute(
        insert(TripTrace).values(
            activity_id=activity_id,
            resident_id=resident_id,
            occurred_on=day,
            shard_id=shard_of(resident_id),
            sealed=sealed,
        )
    )


def opened(key: bytes, activity_id: int, sealed: bytes) -> dict[str, Any]:
    """A sealed trace in the API's shape again. Raises CannotOpen."""
    told: dict[str, Any] = json.loads(zlib.decompress(unseal_for(key, PURPOSE, sealed, _place(activity_id))))
    return told


def shortened(key: bytes, activity_id: int, trace: Trace, occurred_from: datetime) -> bytes:
    """What is kept after the verdict: the trace without the first and last 200 m of its way, sealed."""
    return _seal(key, activity_id, as_claim(without_ends(trace), occurred_from))


def without_ends(trace: Trace) -> Trace:
    """Points at least 200 m, as the crow flies, from where the trace begins and where it ends; maybe none."""
    if len(trace.t_ms) == 0:
        return trace
    far = (_metres_from(trace, 0) >= CUT_OFF_M) & (_metres_from(trace, -1) >= CUT_OFF_M)
    kept = np.flatnonzero(far)
    return Trace(
        t_ms=trace.t_ms[kept],
        lat=trace.lat[kept],
        lon=trace.lon[kept],
        accuracy_m=trace.accuracy_m[kept],
        mock=trace.mock[kept],
        provider=trace.provider,
    )


def trace_of(session: Session, vault: Vault, resident_id: int, activity_id: int) -> Trace:
    """A kept trace, for a person who reviews it. Raises NotFound when it is gone, and never was there alike."""
    asked = text("""
        select t.sealed, a.occurred_from from trip_trace t
        join activity a using (resident_id, occurred_on, activity_id, shard_id)
        where t.activity_id = :activity and t.shard_id = :shard and t.resident_id = :resident""")
    given = {"activity": activity_id, "resident": resident_id, "shard": shard_of(resident_id)}
    found = session.execute(asked, given).one_or_none()
    if found is None:
        raise NotFound("trace_gone", Text("轨迹已删除或不存在", "The trace is gone, or there was none"))
    key = resident_key(session, vault, resident_id)
    return read_claim(opened(key, activity_id, found.sealed), found.occurred_from)


def drawn_for(session: Session, vault: Vault, actor: str, resident_id: int, name: str) -> Drawing | None:
    """The shape of a kept trace for a person who decides on its act; that they saw it is in the audit.

    None where it is gone, cannot be opened any more, or nothing is left of it.
    """
    try:
        trace = trace_of(session, vault, resident_id, parse_public_id(name)[1])
    except (NotFound, CannotOpen, BrokenTrace):
        return None
    audit.record(session, actor, "trace.opened", f"activity:{name}", None, {"points": len(trace)})
    return draw(trace)


def forget_of(session: Session, resident_id: int) -> int:
    """The consent is withdrawn: every trace of the resident goes now; returns how many."""
    given = {"resident": resident_id, "most": ALL, "reason": "trace_withdrawn"}
    return len(session.execute(OF_RESIDENT, given).all())


def forget_old(session: Session, now: datetime, most: int) -> int:
    """Delete up to `most` traces that were received thirty days ago, judged or not; returns how many."""
    given = {"before": now - KEPT, "most": most, "reason": "trace_expired"}
    return len(session.execute(OLD, given).all())


def _seal(key: bytes, activity_id: int, told: Mapping[str, Any]) -> bytes:
    plain = json.dumps(told, separators=(",", ":")).encode()
    return seal_for(key, PURPOSE, zlib.compress(plain, 1), _place(activity_id))


def _place(activity_id: int) -> str:
    return f"trip_trace|sealed|{activity_id}"


def _metres_from(trace: Trace, end: int) -> npt.NDArray[np.float64]:
    """Metres of each point from the first or the last, on a plane: exact enough to cut by."""
    north = (trace.lat - trace.lat[end]) * 111_195.0
    east = (trace.lon - trace.lon[end]) * 111_195.0 * np.cos(np.radians(trace.lat[end]))
    metres: npt.NDArray[np.float64] = np.hypot(north, east)
    return metres
