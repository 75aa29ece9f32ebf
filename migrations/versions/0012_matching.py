"""Phone claims matched with partners' records; acts decided again when another act of their day comes or goes."""

from alembic import op

revision = "0012_matching"
down_revision = "0011_partner_files"
branch_labels = None
depends_on = None

UP = """
-- The key of the act again, beside it: with its source it orders acts that begin together, whoever arrived first.
-- `match_key` is the keyed digest of a reference that phone and partner both know (an order, a session), without the
-- partner's name in it; it is compared within one resident and one methodology only.
alter table activity
  add column ext_key   bytea check (length(ext_key) = 16),
  add column match_key bytea check (length(match_key) = 16);

-- One phone claim and one partner's record of the same act. A claim may be told by several records together (group),
-- a record never belongs to two claims; a match that no longer holds is ended, not deleted.
create table record_match (
  resident_id bigint not null,
  claim_id    bigint not null,
  record_id   bigint not null,
  matched_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  claim_on    date not null,
  record_on   date not null,
  score       int not null check (score between 0 and 1000),          -- per mille
  source_id   smallint not null,
  shard_id    smallint not null,
  pass        text not null check (pass in ('exact', 'window', 'group')),
  differs     text[] not null default '{}',
  primary key (resident_id, claim_id, record_id, matched_at, shard_id),
  check (shard_id = (resident_id - 1) / 16384)
);
create unique index record_match_record on record_match (resident_id, record_id, shard_id) where ended_at is null;
create unique index record_match_claim on record_match (resident_id, claim_id, shard_id)
  where ended_at is null and pass <> 'group';
create index record_match_of_feed on record_match (source_id, record_on);
grant select, insert on record_match to carbon_app;
grant update (ended_at) on record_match to carbon_app;

-- Who lost against an act is found again when that act goes.
create index decision_against on decision (against) where against is not null;
-- A claim that a record had replaced is decided again when the record is taken back.
insert into activity_state (follows, state) values ('replaced', 'claimed');
"""

DOWN = """
delete from activity_state where follows = 'replaced' and state = 'claimed';
drop index decision_against;
drop table record_match;
alter table activity drop column ext_key, drop column match_key;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
