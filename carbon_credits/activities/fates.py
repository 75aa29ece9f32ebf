"""What has become of acts, counted: by methodology, class, state and reasons, with grams and points."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import parse_public_id
from carbon_credits.activities.ready import record_key
from carbon_credits.methodologies.catalogue import BY_NUMBER

_CHUNK: Final = 5_000

_OF_RECORDS = """
select resident_id, occurred_on, activity_id from act_key where source_id = :source and ext_key = any(:keys)
"""
_OF_NUMBERS = """
select resident_id, occurred_on, activity_id from activity
where activity_id = any(:numbers) and occurred_on between :first and :last
"""
# The newest decision of each act, unless it is on the work list (again).
_FATES = """
select a.methodology, a.evidence_class, d.pool, d.reasons,
       case when q.activity_id is null then coalesce(d.state, 'claimed') else 'claimed' end as state,
       coalesce(d.credited_mg, 0) as mg, coalesce(d.points + d.bonus, 0) as points,
       d.decided_at - a.told_at as waited
from asked k
join activity a
  on a.resident_id = k.resident_id and a.occurred_on = k.occurred_on and a.activity_id = k.activity_id
left join activity_queue q
  on q.shard_id = a.shard_id and q.resident_id = a.resident_id
  and q.occurred_on = a.occurred_on and q.activity_id = a.activity_id
left join lateral (
  select * from decision d
  where d.resident_id = a.resident_id and d.occurred_on = a.occurred_on and d.activity_id = a.activity_id
  order by d.generation desc limit 1
) d on true
"""
_COUNTED = """
select methodology, evidence_class, pool, state, reasons, count(*), sum(mg), sum(points)
from fate group by 1, 2, 3, 4, 5
"""
_WAITED = """
select percentile_disc(0.5) within group (order by waited), max(waited) from fate where state = 'credited'
"""
_QUEUED = """
select count(*) from asked k join activity_queue q
  on q.shard_id = (k.resident_id - 1) / 16384 and q.resident_id = k.resident_id
  and q.occurred_on = k.occurred_on and q.activity_id = k.activity_id
"""


def _query(asked: str, question: str) -> TextClause:
    fate = "" if question is _QUEUED else f", fate as ({_FATES})"
    return text(f"with asked as ({asked}){fate} {question}")


FATES_OF_RECORDS: Final = _query(_OF_RECORDS, _COUNTED)
FATES_OF_NUMBERS: Final = _query(_OF_NUMBERS, _COUNTED)
WAITED_OF_NUMBERS: Final = _query(_OF_NUMBERS, _WAITED)
QUEUED_OF_RECORDS: Final = _query(_OF_RECORDS, _QUEUED)
QUEUED_OF_NUMBERS: Final = _query(_OF_NUMBERS, _QUEUED)


@dataclass(frozen=True)
class Fate:
    """So many acts that ended alike. `pool` is where the grams went: v(erified), c(laimed), r(emoval)."""

    methodology: str
    evidence_class: str
    pool: str | None
    state: str
    reasons: tuple[str, ...]
    acts: int
    reduction_mg: int
    points: int


def fates_of_records(session: Session, source_id: int, record_ids: Iterable[str]) -> list[Fate]:
    """The acts that records of a source became; records that are no act are not counted."""
    chunks = _keys(source_id, record_ids)
    return merged(_fate(*row) for given in chunks for row in session.execute(FATES_OF_RECORDS, given))


def fates_of_acts(session: Session, names: Collection[str]) -> list[Fate]:
    """What became of acts, by their public names."""
    if not names:
        return []
    return merged(_fate(*row) for row in session.execute(FATES_OF_NUMBERS, _numbers(names)))


def undecided_records(session: Session, source_id: int, record_ids: Iterable[str]) -> int:
    """How many acts of these records still wait for their decision."""
    chunks = _keys(source_id, record_ids)
    return sum(session.execute(QUEUED_OF_RECORDS, given).scalar_one() for given in chunks)


def undecided_acts(session: Session, names: Collection[str]) -> int:
    """How many of these acts still wait for their decision."""
    return 0 if not names else session.execute(QUEUED_OF_NUMBERS, _numbers(names)).scalar_one()


def waits_of_acts(session: Session, names: Collection[str]) -> tuple[timedelta, timedelta] | None:
    """Median and longest time from told to decided of the credited ones; None when there are none."""
    if not names:
        return None
    median, longest = session.execute(WAITED_OF_NUMBERS, _numbers(names)).one()
    return None if median is None else (median, longest)


def merged(fates: Iterable[Fate]) -> list[Fate]:
    """Equal fates added up, in order."""
    sums: dict[tuple[str, str, str, str, tuple[str, ...]], list[int]] = {}
    for fate in fates:
        key = (fate.methodology, fate.evidence_class, fate.pool or "", fate.state, fate.reasons)
        row = sums.setdefault(key, [0, 0, 0])
        for place, amount in enumerate((fate.acts, fate.reduction_mg, fate.points)):
            row[place] += amount
    return [
        Fate(code, letter, pool or None, state, reasons, *amounts)
        for (code, letter, pool, state, reasons), amounts in sorted(sums.items())
    ]


def _keys(source_id: int, record_ids: Iterable[str]) -> Iterator[dict[str, object]]:
    numbers = iter(record_ids)
    while keys := [record_key(number) for number in islice(numbers, _CHUNK)]:
        yield {"source": source_id, "keys": keys}


def _numbers(names: Iterable[str]) -> dict[str, object]:
    acts = [parse_public_id(name) for name in names]
    days = [day for day, _ in acts]
    return {"numbers": [number for _, number in acts], "first": min(days), "last": max(days)}


def _fate(
    number: int,
    evidence_class: str,
    pool: str | None,
    state: str,
    reasons: list[str] | None,
    acts: int,
    mg: int,
    points: int,
) -> Fate:
    code = BY_NUMBER[number][-1].code
    return Fate(code, evidence_class, pool, state, tuple(reasons or ()), acts, int(mg), int(points))
