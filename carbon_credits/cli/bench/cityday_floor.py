"""The floor of a city's day: the same files to the same rows as bare SQL, in one go, decided by nobody.

It begins with the product's tables as the phones' claims left them and ends with the same acts under the same keys, the
same matches, decisions, postings, lots and balances: the ledger hash is the product's, and the books keep their promises
(`cityday_same` holds it to that). What it leaves out is what makes a day safe and a person's: no batches and no lanes,
no methodology and no policy read, no caps, no signature, nobody else at work, nothing sealed, and nothing to go on from
after a kill. One connection, strangers dropped first, each table written once: no faster way to the same end is known
to us.
"""

import gzip
import io
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from psycopg import ClientCursor

from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.cli.bench.cityday import token
from carbon_credits.cli.bench.cityday_given import blind, digest
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.core import ids
from carbon_credits.ledger.posting_hash import JOURNAL_HASH

BLOCK: Final = 1 << 20
# What is known beforehand: whose token is whose, how far it is.
BEFORE: Final = """
create schema floor;
create table floor.rider (token text primary key, resident_id bigint not null, shard_id smallint not null);
create table floor.distance (origin text, destination text, metres int, primary key (origin, destination))
"""
TUNING: Final = """
set statement_timeout = 0; set work_mem = '256MB'; set jit = off;
create temp table told (
  transaction_id text, event_timestamp text, fare_action text, stop_id text, vehicle_id text, token_id text,
  amount text, currency_type text
)
"""


_ISO: Final = """to_char({} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')"""
_WORDS: Final = f"""format('["travel.metro","%%s","%%s",[["distance_m",%%s]],[["order_no","%%s"]]]',
           {_ISO.format("begins")}, {_ISO.format("ends")}, metres, order_no)"""
# What each act would be worth alone; in this day nobody's come to a cap.
_MG: Final = "(467 * metres / 10)::bigint"
_DIGEST: Final = evidence_digest(
    "k.",
    source_id="%(source)s::smallint",
    methodology="%(methodology)s::smallint",
    occurred_from="k.begins",
    occurred_to="k.ends",
    occurred_on="k.day",
    evidence_class="'A'::char(1)",
    vehicle_key="null::bytea",
    item_key="null::bytea",
    meter_key="null::bytea",
)

