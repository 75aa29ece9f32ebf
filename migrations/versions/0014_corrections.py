"""Versions of a partner's record, the pieces it was told in, and what took it back."""

from alembic import op

revision = "0014_corrections"
down_revision = "0012_matching"
branch_labels = None
depends_on = None

UP = """
-- Which act a version of a record told. What was told first has no row and is version 1. One version tells one act;
-- of a record's acts the one with the highest version counts, whatever the order in which they came.
create table act_version (
  source_id   smallint not null,
  ext_key     bytea not null check (length(ext_key) = 16),     -- of the record
  version     bigint not null check (version >= 1),
  activity_id bigint not null,
  resident_id bigint not null,
  occurred_on date not null,
  told_at     timestamptz not null default clock_timestamp(),
  primary key (source_id, ext_key, version)
);
call make_append_only('act_version');

-- What was told apart and is one record by now: two taps of a journey, the planting behind a survey.
create table act_piece (
  source_id smallint not null,
  piece_key bytea not null check (length(piece_key) = 16),
  ext_key   bytea not null check (length(ext_key) = 16),       -- of the record
  primary key (source_id, piece_key, ext_key)
);
call make_append_only('act_piece');

-- What took a record back. By a later version of its file (then what a version before it told counts no longer), by a
-- piece that is gone, or by a record of its own (a void, a credit); the last two until they end.
create table act_withdrawal (
  source_id smallint not null references source,
  ext_key   bytea not null check (length(ext_key) = 16),       -- of the record, or of a piece
  by_key    bytea not null check (length(by_key) = 16),
  version   bigint not null check (version >= 1),
  cause     text not null check (cause in ('version', 'piece', 'record')),
  kind      text not null check (kind in ('void', 'correct')),
  noted_at  timestamptz not null default clock_timestamp(),
  ended_at  timestamptz,
  primary key (source_id, ext_key, by_key, version),
  check ((cause = 'version') = (by_key = ext_key)),
  check (cause <> 'version' or ended_at is null)
);
create index act_withdrawal_by on act_withdrawal (source_id, by_key) where cause <> 'version';
grant select, insert on act_withdrawal to carbon_app;
grant update (ended_at) on act_withdrawal to carbon_app;

-- An act that still waits for its decision may be given one from outside the batch.
grant update (verdict, reasons) on activity_queue to carbon_app;
-- A later version may go back to the very bytes of an earlier one that it takes the place of.
drop index partner_file_once;
create unique index partner_file_once on partner_file (source_id, sha256, seq) nulls not distinct
  where state <> 'superseded';
create index record_set_aside_correction on record_set_aside (source_id, ext_key)
  where state = 'waiting' and reasons = array['correction_waits'];
"""

DOWN = """
drop index record_set_aside_correction, partner_file_once;
delete from partner_file f where state = 'superseded' and exists (
  select from partner_file o where o.source_id = f.source_id and o.sha256 = f.sha256
    and o.seq is not distinct from f.seq and o.file_id > f.file_id)
  and not exists (select from record_correction c where c.file_id = f.file_id)
  and not exists (select from partner_file_reject r where r.file_id = f.file_id)
  and not exists (select from record_set_aside a where a.file_id = f.file_id);
create unique index partner_file_once on partner_file (source_id, sha256, seq) nulls not distinct;
revoke update (verdict, reasons) on activity_queue from carbon_app;
drop table act_withdrawal, act_piece, act_version;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
