"""The plan's indicators: official values with their sources, what our records come to, the yearly evaluation pack."""

from alembic import op

revision = "0032_indicators"
down_revision = "0031_exports"
branch_labels = None
depends_on = None

UP = """
-- What a bureau says, never what we counted: two people see it and its source. Of values of one day the last counts.
create table indicator_value (
  value_id       bigint generated always as identity primary key,
  indicator      text not null check (indicator ~ '^[a-z_]+[.][a-z_]+$'),
  street         text check (street in ('zumiao', 'shiwan', 'zhangcha', 'nanzhuang')),
  value          bigint not null,
  unit           text not null check (length(unit) between 1 and 20),
  as_of          date not null,
  source_title   text not null check (length(source_title) between 1 and 200),
  source_address text check (source_address ~ '^https?://[^[:space:]]+$' and length(source_address) <= 500),
  source_page    text check (length(source_page) between 1 and 40),
  approval_id    bigint not null unique references approval,
  at             timestamptz not null default clock_timestamp()
);
create index indicator_value_of on indicator_value (indicator, as_of);
call make_append_only('indicator_value');

-- From the first of January through a day. A period is read once; again only for a reason, as another version. Streets,
-- methodologies and months are in those of whole years alone, for two readings of one year would be subtracted.
create table indicator_reading (
  reading_id  bigint generated always as identity primary key,
  through     date not null,
  version     smallint not null check (version between 1 and 99),
  with_tables boolean not null,
  figures     jsonb not null,
  digest      bytea not null check (length(digest) = 32),
  reason      text check (length(reason) between 1 and 500),
  taken_at    timestamptz not null default clock_timestamp(),
  unique (through, version),
  check ((version > 1) = (reason is not null)),
  check (not with_tables or to_char(through, 'MM-DD') = '12-31')
);
call make_append_only('indicator_reading');

-- A year as it was evaluated. What is in the snapshot stays; a correction is another version.
create table evaluation_pack (
  pack_id     bigint generated always as identity primary key,
  year        smallint not null check (year between 2020 and 2100),
  version     smallint not null check (version between 1 and 999),
  snapshot    jsonb not null,
  digest      bytea not null check (length(digest) = 32),
  state       text not null default 'draft' check (state in ('draft', 'final')),
  made_by     int not null references staff,
  made_at     timestamptz not null default clock_timestamp(),
  approval_id bigint unique references approval,
  unique (year, version),
  check ((state = 'final') = (approval_id is not null))
);
grant select, insert on evaluation_pack to carbon_app;
grant update (state, approval_id) on evaluation_pack to carbon_app;
create function a_draft_becomes_final_once() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.state <> 'draft' or new.state <> 'final' then
    raise exception 'an evaluation that is final stays so' using errcode = 'CC001';
  end if;
  if not exists (select from approval a where a.approval_id = new.approval_id and a.state = 'approved'
                 and a.kind = 'evaluation.finalise' and (a.payload ->> 'pack_id')::bigint = new.pack_id) then
    raise exception 'an evaluation that nobody approved' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger a_draft_becomes_final_once before update or delete on evaluation_pack
  for each row execute function a_draft_becomes_final_once();
create trigger no_truncate before truncate on evaluation_pack for each statement execute function refuse_change();
"""

DOWN = """
drop table evaluation_pack, indicator_reading, indicator_value;
drop function a_draft_becomes_final_once();
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