# (name, statements): the steps, in the order of the day.
STEPS: Final = (
    (
        "control",
        "select count(*), sum(amount::numeric) from told",
    ),
    (
        "keep once",
        """
create temp table tap as
select distinct on (transaction_id) transaction_id, event_timestamp::timestamptz as at, fare_action as action,
       stop_id as stop, resident_id, shard_id
from told join floor.rider on token = token_id
order by transaction_id;
analyze tap
""",
    ),
    (
        "pair",
        """
create temp table ride as
select resident_id, shard_id, transaction_id as entry, next_id as exit, at as begins, next_at as ends, stop as origin,
       next_stop as destination, metres, transaction_id || '+' || next_id as order_no
from (
  select *, lead(transaction_id) over rider as next_id, lead(action) over rider as next_action,
         lead(at) over rider as next_at, lead(stop) over rider as next_stop
  from tap window rider as (partition by resident_id order by at, action, transaction_id)
) t
left join floor.distance on origin = stop and destination = next_stop
where action = 'Enter' and next_action = 'Exit' and next_at - at <= interval '6 hours';
create temp table act as
select nextval('activity_no') as activity_id, r.*, (ends at time zone 'Asia/Shanghai')::date as day
from (select * from ride where metres is not null order by resident_id, begins) r;
analyze act
""",
    ),
    (
        "set aside",
        f"""
insert into record_set_aside (source_id, ext_key, state, reasons, sealed)
select %(source)s, {blind("record", "transaction_id")}, state, array[reason],
       case state when 'waiting' then convert_to(concat_ws('|', transaction_id, at, action, stop), 'UTF8') end
from (
  select t.*, case when r.entry is null then 'waiting' else 'refused' end as state,
         case when r.entry is not null then 'same_station' when action = 'Enter' then 'exit_missing'
              else 'entry_missing' end as reason
  from tap t
  left join ride r on t.transaction_id in (r.entry, r.exit) and r.metres is null
  where not exists (select from act a where a.entry = t.transaction_id)
    and not exists (select from act a where a.exit = t.transaction_id)
) x
order by 2
""",
    ),
    (
        "key",
        f"""
create temp table keyed as
select *, {digest("partner-record", "order_no")} as ext_key,
       {digest("act-content", _WORDS)} as content_digest,
       {blind("transaction", "%(partner)s || ':' || order_no")} as transaction_key,
       {blind("match", "order_no")} as match_key,
       jsonb_build_object('distance_m', metres) as monitored,
       jsonb_build_object('distance', 'station_table', 'from', origin, 'to', destination) as evidence
from act;
analyze keyed;
insert into act_key (source_id, ext_key, activity_id, resident_id, content_digest, occurred_on)
select %(source)s, ext_key, activity_id, resident_id, content_digest, day from keyed order by ext_key;
insert into transaction_claim (transaction_key, activity_id, resident_id)
select transaction_key, activity_id, resident_id from keyed order by transaction_key;
insert into act_piece (source_id, piece_key, ext_key)
select %(source)s, {digest("partner-record", "piece")}, ext_key
from keyed cross join lateral (values (entry), (exit)) p (piece) order by 2
""",
    ),
    (
        "acts",
        f"""
insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
  shard_id, evidence_class, monitored, evidence, transaction_key, evidence_digest, ext_key, match_key)
select activity_id, resident_id, begins, ends, day, %(methodology)s, %(source)s, shard_id, 'A', monitored, evidence,
       transaction_key, {_DIGEST}, ext_key, match_key
from keyed k order by resident_id, day, activity_id
""",
    ),
    (
        "match",
        """
create temp table claim as
select d.activity_id as claim_id, resident_id, d.occurred_from as begins, d.occurred_to as ends, occurred_on as day,
       generation, shard_id, match_key, (monitored->>'distance_m')::int as metres
from decision d join activity a using (resident_id, occurred_on, activity_id, shard_id)
where state = 'awaiting' and source_id = 0;
create temp table pair as
select c.claim_id, r.activity_id as record_id, c.match_key = r.match_key as exact, b.*,
       case when 10 * c.metres < 7 * r.metres or 10 * c.metres > 14 * r.metres then 'distance' end as far,
       c.metres as claimed, r.metres as recorded
from claim c join keyed r using (resident_id)
     cross join lateral (
       select extract(epoch from least(r.ends, c.ends) - greatest(r.begins, c.begins)) as shared_s,
              extract(epoch from greatest(r.ends, c.ends) - least(r.begins, c.begins)) as whole_s,
              extract(epoch from least(r.ends - r.begins, c.ends - c.begins)) as shorter_s,
              abs(extract(epoch from r.begins - c.begins)) as apart_s
     ) b
where c.match_key = r.match_key or b.shared_s > 0;
create temp table matched as
select claim_id, record_id, exact, greatest(0, score) as score, apart_s > 900 or 2 * shared_s < whole_s as late, far
from (
  select *, row_number() over (partition by claim_id order by exact desc nulls last, score desc, record_id) as of_claim,
         row_number() over (partition by record_id order by exact desc nulls last, score desc, claim_id) as of_record
  from (
    select *, ((2000 * greatest(shared_s, 0) / greatest(whole_s, 1) + 1000 * greatest(900 - apart_s, 0) / 900) / 3)::int
           as score
    from pair
  ) s
  where exact or (apart_s <= 900 and 2 * shared_s >= whole_s)
) ranked
where of_claim = 1 and of_record = 1;
insert into record_match (claim_id, record_id, resident_id, claim_on, record_on, source_id, shard_id, pass, score,
  differs)
select claim_id, record_id, c.resident_id, c.day, r.day, %(source)s, c.shard_id,
       case when exact then 'exact' else 'window' end, least(score, 1000),
       array_remove(array[case when late then 'time' end, far], null)
from matched join claim c using (claim_id) join keyed r on r.activity_id = record_id
order by c.resident_id, claim_id, record_id;
update decision d set state = x.state, against = x.record_id, reasons = array[x.reason]
from (
  select claim_id, record_id, 'replaced' as state, 'replaced_by_partner_record' as reason from matched
  union all
  (select distinct on (claim_id) claim_id, record_id, 'rejected', 'overlaps_credited_trip' from pair
   where 10 * shared_s > 7 * shorter_s and claim_id not in (select claim_id from matched)
   order by claim_id, shared_s desc)
) x join claim c using (claim_id)
where d.resident_id = c.resident_id and d.occurred_on = c.day and d.activity_id = c.claim_id
  and d.generation = c.generation
""",
    ),
    (
        "post",
        f"""
create temp table line as
select *, (row_number() over (partition by shard_id order by resident_id, begins))::int as line,
       (seq + row_number() over wallet)::int as wallet_seq,
       (before + sum(points) over wallet)::bigint as balance_after
from (select k.*, {_MG} as mg, div({_MG}, 1000)::bigint as points, w.seq,
             w.available + w.held + w.pending - w.debt as before
      from keyed k join wallet w using (resident_id, shard_id)) j
window wallet as (partition by resident_id order by begins);
with journalled as (
  insert into journal (kind, n, points_sum, verified_sum, claimed_sum, removal_sum, shard_id, content_hash)
  select 1, count(*), sum(points), sum(mg), 0, 0, shard_id, {JOURNAL_HASH}
  from (select *, mg as verified_mg, 0::bigint as claimed_mg, 0::bigint as removal_mg, 1::smallint as contra_kind,
               %(fund)s::int as contra_ref, 1::smallint as generation, %(lot)s::date as lot_on from line) l
  group by shard_id returning journal_id, shard_id
), posted as (
  insert into posting (journal_id, line, booked_on, resident_id, wallet_seq, balance_after, contra_kind, contra_ref,
    points, verified_mg, claimed_mg, removal_mg, lot_on, effective_on, activity_id, generation, shard_id)
  select journal_id, line, %(today)s, resident_id, wallet_seq, balance_after, 1, %(fund)s, points, mg, 0, 0, %(lot)s,
         day, activity_id, 1, shard_id
  from line join journalled using (shard_id) order by line
)
insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg, points, counted,
  journal_id, release_id, fund_id, occurred_on, lot_on, methodology, generation, shard_id, evidence_class, pool, motion,
  state)
select activity_id, resident_id, begins, ends, mg, mg, points, metres, journal_id, %(release)s, %(fund)s, day, %(lot)s,
       %(methodology)s, 1, shard_id, 'A', 'v', true, 'credited'
from line join journalled using (shard_id) order by resident_id, day, activity_id
""",
    ),
    (
        "wallets",
        """
insert into lot (resident_id, expires_on, fund_id, earned, remaining, shard_id)
select resident_id, %(lot)s, %(fund)s, sum(points), sum(points), shard_id from line group by resident_id, shard_id
order by resident_id;
update wallet w
set available = w.available + m.points, verified_mg = w.verified_mg + m.mg, seq = w.seq + m.n
from (select resident_id, shard_id, sum(points) as points, sum(mg) as mg, count(*)::int as n
      from line group by resident_id, shard_id) m
where w.resident_id = m.resident_id and w.shard_id = m.shard_id;
update fund set unallocated = unallocated - (select sum(points) from line) where fund_id = %(fund)s
""",
    ),
)


