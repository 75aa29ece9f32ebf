"""Settlement: a statement per merchant and day, payments, bank files, what providers say of our money."""

from alembic import op

revision = "0021_settlement"
down_revision = "0020_redemptions"
branch_labels = None
depends_on = None

UP = """
insert into reward_state (machine, follows, state) values
  ('settlement', 'frozen', 'approved'), ('settlement', 'frozen', 'refused'), ('settlement', 'refused', 'frozen'),
  ('settlement', 'approved', 'paid'), ('settlement', 'frozen', 'carried'),
  ('payment', 'created', 'sent'), ('payment', 'sent', 'paid'), ('payment', 'created', 'failed'), ('payment', 'sent', 'failed'),
  ('payment', 'paid', 'reconciled'), ('payment', 'paid', 'reversed'), ('payment', 'reconciled', 'reversed'),
  ('take_back', 'created', 'taken'), ('take_back', 'created', 'short');

-- One merchant's day: every capture and reversal of it in one line, what was carried in and what is carried on. Amounts
-- are micro-fen; whole fen are paid, the rest is carried. What is owed to us (negative) is carried, never paid.
create table settlement (
  settlement_id   bigint generated always as identity primary key,
  merchant_id     int not null references merchant,
  day             date not null,
  captures        int not null check (captures >= 0),
  reversals       int not null check (reversals >= 0),
  carried_in      bigint not null,
  lines_micro_fen bigint not null,
  adjusted_fen    bigint not null default 0,
  amount_fen      bigint not null check (amount_fen >= 0),
  carried_out     bigint not null check (carried_out < 1000000),
  state           text not null default 'frozen' check (state in ('frozen', 'carried', 'approved', 'refused', 'paid')),
  digest          bytea not null check (length(digest) = 32),
  follows         bigint unique references settlement,
  approval_id     bigint references approval,
  made_at         timestamptz not null default clock_timestamp(),
  unique (merchant_id, day),
  check (carried_in + lines_micro_fen + adjusted_fen * 1000000 = amount_fen * 1000000 + carried_out),
  check (amount_fen = 0 or carried_out >= 0),
  check (state <> 'carried' or amount_fen = 0),
  check (state not in ('approved', 'paid') or approval_id is not null)
);
create trigger only_allowed_settlement_states before update on settlement
  for each row execute function only_allowed_reward_states('settlement');
grant select, insert on settlement to carbon_app;
grant update (state, approval_id) on settlement to carbon_app;

-- A capture is settled once, its reversal once, and neither for more than it was.
create table settlement_line (
  settlement_id bigint not null references settlement,
  capture_id    uuid not null references capture,
  kind          text not null check (kind in ('capture', 'reversal')),
  micro_fen     bigint not null check (micro_fen <> 0),
  subsidy_fen   bigint not null,
  purse_id      int references purse,
  primary key (capture_id, kind),
  check ((kind = 'capture') = (micro_fen > 0)),
  check ((subsidy_fen <> 0) <= (purse_id is not null))
);
create index settlement_line_of on settlement_line (settlement_id, capture_id, kind);
call make_append_only('settlement_line');

-- A capture is undone on its own day, which is before its statement is made: what was settled stays.
create function reversal_is_of_its_day() returns trigger language plpgsql as $$
begin
  if not exists (select from capture c where c.capture_id = new.capture_id and c.booked_on = new.booked_on
                   and c.merchant_id = new.merchant_id)
     or exists (select from settlement_line l where l.capture_id = new.capture_id) then
    raise exception 'a capture is undone by its merchant on its day and before it is settled' using errcode = 'CC003';
  end if;
  return new;
end $$;
create trigger reversal_is_of_its_day before insert on capture_reversal
  for each row execute function reversal_is_of_its_day();

-- One attempt to pay a settlement: the key a provider hears is derived from the row, so a repeat is the same payment.
create table payment (
  payment_id    bigint generated always as identity primary key,
  settlement_id bigint not null references settlement,
  attempt       smallint not null check (attempt between 1 and 99),
  account_id    int not null references merchant_account,
  rail          text not null check (rail in ('stripe', 'bank')),
  amount_fen    bigint not null check (amount_fen > 0),
  key           text generated always as ('settlement:' || settlement_id || ':' || attempt) stored unique,
  provider_ref  text check (length(provider_ref) between 1 and 120),
  state         text not null default 'created' check (state in ('created', 'sent', 'paid', 'reconciled', 'failed', 'reversed')),
  failure       text check (length(failure) between 1 and 200),
  reversed_fen  bigint not null default 0 check (reversed_fen between 0 and amount_fen),
  created_at    timestamptz not null default clock_timestamp(),
  changed_at    timestamptz not null default clock_timestamp(),
  unique (settlement_id, attempt),
  check (state not in ('sent', 'paid', 'reconciled', 'reversed') or provider_ref is not null),
  check ((state = 'failed') <= (failure is not null))
);
create unique index payment_once on payment (settlement_id) where state <> 'failed';
create unique index payment_provider on payment (rail, provider_ref) where provider_ref is not null;
create index payment_unfinished on payment (state, changed_at) where state in ('created', 'sent', 'paid');
create trigger only_allowed_payment_states before update on payment
  for each row execute function only_allowed_reward_states('payment');
grant select, insert on payment to carbon_app;
grant update (provider_ref, state, failure, reversed_fen, changed_at) on payment to carbon_app;

-- What a merchant's next statement is put right by, once for its cause: money that came back to us is owed to it again
-- (above zero), money that could not be taken back is owed by it (below zero).
create table settlement_adjustment (
  adjustment_id bigint generated always as identity primary key,
  merchant_id   int not null references merchant,
  payment_id    bigint not null references payment,
  kind          text not null check (kind in ('returned', 'receivable')),
  fen           bigint not null check (fen <> 0),
  booked_on     date not null,
  cause         text not null unique check (length(cause) between 1 and 120),
  made_at       timestamptz not null default clock_timestamp(),
  check (kind = 'returned' or fen < 0)
);
create index settlement_adjustment_of on settlement_adjustment (payment_id);
call make_append_only('settlement_adjustment');
create table settlement_adjusted (
  adjustment_id bigint primary key references settlement_adjustment,
  settlement_id bigint not null references settlement
);
create index settlement_adjusted_of on settlement_adjusted (settlement_id);
call make_append_only('settlement_adjusted');

-- Money that was paid and is asked back, by two people; where the account is short, the next statement bears it.
create table take_back (
  take_back_id bigint generated always as identity primary key,
  payment_id   bigint not null references payment,
  amount_fen   bigint not null check (amount_fen > 0),
  approval_id  bigint not null unique references approval,
  key          text generated always as ('take_back:' || take_back_id) stored unique,
  state        text not null default 'created' check (state in ('created', 'taken', 'short')),
  failure      text check (length(failure) between 1 and 200),
  created_at   timestamptz not null default clock_timestamp(),
  changed_at   timestamptz not null default clock_timestamp(),
  check ((state = 'short') = (failure is not null))
);
create index take_back_of on take_back (payment_id);
create unique index take_back_one_at_a_time on take_back (payment_id) where state = 'created';
create trigger only_allowed_take_back_states before update on take_back
  for each row execute function only_allowed_reward_states('take_back');
grant select, insert on take_back to carbon_app;
grant update (state, failure, changed_at) on take_back to carbon_app;

-- A file of payments for the bank, as it was written: the same rows are never in two files.
create table bank_file (
  file_id    bigint generated always as identity primary key,
  made_by    int not null references staff,
  made_at    timestamptz not null default clock_timestamp(),
  n          int not null check (n > 0),
  total_fen  bigint not null check (total_fen > 0),
  encoding   text not null check (encoding in ('gb18030', 'utf-8')),
  sha256     bytea not null check (length(sha256) = 32)
);
call make_append_only('bank_file');
create table bank_file_line (
  payment_id bigint primary key references payment,
  file_id    bigint not null references bank_file,
  line       int not null check (line > 0),
  unique (file_id, line)
);
call make_append_only('bank_file_line');

-- What a provider says happened to our money, a line each, as it said it; matched with what we meant, or unexplained.
create table provider_line (
  provider    text not null check (provider in ('stripe', 'bank')),
  line_id     text not null check (length(line_id) between 1 and 120),
  kind        text not null check (length(kind) between 1 and 60),
  amount_fen  bigint not null,
  fee_fen     bigint not null default 0,
  source_ref  text check (length(source_ref) between 1 and 120),
  occurred_at timestamptz not null,
  told        jsonb not null,
  read_at     timestamptz not null default clock_timestamp(),
  primary key (provider, line_id)
);
create index provider_line_day on provider_line (provider, occurred_at);
create index provider_line_source on provider_line (source_ref);
call make_append_only('provider_line');
"""

DOWN = """
drop trigger reversal_is_of_its_day on capture_reversal;
drop function reversal_is_of_its_day();
drop table provider_line, bank_file_line, bank_file, take_back, settlement_adjusted, settlement_adjustment, payment,
  settlement_line, settlement;
delete from reward_state where machine in ('settlement', 'payment', 'take_back');
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
