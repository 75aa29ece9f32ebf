"""The working tables of a batch: temporary, one set for each connection, empty again at every commit."""

from psycopg import Connection
from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection

WORKING_TABLES = """
create temp table if not exists batch_act (
  queue_row tid, activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz,
  raw_mg bigint, quantity bigint, against bigint, occurred_on date, release_id int, unmet int,
  methodology smallint, generation smallint, shard_id smallint, motion boolean, evidence_class char(1),
  verdict text, why text, found text[], vehicle_key bytea, item_key bytea, transaction_key bytea, meter_key bytea,
  source_id smallint, act_order bytea, match_key bytea, is_open boolean
) on commit delete rows;
create temp table if not exists batch_standing (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, credited_mg bigint,
  points bigint, counted bigint, against bigint, occurred_on date, matures_on date, methodology smallint,
  generation smallint, motion boolean, evidence_class char(1), state text, reasons text[], beside boolean,
  reopened boolean
) on commit delete rows;
create index on batch_act (activity_id);
create index on batch_standing (activity_id);
create temp table if not exists batch_match (
  claim_id bigint, record_id bigint, resident_id bigint, claim_on date, record_on date, source_id smallint, pass text,
  score int, differs text[]
) on commit delete rows;
create temp table if not exists batch_decision (
  activity_id bigint, resident_id bigint, occurred_from timestamptz, occurred_to timestamptz, raw_mg bigint,
  credited_mg bigint, points bigint, counted bigint, against bigint, occurred_on date, matures_on date, lot_on date,
  release_id int, fund_id int, methodology smallint, generation smallint, shard_id smallint, motion boolean,
  evidence_class char(1), pool char(1), state text, reasons text[], queued boolean
) on commit delete rows;
create temp table if not exists batch_wallet (
  resident_id bigint, balance bigint, debt bigint, seq int
) on commit delete rows;
"""
ANALYZE_FROM = 1_000
WORKING_TABLE_NAMES = ("batch_act", "batch_standing", "batch_match", "batch_decision", "batch_wallet")


def working_connection(session: Session) -> Connection[tuple[object, ...]]:
    """The raw connection of the session's transaction, with the working tables in place and empty."""
    raw = raw_connection(session)
    raw.prepare_threshold = None  # plans are made for the rows at hand
    # asked of the database, not remembered: a first batch that fails takes the tables away with it
    if raw.execute("select to_regclass('pg_temp.batch_act')").fetchone() == (None,):
        raw.execute(WORKING_TABLES)
        session.connection().info.pop("batch_analyzed", None)
    return raw


def methodologies_met(session: Session) -> frozenset[int]:
    """By number, those whose acts this connection has picked so far."""
    met = session.connection().info.get("batch_methodologies", frozenset())
    assert isinstance(met, frozenset)
    return met


def remember_methodologies(session: Session, met: frozenset[int]) -> None:
    """The next batch will look for these."""
    session.connection().info["batch_methodologies"] = met


def analyze(session: Session, picked: int) -> None:
    """Once for a connection, when there is enough to look at: statistics of a temporary table outlive its rows."""
    pooled = session.connection()
    if picked >= ANALYZE_FROM and not pooled.info.get("batch_analyzed"):
        raw = raw_connection(session)
        for table in WORKING_TABLE_NAMES:
            raw.execute(f"analyze {table}")
        pooled.info["batch_analyzed"] = True