def prepare(owner: Any, distances: Iterable[tuple[str, str, int]], residents: int) -> None:
    """What is known beforehand."""
    owner.execute(BEFORE)
    with owner.cursor().copy("copy floor.rider from stdin") as copy:
        for number in range(1, residents + 1):
            resident = ids.resident_id(number)
            copy.write_row((token(number), resident, ids.shard_of(resident)))
    with owner.cursor().copy("copy floor.distance from stdin") as copy:
        for origin, destination, metres in distances:
            copy.write_row((origin, destination, metres))
            copy.write_row((destination, origin, metres))
    for table in ("rider", "distance"):
        owner.execute(f"vacuum (analyze) floor.{table}")


def write(ground: Ground, files: Iterable[bytes], given: Mapping[str, object]) -> dict[str, float]:
    """Do it all with the operator's packed files; the seconds of each step."""
    taken: dict[str, float] = {}
    with ground.owner() as owner:
        began = time.perf_counter()
        owner.execute(TUNING)
        for packed in files:
            _copy(owner, packed)
        owner.execute("analyze told")
        taken["load"] = time.perf_counter() - began
        for name, statements in STEPS:
            began = time.perf_counter()
            for statement in statements.split(";"):
                # DDL takes no parameters from the server's side
                ClientCursor(owner).execute(statement, given)
            taken[name] = time.perf_counter() - began
    return taken


def _copy(owner: Any, packed: bytes) -> None:
    with (
        gzip.open(io.BytesIO(packed)) as plain,
        owner.cursor().copy("copy told from stdin (format csv, header)") as copy,
    ):
        while block := plain.read(BLOCK):
            copy.write(block)
