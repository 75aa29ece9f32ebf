"""Central and conservative grams from the database: one pass of sums for each release, the bound from the sums.

Needed of each credit: its newest figure, the share of it that the caps let count, and its monitored numbers, out of which
the derivative of its release's formula by each uncertain parameter is made, all in the same statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.batch import monitored_column
from carbon_credits.methodologies.bounds import RULES, Bound, Sensitivity, Uncertain, bound, sensitivities
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.methodologies.readings import sql

POOLS = {"v": "verified", "c": "claimed", "r": "removal"}
_RELEASES = text("select release_id, methodology, code, document from formula_release order by release_id")
# Grams counted whole weigh 1; a capped credit weighs what counted of it.
_SUMS = """
select pool, count(*) as acts, sum(mg)::bigint as mg{sums}
from (
  select d.pool, coalesce(r.new_mg, d.credited_mg) as mg, a.monitored, a.occurred_from, a.occurred_to,
         case when {quantity} <> d.counted then d.counted::numeric else 1 end as counted,
         case when {quantity} <> d.counted then {quantity} else 1 end as whole
  from decision d
  join activity a using (resident_id, occurred_on, activity_id)
  left join lateral (
    select new_mg, to_release from restated r
    where r.resident_id = d.resident_id and r.activity_id = d.activity_id and r.generation = d.generation
    order by restatement_id desc limit 1
  ) r on true
  where d.methodology = {number} and d.state = 'credited' and d.occurred_on between :since and :until
    and coalesce(r.to_release, d.release_id) = {release}
) credit
group by pool
"""


@dataclass(frozen=True)
class Bounded:
    """One line: a methodology's credits of one pool, or of everything in a pool (`code` empty)."""

    code: str
    pool: str
    acts: int
    bound: Bound


@dataclass(frozen=True)
class _Part:
    code: str
    pool: str
    acts: int
    mg: int
    moved: tuple[Uncertain, ...]


def bounds(session: Session, since: date, until: date) -> list[Bounded]:
    """Per methodology and pool, then per pool in all: groups of factors err together over everything summed."""
    session.execute(text("select set_config('statement_timeout', '0', true), set_config('jit', 'off', true)"))
    parts = [
        part
        for release in session.execute(_RELEASES).mappings()
        for part in _parts(session, release, since, until)
    ]
    lines = [_line(code, pool, [p for p in parts if (p.code, p.pool) == (code, pool)])
             for code, pool in sorted({(p.code, p.pool) for p in parts})]  # fmt: skip
    return lines + [
        _line("", pool, [p for p in parts if p.pool == pool]) for pool in sorted({p.pool for p in parts})
    ]


def _line(code: str, pool: str, parts: list[_Part]) -> Bounded:
    rule = RULES["removal" if pool == "removal" else "avoided"]
    moved = (uncertain for part in parts for uncertain in part.moved)
    return Bounded(code, pool, sum(p.acts for p in parts), bound(sum(p.mg for p in parts), moved, rule))


def _parts(session: Session, release: RowMapping, since: date, until: date) -> Iterable[_Part]:
    formula, moving = sensitivities(bytes(release["document"]))
    worth = sql(formula, monitored_column)
    sums = "".join(
        f", sum(case when mg > 0 and {worth} > 0 then {sql(s.moves, monitored_column)} * counted / whole else 0 end)"
        f" as e{n}"
        for n, s in enumerate(moving)
    )
    number = release["methodology"]
    counted = BY_NUMBER[number][-1].cap_quantity if number in BY_NUMBER else None
    quantity = "null::numeric" if counted is None else monitored_column(counted)
    asked = _SUMS.format(sums=sums, quantity=quantity, number=number, release=release["release_id"])
    for row in session.execute(text(asked), {"since": since, "until": until}).mappings():
        yield _Part(release["code"], POOLS[row["pool"]], row["acts"], row["mg"], _moved(row, moving))


def _moved(row: RowMapping, moving: tuple[Sensitivity, ...]) -> tuple[Uncertain, ...]:
    """Sums as whole milligrams, rounded away from zero."""
    sums = [Decimal(row[f"e{n}"]) for n in range(len(moving))]
    whole = [
        int(e.to_integral_value(ROUND_CEILING)) if e > 0 else -int((-e).to_integral_value(ROUND_CEILING))
        for e in sums
    ]
    return tuple(Uncertain(mg, s.half_width, s.group) for mg, s in zip(whole, moving, strict=True))
