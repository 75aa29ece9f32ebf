"""Money that comes in, what providers tell us unasked, and what we tell merchants unasked."""

from alembic import op

revision = "0022_payments_in"
down_revision = "0021_settlement"
branch_labels = None
depends_on = None

UP = """
insert into reward_state (machine, follows, state) values
  ('funding', 'created', 'paid'), ('funding', 'created', 'failed'), ('funding', 'created', 'expired'),
  -- money that comes late is booked all the same
  ('funding', 'expired', 'paid'), ('funding', 'failed', 'paid'),
  ('funding', 'paid', 'refunded'), ('funding', 'refunded', 'paid'),
  ('refund', 'created', 'sent'), ('refund', 'created', 'failed'), ('refund', 'sent', 'paid'), ('refund', 'sent', 'failed'),
  -- the sponsor's bank may return what it had taken
  ('refund', 'paid', 'failed'),
  ('inbox', 'received', 'done'), ('inbox', 'received', 'dead'), ('inbox', 'dead', 'received');

-- What a provider told us, by its own number: once, whole, as it came.
create table inbox_event (
  provider     text not null check (provider in ('stripe')),
  event_id     text not null check (length(event_id) between 1 and 120),
  type         text not null check (length(type) between 1 and 120),
  object_ref   text check (length(object_ref) between 1 and 120),
  raw          bytea not null,
  received_at  timestamptz not null default clock_timestamp(),
  state        text not null default 'received' check (state in ('received', 'done', 'dead')),
  attempts     smallint not null default 0 check (attempts >= 0),
  next_at      timestamptz not null default clock_timestamp(),
  processed_at timestamptz,
  last_error   text,
  primary key (provider, event_id),
  check ((state = 'done') = (processed_at is not null))
);
create index inbox_event_due on inbox_event (next_at) where state = 'received';
create trigger only_allowed_inbox_states before update on inbox_event
  for each row execute function only_allowed_reward_states('inbox');
grant select, insert, delete on inbox_event to carbon_app;
grant update (state, attempts, next_at, processed_at, last_error) on inbox_event to carbon_app;

-- A sponsor pays for points of a fund, or into a purse. Points are credited to the fund once the money is here, under the
-- approval that asked for it.
create table funding (
  funding_id   bigint generated always as identity primary key,
  sponsor      text not null check (length(sponsor) between 1 and 100),
  fund_id      int references fund,
  points       bigint check (points > 0),
  purse_id     int references purse,
  amount_fen   bigint not null check (amount_fen between 1 and 100000000000),
  means        text not null check (means in ('checkout', 'intent')),
  approval_id  bigint not null unique references approval,
  provider_ref text unique check (length(provider_ref) between 1 and 120),
  intent_ref   text unique check (length(intent_ref) between 1 and 120),
  url          text check (length(url) between 1 and 2000),
  state        text not null default 'created' check (state in ('created', 'paid', 'failed', 'expired', 'refunded')),
  refunded_fen bigint not null default 0 check (refunded_fen between 0 and amount_fen),
  created_at   timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp(),
  check (num_nonnulls(fund_id, purse_id) = 1 and (fund_id is null) = (points is null)),
  check ((state = 'refunded') = (refunded_fen = amount_fen)),
  check (state in ('paid', 'refunded') or refunded_fen = 0)
);
create trigger only_allowed_funding_states before update on funding
  for each row execute function only_allowed_reward_states('funding');
grant select, insert on funding to carbon_app;
grant update (provider_ref, intent_ref, url, state, refunded_fen, changed_at) on funding to carbon_app;

-- What is given back of it, never more than is unspent.
create table funding_refund (
  refund_id    bigint generated always as identity primary key,
  funding_id   bigint not null references funding,
  amount_fen   bigint not null check (amount_fen > 0),
  points       bigint check (points > 0),
  approval_id  bigint not null unique references approval,
  key          text generated always as ('refund:' || refund_id) stored unique,
  provider_ref text unique check (length(provider_ref) between 1 and 120),
  state        text not null default 'created' check (state in ('created', 'sent', 'paid', 'failed')),
  failure      text check (length(failure) between 1 and 200),
  created_at   timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp()
);
create index funding_refund_of on funding_refund (funding_id);
create trigger only_allowed_refund_states before update on funding_refund
  for each row execute function only_allowed_reward_states('refund');
grant select, insert on funding_refund to carbon_app;
grant update (provider_ref, state, failure, changed_at) on funding_refund to carbon_app;

-- What a sponsor takes back of a fund is a deposit below zero, so that a fund's budget stays the sum of its deposits. An
-- approval makes one of each sign at most: the one above zero undoes a refund that came back.
alter table fund_deposit drop constraint fund_deposit_points_check,
  drop constraint fund_deposit_amount_fen_check,
  drop constraint fund_deposit_approval_id_key,
  add constraint fund_deposit_signs check (points > 0 and amount_fen >= 0 or points < 0 and amount_fen <= 0);
create unique index fund_deposit_approval_once on fund_deposit (approval_id, (points > 0));

-- Where a merchant wants to be told, and the secret that signs; during a rotation both sign.
create table merchant_hook (
  hook_id     int generated always as identity primary key,
  merchant_id int not null references merchant,
  url         text not null check (url ~ '^https?://' and length(url) <= 500),
  events      text[] not null check (events <@ array['redemption.captured', 'redemption.reversed', 'settlement.paid']
                                     and cardinality(events) > 0),
  secret      bytea not null,
  old_secret  bytea,
  old_until   timestamptz,
  disabled_at timestamptz,
  why         text check (length(why) between 1 and 200),
  made_at     timestamptz not null default clock_timestamp(),
  ended_at    timestamptz,
  check ((old_secret is null) = (old_until is null)),
  check ((disabled_at is null) = (why is null))
);
create index merchant_hook_live on merchant_hook (merchant_id) where ended_at is null;
grant select, insert on merchant_hook to carbon_app;
grant update (url, events, secret, old_secret, old_until, disabled_at, why, ended_at) on merchant_hook to carbon_app;

-- One thing told to one address, until it was taken or given up.
create table hook_delivery (
  delivery_id  uuid primary key default uuidv7(),
  hook_id      int not null references merchant_hook,
  event        text not null check (event in ('redemption.captured', 'redemption.reversed', 'settlement.paid', 'hook.test')),
  cause        text not null check (length(cause) between 1 and 120),
  payload      jsonb not null,
  created_at   timestamptz not null default clock_timestamp(),
  attempts     smallint not null default 0 check (attempts >= 0),
  next_at      timestamptz not null default clock_timestamp(),
  state        text not null default 'waiting' check (state in ('waiting', 'taken', 'dead')),
  last_status  smallint,
  last_error   text check (length(last_error) between 1 and 200),
  finished_at  timestamptz,
  unique (hook_id, event, cause),
  check ((state = 'waiting') = (finished_at is null))
);
create index hook_delivery_due on hook_delivery (next_at) where state = 'waiting';
grant select, insert, delete on hook_delivery to carbon_app;
grant update (attempts, next_at, state, last_status, last_error, finished_at) on hook_delivery to carbon_app;
"""

DOWN = """
drop index fund_deposit_approval_once;
alter table fund_deposit drop constraint fund_deposit_signs,
  add constraint fund_deposit_points_check check (points > 0),
  add constraint fund_deposit_amount_fen_check check (amount_fen >= 0),
  add constraint fund_deposit_approval_id_key unique (approval_id);
drop table hook_delivery, merchant_hook, funding_refund, funding, inbox_event;
delete from reward_state where machine in ('funding', 'refund', 'inbox');
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
