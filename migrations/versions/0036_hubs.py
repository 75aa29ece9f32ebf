"""Hubs: the stations and stops they are made of, and what a month of trips there came to, counted once."""

from alembic import op

revision = "0036_hubs"
down_revision = "0035_drive_requests"
branch_labels = None
depends_on = None

UP = """
-- Stations and stops of partners' feeds that make up a hub, from a month on, the last month not included. A station is of
-- one hub at a time: of two that shared some, one less the other would be what happened at the rest.
create table hub_station (
  hub_station_id int generated always as identity primary key,
  group_id       int not null,
  kind           text not null check (kind in ('hub', 'pilot')),
  source_id      smallint not null references source,
  station        text not null check (length(station) between 1 and 100),
  from_month     date not null check (from_month = date_trunc('month', from_month)),
  to_month       date check (to_month = date_trunc('month', to_month) and to_month >= from_month),
  named_by       int not null references staff,
  ended_by       int references staff,
  changed_at     timestamptz not null,
  foreign key (group_id, kind) references resident_group (group_id, kind),
  check ((to_month is null) = (ended_by is null)),
  constraint hub_station_of_one_hub
    exclude using gist (source_id with =, station with =, daterange(from_month, to_month) with &&)
);
create index hub_station_group on hub_station (group_id);
grant select, insert on hub_station to carbon_app;
grant update (to_month, ended_by, changed_at) on hub_station to carbon_app;

-- Trips that began or ended at a hub in a month, and the people who made them, as they may be shown: null where they may
-- not. `bound` are residents with an account at a partner of one of its feeds when the month ended. Counted once.
create table hub_month (
  group_id     int not null references resident_group,
  month        date not null check (month = date_trunc('month', month)),
  people       int check (people = 0 or people >= 10),
  trips        int check (trips >= people),
  bound        int check (bound = 0 or bound >= 10),
  query_sha256 bytea not null check (length(query_sha256) = 32),
  counted_at   timestamptz not null default clock_timestamp(),
  primary key (group_id, month),
  check ((people is null) = (trips is null))
);
call make_append_only('hub_month');

create table hub_month_part (
  group_id    int not null,
  month       date not null,
  methodology smallint not null,
  people      int check (people >= 10),
  trips       int check (trips >= people),
  primary key (group_id, month, methodology),
  foreign key (group_id, month) references hub_month,
  check ((people is null) = (trips is null))
);
call make_append_only('hub_month_part');

-- What was counted stays the count of the stations it was counted of, and what has ended is history.
create function counted_months_keep_their_stations() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.to_month is not null then
    raise exception 'a station that was taken off a hub is history' using errcode = 'CC001';
  end if;
  if exists (select from hub_month m where m.group_id = new.group_id
             and m.month >= case tg_op when 'INSERT' then new.from_month else new.to_month end) then
    raise exception 'a month of this hub was counted with other stations' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger counted_months_keep_their_stations before insert or update on hub_station
  for each row execute function counted_months_keep_their_stations();

-- Names of stations as feeds tell them, with the newest month in which a trip began or ended there.
create table feed_station (
  source_id  smallint not null references source,
  station    text not null check (length(station) between 1 and 100),
  last_month date not null check (last_month = date_trunc('month', last_month)),
  primary key (source_id, station)
);
grant select, insert on feed_station to carbon_app;
grant update (last_month) on feed_station to carbon_app;
"""

DOWN = """
drop table feed_station, hub_month_part, hub_month, hub_station;
drop function counted_months_keep_their_stations();
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
