"""What a code is good for at a till, before it is taken: judged by its row, its time and its merchant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import Keyring
from carbon_credits.rewards import codes, offline
from carbon_credits.rewards.refusals import refusal

# what a redemption that is no longer open says of its code
OVER: Final = {
    "captured": "code_used",
    "reversed": "code_used",
    "cancelled": "code_expired",
    "lapsed": "code_expired",
}
# a merchant that leaves honours what is out
HONOURED: Final = ("active", "closing")


@dataclass(frozen=True)
class Till:
    """Who takes a code: a client of a merchant."""

    merchant_id: int
    client_id: str


@dataclass(frozen=True)
class Shown:
    """What a till is told of a code that it may take. Points whole, money in fen, `paid_micro_fen` in millionths."""

    redemption_id: UUID
    shard_id: int
    offer_id: int
    merchant_id: int
    kind: str
    title: Text
    points: int
    face_fen: int
    subsidy_fen: int
    purse_id: int | None
    paid_micro_fen: int
    reserved_at: datetime
    expires_at: datetime
    member_id: int | None = None
    # whose wallet this transaction has locked, where it has
    locked_id: int | None = None


def look(
    session: Session,
    vault: Vault,
    keyring: Keyring,
    till: Till,
    code: str,
    now: datetime,
    occurred_at: datetime | None = None,
    *,
    lock: bool = False,
) -> Shown:
    """What a code is good for at this till, taking nothing.

    With `lock` the wallet behind an open code of this merchant is locked on the way, for whoever goes on to take it.
    Raises `too_many_wrong_codes`, `code_unknown`, `code_of_another_merchant`, `merchant_suspended`, `no_shift`,
    `code_used`, `code_expired`, `occurred_at_not_fitting`.
    """
    typed = offline.code_within(session, keyring, code) if offline.is_signed(code) else code
    if codes.is_guess(typed):
        codes.check_guesses(session, till.client_id, now)
    mac = codes.digest_of(vault, typed, till.merchant_id)
    given = {"mac": mac, "client": till.client_id, "merchant": till.merchant_id}
    row = session.execute(_LOCKED if lock else _FOUND, given).one_or_none()
    if row is None:
        raise refusal("code_unknown")
    if row.merchant_id != till.merchant_id:
        raise refusal("code_of_another_merchant")
    if row.merchant_state not in HONOURED:
        raise refusal("merchant_suspended")
    if row.client_kind == "till" and row.member_id is None:
        raise refusal("no_shift")
    if row.state in OVER:
        raise refusal(OVER[row.state])
    _check_time(row, now, occurred_at)
    return _shown(row)


def shown_of(session: Session, redemption_id: UUID, shard_id: int) -> Shown:
    """What stands in a redemption that needs no till."""
    return _shown(session.execute(_SHOWN, {"id": redemption_id, "shard": shard_id, "client": None}).one())


_COLUMNS = """
select {locked} as locked_id, r.redemption_id, r.shard_id, r.offer_id, r.merchant_id, r.kind, r.state, r.points,
       r.face_fen, r.subsidy_fen, r.purse_id, r.reserved_at, r.expires_at, o.title_zh, o.title_en,
       r.points * r.value_micro_fen + r.subsidy_fen * 1000000 as paid_micro_fen,
       m.state as merchant_state, c.kind as client_kind,
       (select member_id from till_shift s where s.client_id = :client and s.ended_at is null) as member_id
from redemption r join offer o using (offer_id) join merchant m on m.merchant_id = r.merchant_id
left join merchant_client c on c.client_id = :client
"""
_BY_CODE = "join redemption_code k on k.redemption_id = r.redemption_id and k.shard_id = r.shard_id"
_UNLOCKED = _COLUMNS.format(locked="null::bigint")
_SHOWN = text(f"{_UNLOCKED} where r.redemption_id = :id and r.shard_id = :shard")
_FOUND = text(f"{_UNLOCKED} {_BY_CODE} where k.code_mac = :mac")
# What the row says may be what it said before we waited for the lock: who takes the code is decided by a later statement.
_LOCKED = text(f"""
with mine as materialized (
  select w.resident_id from redemption r {_BY_CODE}
  join wallet w on w.resident_id = r.resident_id and w.shard_id = r.shard_id
  where k.code_mac = :mac and k.merchant_id = :merchant and r.state = 'reserved'
  for no key update of w
)
{_COLUMNS.format(locked="mine.resident_id")} {_BY_CODE} left join mine on true where k.code_mac = :mac
""")  # noqa: S608 - made of constants


def _check_time(row: Row[tuple[object, ...]], now: datetime, occurred_at: datetime | None) -> None:
    """A plain code counts now; one for tills that are offline counts when the till took it."""
    if row.kind == "offline" and occurred_at is not None:
        if not offline.fits(occurred_at, row.reserved_at, row.expires_at, now):
            raise refusal("occurred_at_not_fitting")
    elif now >= row.expires_at:
        raise refusal("code_expired")
    elif occurred_at is not None and not offline.fits(occurred_at, row.reserved_at, row.expires_at, now):
        raise refusal("occurred_at_not_fitting")


def _shown(row: Row[tuple[object, ...]]) -> Shown:
    return Shown(
        redemption_id=row.redemption_id,
        shard_id=row.shard_id,
        offer_id=row.offer_id,
        merchant_id=row.merchant_id,
        kind=row.kind,
        title=Text(row.title_zh, row.title_en),
        points=row.points,
        face_fen=row.face_fen,
        subsidy_fen=row.subsidy_fen,
        purse_id=row.purse_id,
        paid_micro_fen=row.paid_micro_fen,
        reserved_at=row.reserved_at,
        expires_at=row.expires_at,
        member_id=row.member_id,
        locked_id=row.locked_id,
    )
