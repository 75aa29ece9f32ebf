"""Redemptions: points reserved for an offer, codes, captures at the till and their reversals, gifts of many."""

from alembic import op

revision = "0020_redemptions"
down_revision = "0019_offers"
branch_labels = None
depends_on = None

UP = """
insert into journal_kind (journal_kind, name) values (7, 'reversal');
-- what is undone is undone once
create unique index journal_reverses on journal (reverses, shard_id) where reverses is not null;
insert into reward_state (machine, follows, state) values
  ('redemption', 'reserved', 'captured'), ('redemption', 'reserved', 'cancelled'), ('redemption', 'reserved', 'lapsed'),
  ('redemption', 'captured', 'reversed'),
  ('gift', 'open', 'complete'), ('gift', 'open', 'failed');

-- A gift of many: points are pledged until the goal is met, and given back where it is not met in time.
create table gift (
  gift_id     bigint generated always as identity primary key,
  offer_id    bigint not null references offer,
  begun_by    bigint not null,
  shard_id    smallint not null,
  title       text not null check (length(title) between 1 and 60),
  goal        bigint not null check (goal > 0),
  pledged     bigint not null default 0 check (pledged between 0 and goal),
  join_mac    bytea not null unique check (length(join_mac) = 16),
  deadline    timestamptz not null,
  state       text not null default 'open' check (state in ('open', 'complete', 'failed')),
  begun_at    timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  check ((state = 'open') = (resolved_at is null)),
  check (state <> 'complete' or pledged = goal)
);
create index gift_due on gift (deadline) where state = 'open';
create index gift_of_resident on gift (begun_by, gift_id);
create trigger only_allowed_gift_states before update on gift
  for each row execute function only_allowed_reward_states('gift');
grant select, insert on gift to carbon_app;
grant update (pledged, state, resolved_at) on gift to carbon_app;

-- What one resident takes of one offer. Its number is that of the hold its points lie in; what was agreed is copied, so
-- that no later change touches it. A gift's pledge is paid with the gift.
create table redemption (
  redemption_id   uuid not null,
  resident_id     bigint not null,
  offer_id        bigint not null,
  points          bigint not null check (points > 0),
  face_fen        bigint not null check (face_fen > 0),
  value_micro_fen bigint not null check (value_micro_fen > 0),
  subsidy_fen     bigint not null check (subsidy_fen >= 0),
  gift_id         bigint,
  merchant_id     int not null,
  purse_id        int,
  state           text not null default 'reserved' check (state in ('reserved', 'captured', 'cancelled', 'lapsed', 'reversed')),
  kind            text not null check (kind in ('voucher', 'offline', 'donation', 'group_gift')),
  reserved_at     timestamptz not null default clock_timestamp(),
  expires_at      timestamptz not null,
  resolved_at     timestamptz,
  shard_id        smallint not null,
  slot            smallint not null check (slot between 0 and 7),
  primary key (redemption_id, shard_id),
  check ((state = 'reserved') = (resolved_at is null)),
  check ((kind = 'group_gift') = (gift_id is not null)),
  check ((subsidy_fen > 0) <= (purse_id is not null))
) with (fillfactor = 80);
create index redemption_of_resident on redemption (resident_id, reserved_at);
create index redemption_of_gift on redemption (gift_id) where gift_id is not null;
create trigger only_allowed_redemption_states before update on redemption
  for each row execute function only_allowed_reward_states('redemption');
grant select, insert on redemption to carbon_app;
grant update (state, resolved_at) on redemption to carbon_app;

-- How a till finds a redemption: by the keyed digest of a code. The long one is for any till of the merchant, the short
-- one is bound to it in the digest. Like act_key it is not cut by shard: a till knows no resident.
create table redemption_code (
  code_mac      bytea primary key check (length(code_mac) = 16),
  redemption_id uuid not null,
  merchant_id   int not null,
  shard_id      smallint not null,
  is_short      boolean not null,
  made_at       timestamptz not null default clock_timestamp()
);
call make_append_only('redemption_code');

-- Wrong codes, counted by hour, where a short code could be guessed: the row itself says when it is enough.
create table wrong_code (
  client_id text not null references merchant_client,
  hour      timestamptz not null,
  n         smallint not null check (n between 1 and 1000),
  primary key (client_id, hour)
);
grant select, insert, delete on wrong_code to carbon_app;
grant update (n) on wrong_code to carbon_app;

-- That a merchant took a redemption: once, and what it is paid for it. `occurred_at` is what the till said, where it was
-- offline; `captured_at` is when we heard of it. A donation has no till.
create table capture (
  capture_id     uuid primary key default uuidv7(),
  redemption_id  uuid not null,
  shard_id       smallint not null,
  merchant_id    int not null references merchant,
  offer_id       bigint not null references offer,
  client_id      text references merchant_client,
  member_id      int references merchant_member,
  journal_id     bigint not null,
  captured_at    timestamptz not null default clock_timestamp(),
  occurred_at    timestamptz not null,
  booked_on      date not null,
  points         bigint not null check (points > 0),
  face_fen       bigint not null check (face_fen > 0),
  subsidy_fen    bigint not null check (subsidy_fen >= 0),
  purse_id       int references purse,
  paid_micro_fen bigint not null check (paid_micro_fen > 0),
  is_offline     boolean not null default false,
  reference      text check (length(reference) between 1 and 60),
  unique (redemption_id, shard_id),
  check ((subsidy_fen > 0) <= (purse_id is not null)),
  check (paid_micro_fen::numeric <= face_fen::numeric * 1000000)
);
create index capture_of_merchant on capture (merchant_id, booked_on, capture_id);
call make_append_only('capture');

-- That it was undone the same day, and why.
create table capture_reversal (
  capture_id  uuid primary key references capture,
  merchant_id int not null references merchant,
  client_id   text references merchant_client,
  member_id   int references merchant_member,
  journal_id  bigint not null,
  reversed_at timestamptz not null default clock_timestamp(),
  booked_on   date not null,
  reason      text not null check (length(reason) between 1 and 200)
);
create index capture_reversal_of_merchant on capture_reversal (merchant_id, booked_on);
call make_append_only('capture_reversal');
"""

DOWN = """
drop table capture_reversal, capture, wrong_code, redemption_code, redemption, gift;
delete from reward_state where machine in ('redemption', 'gift');
drop index journal_reverses;
delete from journal_kind where journal_kind = 7;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
