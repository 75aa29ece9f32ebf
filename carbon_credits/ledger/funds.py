"""Where points come from: a budget bought at a frozen price, dealt out to the shards as they need it.

Every fund keeps an unallocated rest and one slot a shard, so that shards do not queue for one row.
Lock order: funds ascending; a fund's row before its slots; no slot is held while its fund's row is awaited.
"""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.errors import FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text

# A slot that runs dry fetches this share of what is unallocated on top of its need, so that it seldom asks.
RESERVE_PERCENT = 2
# millionths of a fen in a fen
MICRO = 1_000_000


def create_fund(
    session: Session, code: str, name_zh: str, name_en: str, kind: Literal["general", "campaign"] = "general"
) -> int:
    """A fund without money; returns its number. The code is unique. Nobody buys for a campaign's."""
    return int(
        session.execute(
            text(
                "insert into fund (code, name_zh, name_en, kind) values (:code, :zh, :en, :kind) returning fund_id"
            ),
            {"code": code, "zh": name_zh, "en": name_en, "kind": kind},
        ).scalar_one()
    )


def deposit(session: Session, fund_id: int, points: int, amount_fen: int, approval_id: int) -> None:
    """Buy `points` for `amount_fen` under one approval; the approval's uniqueness makes it once.

    Raises NotFound for an unknown fund, Invalid when the points cost less than what a merchant is paid for them.
    """
    refuse_below_value(session, points, amount_fen)
    book_paid(session, fund_id, points, amount_fen, approval_id)


def book_paid(session: Session, fund_id: int, points: int, amount_fen: int, approval_id: int) -> None:
    """Points whose price was agreed before and whose money is here now; what they are worth by now changes nothing.

    Raises NotFound for an unknown fund.
    """
    found = session.execute(
        text("""
            update fund set budget = budget + :points, unallocated = unallocated + :points
            where fund_id = :fund and kind = 'general' returning fund_id
        """),
        {"fund": fund_id, "points": points},
    ).scalar()
    if found is None:
        raise _unknown(fund_id)
    session.execute(
        text("""
            insert into fund_deposit (fund_id, points, amount_fen, approval_id)
            values (:fund, :points, :fen, :approval)
        """),
        {"fund": fund_id, "points": points, "fen": amount_fen, "approval": approval_id},
    )


def withdraw(session: Session, fund_id: int, points: int, amount_fen: int, approval_id: int) -> bool:
    """Take points out of the unallocated rest for whoever paid `amount_fen` for them; False where it has fewer.

    Points that are in slots or with residents stay: they are, or may be, spent already. Raises NotFound.
    """
    found = session.execute(
        text("""
            update fund set budget = budget - :points, unallocated = unallocated - :points
            where fund_id = :fund and kind = 'general' and unallocated >= :points returning fund_id
        """),
        {"fund": fund_id, "points": points},
    ).scalar()
    if found is None:
        if (
            session.execute(
                text("select 1 from fund where fund_id = :fund and kind = 'general'"), {"fund": fund_id}
            ).scalar()
            is None
        ):
            raise _unknown(fund_id)
        return False
    session.execute(
        text("""
            insert into fund_deposit (fund_id, points, amount_fen, approval_id)
            values (:fund, -:points, -:fen, :approval)
        """),
        {"fund": fund_id, "points": points, "fen": amount_fen, "approval": approval_id},
    )
    return True


