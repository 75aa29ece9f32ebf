"""The one way a journal is written outside the crediting batch: lines become a journal and its postings.

A line names the pockets it moves; its points are their sum, so wallet and posting cannot disagree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting_hash import JOURNAL_HASH


@dataclass(frozen=True)
class Line:
    """One posting to be: what moves in which pocket of a wallet, and against what.

    Points and milligrams, signed as the resident sees them; a positive `debt` is more debt.
    """

    resident_id: int
    contra_kind: ContraKind
    contra_ref: int
    effective_on: date
    available: int = 0
    held: int = 0
    pending: int = 0
    debt: int = 0
    verified_mg: int = 0
    claimed_mg: int = 0
    removal_mg: int = 0
    activity_id: int | None = None
    generation: int = 0
    lot_on: date | None = None


_TYPES = {
    "contra_kind": "smallint",
    "contra_ref": "int",
    "effective_on": "date",
    "generation": "smallint",
    "lot_on": "date",
}
COLUMNS = tuple(field.name for field in fields(Line))
_ARRAYS = ", ".join(f"cast(:line_{name} as {_TYPES.get(name, 'bigint')}[])" for name in COLUMNS)

# Promises: wallet_seq without a gap, balance_after the running sum, the hash over exactly these lines.
_POST = f"""
line as materialized (
  select o.*,
         available + held + pending - debt as points,
         row_number() over (order by resident_id, place)::int as line,
         row_number() over mine::int as nth,
         (sum(available + held + pending - debt) over mine)::bigint as run
  from ordered o
  window mine as (partition by resident_id order by place rows unbounded preceding)
),
moved as (
  update wallet w
  set available = w.available + s.available, held = w.held + s.held,
      pending = w.pending + s.pending, debt = w.debt + s.debt,
      verified_mg = w.verified_mg + s.verified_mg, claimed_mg = w.claimed_mg + s.claimed_mg,
      removal_mg = w.removal_mg + s.removal_mg, seq = w.seq + s.n
  from (
    select resident_id, count(*)::int as n,
           sum(available)::bigint as available, sum(held)::bigint as held,
           sum(pending)::bigint as pending, sum(debt)::bigint as debt,
           sum(verified_mg)::bigint as verified_mg, sum(claimed_mg)::bigint as claimed_mg,
           sum(removal_mg)::bigint as removal_mg
    from line group by resident_id
  ) s
  where w.resident_id = s.resident_id and w.shard_id = :shard
  returning w.resident_id, old.seq as seq_before,
            old.available + old.held + old.pending - old.debt as balance_before
),
numbered as materialized (
  select line.*, seq_before + nth as wallet_seq, balance_before + run as balance_after
  from line join moved using (resident_id)
),
written as (
  insert into journal (kind, shard_id, cause, reverses, n,
                       points_sum, verified_sum, claimed_sum, removal_sum, content_hash)
  select :kind, :shard, :cause, cast(:reverses as bigint), count(*),
         sum(points), sum(verified_mg), sum(claimed_mg), sum(removal_mg), {JOURNAL_HASH}
  from numbered having count(*) > 0
  returning journal_id
),
posted as (
  insert into posting (journal_id, line, booked_on, shard_id, resident_id, wallet_seq, balance_after,
                       contra_kind, contra_ref, points, verified_mg, claimed_mg, removal_mg,
                       activity_id, generation, lot_on, effective_on)
  select journal_id, line, :booked_on, :shard, resident_id, wallet_seq, balance_after,
         contra_kind, contra_ref, points, verified_mg, claimed_mg, removal_mg,
         activity_id, generation, lot_on, effective_on
  from numbered cross join written order by line
  returning line
),
"""  # noqa: S608 - made of constants
_NOTHING_MORE = "resolved as (select where false)"
_TOLD = """
select (select journal_id from written), (select count(*) from line), (select count(*) from posted),
       (select count(*) from resolved)
"""

_NAMES = ", ".join(COLUMNS)
_GIVEN = f"ordered as (select * from unnest({_ARRAYS}) with ordinality as l({_NAMES}, place)),"  # noqa: S608 - constants


@dataclass(frozen=True)
class Posted:
    """What was written: the journal, if there was anything to write, how many postings, and how many rows it resolved."""

    journal_id: int | None
    n: int
    resolved: int = 0


def post(
    session: Session,
    kind: JournalKind,
    shard_id: int,
    booked_on: date,
    lines: Sequence[Line],
    cause: str | None = None,
) -> Posted:
    """Write these lines of one shard as one journal. The caller holds the wallets.

    Raises InvariantBroken when a resident has no wallet.
    """
    if not lines:
        return Posted(None, 0)
    given = {f"line_{name}": [getattr(line, name) for line in lines] for name in COLUMNS}
    return _write(session, _GIVEN, _NOTHING_MORE, given, kind, shard_id, booked_on, cause)


def post_selected(
    session: Session,
    ctes: str,
    parameters: Mapping[str, Any],
    kind: JournalKind,
    shard_id: int,
    booked_on: date,
    reverses: int | None = None,
    resolved: str = _NOTHING_MORE,
) -> Posted:
    """Write as one journal whatever the CTE `ordered` yields: the columns of Line, and `place` to order by.

    `ctes` is a constant of the calling module and ends in a comma; the caller holds the wallets. `reverses` is the
    journal that this one undoes; `resolved`, a constant too, is a CTE of that name that writes on the strength of
    `written`, the journal. Raises InvariantBroken when a resident has no wallet.
    """
    given = {**parameters, "reverses": reverses}
    return _write(session, ctes, resolved, given, kind, shard_id, booked_on, None)


@cache
def _statement(ctes: str, resolved: str) -> TextClause:
    """Made once for each caller's constant: reading it for its parameters costs more than sending it."""
    return text(f"with {ctes} {_POST} {resolved} {_TOLD}")


def _write(
    session: Session,
    ctes: str,
    resolved: str,
    parameters: Mapping[str, Any],
    kind: JournalKind,
    shard_id: int,
    booked_on: date,
    cause: str | None,
) -> Posted:
    journal_id, wanted, written, closed = session.execute(
        _statement(ctes, resolved),
        {
            "reverses": None,
            **parameters,
            "kind": int(kind),
            "shard": shard_id,
            "booked_on": booked_on,
            "cause": cause,
        },
    ).one()
    if wanted != written:
        raise InvariantBroken(f"{wanted} lines, {written} postings: a resident without a wallet")
    return Posted(journal_id, int(written), int(closed))
