"""The temporary tables through which partners' records land: one set for each connection, empty again at every commit."""

from psycopg import Connection
from sqlalchemy.orm import Session

from carbon_credits.activities.evidence_digest import evidence_digest
from carbon_credits.core.db import raw_connection

STAGE = """
create temp table if not exists intake (
  line            int not null,
  ext_key         bytea not null,
  content_digest  bytea not null,
  subject_index   bytea not null,
  occurred_from   timestamptz not null,
  occurred_to     timestamptz not null,
  occurred_on     date not null,
  methodology     smallint not null,
  monitored       jsonb not null,
  evidence        jsonb,
  vehicle_key     bytea,
  item_key        bytea,
  transaction_key bytea,
  meter_key       bytea,
  match_key       bytea
) on commit delete rows;
create temp table if not exists intake_placed (
  activity_id bigint, resident_id bigint, line int, shard_id smallint
) on commit delete rows;
create temp table if not exists intake_version (line int primary key, version bigint not null) on commit delete rows;
create temp table if not exists intake_told (
  line int, ext_key bytea, version bigint, activity_id bigint, first_id bigint, first_on date, is_same boolean,
  version_key bytea
) on commit delete rows;
"""
COLUMNS = (
    "line, ext_key, content_digest, subject_index, occurred_from, occurred_to, occurred_on, methodology, "
    "monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, match_key"
)
COPY = f"copy intake ({COLUMNS}) from stdin"

# `source` and class are the feed's; what else the digest covers lies in the staging row
DIGEST = evidence_digest(
    "i.",
    activity_id="p.activity_id",
    resident_id="p.resident_id",
    source_id="%(source)s",
    evidence_class="%(evidence_class)s::char(1)",
)
# What follows a CTE `key` of new keys, the last of it left open: each becomes an act and a row on the work list.
WRITE_ACTS = f"""), act as (
  insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on, methodology, source_id,
    shard_id, evidence_class, monitored, evidence, vehicle_key, item_key, transaction_key, meter_key, evidence_digest,
    ext_key, match_key)
  select p.activity_id, p.resident_id, i.occurred_from, i.occurred_to, i.occurred_on, i.methodology, %(source)s,
    p.shard_id, %(evidence_class)s, i.monitored, i.evidence, i.vehicle_key, i.item_key, i.transaction_key, i.meter_key,
    {DIGEST}, i.ext_key, i.match_key
  from key join intake_placed p using (activity_id) join intake i using (line)
  order by p.resident_id, i.occurred_on, p.activity_id
)
insert into activity_queue (activity_id, resident_id, occurred_on, generation, shard_id)
select p.activity_id, p.resident_id, i.occurred_on, 1, p.shard_id
from key join intake_placed p using (activity_id) join intake i using (line)
order by p.shard_id, p.resident_id, i.occurred_on, p.activity_id
"""  # noqa: S608 - made of constants


def stage(session: Session) -> Connection[tuple[object, ...]]:
    """The raw connection of the session's transaction, with the empty staging tables."""
    raw = raw_connection(session)
    # asked of the database, not remembered: a first delivery that fails takes the tables away with it
    if raw.execute("select to_regclass('pg_temp.intake')").fetchone() == (None,):
        raw.execute(STAGE)
    raw.execute("truncate intake, intake_placed")
    return raw
