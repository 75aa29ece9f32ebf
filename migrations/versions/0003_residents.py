"""Residents, their sealed phone numbers, sign-in, consent."""

from alembic import op

revision = "0003_residents"
down_revision = "0002_staff"
branch_labels = None
depends_on = None

UP = """
create sequence enrolment_no;
grant usage on sequence enrolment_no to carbon_app;

create table resident (
  resident_id bigint primary key check (resident_id > 0),
  shard_id    smallint not null,
  status      text not null default 'active' check (status in ('active', 'frozen', 'erased')),
  street      text check (street in ('zumiao', 'shiwan', 'zhangcha', 'nanzhuang')),
  language    text not null default 'zh' check (language in ('zh', 'en')),
  enrolled_at timestamptz not null default clock_timestamp(),
  check (shard_id = (resident_id - 1) / 16384)
);
grant select, insert on resident to carbon_app;
grant update (status, street, language) on resident to carbon_app;

-- One key for each person, itself sealed; destroying it makes everything personal unreadable, in backups too.
create table resident_key (
  resident_id bigint primary key references resident,
  sealed_key  bytea not null
);
grant select, insert, delete on resident_key to carbon_app;

create table resident_phone (
  resident_id bigint primary key references resident,
  phone_index bytea not null unique check (length(phone_index) = 16),
  sealed      bytea not null
);
grant select, insert, update, delete on resident_phone to carbon_app;

create table otp_challenge (
  challenge_id uuid primary key default gen_random_uuid(),
  phone_index  bytea not null check (length(phone_index) = 16),
  sealed_phone bytea not null,
  code_mac     bytea not null check (length(code_mac) = 16),
  guesses      smallint not null default 0 check (guesses between 0 and 5),
  created_at   timestamptz not null default clock_timestamp(),
  expires_at   timestamptz not null,
  state        text not null default 'open' check (state in ('open', 'used', 'replaced'))
);
create unique index otp_challenge_one_open on otp_challenge (phone_index) where state = 'open';
create index otp_challenge_expiry on otp_challenge (expires_at);
grant select, insert, update, delete on otp_challenge to carbon_app;

-- Exact counters that survive a flushed cache: one row for a bucket and an hour.
create table throttle (
  bucket     text not null,
  subject    bytea not null check (length(subject) = 16),
  hour       timestamptz not null,
  used       int not null check (used > 0),
  primary key (bucket, subject, hour)
);
grant select, insert, update, delete on throttle to carbon_app;

create table auth_session (
  session_id  uuid primary key default gen_random_uuid(),
  resident_id bigint not null references resident,
  created_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  ended_why   text check (ended_why in ('logout', 'reuse', 'erasure', 'staff')),
  check ((ended_at is null) = (ended_why is null))
);
create index auth_session_resident on auth_session (resident_id);
grant select, insert, update, delete on auth_session to carbon_app;

create table refresh_token (
  token_mac  bytea primary key check (length(token_mac) = 16),
  session_id uuid not null references auth_session on delete cascade,
  issued_at  timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_token_session on refresh_token (session_id);
grant select, insert, update, delete on refresh_token to carbon_app;

create table signing_key (
  kid        text primary key,
  public_jwk jsonb not null,
  sealed     bytea not null,
  state      text not null check (state in ('next', 'signing', 'retiring', 'retired')),
  created_at timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp()
);
create unique index signing_key_one_signing on signing_key (state) where state = 'signing';
grant select, insert on signing_key to carbon_app;
grant update (state, changed_at) on signing_key to carbon_app;
"""

DOWN = """
drop table signing_key, refresh_token, auth_session, throttle, otp_challenge, resident_phone, resident_key, resident;
drop sequence enrolment_no;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
