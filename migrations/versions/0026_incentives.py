"""Green finance: banks, what they offer for grams, residents' statements and their status, what banks made of them."""

from alembic import op

revision = "0026_incentives"
down_revision = "0025_payouts"
branch_labels = None
depends_on = None

UP = """
-- A statement lives for days, an access token for minutes: each has keys of its own, and a key of one signs nothing of the other.
alter table signing_key add column purpose text not null default 'access' check (purpose in ('access', 'statement'));
drop index signing_key_one_signing;
create unique index signing_key_one_signing on signing_key (purpose) where state = 'signing';

alter table consent drop constraint consent_purpose_check,
  add constraint consent_purpose_check
    check (purpose in ('programme', 'partner_records', 'location_traces', 'statistics', 'green_finance'));

-- A bank or an insurer that gives something for grams. What its statements are addressed to never changes, and cannot be
-- what our access tokens are addressed to.
create table bank (
  bank_id    smallint generated always as identity primary key,
  code       text not null unique check (code ~ '^[a-z][a-z0-9_]{2,39}$'),
  kind       text not null check (kind in ('bank', 'insurer')),
  name_zh    text not null check (length(name_zh) between 1 and 100),
  name_en    text not null check (length(name_en) between 1 and 100),
  audience   text not null unique check (audience ~ '^https://[a-z0-9.-]{1,200}(/[A-Za-z0-9._~/-]{0,100})?$'),
  contact    bytea not null,
  partner_id smallint not null unique references partner,
  added_at   timestamptz not null default clock_timestamp()
);
grant select, insert on bank to carbon_app;
grant update (name_zh, name_en, contact) on bank to carbon_app;

insert into reward_state (machine, follows, state) values
  ('incentive', 'draft', 'proposed'), ('incentive', 'proposed', 'draft'), ('incentive', 'proposed', 'active'),
  ('incentive', 'active', 'paused'), ('incentive', 'paused', 'active'),
  ('incentive', 'active', 'ended'), ('incentive', 'paused', 'ended');

-- One version of a programme. What residents agree to is known by the digest of its words, so other words are another consent.
create table incentive (
  incentive_id    bigint generated always as identity primary key,
  code            text not null check (code ~ '^[a-z][a-z0-9_]{2,39}$'),
  version         smallint not null check (version between 1 and 999),
  bank_id         smallint not null references bank,
  name_zh         text not null check (length(name_zh) between 1 and 60),
  name_en         text not null check (length(name_en) between 1 and 100),
  benefit         text not null check (benefit in ('rate_discount', 'limit', 'premium', 'subsidy')),
  benefit_zh      text not null check (length(benefit_zh) between 1 and 2000),
  benefit_en      text not null check (length(benefit_en) between 1 and 4000),
  grade           text not null check (grade in ('verified', 'verified_and_claimed')),
  families        text[] not null check (cardinality(families) > 0),
  window_months   smallint not null check (window_months between 1 and 36),
  valid_days      smallint not null check (valid_days between 1 and 92),
  consent_zh      text not null check (length(consent_zh) between 1 and 2000),
  consent_en      text not null check (length(consent_en) between 1 and 4000),
  consent_version text not null
    check (consent_version = left(encode(sha256(convert_to(consent_zh || chr(10) || consent_en, 'UTF8')), 'hex'), 16)),
  no_adverse_zh   text not null check (length(no_adverse_zh) between 1 and 2000),
  no_adverse_en   text not null check (length(no_adverse_en) between 1 and 4000),
  state           text not null default 'draft' check (state in ('draft', 'proposed', 'active', 'paused', 'ended')),
  state_reason    text check (length(state_reason) between 1 and 500),
  approval_id     bigint references approval,
  made_at         timestamptz not null default clock_timestamp(),
  changed_at      timestamptz not null default clock_timestamp(),
  unique (code, version),
  check ((state = 'draft') = (approval_id is null)),
  check (state not in ('paused', 'ended') or state_reason is not null)
);
create unique index incentive_one_in_force on incentive (code) where state in ('active', 'paused');
create unique index incentive_one_in_making on incentive (code) where state in ('draft', 'proposed');
create trigger only_allowed_incentive_states before update on incentive
  for each row execute function only_allowed_reward_states('incentive');
grant select, insert on incentive to carbon_app;
grant update (bank_id, name_zh, name_en, benefit, benefit_zh, benefit_en, grade, families, window_months, valid_days, consent_zh,
              consent_en, consent_version, no_adverse_zh, no_adverse_en, state, state_reason, approval_id, changed_at)
  on incentive to carbon_app;

-- Terms change in a draft alone, and only what a second person approved becomes active.
create function incentive_terms_stay() returns trigger language plpgsql as $$
begin
  if old.state <> 'draft' and
     (new.code, new.version, new.bank_id, new.name_zh, new.name_en, new.benefit, new.benefit_zh, new.benefit_en, new.grade,
      new.families, new.window_months, new.valid_days, new.consent_zh, new.consent_en, new.consent_version, new.no_adverse_zh,
      new.no_adverse_en)
     is distinct from
     (old.code, old.version, old.bank_id, old.name_zh, old.name_en, old.benefit, old.benefit_zh, old.benefit_en, old.grade,
      old.families, old.window_months, old.valid_days, old.consent_zh, old.consent_en, old.consent_version, old.no_adverse_zh,
      old.no_adverse_en) then
    raise exception 'only a draft of an incentive is changed' using errcode = 'CC001';
  end if;
  if old.state <> 'draft' and new.state <> 'draft' and new.approval_id is distinct from old.approval_id then
    raise exception 'the approval of an incentive is not changed' using errcode = 'CC001';
  end if;
  if old.state = 'proposed' and new.state = 'active' and not exists (
       select from approval a where a.approval_id = new.approval_id and a.state = 'approved') then
    raise exception 'an incentive that nobody approved' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger incentive_terms_stay before update on incentive for each row execute function incentive_terms_stay();

-- From how many grams on a tier is reached; their order is that of their grams. What it brings is in the unit of the benefit:
-- basis points (a hundredth of a per cent) of rate, limit or premium, or fen of subsidy.
create table incentive_tier (
  incentive_id bigint not null references incentive,
  code         text not null check (code ~ '^[a-z][a-z0-9_]{0,19}$'),
  from_g       bigint not null check (from_g between 1 and 1000000000),
  amount       bigint not null check (amount between 1 and 100000000),
  name_zh      text not null check (length(name_zh) between 1 and 40),
  name_en      text not null check (length(name_en) between 1 and 60),
  primary key (incentive_id, code),
  unique (incentive_id, from_g)
);
create function tiers_of_a_draft_alone() returns trigger language plpgsql as $$
declare
  gone bigint := case when tg_op = 'INSERT' then new.incentive_id else old.incentive_id end;
begin
  if (select state from incentive where incentive_id = gone for share) <> 'draft' then
    raise exception 'only the tiers of a draft are changed' using errcode = 'CC001';
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger tiers_of_a_draft_alone before insert or update or delete on incentive_tier
  for each row execute function tiers_of_a_draft_alone();
grant select, insert, delete on incentive_tier to carbon_app;

-- Places for the status of statements of all banks; always as many, so that a place says nothing of when or whose.
create table status_list (
  list_id   int generated always as identity primary key,
  size      int not null default 131072 check (size = 131072),
  revision  int not null default 0 check (revision >= 0),
  opened_at timestamptz not null default clock_timestamp()
);
grant select, insert on status_list to carbon_app;
grant update (revision) on status_list to carbon_app;

-- What was signed for a resident, never the signed text itself. The grams behind it are sealed under the resident's own key.
create table incentive_statement (
  jti             text primary key check (jti ~ '^[A-Za-z0-9_-]{22}$'),
  incentive_id    bigint not null,
  tier            text not null,
  resident_id     bigint not null references resident,
  list_id         int not null references status_list,
  idx             int not null check (idx between 0 and 131071),
  kid             text not null references signing_key,
  consent_version text not null check (consent_version ~ '^[0-9a-f]{16}$'),
  grams           bytea not null check (length(grams) between 30 and 60),
  issued_at       timestamptz not null,
  expires_at      timestamptz not null,
  revoked_at      timestamptz,
  revoked_why     text check (revoked_why in ('resident', 'consent', 'fraud', 'error', 'erasure')),
  unique (list_id, idx),
  foreign key (incentive_id, tier) references incentive_tier (incentive_id, code),
  check (expires_at > issued_at and expires_at <= issued_at + interval '92 days'),
  check ((revoked_at is null) = (revoked_why is null))
);
create index incentive_statement_of_resident on incentive_statement (resident_id, issued_at desc);
create index incentive_statement_of_incentive on incentive_statement (incentive_id);
create index incentive_statement_revoked on incentive_statement (list_id) where revoked_at is not null;
create function revoked_stays_revoked() returns trigger language plpgsql as $$
begin
  if old.revoked_at is not null then
    raise exception 'a revoked statement stays as it is' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger revoked_stays_revoked before update on incentive_statement
  for each row execute function revoked_stays_revoked();
grant select, insert on incentive_statement to carbon_app;
grant update (revoked_at, revoked_why) on incentive_statement to carbon_app;

-- What a bank made of a statement; a correction is another version, and the highest counts.
create table incentive_outcome (
  jti         text not null references incentive_statement,
  version     smallint not null check (version between 1 and 99),
  outcome     text not null check (outcome in ('granted', 'declined_other', 'not_used')),
  benefit_fen bigint check (benefit_fen between 0 and 100000000000),
  from_on     date,
  to_on       date,
  reported_at timestamptz not null default clock_timestamp(),
  reported_by text not null check (length(reported_by) between 1 and 80),
  primary key (jti, version),
  check (to_on >= from_on),
  check (case outcome when 'granted' then from_on is not null and to_on is not null
         else num_nonnulls(benefit_fen, from_on, to_on) = 0 end)
);
call make_append_only('incentive_outcome');
"""

DOWN = """
drop table incentive_outcome, incentive_statement, status_list, incentive_tier, incentive, bank;
drop function revoked_stays_revoked();
drop function tiers_of_a_draft_alone();
drop function incentive_terms_stay();
delete from reward_state where machine = 'incentive';
alter table consent drop constraint consent_purpose_check,
  add constraint consent_purpose_check
    check (purpose in ('programme', 'partner_records', 'location_traces', 'statistics'));
drop index signing_key_one_signing;
-- a key of the other purpose has nothing to sign here
delete from signing_key where purpose = 'statement';
alter table signing_key drop column purpose;
create unique index signing_key_one_signing on signing_key (state) where state = 'signing';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
