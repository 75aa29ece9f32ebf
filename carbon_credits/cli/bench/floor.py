"""The floor of bulk crediting: the same acts, postings and balances, decided by nobody.

What the product wrote is exported; the floor brings it back with COPY, inserts acts and postings, and moves the
wallets, one transaction for a chunk, on the same tables with the same indexes. No faster way to the same rows is
known to us; what the product takes beyond it is the price of deciding, and of everything else it writes.
"""

from pathlib import Path
from typing import Final

from psycopg import Connection

from carbon_credits.cli.bench.ground import Ground
from carbon_credits.cli.bench.records import CHUNK, files
from carbon_credits.core.db import raw_connection, transaction
from carbon_credits.jobs.doorbell import LANES

BLOCK: Final = 1 << 20
COLUMNS: Final = (
    "activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id, shard_id, evidence_class,"
    " monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, evidence_digest"
)
POSTED: Final = (
    "journal_id, line, booked_on, wallet_seq, balance_after, contra_kind, contra_ref, points, verified_mg, claimed_mg,"
    " removal_mg, lot_on, generation, now, later"
)
# Acts as they were decided in the end, cut into the chunks they came in.
EXPORT: Final = f"""
create unlogged table bench.written as
select {", ".join("a." + column for column in COLUMNS.split(", "))},
       p.journal_id, p.line, p.booked_on, p.wallet_seq, p.balance_after, p.contra_kind, p.contra_ref, p.points,
       p.verified_mg, p.claimed_mg, p.removal_mg, p.lot_on, p.generation,
       case when d.matures_on is null then p.points end as now,
       case when d.matures_on is not null then p.points end as later,
       a.shard_id % {LANES} as lane, (row_number() over chunk - 1) / {CHUNK} as part
from activity a
join (select distinct on (activity_id) * from decision order by activity_id, generation desc) d
  using (resident_id, occurred_on, activity_id)
left join posting p on p.resident_id = a.resident_id and p.activity_id = a.activity_id
  and p.generation = d.generation and p.contra_kind = 1
window chunk as (partition by a.shard_id % {LANES}, a.source_id order by a.occurred_to, a.activity_id)
"""
STAGE: Final = """
create temp table if not exists written (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, occurred_on date,
  methodology smallint, source_id smallint, shard_id smallint, evidence_class char(1), monitored jsonb, evidence jsonb,
  vehicle_key bytea, item_key bytea, transaction_key bytea, meter_key bytea, evidence_digest bytea,
  journal_id bigint, line int, booked_on date,
  wallet_seq int, balance_after bigint, contra_kind smallint, contra_ref int, points bigint, verified_mg bigint,
  claimed_mg bigint, removal_mg bigint, lot_on date, generation smallint, now bigint, later bigint
) on commit delete rows
"""
ACTS: Final = f"""
insert into activity ({COLUMNS})
select {COLUMNS} from written order by resident_id, occurred_on, activity_id
"""
POSTINGS: Final = """
insert into posting (journal_id, line, booked_on, resident_id, wallet_seq, balance_after, contra_kind, contra_ref, points,
  verified_mg, claimed_mg, removal_mg, lot_on, effective_on, activity_id, generation, shard_id)
select journal_id, line, booked_on, resident_id, wallet_seq, balance_after, contra_kind, contra_ref, points, verified_mg,
       claimed_mg, removal_mg, lot_on, occurred_on, activity_id, generation, shard_id
from written where journal_id is not null
order by resident_id, wallet_seq
"""
WALLETS: Final = """
update wallet w
set available = w.available + m.now, pending = w.pending + m.later, verified_mg = w.verified_mg + m.verified,
    claimed_mg = w.claimed_mg + m.claimed, removal_mg = w.removal_mg + m.removal, seq = w.seq + m.n
from (
  select resident_id, shard_id, coalesce(sum(now), 0)::bigint as now, coalesce(sum(later), 0)::bigint as later,
         sum(verified_mg)::bigint as verified, sum(claimed_mg)::bigint as claimed, sum(removal_mg)::bigint as removal,
         count(*)::int as n
  from written where journal_id is not null group by resident_id, shard_id order by resident_id
) m
where w.resident_id = m.resident_id and w.shard_id = m.shard_id
"""


def export(ground: Ground, folder: Path) -> None:
    """Leave what the product wrote as COPY files, one for a lane, a feed and a chunk."""
    folder.mkdir()
    with ground.owner() as owner:
        owner.execute(EXPORT)
        owner.execute("create index on bench.written (lane, source_id, part)")
        for lane, feed, part in owner.execute(
            "select distinct lane, source_id, part from bench.written"
        ).fetchall():
            asked = (
                f"copy (select {COLUMNS}, {POSTED} from bench.written"
                f" where lane = {lane} and source_id = {feed} and part = {part} order by occurred_to) to stdout"
            )
            with (
                (folder / f"{lane}-{feed}-{part:04}.copy").open("wb") as file,
                owner.cursor().copy(asked) as copy,
            ):
                for block in copy:
                    file.write(block)


def write(ground: Ground, folder: Path, lanes: tuple[int, ...]) -> int:
    """Bring the lanes' rows in again; how many acts there were."""
    done = 0
    with ground.at_work():
        for _, path in files(folder, lanes):
            with transaction() as session:
                done += _chunk(raw_connection(session), path)
    return done


def _chunk(connection: "Connection[tuple[object, ...]]", path: Path) -> int:
    connection.execute(STAGE)
    with (
        path.open("rb") as file,
        connection.cursor().copy(f"copy written ({COLUMNS}, {POSTED}) from stdin") as copy,
    ):
        while block := file.read(BLOCK):
            copy.write(block)
    connection.execute("analyze written")
    acts = connection.execute(ACTS).rowcount
    connection.execute(POSTINGS)
    connection.execute(WALLETS)
    return acts
