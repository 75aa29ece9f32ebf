"""A resident's month in the books: what was booked in it, from which balance to which, act by act.

A statement is of the postings booked in its month up to one of them, which it names: whoever looks at it later sees the
same, though the month was not over or something was booked since. Its digest covers every figure, in no language.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.activities.origins import methodologies_of
from carbon_credits.core.errors import Conflict, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.models import ContraKind

MOST_LINES: Final = 3_000
POOLS: Final = ("verified_mg", "claimed_mg", "removal_mg")
NO_STATEMENT: Final = Text("没有这个月份的对账单", "There is no statement of this month")
# a posting that moves points counts in one of these
HEADS: Final[Mapping[ContraKind, str]] = {
    ContraKind.GRANT: "earned",
    ContraKind.BONUS: "earned",
    ContraKind.CLAWBACK: "taken_back",
    ContraKind.MERCHANT: "spent",
    ContraKind.BREAKAGE: "lapsed",
    ContraKind.WRITE_OFF: "adjusted",
    ContraKind.ADJUSTMENT: "adjusted",
}

# What the wallet holds now less what was booked after the statement's last posting is what it held then.
_CLOSING = text("""
select least(w.seq, coalesce(cast(:upto as int), w.seq)) as upto,
       w.available + w.held + w.pending - w.debt - coalesce(sum(p.points), 0) as points,
       w.verified_mg - coalesce(sum(p.verified_mg), 0) as verified_mg,
       w.claimed_mg - coalesce(sum(p.claimed_mg), 0) as claimed_mg,
       w.removal_mg - coalesce(sum(p.removal_mg), 0) as removal_mg
from wallet w
left join posting p on p.resident_id = w.resident_id and p.shard_id = w.shard_id and p.booked_on >= :first
                   and (p.booked_on >= :after or p.wallet_seq > coalesce(cast(:upto as int), w.seq))
where w.resident_id = :resident and w.shard_id = :shard
group by w.resident_id, w.shard_id
""")
_LINES = text("""
select wallet_seq as seq, booked_on, effective_on, contra_kind, points, verified_mg, claimed_mg, removal_mg,
       balance_after, activity_id
from posting
where resident_id = :resident and shard_id = :shard and booked_on >= :first and booked_on < :after and wallet_seq <= :upto
order by wallet_seq limit :most
""")


@dataclass(frozen=True)
class Line:
    """One posting; `act` and `methodology` where it is an act's."""

    seq: int
    booked_on: date
    effective_on: date
    kind: str
    act: str | None
    methodology: str | None
    points: int
    verified_mg: int
    claimed_mg: int
    removal_mg: int
    balance_after: int


@dataclass(frozen=True)
class Balance:
    """Points of all pockets less debt, and milligrams by pool."""

    points: int
    verified_mg: int
    claimed_mg: int
    removal_mg: int


@dataclass(frozen=True)
class Statement:
    """A month: opening and closing balance, points by head, milligrams by methodology (None: no act's), each posting.

    `upto` is the number of the last posting it knows of; `is_over` whether nothing more can be booked in the month.
    """

    month: date
    upto: int
    is_over: bool
    opening: Balance
    closing: Balance
    points: Mapping[str, int]
    grams: Mapping[str | None, Balance]
    lines: tuple[Line, ...]

    @property
    def last_day(self) -> date:
        """The last day of the month."""
        return _after(self.month) - timedelta(days=1)

    @property
    def digest(self) -> str:
        """SHA-256 over every figure, 64 hexadecimal digits."""
        told = [self.month, self.upto, self.opening.__dict__, self.closing.__dict__]
        told.append([line.__dict__ for line in self.lines])
        return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def statement(
    session: Session, resident_id: int, month: date, today: date, upto: int | None = None
) -> Statement:
    """A month's statement, as it was when `upto` was the newest posting; as it is now without it.

    Raises NotFound for a month to come or without a wallet, Conflict for more postings than a paper can hold.
    """
    if month > today:
        raise NotFound("statement_unknown", NO_STATEMENT)
    asked = {"resident": resident_id, "shard": shard_of(resident_id), "first": month, "after": _after(month)}
    closing = session.execute(_CLOSING, {**asked, "upto": upto}).mappings().one_or_none()
    if closing is None:
        raise NotFound("statement_unknown", NO_STATEMENT)
    limits = {"upto": closing["upto"], "most": MOST_LINES + 1}
    rows = session.execute(_LINES, {**asked, **limits}).mappings().all()
    if len(rows) > MOST_LINES:
        said = Text("明细过多，请按接口逐页查看", "Too many postings for a paper: read them page by page")
        raise Conflict("statement_too_long", said)
    lines = _lines(session, resident_id, rows)
    ends = Balance(int(closing["points"]), *(int(closing[pool]) for pool in POOLS))
    return Statement(
        month=month,
        upto=closing["upto"],
        is_over=_after(month) <= today,
        opening=_before(ends, lines),
        closing=ends,
        points=_by_head(lines),
        grams=_by_methodology(lines),
        lines=lines,
    )


def month_of(written: str) -> date:
    """The first day of a month written `2026-11`. Raises NotFound for anything else."""
    try:
        year, month = written.split("-")
        if len(year) == 4 and len(month) == 2 and (year + month).isascii() and (year + month).isdigit():
            return date(int(year), int(month), 1)
    except ValueError:
        pass
    raise NotFound("statement_unknown", NO_STATEMENT)


def _after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _lines(session: Session, resident_id: int, rows: Sequence[RowMapping]) -> tuple[Line, ...]:
    acts = {(row["effective_on"], row["activity_id"]) for row in rows if row["activity_id"] is not None}
    codes = methodologies_of(session, resident_id, sorted(acts))
    return tuple(_line(row, codes) for row in rows)


def _line(row: RowMapping, codes: Mapping[tuple[date, int], str]) -> Line:
    told: dict[str, Any] = dict(row)
    number, day = told.pop("activity_id"), told["effective_on"]
    kind = ContraKind(told.pop("contra_kind")).name.lower()
    act = None if number is None else public_id(day, number)
    return Line(**told, kind=kind, act=act, methodology=None if number is None else codes.get((day, number)))


def _before(ends: Balance, lines: Sequence[Line]) -> Balance:
    moved = {
        pool: getattr(ends, pool) - sum(getattr(line, pool) for line in lines) for pool in ("points", *POOLS)
    }
    return Balance(**moved)


def _by_head(lines: Sequence[Line]) -> dict[str, int]:
    heads: Counter[str] = Counter(dict.fromkeys(dict.fromkeys(HEADS.values()), 0))
    for line in lines:
        heads[HEADS[ContraKind[line.kind.upper()]]] += line.points
    return dict(heads)


def _by_methodology(lines: Sequence[Line]) -> dict[str | None, Balance]:
    sums: dict[str | None, Counter[str]] = {}
    for line in lines:
        if any(getattr(line, pool) for pool in POOLS):
            of = sums.setdefault(line.methodology, Counter())
            for name in ("points", *POOLS):
                of[name] += getattr(line, name)
    ordered = sorted(sums.items(), key=lambda item: (item[0] is None, item[0] or ""))
    return {code: Balance(of["points"], *(of[pool] for pool in POOLS)) for code, of in ordered}
