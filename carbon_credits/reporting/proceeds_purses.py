"""Whose money a top-up was: fen of a purse, traced as points of funds are, the oldest first.

What is reserved takes the oldest that is free, what is spent the oldest that is reserved, and what comes undone goes
back the way it came. What is returned must be its payer's: where it is in use, the use changes places with other money.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

_ENTRIES: Final = text("""
select e.purse_id, e.kind, e.amount_fen,
       case when e.cause like 'approval:%' then split_part(e.cause, ':', 2)::bigint
            when e.cause like 'funding:%' then f.approval_id
            when e.cause like 'refund:%' then rf.approval_id end as money
from purse_entry e
left join funding f on e.cause = 'funding:' || f.funding_id
left join funding_refund r on e.cause = 'refund:' || r.refund_id
left join funding rf on rf.funding_id = r.funding_id
where (e.at at time zone 'Asia/Shanghai')::date <= :until
order by e.purse_id, e.entry_id
""")


@dataclass(frozen=True)
class Entry:
    """One movement of a purse; `money` is named where money comes in or goes back."""

    purse: int
    kind: str
    fen: int
    money: int | None = None


@dataclass(frozen=True)
class TopUp:
    """What became of one payment into a purse, in fen: received less returned is spent, reserved and free together."""

    money: int
    received: int = 0
    returned: int = 0
    reserved: int = 0
    spent: int = 0

    @property
    def free(self) -> int:
        """Fen neither reserved nor spent."""
        return self.received - self.returned - self.reserved - self.spent


def top_ups(session: Session, until: date) -> list[TopUp]:
    """Every payment into a purse through a day, and what became of it."""
    rows = session.execute(_ENTRIES, {"until": until})
    return trace(Entry(row.purse_id, row.kind, row.amount_fen, row.money) for row in rows)


def trace(entries: Iterable[Entry]) -> list[TopUp]:
    """Follow movements in their order. Raises ValueError where one takes what is not there."""
    purses: dict[int, list[TopUp]] = {}
    for entry in entries:
        purses[entry.purse] = _moved(purses.get(entry.purse, []), entry)
    return [paid for purse in sorted(purses) for paid in purses[purse]]


def _moved(paid: list[TopUp], entry: Entry) -> list[TopUp]:
    match entry.kind:
        case "paid_in":
            assert entry.money is not None
            return [*paid, TopUp(entry.money, received=entry.fen)]
        case "reserved":
            return _along(paid, entry.fen, [one.free for one in paid], {"reserved": 1})
        case "released":
            return _back(paid, entry.fen, [one.reserved for one in paid], {"reserved": -1})
        case "spent":
            return _along(paid, entry.fen, [one.reserved for one in paid], {"reserved": -1, "spent": 1})
        case "returned":
            return _back(paid, entry.fen, [one.spent for one in paid], {"reserved": 1, "spent": -1})
        case "refunded":
            return _returned(paid, entry)
        case "refund_failed":
            return [
                replace(one, returned=one.returned - entry.fen) if one.money == entry.money else one
                for one in paid
            ]
        case _:
            raise ValueError(f"an entry of a purse is {entry.kind}")


def _along(paid: Sequence[TopUp], fen: int, rooms: Sequence[int], change: dict[str, int]) -> list[TopUp]:
    """The oldest first."""
    found = []
    for one, room in zip(paid, rooms, strict=True):
        some = min(max(room, 0), fen)
        fen -= some
        found.append(
            replace(one, **{name: getattr(one, name) + sign * some for name, sign in change.items()})
        )
    if fen:
        raise ValueError(f"{fen} fen moved that are not there")
    return found


def _back(paid: Sequence[TopUp], fen: int, rooms: Sequence[int], change: dict[str, int]) -> list[TopUp]:
    """The newest first."""
    return _along(paid[::-1], fen, rooms[::-1], change)[::-1]


def _returned(paid: list[TopUp], entry: Entry) -> list[TopUp]:
    own = next(one for one in paid if one.money == entry.money)
    kept = [one for one in paid if one is not own]
    for name in ("reserved", "spent"):
        in_use = min(max(entry.fen - own.free, 0), getattr(own, name))
        kept = _along(kept, in_use, [one.free for one in kept], {name: 1})
        own = replace(own, **{name: getattr(own, name) - in_use})
    own = replace(own, returned=own.returned + entry.fen)
    return [own if one.money == own.money else next(k for k in kept if k.money == one.money) for one in paid]
