"""Taking a code at the till, once.

A capture is decided under the wallet's lock by the hold's own conditional update: of any number who come with one code
one wins, the others learn that it is used. What the merchant is paid was agreed when the offer was, and is copied.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.ledger import holds
from carbon_credits.ledger.holds import HoldOver
from carbon_credits.rewards import hooks
from carbon_credits.rewards.looking import OVER, Shown, Till, look
from carbon_credits.rewards.refusals import refusal


@dataclass(frozen=True)
class Capture:
    """That a merchant took a redemption; nothing in it is of the resident."""

    id: UUID
    redemption_id: UUID
    shard_id: int
    offer_id: int
    title: Text
    points: int
    face_fen: int
    paid_micro_fen: int
    captured_at: datetime
    occurred_at: datetime
    booked_on: date
    is_offline: bool
    reference: str | None
    client_id: str | None
    reversed_at: datetime | None = None
    reason: str | None = None


def capture(
    session: Session,
    vault: Vault,
    keyring: Keyring,
    till: Till,
    code: str,
    now: datetime,
    *,
    occurred_at: datetime | None = None,
    reference: str | None = None,
) -> Capture:
    """Take a code: the points are spent, the merchant is owed what was agreed. Raises as `look` does."""
    shown = look(session, vault, keyring, till, code, now, occurred_at, lock=True)
    return book(
        session,
        shown,
        client_id=till.client_id,
        occurred_at=occurred_at or now,
        reference=reference,
        is_offline=occurred_at is not None and shown.kind == "offline",
    )


def book(
    session: Session,
    shown: Shown,
    *,
    client_id: str | None,
    occurred_at: datetime,
    reference: str | None = None,
    is_offline: bool = False,
) -> Capture:
    """Spend the hold behind a redemption and write the capture; raises `code_used` or `code_expired`."""
    today = clock.today()
    try:
        spent = _spend(session, shown, today)
    except HoldOver as error:
        raise refusal(_how_it_ended(session, shown)) from error
    said: dict[str, Any] = {
        "client_id": client_id,
        "occurred_at": occurred_at,
        "booked_on": today,
        "is_offline": is_offline,
        "reference": reference,
    }
    given = {**vars(shown), **said, "journal_id": spent.journal_id}
    row = session.execute(_BOOK, given).one_or_none()
    if row is None:
        raise InvariantBroken(f"redemption {shown.redemption_id} is not open although its hold was")
    known = {name: getattr(shown, name) for name in _COPIED}
    booked = Capture(id=row.capture_id, captured_at=row.captured_at, **known, **said)
    return announced(session, shown.merchant_id, "redemption.captured", booked) if row.heard else booked


def _spend(session: Session, shown: Shown, today: date) -> holds.Captured:
    if shown.locked_id is None:
        return holds.capture(session, shown.redemption_id, shown.shard_id, today)
    return holds.capture_locked(session, shown.redemption_id, shown.shard_id, shown.locked_id, today)


def announced(session: Session, merchant_id: int, event: hooks.Event, one: Capture) -> Capture:
    """The same capture, once its merchant's hooks are told of it; whoever wants more asks at the merchant's door."""
    told = {
        "id": str(one.id),
        "offer_id": str(one.offer_id),
        "points": one.points,
        "face_fen": one.face_fen,
        "paid_micro_fen": one.paid_micro_fen,
        "booked_on": one.booked_on.isoformat(),
        "till": one.client_id,
        "reference": one.reference,
        "reason": one.reason,
    }
    hooks.announce(session, merchant_id, event, str(one.id), told)
    return one


_COPIED: Final = ("redemption_id", "shard_id", "offer_id", "title", "points", "face_fen", "paid_micro_fen")
# Promises: a capture is written for a redemption that this very statement closed, and for no other. It says as well
# whether anybody is to hear of it: most merchants have no hook.
_BOOK = text(f"""
with won as (
  update redemption set state = 'captured', resolved_at = clock_timestamp()
  where redemption_id = :redemption_id and shard_id = :shard_id and state = 'reserved' returning redemption_id
)
insert into capture (redemption_id, shard_id, merchant_id, offer_id, client_id, member_id, journal_id, occurred_at,
                     booked_on, points, face_fen, subsidy_fen, purse_id, paid_micro_fen, is_offline, reference)
select redemption_id, :shard_id, :merchant_id, :offer_id, :client_id, :member_id, :journal_id, :occurred_at,
       :booked_on, :points, :face_fen, :subsidy_fen, :purse_id, :paid_micro_fen, :is_offline, :reference
from won returning capture_id, captured_at,
  exists ({hooks.HEARS} and 'redemption.captured' = any(events)) as heard
""")  # noqa: S608 - made of constants


def _how_it_ended(session: Session, shown: Shown) -> str:
    """Somebody was first, or it is too late: under the wallet's lock the row says which."""
    state = session.execute(
        text("select state from redemption where redemption_id = :id and shard_id = :shard"),
        {"id": shown.redemption_id, "shard": shown.shard_id},
    ).scalar_one()
    return OVER.get(state, "code_expired")


_COLUMNS = """
select c.*, o.title_zh, o.title_en, u.reversed_at, u.reason
from capture c join offer o using (offer_id) left join capture_reversal u using (capture_id)
where c.merchant_id = :merchant
"""
_ONE = text(f"{_COLUMNS} and c.capture_id = :id")
_DAY = text(f"""{_COLUMNS} and c.booked_on = :day
  and (cast(:before as uuid) is null or c.capture_id < cast(:before as uuid))
order by c.capture_id desc limit :limit""")


def one_of(session: Session, merchant_id: int, capture_id: UUID) -> Capture:
    """One capture of this merchant; raises `capture_unknown`."""
    row = session.execute(_ONE, {"merchant": merchant_id, "id": capture_id}).one_or_none()
    if row is None:
        raise refusal("capture_unknown")
    return _told(row)


def captures_of(
    session: Session, merchant_id: int, day: date, before: UUID | None, limit: int
) -> list[Capture]:
    """A merchant's captures booked on a day, newest first; `before` is the last one seen."""
    given = {"merchant": merchant_id, "day": day, "before": before, "limit": limit}
    return [_told(row) for row in session.execute(_DAY, given)]


def _told(row: Row[tuple[object, ...]]) -> Capture:
    return Capture(
        id=row.capture_id,
        redemption_id=row.redemption_id,
        shard_id=row.shard_id,
        offer_id=row.offer_id,
        title=Text(row.title_zh, row.title_en),
        points=row.points,
        face_fen=row.face_fen,
        paid_micro_fen=row.paid_micro_fen,
        captured_at=row.captured_at,
        occurred_at=row.occurred_at,
        booked_on=row.booked_on,
        is_offline=row.is_offline,
        reference=row.reference,
        client_id=row.client_id,
        reversed_at=row.reversed_at,
        reason=row.reason,
    )
