"""Matching: which phone's claim and which partner's record tell of the same act.

Passes from the surest to the least sure: the same order or session (exact), the same time by mutual best choice
(window), one claim over several records (group). At most one match for a claim and for a record; ties are broken by
the acts' own keys, so the same acts give the same matches whatever order they came in. A matched claim is replaced by
its record, which is credited by itself; what is left waits, or counts as a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import Connection
from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection
from carbon_credits.core.inserting import ASKING, insert_new
from carbon_credits.methodologies.catalogue import BY_CODE

ROUNDS: Final = 3


@dataclass(frozen=True)
class Tolerance:
    """How far apart a claim and a record of the same trip may be: their beginnings, and the time they share per mille
    of the time from the first beginning to the last end. Where nothing lasts (a deposit, a purchase), `start_s` alone.
    """

    start_s: int
    shared_permille: int = 500


# Gates: entered within fifteen minutes of the beginning claimed, half of the time in common. Bicycles know their
# rides to the minute. What is weighed or sold: within ten minutes of the scan.
DEFAULT: Final = Tolerance(15 * 60)
SESSION: Final = Tolerance(10 * 60)
TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "travel.metro": DEFAULT,
    "travel.bus": DEFAULT,
    "travel.shared_bicycle": Tolerance(5 * 60, 600),
    "travel.carpool": DEFAULT,
}

MIXED: Final = """
select coalesce(bool_or(source_id = 0 and evidence_class in ('C', 'D')), false)
   and coalesce(bool_or(source_id <> 0 and evidence_class in ('A', 'B') and verdict is null), false)
from batch_act
"""
# What may be matched: claims that are not refused for themselves, records that are credited; neither matched yet.
_SIDES: Final = """
claim as (
  select c.* from batch_act c
  where c.source_id = 0 and c.evidence_class in ('C', 'D')
    and (c.verdict is null or c.verdict = 'awaiting' or c.why in ('overlaps_credited_trip', 'overlaps_another_trip'))
    and not exists (select from batch_match m where m.claim_id = c.activity_id)
), record as (
  select r.* from batch_act r
  where r.source_id <> 0 and r.evidence_class in ('A', 'B') and r.verdict is null
    and not exists (select from batch_match m where m.record_id = r.activity_id)
)"""
_BETWEEN: Final = """
  cross join lateral (
    select extract(epoch from least(r.occurred_to, c.occurred_to) - greatest(r.occurred_from, c.occurred_from))
             as shared_s,
           extract(epoch from greatest(r.occurred_to, c.occurred_to) - least(r.occurred_from, c.occurred_from))
             as whole_s,
           abs(extract(epoch from r.occurred_from - c.occurred_from)) as apart_s
  ) b"""
_DIFFERS: Final = """array_remove(array[
    case when apart_s > start_s or (motion and 1000 * shared_s < shared_permille * whole_s) then 'time' end,
    case when motion and (10 * claimed < 7 * recorded or 10 * claimed > 14 * recorded) then 'distance'
         when not motion and 20 * abs(claimed - recorded) > recorded then 'quantity' end], null)"""
_SCORE: Final = """case when motion
    then (2000 * greatest(shared_s, 0) / greatest(whole_s, 1) + 1000 * greatest(start_s - apart_s, 0) / start_s) / 3
    else 1000 * greatest(start_s - apart_s, 0) / start_s end::int"""
_PAIRS: Final = f"""
pair as (
  select *, {_SCORE} as score
  from (
    select c.resident_id, c.activity_id as claim_id, r.activity_id as record_id, c.occurred_on as claim_on,
           r.occurred_on as record_on, r.source_id, c.motion, c.quantity as claimed, r.quantity as recorded,
           c.act_order as claim_order, r.act_order as record_order, t.start_s, t.shared_permille, b.*
    from claim c
    join record r using (resident_id, methodology)
    join tolerance t using (methodology)
    {_BETWEEN}
    where {{which}}
  ) x
)"""  # noqa: S608 - made of constants
_TOLERANCE: Final = "tolerance (methodology, start_s, shared_permille) as (values\n  {tolerances}\n)"
_BEST: Final = """
insert into batch_match
select claim_id, record_id, resident_id, claim_on, record_on, source_id, '{name}', least(score, 1000), {differs}
from ranked
where place_for_claim = 1 and place_for_record = 1{sure}
"""
_RANKED: Final = """
ranked as (
  select *, row_number() over for_claim as place_for_claim, lead(score) over for_claim as next_best,
         row_number() over (partition by record_id order by score desc, claim_order) as place_for_record
  from pair
  window for_claim as (partition by claim_id order by score desc, record_order)
)"""
# Another record is nearly as good: which of the two it was is for a person to say.
_NEAR_TIE: Final = "10 * coalesce(next_best, 0) > 9 * score"
_IN_WINDOW: Final = """b.apart_s <= t.start_s
      and (not c.motion or 1000 * b.shared_s >= t.shared_permille * b.whole_s)"""
_AMBIGUOUS: Final = f"""
update batch_act c
set verdict = 'held', why = 'ambiguous_match', against = r.record_id
from ranked r
where r.claim_id = c.activity_id and r.place_for_claim = 1 and {_NEAR_TIE}
"""  # noqa: S608 - made of constants
_GROUP: Final = """
insert into batch_match
select claim_id, record_id, resident_id, claim_on, record_on, source_id, 'group',
       least(1000 * sum_s / greatest(lasts_s, 1), 1000)::int, '{{}}'