def refuse_below_value(session: Session, points: int, amount_fen: int) -> None:
    """Raises Invalid unless `amount_fen` covers the points at the value in force today; before there is one all do."""
    value = session.execute(text("select point_value_on(:day)"), {"day": clock.today()}).scalar()
    if value is None or amount_fen * MICRO >= points * value:
        return
    least = -(-points * value // MICRO)
    told = Text(
        f"按当前积分价值至少需 {least} 分（人民币）", f"at the value in force they cost at least {least} fen"
    )
    detail = Text(
        "低于积分价值，兑付时会不足", "Below the value of a point: it would be short when they are spent"
    )
    raise Invalid("below_point_value", detail, faults=(FieldFault("/amount_fen", "below_point_value", told),))


def take(session: Session, shard_id: int, wanted: Mapping[int, int]) -> dict[int, int]:
    """Take points out of the shard's slots; returns what each fund could give, at most what was wanted.

    A negative number gives points back and is answered as it is. Call it once in a transaction, with all
    funds, so that the lock order holds. Raises NotFound for an unknown fund.
    """
    obtained: dict[int, int] = {}
    for fund_id in sorted(wanted):
        points = wanted[fund_id]
        if points <= 0:
            give_back(session, shard_id, {fund_id: -points})
            obtained[fund_id] = points
        elif _from_own_slot(session, fund_id, shard_id, points):
            obtained[fund_id] = points
        else:
            obtained[fund_id] = _from_anywhere(session, fund_id, shard_id, points)
    return obtained


def give_back(session: Session, shard_id: int, returned: Mapping[int, int]) -> None:
    """Put points back into the shard's slots, funds ascending."""
    for fund_id in sorted(returned):
        if returned[fund_id]:
            session.execute(
                text("""
                    insert into fund_slot as s (fund_id, shard_id, remaining) values (:fund, :shard, :points)
                    on conflict (fund_id, shard_id) do update set remaining = s.remaining + excluded.remaining
                """),
                {"fund": fund_id, "shard": shard_id, "points": returned[fund_id]},
            )


def _from_own_slot(session: Session, fund_id: int, shard_id: int, points: int) -> bool:
    """All of it from the shard's own slot, or nothing: enough is decided by the row itself."""
    row = session.execute(
        text("""
            update fund_slot set remaining = remaining - :points
            where fund_id = :fund and shard_id = :shard and remaining >= :points
            returning remaining
        """),
        {"fund": fund_id, "shard": shard_id, "points": points},
    )
    return row.scalar() is not None


def _from_anywhere(session: Session, fund_id: int, shard_id: int, points: int) -> int:
    """Under the fund's lock: own slot, then the unallocated rest, then the other slots in order."""
    unallocated = session.execute(
        text("select unallocated from fund where fund_id = :fund for no key update"), {"fund": fund_id}
    ).scalar()
    if unallocated is None:
        raise _unknown(fund_id)
    session.execute(
        text("insert into fund_slot values (:fund, :shard, 0) on conflict do nothing"),
        {"fund": fund_id, "shard": shard_id},
    )
    slots = _lock_slots(session, fund_id)
    need = points - slots[shard_id]
    if need > 0:
        slots[shard_id] += _allocate(session, fund_id, unallocated, need)
        _borrow(session, fund_id, shard_id, slots, points)
    obtained = min(points, slots[shard_id])
    _set_slot(session, fund_id, shard_id, slots[shard_id] - obtained)
    return obtained


def _lock_slots(session: Session, fund_id: int) -> dict[int, int]:
    rows = session.execute(
        text("""
            select shard_id, remaining from fund_slot where fund_id = :fund
            order by shard_id for no key update
        """),
        {"fund": fund_id},
    )
    return {int(shard): int(remaining) for shard, remaining in rows}


def _allocate(session: Session, fund_id: int, unallocated: int, need: int) -> int:
    """Move the need and a reserve out of the unallocated rest."""
    moved = min(unallocated, need + unallocated * RESERVE_PERCENT // 100)
    if moved:
        session.execute(
            text("update fund set unallocated = unallocated - :moved where fund_id = :fund"),
            {"fund": fund_id, "moved": moved},
        )
    return moved


def _borrow(session: Session, fund_id: int, shard_id: int, slots: dict[int, int], points: int) -> None:
    """Fetch what still lacks from the other slots, so that nothing is left over while someone waits."""
    for other in sorted(slots):
        lacking = points - slots[shard_id]
        if lacking <= 0:
            return
        if other == shard_id or slots[other] == 0:
            continue
        moved = min(lacking, slots[other])
        slots[other] -= moved
        slots[shard_id] += moved
        _set_slot(session, fund_id, other, slots[other])


def _set_slot(session: Session, fund_id: int, shard_id: int, remaining: int) -> None:
    """Only for a slot that this transaction holds locked."""
    session.execute(
        text("update fund_slot set remaining = :remaining where fund_id = :fund and shard_id = :shard"),
        {"fund": fund_id, "shard": shard_id, "remaining": remaining},
    )


def _unknown(fund_id: int) -> NotFound:
    return NotFound("fund_unknown", Text(f"没有资金池 {fund_id}", f"There is no fund {fund_id}"))
