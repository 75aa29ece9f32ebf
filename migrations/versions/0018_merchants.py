"""Merchants: who they are, what they are paid to, what they sign in with, who stands at their tills."""

from alembic import op

revision = "0018_merchants"
down_revision = "0017_days"
branch_labels = None
depends_on = None

UP = """
alter table staff drop constraint staff_roles_check,
  add constraint staff_roles_check
    check (roles <@ array['programme', 'finance', 'support', 'audit', 'science', 'merchant']);

-- Which states the things of this floor have and which may follow which: the only list, read by the trigger below.
create table reward_state (
  machine text not null,
  follows text not null,
  state   text not null,
  primary key (machine, follows, state)
);
grant select on reward_state to carbon_app;
insert into reward_state (machine, follows, state) values
  ('merchant', 'applied', 'active'), ('merchant', 'applied', 'refused'), ('merchant', 'refused', 'applied'),
  ('merchant', 'active', 'suspended'), ('merchant', 'suspended', 'active'),
  -- a merchant that leaves takes nothing new and honours what is out
  ('merchant', 'active', 'closing'), ('merchant', 'suspended', 'closing'), ('merchant', 'closing', 'closed'),
  ('account', 'proposed', 'active'), ('account', 'proposed', 'refused'), ('account', 'active', 'ended');

create function only_allowed_reward_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
       select from reward_state s where s.machine = tg_argv[0] and s.follows = old.state and s.state = new.state) then
    raise exception 'a % that is % cannot become %', tg_argv[0], old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;

-- A shop, or whoever plants for a donation. The licence's number is public; who answers the telephone is not.
create table merchant (
  merchant_id    int generated always as identity primary key,
  code           text not null unique check (code ~ '^[a-z][a-z0-9_]{2,39}$'),
  name_zh        text not null check (length(name_zh) between 1 and 100),
  name_en        text not null check (length(name_en) between 1 and 100),
  category       text not null check (category in ('food', 'groceries', 'household', 'culture', 'travel', 'planting', 'other')),
  street         text check (street in ('zumiao', 'shiwan', 'zhangcha', 'nanzhuang')),
  address        text not null check (length(address) between 1 and 200),
  licence_no     text not null unique check (licence_no ~ '^[0-9A-HJ-NP-RTUWXY]{18}$'),
  licence_sha256 bytea check (length(licence_sha256) = 32),
  contact        bytea not null,
  state          text not null default 'applied' check (state in ('applied', 'refused', 'active', 'suspended', 'closing', 'closed')),
  state_reason   text check (length(state_reason) between 1 and 500),
  applied_at     timestamptz not null default clock_timestamp(),
  changed_at     timestamptz not null default clock_timestamp(),
  approval_id    bigint references approval,
  check (state in ('applied', 'refused') or approval_id is not null),
  check (state not in ('refused', 'suspended', 'closing') or state_reason is not null)
);
create trigger only_allowed_merchant_states before update on merchant
  for each row execute function only_allowed_reward_states('merchant');
grant select, insert on merchant to carbon_app;
grant update (name_zh, name_en, category, street, address, licence_sha256, contact, state, state_reason, changed_at,
              approval_id) on merchant to carbon_app;

-- What a merchant is paid to. The number is sealed; what people see of it is its end.
create table merchant_account (
  account_id   int generated always as identity primary key,
  merchant_id  int not null references merchant,
  rail         text not null check (rail in ('stripe', 'bank')),
  provider_ref text check (length(provider_ref) between 1 and 120),
  holder       bytea,
  number       bytea,
  number_end   text check (number_end ~ '^[0-9A-Za-z]{2,4}$'),
  bank_code    text check (bank_code ~ '^[0-9]{12}$'),
  state        text not null default 'proposed' check (state in ('proposed', 'refused', 'active', 'ended')),
  approval_id  bigint references approval,
  proposed_at  timestamptz not null default clock_timestamp(),
  ended_at     timestamptz,
  check (case rail when 'stripe' then provider_ref is not null and number is null
         else num_nonnulls(holder, number, number_end, bank_code) = 4 and provider_ref is null end),
  check ((state in ('active', 'ended')) <= (approval_id is not null)),
  check ((state = 'ended') = (ended_at is not null))
);
create unique index merchant_account_once on merchant_account (merchant_id) where state = 'active';
create unique index merchant_account_provider on merchant_account (rail, provider_ref) where provider_ref is not null;
create trigger only_allowed_account_states before update on merchant_account
  for each row execute function only_allowed_reward_states('account');
grant select, insert on merchant_account to carbon_app;
grant update (state, approval_id, ended_at) on merchant_account to carbon_app;

-- What a merchant's system or one till signs in with, and what it may do.
create table merchant_client (
  client_id   text primary key check (client_id ~ '^[a-z0-9-]{4,60}$'),
  merchant_id int not null references merchant,
  kind        text not null check (kind in ('system', 'till')),
  label       text not null check (length(label) between 1 and 60),
  scopes      text[] not null check (scopes <@ array['captures', 'reversals', 'settlements', 'offers', 'staff', 'hooks']
                                     and cardinality(scopes) > 0),
  secret_mac  bytea not null check (length(secret_mac) = 16),
  created_at  timestamptz not null default clock_timestamp(),
  ended_at    timestamptz
);
create index merchant_client_live on merchant_client (merchant_id) where ended_at is null;
grant select, insert on merchant_client to carbon_app;
grant update (ended_at) on merchant_client to carbon_app;

-- A till is brought in with a code that a manager was shown: once, and soon.
create table till_pairing (
  code_mac    bytea primary key check (length(code_mac) = 16),
  merchant_id int not null references merchant,
  label       text not null check (length(label) between 1 and 60),
  made_by     text not null check (length(made_by) between 1 and 80),
  expires_at  timestamptz not null,
  used_at     timestamptz,
  client_id   text unique references merchant_client,
  check ((used_at is null) = (client_id is null))
);
grant select, insert on till_pairing to carbon_app;
grant update (used_at, client_id) on till_pairing to carbon_app;

-- Who stands at a till: a number within the merchant and a keyed digest of a PIN; five wrong ones close it for a while.
create table merchant_member (
  member_id    int generated always as identity primary key,
  merchant_id  int not null references merchant,
  number       smallint not null check (number between 1 and 999),
  name         bytea not null,
  role         text not null check (role in ('owner', 'manager', 'cashier')),
  pin_mac      bytea not null check (length(pin_mac) = 16),
  wrong        smallint not null default 0 check (wrong between 0 and 5),
  locked_until timestamptz,
  added_at     timestamptz not null default clock_timestamp(),
  ended_at     timestamptz,
  unique (merchant_id, number)
);
grant select, insert on merchant_member to carbon_app;
grant update (role, pin_mac, wrong, locked_until, ended_at) on merchant_member to carbon_app;

-- Who is at which till from when to when; one person at a time.
create table till_shift (
  shift_id  bigint generated always as identity primary key,
  client_id text not null references merchant_client,
  member_id int not null references merchant_member,
  began_at  timestamptz not null default clock_timestamp(),
  ended_at  timestamptz,
  check (ended_at >= began_at)
);
create unique index till_shift_once on till_shift (client_id) where ended_at is null;
grant select, insert on till_shift to carbon_app;
grant update (ended_at) on till_shift to carbon_app;
"""

DOWN = """
drop table till_shift, merchant_member, till_pairing, merchant_client, merchant_account, merchant;
drop function only_allowed_reward_states();
drop table reward_state;
alter table staff drop constraint staff_roles_check,
  add constraint staff_roles_check check (roles <@ array['programme', 'finance', 'support', 'audit', 'science']);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
