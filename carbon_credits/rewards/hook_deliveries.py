"""A notice on its way: claimed, written and signed as Standard Webhooks says, concluded by how it was answered.

At least once: a notice is claimed by moving its next time forward, so that one whose carrier died comes back by itself.
"""

import base64
import hmac
import json
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.rewards import hooks

# How long after which attempt the next one is due: ten attempts within three days and a little more.
SCHEDULE: Final[tuple[timedelta, ...]] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_ATTEMPTS: Final = len(SCHEDULE) + 1
# a notice whose last attempt never came back is given up this much later
LAST_WAIT: Final = timedelta(minutes=5)
JITTER: Final = 0.2
GONE: Final = 410
State = Literal["taken", "waiting", "dead"]

_NEXT_DUE: Final = text("""
select d.delivery_id, d.hook_id, d.event, d.payload, d.created_at, d.attempts, h.url, h.secret, h.old_secret, h.old_until,
       h.ended_at is null and h.disabled_at is null as live
from hook_delivery d join merchant_hook h using (hook_id)
where d.state = 'waiting' and d.next_at <= :now and d.hook_id <> all(:busy)
order by d.next_at limit 1 for update of d skip locked
""")
_CLAIMED: Final = text("""
update hook_delivery set attempts = attempts + 1, next_at = :next_at where delivery_id = :delivery
""")
_CONCLUDED: Final = text("""
update hook_delivery
set state = :state, last_status = :status, last_error = :error,
    finished_at = case when :state <> 'waiting' then cast(:now as timestamptz) end
where delivery_id = :delivery and attempts = :attempt and state = 'waiting'
""")


@dataclass(frozen=True)
class Notice:
    """A claimed notice: what is sent to which address, and the secrets that sign it. `attempt` counts from 1."""

    delivery_id: UUID
    hook_id: int
    url: str
    body: bytes
    attempt: int
    secrets: tuple[bytes, ...] = field(repr=False)

    def headers(self, now: datetime) -> Mapping[str, str]:
        """The headers of Standard Webhooks, signed for this moment."""
        stamp = str(int(now.timestamp()))
        return {
            "Content-Type": "application/json",
            "User-Agent": "carbon-credits-hooks/1",
            "webhook-id": str(self.delivery_id),
            "webhook-timestamp": stamp,
            "webhook-signature": " ".join(
                signature(secret, str(self.delivery_id), stamp, self.body) for secret in self.secrets
            ),
        }


def signature(secret: bytes, delivery_id: str, stamp: str, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    told = f"{delivery_id}.{stamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, told, sha256)).decode()


def claim(session: Session, vault: Vault, now: datetime, busy: Collection[int] = ()) -> Notice | None:
    """Take the notice that has been due longest, of no hook that is `busy`; None when there is none.

    It comes back after its turn in SCHEDULE, whatever becomes of whoever took it; after the last it is dead.
    """
    while True:
        row = session.execute(_NEXT_DUE, {"now": now, "busy": list(busy)}).mappings().one_or_none()
        if row is None:
            return None
        if not row["live"]:
            # it was written while its hook was being ended
            _conclude(session, row["delivery_id"], row["attempts"], "dead", None, "hook_ended", now)
        elif row["attempts"] < MOST_ATTEMPTS:
            wait = SCHEDULE[row["attempts"]] if row["attempts"] < len(SCHEDULE) else LAST_WAIT
            given = {"delivery": row["delivery_id"], "next_at": now + _spread(wait)}
            session.execute(_CLAIMED, given)
            return _notice(row, vault, now)
        else:
            _conclude(session, row["delivery_id"], row["attempts"], "dead", None, "never_came_back", now)


def conclude(session: Session, notice: Notice, status: int | None, error: str | None, now: datetime) -> State:
    """Note how an attempt ended: a 2xx is taken, 410 disables the hook, anything else waits for its next turn.

    `status` is None where nothing was answered and `error` says why.
    """
    taken = status is not None and 200 <= status < 300
    gone = status == GONE
    dead = not taken and (gone or notice.attempt >= MOST_ATTEMPTS)
    state: State = "taken" if taken else "dead" if dead else "waiting"
    said = None if taken else error or ("gone" if gone else f"answered_{status}")
    _conclude(session, notice.delivery_id, notice.attempt, state, status, said, now)
    if gone:
        hooks.disable(session, notice.hook_id, "gone", now)
    return state


def _conclude(
    session: Session,
    delivery: UUID,
    attempt: int,
    state: State,
    status: int | None,
    error: str | None,
    now: datetime,
) -> None:
    given = {
        "delivery": delivery,
        "attempt": attempt,
        "state": state,
        "status": status,
        "error": error,
        "now": now,
    }
    session.execute(_CONCLUDED, given)


def _notice(row: RowMapping, vault: Vault, now: datetime) -> Notice:
    signing = hooks.signing_secrets(
        vault, row["hook_id"], row["secret"], row["old_secret"], row["old_until"], now
    )
    return Notice(
        row["delivery_id"],
        row["hook_id"],
        row["url"],
        _body(row["event"], row["created_at"], row["payload"]),
        row["attempts"] + 1,
        tuple(signing),
    )


def _body(event: str, at: datetime, payload: Any) -> bytes:
    """The same bytes at every attempt."""
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    told = {"type": event, "timestamp": stamp, "data": payload}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _spread(wait: timedelta) -> timedelta:
    """A little sooner or later, so that what failed together does not come back together."""
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
