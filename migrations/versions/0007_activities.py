"""Acts as they were told, once; the work list; what is claimed exclusively; decisions and their states."""

from alembic import op

revision = "0007_activities"
down_revision = "0006_ledger"
branch_labels = None
depends_on = None

UP = """
-- A methodology version with one set of parameter values: content-addressed, so that a receipt can be recomputed.
create table formula_release (
  release_id        int generated always as identity primary key,
  methodology       smallint not null,
  code              text not null,
  version           smallint not null,
  in_force          date not null,
  digest            bytea not null unique check (length(digest) = 32),
  formula_digest    bytea not null check (length(formula_digest) = 32),
  parameters_digest bytea not null check (length(parameters_digest) = 32),
  document          bytea not null
);
call make_append_only('formula_release');

create sequence activity_no cache 100;
grant usage on sequence activity_no to carbon_app;

-- "Once": without date and without shard, so it survives a changed date or subject. Always inserted first, sorted.
create table act_key (
  source_id      smallint not null,
  ext_key        bytea not null,
  activity_id    bigint not null,
  resident_id    bigint not null,
  content_digest bytea not null,
  occurred_on    date not null,
  primary key (source_id, ext_key)
) partition by hash (ext_key);
create table act_key_0 partition of act_key for values with (modulus 4, remainder 0);
create table act_key_1 partition of act_key for values with (modulus 4, remainder 1);
create table act_key_2 partition of act_key for values with (modulus 4, remainder 2);
create table act_key_3 partition of act_key for values with (modulus 4, remainder 3);
call make_append_only('act_key');

-- What was done, as it was told: written once by a door, never changed. References are kept as keyed digests.
create table activity (
  activity_id     bigint not null,
  resident_id     bigint not null,
  occurred_from   timestamptz not null,
  occurred_to     timestamptz not null,
  told_at         timestamptz not null default clock_timestamp(),
  occurred_on     date not null,
  methodology     smallint not null,
  source_id       smallint not null,
  shard_id        smallint not null,
  evidence_class  char(1) not null,
  monitored       jsonb not null,
  evidence        jsonb,
  vehicle_key     bytea,
  item_key        bytea,
  transaction_key bytea,
  meter_key       bytea,
  primary key (resident_id, occurred_on, activity_id, shard_id),
  check (occurred_to >= occurred_from),
  check (evidence_class in ('A', 'B', 'C', 'D')),
  check (shard_id = (resident_id - 1) / 16384)
) partition by range (occurred_on);
insert into monthly_table values ('activity', true);
call make_append_only('activity');

-- The work list: one narrow row for each claimed act; gone when it is decided.
create table activity_queue (
  activity_id bigint not null,
  resident_id bigint not null,
  queued_at   timestamptz not null default clock_timestamp(),
  occurred_on date not null,
  generation  smallint not null,
  shard_id    smallint not null,
  primary key (shard_id, resident_id, occurred_on, activity_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
grant select, insert, delete on activity_queue to carbon_app;

-- Which states there are and which may follow which: the only list, read by code and by the trigger below.
create table activity_state (
  state     text not null,
  follows   text not null,
  primary key (state, follows)
);
insert into activity_state (follows, state) values
  ('claimed', 'held'), ('claimed', 'awaiting'), ('claimed', 'credited'), ('claimed', 'rejected'), ('claimed', 'replaced'),
  ('held', 'claimed'), ('held', 'rejected'), ('awaiting', 'claimed'), ('awaiting', 'rejected'), ('awaiting', 'replaced'),
  ('credited', 'reversed'), ('credited', 'replaced'), ('rejected', 'claimed'), ('reversed', 'claimed');
grant select on activity_state to carbon_app;

-- The decision on one passage (generation) of an act: what was measured, credited and paid, and why not more.
create table decision (
  activity_id    bigint not null,
  resident_id    bigint not null,
  occurred_from  timestamptz not null,
  occurred_to    timestamptz not null,
  decided_at     timestamptz not null default clock_timestamp(),
  raw_mg         bigint,
  credited_mg    bigint not null default 0,
  points         bigint not null default 0,
  bonus          bigint not null default 0,
  counted        bigint not null default 0,
  journal_id     bigint,
  against        bigint,
  release_id     int,
  fund_id        int,
  occurred_on    date not null,
  matures_on     date,
  lot_on         date,
  methodology    smallint not null,
  generation     smallint not null,
  shard_id       smallint not null,
  evidence_class char(1) not null,
  pool           char(1) check (pool in ('v', 'c', 'r')),      -- verified, claimed, removal
  motion         boolean not null,
  state          text not null check (state in ('held', 'awaiting', 'credited', 'rejected', 'replaced', 'reversed')),
  reasons        text[],
  primary key (resident_id, occurred_on, activity_id, generation, shard_id),
  check (credited_mg >= 0 and points >= 0 and bonus >= 0 and counted >= 0),
  check (state in ('credited', 'reversed', 'replaced') or (credited_mg = 0 and points = 0 and bonus = 0)),
  check (state <> 'credited' or (release_id is not null and raw_mg is not null)),
  check (state = 'credited' or reasons is not null)
) partition by range (occurred_on);
insert into monthly_table values ('decision', false);
grant select, insert on decision to carbon_app;
grant update (state, reasons, against) on decision to carbon_app;

create function only_allowed_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (select from activity_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'an act that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger only_allowed_states before update on decision for each row execute function only_allowed_states();

-- What only one act may have: a vehicle for a while, a meter for a period, an item, a transaction. Kept for ever,
-- given back by deletion when the act that holds it is reversed.
create table vehicle_claim (
  vehicle_no  bigint not null,
  span        tstzrange not null,
  activity_id bigint not null,
  resident_id bigint not null,
  exclude using gist (vehicle_no with =, span with &&)
);
create index vehicle_claim_activity on vehicle_claim (activity_id);
create table meter_claim (
  meter_no    bigint not null,
  span        tstzrange not null,
  activity_id bigint not null,
  resident_id bigint not null,
  exclude using gist (meter_no with =, span with &&)
);
create index meter_claim_activity on meter_claim (activity_id);
create table item_claim (
  item_key    bytea primary key,
  activity_id bigint not null,
  resident_id bigint not null
);
create index item_claim_activity on item_claim (activity_id);
create table transaction_claim (
  transaction_key bytea primary key,
  activity_id     bigint not null,
  resident_id     bigint not null
);
create index transaction_claim_activity on transaction_claim (activity_id);
grant select, insert, delete on vehicle_claim, meter_claim, item_claim, transaction_claim to carbon_app;

create table appeal (
  appeal_id   bigint generated always as identity primary key,
  resident_id bigint not null,
  activity_id bigint not null,
  occurred_on date not null,
  generation  smallint not null,
  words       text not null check (length(words) between 1 and 1000),
  at          timestamptz not null default clock_timestamp(),
  state       text not null default 'open' check (state in ('open', 'won', 'lost')),
  answer      text,
  decided_by  int references staff,
  decided_at  timestamptz,
  unique (activity_id, generation),
  check ((state = 'open') = (decided_at is null))
);
create index appeal_resident on appeal (resident_id);
grant select, insert on appeal to carbon_app;
grant update (state, answer, decided_by, decided_at) on appeal to carbon_app;

select make_partitions((current_date - interval '3 months')::date, (current_date + interval '3 months')::date);
"""

DOWN = """
drop table appeal, transaction_claim, item_claim, meter_claim, vehicle_claim, decision, activity_state, activity_queue, activity, act_key, formula_release;
drop function only_allowed_states();
drop sequence activity_no;
delete from monthly_table where table_name in ('activity', 'decision');
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
