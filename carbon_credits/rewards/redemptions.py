"""Taking an offer: points held, a code to show, stock and share counted, in one transaction; and giving it all back.

Lock order: wallet, hold, lots, redemption, share, stock, gift, and only then what is inserted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Unavailable
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger import holds
from carbon_credits.ledger.holds import HoldOver, InsufficientPoints
from carbon_credits.rewards import codes, stock
from carbon_credits.rewards.offline import LATE, VOUCHER_LIFE
from carbon_credits.rewards.refusals import refusal
from carbon_credits.rewards.terms import Terms, terms_of

CODE_LIFE: Final = timedelta(minutes=15)
# kinds that a till finds by a code
WITH_CODES: Final = ("voucher", "offline")


@dataclass(frozen=True)
class Redemption:
    """What a resident took, as they are told of it. Points whole, money in fen."""

    id: UUID
    shard_id: int
    offer_id: int
    merchant_id: int
    kind: str
    state: str
    points: int
    face_fen: int
    reserved_at: datetime
    expires_at: datetime
    resolved_at: datetime | None
    merchant: Text
    title: Text
    gift_id: int | None = None

    @property
    def shows_code(self) -> bool:
        """Whether there is still a code to show."""
        return self.state == "reserved" and self.kind in WITH_CODES


def reserve(
    session: Session,
    vault: Vault,
    resident_id: int,
    offer_id: int,
    now: datetime,
    *,
    shown_points: int | None = None,
    offline: bool = False,
) -> Redemption:
    """Hold an offer's points for its merchant: fifteen minutes for a code at the till, seven days for a signed one.

    Raises the refusals of terms_of, `gift_needed`, `not_offline`, `insufficient_points`, `wallet_in_debt`,
    `per_person_reached`, `sold_out`.
    """
    terms = terms_of(session, offer_id, resident_id, now, shown_points, lock=True)
    if terms.kind == "group_gift":
        raise refusal("gift_needed")
    if offline and not terms.offline:
        raise refusal("not_offline")
    kind = "offline" if offline else terms.kind
    ends = now + (VOUCHER_LIFE if offline else CODE_LIFE)
    return set_aside(session, vault, resident_id, terms, kind, ends, ends + LATE if offline else ends)


def set_aside(
    session: Session,
    vault: Vault,
    resident_id: int,
    terms: Terms,
    kind: str,
    ends: datetime,
    held_until: datetime,
    gift_id: int | None = None,
) -> Redemption:
    """Hold the points until `held_until`, count share and stock, write the redemption that ends at `ends`.

    The caller has read the terms with `lock`. Raises Unavailable in the rare case that its short code was given out by
    this merchant before: nothing was done, and another number will have another code.
    """
    hold = _hold(session, resident_id, terms, held_until)
    macs = codes.digests_of(vault, hold.hold_id, terms.merchant_id) if kind in WITH_CODES else ()
    own = {"shard_id": hold.shard_id, "kind": kind, "expires_at": ends, "gift_id": gift_id}
    given = {
        **vars(terms),
        **own,
        "id": hold.hold_id,
        "resident": resident_id,
        "own": stock.own_slot(resident_id),
        "macs": list(macs),
    }
    written = _written(session, given)
    if written.codes != len(macs):
        raise Unavailable("busy", Text("系统繁忙，请稍后重试", "Busy: try again shortly"))
    agreed: dict[str, Any] = {name: getattr(terms, name) for name in _AGREED} | own
    return Redemption(
        id=hold.hold_id, state="reserved", reserved_at=written.reserved_at, resolved_at=None, **agreed
    )


_AGREED: Final = ("offer_id", "merchant_id", "points", "face_fen", "merchant", "title")
# Promises: one more of the share where there is a limit, then one of the resident's own slot (or the one that was taken
# `elsewhere`, the share being counted then), then the redemption and the digests of its codes; each only where the one
# before it was had. A digest that stands already is not counted.
_WRITE = text("""
with counted as (
  insert into offer_share as s (offer_id, resident_id, shard_id, taken, most)
  select :offer_id, :resident, :shard_id, 1, cast(:per_person as smallint)
  where cast(:per_person as smallint) is not null and cast(:elsewhere as smallint) is null
  on conflict (offer_id, resident_id, shard_id) do update set taken = s.taken + 1 where s.taken < s.most
  returning taken
),
took as (
  update offer_stock set left_n = left_n - 1
  where offer_id = :offer_id and slot = :own and left_n > 0 and cast(:elsewhere as smallint) is null
    and (cast(:per_person as smallint) is null or exists (select from counted))
  returning slot
),
made as (
  insert into redemption (redemption_id, resident_id, offer_id, points, face_fen, value_micro_fen, subsidy_fen, purse_id,
                          merchant_id, kind, expires_at, gift_id, shard_id, slot)
  select :id, :resident, :offer_id, :points, :face_fen, :value_micro_fen, :subsidy_fen, cast(:purse_id as int),
         :merchant_id, :kind, :expires_at, cast(:gift_id as bigint), :shard_id, slot
  from (select slot from took union all
        select cast(:elsewhere as smallint) where cast(:elsewhere as smallint) is not null) s
  returning redemption_id, merchant_id, shard_id, reserved_at
),
found_by as (
  insert into redemption_code (code_mac, redemption_id, merchant_id, shard_id, is_short)
  select mac, redemption_id, merchant_id, shard_id, place = 2
  from made cross join unnest(cast(:macs as bytea[])) with ordinality as m (mac, place)
  on conflict do nothing returning code_mac
)
select reserved_at, (select count(*) from found_by) as codes, exists (select from counted) as counted
from (select 1) one left join made on true
""")


def _written(session: Session, given: Mapping[str, Any]) -> Row[tuple[object, ...]]:
    """Share, stock and redemption in one statement; in two more where the resident's own slot is empty."""
    written = session.execute(_WRITE, {**given, "elsewhere": None}).one()
    if written.reserved_at is not None:
        return written
    if given["per_person"] is not None and not written.counted:
        raise refusal("per_person_reached")
    slot = stock.take_elsewhere(session, given["offer_id"], given["resident"])
    return session.execute(_WRITE, {**given, "elsewhere": slot}).one()


