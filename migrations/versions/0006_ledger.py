"""Two books: grams and points. Journals, postings, wallets, lots, holds, funds, seals."""

from alembic import op

revision = "0006_ledger"
down_revision = "0005_programme"
branch_labels = None
depends_on = None

UP = """
create table contra_kind (
  contra_kind smallint primary key,
  name        text not null unique
);
insert into contra_kind values (1, 'grant'), (2, 'bonus'), (3, 'merchant'), (4, 'write_off'), (5, 'breakage'), (6, 'clawback'), (7, 'adjustment');
grant select on contra_kind to carbon_app;

create table journal_kind (
  journal_kind smallint primary key,
  name         text not null unique
);
insert into journal_kind values (1, 'credit'), (2, 'capture'), (3, 'expiry'), (4, 'clawback'), (5, 'adjustment'), (6, 'restatement');
grant select on journal_kind to carbon_app;

-- The resident's row: the mutex of every movement, and the balances it guards.
create table wallet (
  resident_id bigint not null,
  available   bigint not null default 0,
  held        bigint not null default 0,
  pending     bigint not null default 0,
  debt        bigint not null default 0,
  verified_mg bigint not null default 0,
  claimed_mg  bigint not null default 0,
  removal_mg  bigint not null default 0,
  seq         int not null default 0,
  shard_id    smallint not null,
  status      smallint not null default 1 check (status in (1, 2)),    -- 1 open, 2 closed
  primary key (resident_id, shard_id),
  check (available >= 0 and held >= 0 and pending >= 0 and debt >= 0),
  check (not (debt > 0 and available > 0)),
  check (shard_id = (resident_id - 1) / 16384)
) with (fillfactor = 70);
grant select, insert, update on wallet to carbon_app;

create table lot (
  resident_id bigint not null,
  expires_on  date not null,
  fund_id     int not null,
  earned      bigint not null,
  remaining   bigint not null,
  held        bigint not null default 0,
  shard_id    smallint not null,
  primary key (resident_id, expires_on, fund_id, shard_id),
  check (remaining >= 0 and held >= 0 and remaining + held <= earned)
) with (fillfactor = 70);
create index lot_due on lot (shard_id, expires_on) where remaining > 0;
grant select, insert, update on lot to carbon_app;

create table pending_lot (
  resident_id bigint not null,
  matures_on  date not null,
  expires_on  date not null,
  fund_id     int not null,
  points      bigint not null check (points >= 0),
  shard_id    smallint not null,
  primary key (resident_id, matures_on, expires_on, fund_id, shard_id)
) with (fillfactor = 70);
create index pending_lot_due on pending_lot (shard_id, matures_on) where points > 0;
grant select, insert, update, delete on pending_lot to carbon_app;

create table journal (
  journal_id   bigint generated always as identity,
  created_at   timestamptz not null default clock_timestamp(),
  points_sum   bigint not null,
  verified_sum bigint not null,
  claimed_sum  bigint not null,
  removal_sum  bigint not null,
  reverses     bigint,
  n            int not null check (n > 0),
  kind         smallint not null references journal_kind,
  shard_id     smallint not null,
  cause        text check (length(cause) <= 120),
  content_hash bytea not null check (length(content_hash) = 32),
  primary key (journal_id, shard_id)
);
create index journal_created on journal (created_at);
call make_append_only('journal');

-- One row is both legs: the resident gains what the contra account gives, so it cannot be unbalanced.
-- No foreign keys on this path: a nightly check looks for orphans instead.
create table posting (
  journal_id    bigint not null,
  resident_id   bigint not null,
  points        bigint not null,
  verified_mg   bigint not null default 0,
  claimed_mg    bigint not null default 0,
  removal_mg    bigint not null default 0,
  balance_after bigint not null,
  activity_id   bigint,
  line          int not null,
  wallet_seq    int not null,
  contra_ref    int not null,
  booked_on     date not null,
  effective_on  date not null,
  lot_on        date,
  generation    smallint not null default 0,
  contra_kind   smallint not null,
  shard_id      smallint not null,
  primary key (journal_id, line, booked_on, shard_id),
  check (points <> 0 or verified_mg <> 0 or claimed_mg <> 0 or removal_mg <> 0)
) partition by range (booked_on);
create unique index posting_wallet on posting (resident_id, wallet_seq, booked_on, shard_id);
insert into monthly_table values ('posting', true);
call make_append_only('posting');

create table hold (
  hold_id     uuid not null default uuidv7(),
  resident_id bigint not null,
  points      bigint not null check (points > 0),
  merchant_id int not null,
  state       text not null default 'held' check (state in ('held', 'captured', 'voided', 'lapsed')),
  expires_at  timestamptz not null,
  created_at  timestamptz not null default clock_timestamp(),
  resolved_at timestamptz,
  journal_id  bigint,
  shard_id    smallint not null,
  primary key (hold_id, shard_id),
  check ((state = 'held') = (resolved_at is null)),
  check ((state = 'captured') = (journal_id is not null))
);
create index hold_due on hold (expires_at) where state = 'held';
create index hold_resident on hold (resident_id) where state = 'held';
grant select, insert on hold to carbon_app;
grant update (state, resolved_at, journal_id) on hold to carbon_app;

create table hold_lot (
  hold_id    uuid not null,
  expires_on date not null,
  fund_id    int not null,
  points     bigint not null check (points > 0),
  shard_id   smallint not null,
  primary key (hold_id, expires_on, fund_id, shard_id)
);
call make_append_only('hold_lot');

-- A fund's budget is in points, bought at a frozen price; the unallocated rest feeds the shards' slots.
create table fund (
  fund_id     int generated always as identity primary key,
  code        text not null unique check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  name_zh     text not null,
  name_en     text not null,
  budget      bigint not null default 0 check (budget >= 0),
  unallocated bigint not null default 0 check (unallocated >= 0)
);
grant select, insert, update on fund to carbon_app;
alter table earning_rate add constraint earning_rate_fund_fkey foreign key (fund_id) references fund;

create table fund_deposit (
  deposit_id  bigint generated always as identity primary key,
  fund_id     int not null references fund,
  points      bigint not null check (points > 0),
  amount_fen  bigint not null check (amount_fen >= 0),
  approval_id bigint not null unique references approval,
  at          timestamptz not null default clock_timestamp()
);
call make_append_only('fund_deposit');

create table fund_slot (
  fund_id   int not null,
  shard_id  smallint not null,
  remaining bigint not null check (remaining >= 0),
  primary key (fund_id, shard_id)
) with (fillfactor = 50);
grant select, insert, update on fund_slot to carbon_app;

create table clawback (
  resident_id   bigint not null,
  activity_id   bigint not null,
  generation    smallint not null,
  journal_id    bigint,
  from_pending  bigint not null default 0,
  from_lot      bigint not null default 0,
  from_other    bigint not null default 0,
  from_breakage bigint not null default 0,
  to_debt       bigint not null default 0,
  reason        text not null check (length(reason) between 1 and 120),
  at            timestamptz not null default clock_timestamp(),
  shard_id      smallint not null,
  primary key (resident_id, activity_id, generation, shard_id)
);
call make_append_only('clawback');

create table seal (
  seal_no      bigint primary key check (seal_no > 0),
  prev_hash    bytea not null check (length(prev_hash) = 32),
  merkle_root  bytea not null check (length(merkle_root) = 32),
  hash         bytea not null unique check (length(hash) = 32),
  n_journals   int not null check (n_journals > 0),
  n_postings   bigint not null,
  points_sum   numeric not null,
  verified_sum numeric not null,
  claimed_sum  numeric not null,
  removal_sum  numeric not null,
  sealed_at    timestamptz not null default clock_timestamp()
);
call make_append_only('seal');

create table seal_member (
  journal_id bigint not null,
  seal_no    bigint not null references seal,
  leaf       int not null,
  shard_id   smallint not null,
  primary key (journal_id, shard_id)
);
create unique index seal_member_order on seal_member (seal_no, leaf);
call make_append_only('seal_member');
"""

DOWN = """
alter table earning_rate drop constraint earning_rate_fund_fkey;
drop table seal_member, seal, clawback, fund_slot, fund_deposit, fund, hold_lot, hold, posting, journal, pending_lot, lot, wallet, journal_kind, contra_kind;
delete from monthly_table where table_name = 'posting';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