from (
  select *, count(*) over (partition by claim_id) as n, sum(shared_s) over (partition by claim_id) as sum_s
  from (
    select c.activity_id as claim_id, r.activity_id as record_id, c.resident_id, c.occurred_on as claim_on,
           r.occurred_on as record_on, r.source_id, b.shared_s,
           extract(epoch from c.occurred_to - c.occurred_from) as lasts_s,
           row_number() over (partition by r.activity_id order by b.shared_s desc, c.act_order) as nth
    from claim c
    join record r using (resident_id, methodology)
    {between}
    where c.motion and 10 * b.shared_s > 7 * extract(epoch from r.occurred_to - r.occurred_from)
  ) inside
  where nth = 1
) g
where n > 1 and 2 * sum_s >= lasts_s
"""
REPLACE: Final = """
update batch_act c
set verdict = 'replaced', why = 'replaced_by_partner_record', against = m.record_id
from (select claim_id, min(record_id) as record_id from batch_match group by claim_id) m
where m.claim_id = c.activity_id
"""
# A claim that still waits, at a time when a record has its resident travel otherwise, or had matched another claim.
ELSEWHERE: Final = """
update batch_act c
set verdict = 'rejected', why = 'overlaps_credited_trip', against = o.record_id
from (
  select distinct on (c.activity_id) c.activity_id, r.activity_id as record_id
  from batch_act c
  join batch_act r using (resident_id)
  cross join lateral (
    select extract(epoch from least(r.occurred_to, c.occurred_to) - greatest(r.occurred_from, c.occurred_from))
             as shared_s,
           extract(epoch from least(r.occurred_to - r.occurred_from, c.occurred_to - c.occurred_from)) as shorter_s
  ) b
  where c.motion and c.verdict = 'awaiting'
    and r.motion and r.source_id <> 0 and r.evidence_class in ('A', 'B') and r.verdict is null
    and 10 * b.shared_s > 7 * b.shorter_s
  order by c.activity_id, b.shared_s desc, r.act_order
) o
where o.activity_id = c.activity_id
"""
END: Final = """
update record_match m
set ended_at = clock_timestamp()
where m.resident_id = any(array(select distinct resident_id from batch_standing)) and m.shard_id = %(shard)s
  and m.ended_at is null
  and exists (select from batch_act b where b.activity_id in (m.claim_id, m.record_id))
  and not exists (select from batch_match x where x.claim_id = m.claim_id and x.record_id = m.record_id)
"""
REMEMBER: Final = f"""
insert into record_match (claim_id, record_id, resident_id, claim_on, record_on, source_id, shard_id, pass, score,
  differs)
select claim_id, record_id, resident_id, claim_on, record_on, source_id, %(shard)s, pass, score, differs
from batch_match
order by resident_id, claim_id, record_id
{ASKING}
"""  # noqa: S608 - made of constants
# How many matches there are, and whether one of them may have been found before.
FOUND: Final = """
select (select count(*) from batch_match),
       exists (select from batch_standing where reopened and 'replaced_by_partner_record' = any(reasons))
"""


def _tolerances() -> str:
    def of(code: str) -> Tolerance:
        is_motion = "person_motion" in BY_CODE[code][-1].bases
        return TOLERANCES.get(code, DEFAULT if is_motion else SESSION)

    found = {versions[-1].number: of(code) for code, versions in BY_CODE.items()}
    return ",\n  ".join(f"({n}::smallint, {t.start_s}, {t.shared_permille})" for n, t in found.items())


_WITH: Final = _TOLERANCE.format(tolerances=_tolerances())
EXACT: Final = (
    f"with {_WITH}, {_SIDES},{_PAIRS.format(which='c.match_key = r.match_key')},{_RANKED}"
    + _BEST.format(name="exact", differs=_DIFFERS, sure="")
)
_CANDIDATES: Final = f"with {_WITH}, {_SIDES},{_PAIRS.format(which=_IN_WINDOW)},{_RANKED}"
WINDOW: Final = _CANDIDATES + _BEST.format(name="window", differs=_DIFFERS, sure=f"\n  and not {_NEAR_TIE}")
AMBIGUOUS: Final = _CANDIDATES + _AMBIGUOUS
GROUP: Final = f"with {_SIDES}" + _GROUP.format(between=_BETWEEN)


def match(connection: Connection[tuple[object, ...]]) -> None:
    """Match the batch's claims with its records; matched claims are replaced, doubtful ones held."""
    mixed = connection.execute(MIXED).fetchone()
    if mixed is None or not mixed[0]:
        return
    connection.execute(EXACT)
    for _ in range(ROUNDS):
        if connection.execute(WINDOW).rowcount == 0:
            break
    connection.execute(AMBIGUOUS)
    connection.execute(GROUP)
    connection.execute(REPLACE)
    connection.execute(ELSEWHERE)


def remember(session: Session, shard_id: int, *, reopened: bool) -> None:
    """Write down the matches; those of reopened acts that were not found again end."""
    connection = raw_connection(session)
    if reopened:
        connection.execute(END, {"shard": shard_id})
    found: tuple[int, bool] = connection.execute(FOUND).fetchone() or (0, False)
    matches, known = found
    if matches:
        insert_new(session, REMEMBER, {"shard": shard_id}, 0 if known else matches)
