"""What members of staff sign in with, their sessions and their territory; roles as the console knows them."""

from alembic import op

revision = "0028_staff_access"
down_revision = "0027_groups"
branch_labels = None
depends_on = None

ROLES = "array['programme', 'methodology', 'finance', 'partner', 'merchant', 'street', 'support', 'audit']"
ROLES_BEFORE = "array['programme', 'finance', 'support', 'audit', 'science']"

UP = f"""
alter table staff drop constraint staff_roles_check;
update staff set roles = array_replace(roles, 'science', 'methodology');
alter table staff
  add constraint staff_roles_check check (roles <@ {ROLES}),
  -- where somebody works; nothing means the whole district
  add column streets text[] check (streets <@ array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang'] and cardinality(streets) > 0),
  add constraint staff_of_a_street_has_one check (not roles @> array['street'] or streets is not null);
grant update (streets) on staff to carbon_app;

alter table recon_case_kind drop constraint recon_case_kind_owner_role_check;
update recon_case_kind set owner_role = 'methodology' where owner_role = 'science';
alter table recon_case_kind add constraint recon_case_kind_owner_role_check check (owner_role = any ({ROLES}));
alter table recon_case drop constraint recon_case_owner_role_check;
update recon_case set owner_role = 'methodology' where owner_role = 'science';
alter table recon_case add constraint recon_case_owner_role_check check (owner_role = any ({ROLES}));

-- Why something was done, where whoever did it had to say so; and what the audit is searched by.
alter table audit_entry add column reason text check (length(reason) between 1 and 1000);
create index audit_entry_actor on audit_entry (actor, audit_id);
create index audit_entry_action on audit_entry (action, audit_id);
create index audit_entry_at on audit_entry (at, audit_id);

-- What somebody signs in with. Guesses are counted here, so that no cache that is emptied gives them back: a lock of a
-- while for passwords, and for codes, which only they can guess at who know the password, until somebody else resets it.
create table staff_credential (
  staff_id        int primary key references staff,
  password_hash   text not null check (password_hash like '$argon2id$%'),
  password_set_at timestamptz not null,
  must_change     boolean not null default false,
  totp_secret     bytea not null,
  totp_step       bigint not null default 0 check (totp_step >= 0),
  totp_next       bytea,
  wrong           smallint not null default 0 check (wrong between 0 and 10),
  locked_until    timestamptz,
  wrong_codes     smallint not null default 0 check (wrong_codes between 0 and 10)
);
grant select, insert, delete on staff_credential to carbon_app;
grant update (password_hash, password_set_at, must_change, totp_secret, totp_step, totp_next, wrong, locked_until,
              wrong_codes) on staff_credential to carbon_app;

-- Codes on paper, each good once, for whoever has lost the authenticator; the keyed digest alone is kept.
create table staff_recovery_code (
  code_mac bytea primary key check (length(code_mac) = 16),
  staff_id int not null references staff,
  made_at  timestamptz not null,
  used_at  timestamptz
);
create index staff_recovery_code_staff on staff_recovery_code (staff_id);
grant select, insert, delete on staff_recovery_code to carbon_app;
grant update (used_at) on staff_recovery_code to carbon_app;

-- How many wrong guesses came from where; an IPv6 customer's /64 is one place.
create table staff_address (
  address      text primary key check (length(address) between 2 and 50),
  wrong        smallint not null check (wrong between 0 and 30),
  since        timestamptz not null,
  locked_until timestamptz
);
grant select, insert, delete on staff_address to carbon_app;
grant update (wrong, since, locked_until) on staff_address to carbon_app;

-- A link that lets one person set a password and an authenticator, once and soon. From the console two people decide.
create table staff_invitation (
  code_mac    bytea primary key check (length(code_mac) = 16),
  staff_id    int not null references staff,
  made_by     text not null check (length(made_by) between 1 and 80),
  approval_id bigint unique references approval,
  made_at     timestamptz not null,
  expires_at  timestamptz not null,
  totp_secret bytea not null,
  used_at     timestamptz,
  ended_at    timestamptz,
  check (expires_at > made_at),
  check (used_at is null or ended_at is null),
  check (approval_id is not null or made_by not like 'staff:%')
);
create unique index staff_invitation_once on staff_invitation (staff_id) where used_at is null and ended_at is null;
grant select, insert on staff_invitation to carbon_app;
grant update (used_at, ended_at) on staff_invitation to carbon_app;

-- Who somebody is at the provider of single sign-on, connected by themselves; it takes the password's place, not the code's.
create table staff_identity (
  identity_id  int generated always as identity primary key,
  staff_id     int not null references staff,
  issuer       text not null check (length(issuer) between 1 and 300),
  subject_mac  bytea not null check (length(subject_mac) = 16),
  connected_at timestamptz not null,
  ended_at     timestamptz
);
create unique index staff_identity_subject on staff_identity (issuer, subject_mac) where ended_at is null;
create unique index staff_identity_once on staff_identity (staff_id, issuer) where ended_at is null;
grant select, insert on staff_identity to carbon_app;
grant update (ended_at) on staff_identity to carbon_app;

-- One sign-in in one browser: ends after a quarter of an hour without a request, and after a working day in any case.
create table staff_session (
  session_id    bigint generated always as identity primary key,
  staff_id      int not null references staff,
  token_mac     bytea not null unique check (length(token_mac) = 16),
  begun_at      timestamptz not null,
  seen_at       timestamptz not null,
  idle_end      timestamptz not null,
  absolute_end  timestamptz not null,
  stepped_up_at timestamptz,
  ended_at      timestamptz,
  why           text check (why in ('signed_out', 'ended', 'password_changed', 'reset', 'closed', 'roles_changed')),
  address       text not null check (length(address) between 1 and 45),
  agent         text not null check (length(agent) <= 200),
  check (seen_at between begun_at and absolute_end),
  check (idle_end <= absolute_end),
  check ((ended_at is null) = (why is null))
);
create index staff_session_living on staff_session (staff_id, session_id) where ended_at is null;
create function an_ended_session_stays_ended() returns trigger language plpgsql as $$
begin
  if old.ended_at is not null then
    raise exception 'a session that has ended is history' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger an_ended_session_stays_ended before update on staff_session
  for each row execute function an_ended_session_stays_ended();
grant select, insert on staff_session to carbon_app;
grant update (seen_at, idle_end, stepped_up_at, ended_at, why) on staff_session to carbon_app;
"""

DOWN = f"""
drop table staff_session, staff_identity, staff_invitation, staff_address, staff_recovery_code, staff_credential;
drop function an_ended_session_stays_ended();
drop index audit_entry_at, audit_entry_action, audit_entry_actor;
alter table audit_entry drop column reason;
alter table recon_case drop constraint recon_case_owner_role_check;
update recon_case set owner_role = 'science' where owner_role = 'methodology';
alter table recon_case add constraint recon_case_owner_role_check check (owner_role = any ({ROLES_BEFORE}));
alter table recon_case_kind drop constraint recon_case_kind_owner_role_check;
update recon_case_kind set owner_role = 'science' where owner_role = 'methodology';
alter table recon_case_kind add constraint recon_case_kind_owner_role_check check (owner_role = any ({ROLES_BEFORE}));
alter table staff drop column streets, drop constraint staff_roles_check;
update staff set roles = array_remove(array_remove(array_replace(roles, 'methodology', 'science'), 'partner'), 'street');
alter table staff add constraint staff_roles_check check (roles <@ array['programme', 'finance', 'support', 'audit', 'science', 'merchant']);
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
