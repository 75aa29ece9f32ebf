"""Rollups: what credited acts add up to by day, and which residents were active, kept right as past days change."""

from alembic import op

revision = "0030_rollups"
down_revision = "0029_campaigns"
branch_labels = None
depends_on = None

UP = """
-- Acts by the day they happened, methodology, street and pool of evidence (verified, claimed, removal), as they are
-- credited now. `people` are distinct within the row and are not added up over methodologies, pools or days.
create table rollup_day (
  occurred_on date not null,
  methodology smallint not null,
  street      text not null check (length(street) between 1 and 20),
  pool        char(1) not null check (pool in ('v', 'c', 'r')),
  acts        int not null default 0 check (acts >= 0),
  people      int not null default 0 check (people >= 0),
  mg          bigint not null default 0 check (mg >= 0),
  points      bigint not null default 0 check (points >= 0),
  reversals   int not null default 0 check (reversals >= 0),
  primary key (occurred_on, methodology, street, pool),
  check (people <= acts)
) with (fillfactor = 80);
grant select, insert, update, delete on rollup_day to carbon_app;

-- Residents with at least one credited act in a day or a month, each counted once; a resident has one street, so
-- streets may be added up, and days may not.
create table rollup_people (
  period    text not null check (period in ('day', 'month')),
  starts_on date not null check (period = 'day' or extract(day from starts_on) = 1),
  street    text not null check (length(street) between 1 and 20),
  people    int not null default 0 check (people >= 0),
  primary key (period, starts_on, street)
) with (fillfactor = 80);
grant select, insert, update, delete on rollup_people to carbon_app;

-- Whom the rollups know, the street they have them under, and from when to when each was active.
create table rollup_resident (
  resident_id bigint not null,
  street      text not null,
  first_on    date,
  last_on     date,
  shard_id    smallint not null,
  primary key (resident_id, shard_id),
  check ((first_on is null) = (last_on is null) and first_on <= last_on)
) with (fillfactor = 80);
create index rollup_resident_shard on rollup_resident (shard_id, last_on);
grant select, insert, update, delete on rollup_resident to carbon_app;

-- How far a shard's journals are rolled up, and how far its residents came.
create table rollup_shard (
  shard_id   smallint primary key,
  journal_id bigint not null default 0 check (journal_id >= 0),
  rolled_at  timestamptz,
  counted_at timestamptz,
  registered int not null default 0 check (registered >= 0),
  acted      int not null default 0 check (acted >= 0),
  credited   int not null default 0 check (credited >= 0),
  redeemed   int not null default 0 check (redeemed >= 0),
  active     int not null default 0 check (active >= 0)
);
grant select, insert, update, delete on rollup_shard to carbon_app;

-- Enrolled residents of a shard by the street they named.
create table rollup_registered (
  shard_id  smallint not null,
  street    text not null check (length(street) between 1 and 20),
  residents int not null check (residents > 0),
  primary key (shard_id, street)
);
grant select, insert, delete on rollup_registered to carbon_app;

-- What a fund granted on the day it was booked, less what was taken back.
create table rollup_fund (
  fund_id   int not null,
  booked_on date not null,
  points    bigint not null default 0,
  primary key (fund_id, booked_on)
) with (fillfactor = 80);
grant select, insert, update, delete on rollup_fund to carbon_app;

create index appeal_open on appeal (at) where state = 'open';
"""

DOWN = "drop index appeal_open; drop table rollup_fund, rollup_registered, rollup_shard, rollup_resident, rollup_people, rollup_day;"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