def _hold(session: Session, resident_id: int, terms: Terms, until: datetime) -> holds.Reserved:
    try:
        return holds.reserve_locked(
            session, resident_id, terms.points, terms.merchant_id, until, clock.today()
        )
    except InsufficientPoints as error:
        owed = session.execute(
            text("select debt from wallet where resident_id = :resident and shard_id = :shard"),
            {"resident": resident_id, "shard": shard_of(resident_id)},
        ).scalar()
        raise refusal("wallet_in_debt" if owed else "insufficient_points") from error


def cancel(session: Session, resident_id: int, redemption_id: UUID, today: date) -> Redemption:
    """Give a redemption up before it is used: exactly its lots, its stock and its share come back.

    Raises `redemption_unknown`, `redemption_over`, `offline_not_cancelled`, and `gift_over` for a pledge whose gift
    is complete.
    """
    known = one_of(session, resident_id, redemption_id)
    if known.kind == "offline":
        raise refusal("offline_not_cancelled")
    try:
        holds.void(session, redemption_id, known.shard_id, today)
    except HoldOver as error:
        raise refusal("redemption_over") from error
    end(session, [redemption_id], "cancelled")
    if known.gift_id is not None:
        _leave_gift(session, known.gift_id, known.points)
    return one_of(session, resident_id, redemption_id)


def _leave_gift(session: Session, gift_id: int, points: int) -> None:
    left = session.execute(
        text("""
            update gift set pledged = pledged - :points where gift_id = :gift and state = 'open' returning gift_id
        """),
        {"gift": gift_id, "points": points},
    ).scalar()
    if left is None:
        raise refusal("gift_over")


def end(session: Session, redemption_ids: Sequence[UUID], state: str) -> int:
    """Say of redemptions whose holds have just been released that they are over, and put back what they took.

    The caller holds their wallets. Returns how many were still open.
    """
    ended = session.execute(
        text("""
            update redemption set state = :state, resolved_at = clock_timestamp()
            where redemption_id = any(cast(:ids as uuid[])) and state = 'reserved'
            returning offer_id, resident_id, shard_id, slot
        """),
        {"ids": list(redemption_ids), "state": state},
    ).all()
    stock.put_back(session, ended)
    return len(ended)


def lapse_due(session: Session, today: date, limit: int) -> int:
    """Release up to `limit` holds whose time is up, with what was taken along; 0 when none is left."""
    lapsed = holds.lapse_due(session, today, limit)
    end(session, lapsed, "lapsed")
    return len(lapsed)


_COLUMNS = """
select r.redemption_id, r.shard_id, r.offer_id, r.merchant_id, r.kind, r.state, r.points, r.face_fen, r.reserved_at,
       r.expires_at, r.resolved_at, r.gift_id, m.name_zh, m.name_en, o.title_zh, o.title_en
from redemption r join offer o using (offer_id) join merchant m on m.merchant_id = r.merchant_id
"""
_ONE = text(f"{_COLUMNS} where r.resident_id = :resident and r.shard_id = :shard and r.redemption_id = :id")
_MINE = text(f"""{_COLUMNS} where r.resident_id = :resident and r.shard_id = :shard
  and (cast(:at as timestamptz) is null or (r.reserved_at, r.redemption_id) < (:at, cast(:id as uuid)))
order by r.reserved_at desc, r.redemption_id desc limit :limit""")


def one_of(session: Session, resident_id: int, redemption_id: UUID) -> Redemption:
    """One redemption of this resident; raises `redemption_unknown`."""
    given = {"resident": resident_id, "shard": shard_of(resident_id), "id": redemption_id}
    row = session.execute(_ONE, given).one_or_none()
    if row is None:
        raise refusal("redemption_unknown")
    return _view(row)


def redemptions_of(
    session: Session, resident_id: int, before: tuple[datetime, UUID] | None, limit: int
) -> list[Redemption]:
    """A resident's redemptions, newest first; `before` is the moment and number of the last one seen."""
    at, number = before or (None, None)
    given = {"resident": resident_id, "shard": shard_of(resident_id), "at": at, "id": number, "limit": limit}
    return [_view(row) for row in session.execute(_MINE, given)]


def _view(row: Row[tuple[object, ...]]) -> Redemption:
    return Redemption(
        id=row.redemption_id,
        shard_id=row.shard_id,
        offer_id=row.offer_id,
        merchant_id=row.merchant_id,
        kind=row.kind,
        state=row.state,
        points=row.points,
        face_fen=row.face_fen,
        reserved_at=row.reserved_at,
        expires_at=row.expires_at,
        resolved_at=row.resolved_at,
        merchant=Text(row.name_zh, row.name_en),
        title=Text(row.title_zh, row.title_en),
        gift_id=row.gift_id,
    )
