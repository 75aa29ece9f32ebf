"""Exports: tables that members of staff ask for, written by a job, kept for a week and erased."""

from alembic import op

revision = "0031_exports"
down_revision = "0030_rollups"
branch_labels = None
depends_on = None

UP = """
-- Which state of an export may follow which: the only list, read by code and by the trigger below.
create table export_state (
  follows text not null,
  state   text not null,
  primary key (follows, state)
);
insert into export_state (follows, state) values
  ('asked', 'running'), ('running', 'done'), ('running', 'failed'), ('done', 'expired');
grant select on export_state to carbon_app;

-- Who asked for what. `streets` is the territory of whoever asked, as it was then; null is the whole district.
create table export (
  export_id   bigint generated always as identity primary key,
  asked_by    int not null references staff,
  kind        text not null check (kind ~ '^[a-z_]{2,40}$'),
  format      text not null check (format in ('csv', 'xlsx')),
  language    text not null check (language in ('zh', 'en')),
  filters     jsonb not null check (jsonb_typeof(filters) = 'object'),
  streets     text[],
  state       text not null default 'asked' check (state in ('asked', 'running', 'done', 'failed', 'expired')),
  attempts    smallint not null default 0 check (attempts >= 0),
  rows_done   bigint not null default 0 check (rows_done >= 0),
  size        bigint check (size >= 0),
  sha256      bytea check (length(sha256) = 32),
  fault       text check (length(fault) between 1 and 200),
  asked_at    timestamptz not null default clock_timestamp(),
  started_at  timestamptz,
  finished_at timestamptz,
  expires_at  timestamptz,
  check ((state in ('asked', 'running')) = (finished_at is null)),
  check ((state in ('done', 'expired')) = (sha256 is not null and size is not null and expires_at is not null)),
  check ((state = 'failed') = (fault is not null))
);
create index export_unfinished on export (export_id) where state in ('asked', 'running');
create index export_due on export (expires_at) where state = 'done';
create index export_of_staff on export (asked_by, export_id desc);
grant select, insert on export to carbon_app;
grant update (state, attempts, rows_done, size, sha256, fault, started_at, finished_at, expires_at) on export to carbon_app;

create function only_allowed_export_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
       select from export_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'an export that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger only_allowed_export_states before update on export
  for each row execute function only_allowed_export_states();

-- What was written, in pieces: whichever machine wrote it, every machine can hand it out.
create table export_piece (
  export_id bigint not null references export,
  no        int not null check (no >= 0),
  content   bytea not null check (length(content) between 1 and 1048576),
  primary key (export_id, no)
);
alter table export_piece alter content set storage external;
grant select, insert, delete on export_piece to carbon_app;
"""

DOWN = "drop table export_piece, export, export_state; drop function only_allowed_export_states();"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
