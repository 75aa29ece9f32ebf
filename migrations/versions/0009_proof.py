"""Proof: a digest over each act's stored evidence, nightly replays, restatements of grams."""

from alembic import op

from carbon_credits.activities.evidence_digest import evidence_digest

revision = "0009_proof"
down_revision = "0008_trips"
branch_labels = None
depends_on = None

UP = f"""
-- What is stored of an act can be held against this for ever; see activities/evidence_digest.py. Acts from before it are
-- digested as they stand now: for them it vouches from this day on.
alter table activity add column evidence_digest bytea check (length(evidence_digest) = 16);
alter table activity disable trigger append_only;
update activity a set evidence_digest = {evidence_digest("a.")};
alter table activity enable trigger append_only;
alter table activity alter column evidence_digest set not null;

-- A replay of all credits, a step of residents at a time; the cursor makes a killed one go on where it stopped.
create table replay_run (
  replay_id      bigint generated always as identity primary key,
  started_on     date not null unique,
  started_at     timestamptz not null default clock_timestamp(),
  finished_at    timestamptz,
  after_resident bigint not null default 0,
  credits        bigint not null default 0 check (credits >= 0),
  mismatches     bigint not null default 0 check (mismatches >= 0),
  first_found    jsonb not null default '[]'
);
create unique index replay_run_open on replay_run ((true)) where finished_at is null;
grant select, insert on replay_run to carbon_app;
grant update (finished_at, after_resident, credits, mismatches, first_found) on replay_run to carbon_app;

-- Grams of past acts under another version of their methodology: ordered once, by two members of staff.
create table restatement (
  restatement_id int generated always as identity primary key,
  code           text not null,
  methodology    smallint not null,
  version        smallint not null,
  since          date not null,
  until          date not null,
  reason         text not null check (length(reason) between 1 and 500),
  approval_id    bigint not null unique references approval,
  at             timestamptz not null default clock_timestamp(),
  check (until >= since)
);
call make_append_only('restatement');

-- What became of one credited passage of an act under a restatement: once, by the key. Points are not in it at all.
create table restated (
  restatement_id int not null,
  resident_id    bigint not null,
  activity_id    bigint not null,
  at             timestamptz not null default clock_timestamp(),
  old_mg         bigint not null check (old_mg >= 0),
  new_mg         bigint not null check (new_mg >= 0),
  raw_mg         bigint,
  journal_id     bigint,
  from_release   int not null,
  to_release     int not null,
  occurred_on    date not null,
  generation     smallint not null,
  shard_id       smallint not null,
  reasons        text[],
  primary key (resident_id, activity_id, generation, restatement_id, shard_id),
  check ((old_mg = new_mg) = (journal_id is null)),
  check (raw_mg is not null or (new_mg = 0 and reasons is not null))
);
call make_append_only('restated');
"""

DOWN = """
drop table restated, restatement, replay_run;
alter table activity drop column evidence_digest;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
