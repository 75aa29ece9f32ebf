"""Append-only guards, monthly partitions made ahead, and the tables every door needs."""

from alembic import op

revision = "0001_foundations"
down_revision = None
branch_labels = None
depends_on = None

UP = """
create extension if not exists btree_gist;

-- Readiness asks which revision the tables have.
do $$ begin
  if to_regclass('alembic_version') is not null then
    grant select on alembic_version to carbon_app;
  end if;
end $$;

-- An append-only table refuses UPDATE and DELETE by row (partitions inherit the trigger) and TRUNCATE by statement.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'table % is append-only', tg_table_name using errcode = 'CC001';
end $$;

create procedure make_append_only(target regclass) language plpgsql as $$
begin
  execute format('create trigger append_only before update or delete on %s for each row execute function refuse_change()', target);
  execute format('create trigger no_truncate before truncate on %s for each statement execute function refuse_change()', target);
  execute format('grant select, insert on %s to carbon_app', target);
end $$;

-- Which tables are cut by month, and on what day's column; the maker below reads this list and nothing else.
create table monthly_table (
  table_name  text    primary key,
  append_only boolean not null
);

-- Partitions are made ahead by the application without owning anything: the function runs as its owner.
create function make_partitions(first_day date, last_day date) returns int
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  wanted monthly_table;
  starts date;
  child text;
  made int := 0;
begin
  if last_day < first_day or last_day - first_day > 3700 then
    raise exception 'a range of at most ten years, first day first' using errcode = '22023';
  end if;
  perform pg_advisory_xact_lock(440600);
  for wanted in select * from monthly_table order by table_name loop
    starts := date_trunc('month', first_day)::date;
    while starts <= last_day loop
      child := wanted.table_name || '_' || to_char(starts, 'YYYYMM');
      if to_regclass(child) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)',
                       child, wanted.table_name, starts, (starts + interval '1 month')::date);
        if wanted.append_only then
          execute format('create trigger no_truncate before truncate on %I for each statement execute function refuse_change()', child);
        end if;
        made := made + 1;
      end if;
      starts := (starts + interval '1 month')::date;
    end loop;
  end loop;
  return made;
end $$;
revoke all on function make_partitions(date, date) from public;
grant execute on function make_partitions(date, date) to carbon_app;
grant select on monthly_table to carbon_app;

-- Who did what to what, outside the ledger (which is its own record).
create table audit_entry (
  audit_id   bigint generated always as identity primary key,
  at         timestamptz not null default clock_timestamp(),
  actor      text not null check (length(actor) between 1 and 80),
  action     text not null check (action ~ '^[a-z_.]+$'),
  subject    text not null check (length(subject) between 1 and 160),
  request_id text,
  before     jsonb,
  after      jsonb
);
create index audit_entry_subject on audit_entry (subject, audit_id);
call make_append_only('audit_entry');

-- What must leave the house, written in the transaction that decided it; personal content is sealed.
create table outbox (
  outbox_id  bigint generated always as identity primary key,
  created_at timestamptz not null default clock_timestamp(),
  topic      text not null check (topic ~ '^[a-z_.]+$'),
  payload    jsonb not null default '{}',
  sealed     bytea,
  attempts   smallint not null default 0 check (attempts >= 0),
  next_at    timestamptz not null default clock_timestamp(),
  state      text not null default 'waiting' check (state in ('waiting', 'dead')),
  last_error text
);
create index outbox_due on outbox (next_at) where state = 'waiting';
grant select, insert, update, delete on outbox to carbon_app;

-- The answer given to a key, so that a retry hears the same; written in the transaction of the effect.
create table idempotency_key (
  actor       text not null,
  operation   text not null,
  key         text not null check (length(key) between 1 and 255),
  fingerprint bytea not null,
  status      smallint,
  body        bytea,
  created_at  timestamptz not null default clock_timestamp(),
  primary key (actor, operation, key),
  check ((status is null) = (body is null))
);
create index idempotency_key_age on idempotency_key (created_at);
grant select, insert, update, delete on idempotency_key to carbon_app;

-- One member of staff proposes, another decides; what was decided on is frozen by its digest.
create table approval (
  approval_id bigint generated always as identity primary key,
  kind        text not null check (kind ~ '^[a-z_.]+$'),
  payload     jsonb not null,
  digest      bytea not null check (length(digest) = 32),
  reason      text not null check (length(reason) between 1 and 500),
  proposed_by int not null,
  proposed_at timestamptz not null default clock_timestamp(),
  state       text not null default 'proposed' check (state in ('proposed', 'approved', 'rejected', 'withdrawn')),
  decided_by  int,
  decided_at  timestamptz,
  check ((state in ('approved', 'rejected')) = (decided_by is not null)),
  check (decided_by <> proposed_by)
);
grant select, insert on approval to carbon_app;
grant update (state, decided_by, decided_at) on approval to carbon_app;

-- Periodic work: one row for a task and a slot of time, so two schedulers do it once.
create table task_run (
  task        text not null,
  slot        timestamptz not null,
  started_at  timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  outcome     text,
  primary key (task, slot)
);
grant select, insert, update, delete on task_run to carbon_app;
"""

DOWN = """
drop table task_run, approval, idempotency_key, outbox, audit_entry, monthly_table;
drop function make_partitions(date, date);
drop procedure make_append_only(regclass);
drop function refuse_change();
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
