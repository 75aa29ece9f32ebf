"""Mass balance for recycling: what was put in, what was weighed, what was bought, what is held, which station is named."""

from alembic import op

revision = "0015_mass_balance"
down_revision = "0014_corrections"
branch_labels = None
depends_on = None

UP = """
-- Grams of a material that one deposit put into a station's bag, whoever brought it; nothing personal. Its key is that of
-- the act, where it became one. A record told through the door names no station.
create table station_deposit (
  source_id    smallint not null references source,
  ext_key      bytea not null check (length(ext_key) = 16),
  at           timestamptz not null,
  mass_g       bigint not null check (mass_g >= 0),
  told_at      timestamptz not null,
  withdrawn_at timestamptz,
  methodology  smallint not null,
  version      smallint not null check (version >= 1),
  station      text check (length(station) between 1 and 100),
  primary key (source_id, ext_key)
);
create index station_deposit_of_bag on station_deposit (source_id, station, methodology, at) include (mass_g)
  where withdrawn_at is null;
create index station_deposit_of_month on station_deposit (source_id, methodology, at) where withdrawn_at is null;
grant select, insert on station_deposit to carbon_app;
grant update (station, methodology, at, mass_g, version, withdrawn_at) on station_deposit to carbon_app;

-- A bag of one material taken out of a station, once for its ticket's number. Without net_g it was not weighed (yet).
create table weighing (
  source_id    smallint not null references source,
  ext_key      bytea not null check (length(ext_key) = 16),
  document_no  text not null check (length(document_no) between 1 and 100),
  emptied_at   timestamptz not null,
  net_g        bigint check (net_g between 0 and 60000000),
  told_at      timestamptz not null,
  withdrawn_at timestamptz,
  methodology  smallint not null,
  version      smallint not null check (version >= 1),
  station      text not null check (length(station) between 1 and 100),
  primary key (source_id, ext_key)
);
create index weighing_of_station on weighing (source_id, station, methodology, emptied_at) where withdrawn_at is null;
grant select, insert on weighing to carbon_app;
grant update (station, methodology, emptied_at, net_g, version, withdrawn_at) on weighing to carbon_app;

-- What the buyer downstream bought of a material in a month, document by document; a credit note is negative. Each line
-- was approved by a second person.
create table recycler_purchase (
  source_id   smallint not null references source,
  month       date not null check (extract(day from month) = 1),
  methodology smallint not null,
  document_no text not null check (length(document_no) between 1 and 100),
  buyer       text not null check (length(buyer) between 1 and 200),
  bought_g    bigint not null check (bought_g <> 0),
  approval_id bigint not null references approval,
  at          timestamptz not null default clock_timestamp(),
  primary key (source_id, document_no, month, methodology)
);
create index recycler_purchase_of_month on recycler_purchase (source_id, month, methodology);
call make_append_only('recycler_purchase');

-- Acts that the balance or the cap holds: since when and why, and when that ended. An act is held for one reason at a time.
create table mass_hold (
  source_id   smallint not null references source,
  ext_key     bytea not null check (length(ext_key) = 16),
  activity_id bigint not null,
  resident_id bigint not null,
  held_at     timestamptz not null default clock_timestamp(),
  released_at timestamptz check (released_at >= held_at),
  occurred_on date not null,
  reason      text not null check (reason in ('bag_does_not_balance', 'beyond_recycler_purchases')),
  primary key (source_id, ext_key, held_at)
);
create unique index mass_hold_one_in_force on mass_hold (source_id, ext_key) where released_at is null;
grant select, insert on mass_hold to carbon_app;
grant update (released_at) on mass_hold to carbon_app;


-- A station that a test named: it waits for a person, and by itself does nothing to anybody.
create table station_alarm (
  alarm_id    bigint generated always as identity primary key,
  since       timestamptz not null,
  raised_at   timestamptz not null default clock_timestamp(),
  seen_at     timestamptz not null default clock_timestamp(),
  decided_at  timestamptz,
  figures     jsonb not null,
  decided_by  int references staff,
  source_id   smallint not null references source,
  methodology smallint,
  station     text not null check (length(station) between 1 and 100),
  kind        text not null check (kind in ('over', 'under', 'digits', 'hours', 'one_station')),
  state       text not null default 'open' check (state in ('open', 'explained', 'confirmed')),
  why         text check (length(why) between 1 and 1000),
  check ((kind in ('over', 'under')) = (methodology is not null)),
  check (num_nonnulls(decided_at, decided_by, why) = case when state = 'open' then 0 else 3 end)
);
create unique index station_alarm_open_once on station_alarm (source_id, station, methodology, kind) nulls not distinct
  where state = 'open';
create index station_alarm_station on station_alarm (source_id, station);
grant select, insert on station_alarm to carbon_app;
grant update (state, why, decided_by, decided_at, figures, seen_at) on station_alarm to carbon_app;

-- Which states an alarm has and which may follow which: the only list, read by the trigger below.
create table station_alarm_state (
  state   text not null,
  follows text not null,
  primary key (state, follows)
);
insert into station_alarm_state (follows, state) values ('open', 'explained'), ('open', 'confirmed');
grant select on station_alarm_state to carbon_app;

create function only_allowed_alarm_states() returns trigger language plpgsql as $$
begin
  if (new.state, new.why, new.decided_by) is distinct from (old.state, old.why, old.decided_by)
     and not exists (select from station_alarm_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'an alarm that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger only_allowed_alarm_states before update on station_alarm
  for each row execute function only_allowed_alarm_states();
"""

DOWN = """
drop trigger only_allowed_alarm_states on station_alarm;
drop function only_allowed_alarm_states();
drop table station_alarm_state, station_alarm, mass_hold, recycler_purchase, weighing, station_deposit;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
