"""Partners, their clients and feeds, bindings with consent, files, records set aside."""

from alembic import op

revision = "0004_partners"
down_revision = "0003_residents"
branch_labels = None
depends_on = None

UP = """
create table partner (
  partner_id smallint primary key,
  code       text not null unique check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  name_zh    text not null,
  name_en    text not null,
  status     text not null default 'active' check (status in ('active', 'closed'))
);
grant select, insert on partner to carbon_app;
grant update (name_zh, name_en, status) on partner to carbon_app;

-- A source is one stream of acts. Source 0 is the residents' own app; every other is a partner's feed.
create table source (
  source_id      smallint primary key,
  partner_id     smallint references partner,
  feed           text not null unique check (feed ~ '^[a-z][a-z0-9_]{1,39}$'),
  evidence_class char(1) not null check (evidence_class in ('A', 'B', 'D')),
  methodologies  text[] not null,
  late_days      smallint not null check (late_days between 0 and 400)
);
grant select, insert on source to carbon_app;
grant update (methodologies, late_days) on source to carbon_app;
insert into source (source_id, feed, evidence_class, methodologies, late_days) values (0, 'app', 'D', '{}', 7);

create table partner_client (
  client_id  text primary key check (client_id ~ '^[a-z0-9_-]{4,60}$'),
  partner_id smallint not null references partner,
  secret_mac bytea not null check (length(secret_mac) = 16),
  created_at timestamptz not null default clock_timestamp(),
  ended_at   timestamptz
);
grant select, insert on partner_client to carbon_app;
grant update (ended_at) on partner_client to carbon_app;

create table consent (
  consent_id  bigint generated always as identity primary key,
  resident_id bigint not null references resident,
  purpose     text not null check (purpose in ('programme', 'partner_records', 'location_traces', 'statistics')),
  partner_id  smallint references partner,
  granted     boolean not null,
  text_version text not null,
  at          timestamptz not null default clock_timestamp(),
  check ((purpose = 'partner_records') = (partner_id is not null))
);
create index consent_latest on consent (resident_id, purpose, partner_id, consent_id desc);
call make_append_only('consent');

-- A partner's customer is one of our residents. In force while `ended_at` is null and the consent stands:
-- withdrawing consent ends the binding in the same transaction, so intake asks this table alone.
create table binding (
  partner_id    smallint not null references partner,
  subject_index bytea not null check (length(subject_index) = 16),
  resident_id   bigint not null references resident,
  bound_at      timestamptz not null default clock_timestamp(),
  ended_at      timestamptz,
  primary key (partner_id, subject_index, bound_at)
);
create unique index binding_one_in_force on binding (partner_id, subject_index) where ended_at is null;
create index binding_resident on binding (resident_id, partner_id) where ended_at is null;
grant select, insert on binding to carbon_app;
grant update (ended_at) on binding to carbon_app;

create table partner_file (
  file_id     bigint generated always as identity primary key,
  source_id   smallint not null references source,
  sha256      bytea not null check (length(sha256) = 32),
  name        text not null,
  bytes       bigint not null check (bytes >= 0),
  state       text not null default 'seen' check (state in ('seen', 'applied', 'refused')),
  fault       jsonb,
  counts      jsonb,
  received_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  unique (source_id, sha256)
);
grant select, insert on partner_file to carbon_app;
grant update (state, fault, counts, finished_at) on partner_file to carbon_app;

-- A record that did not become an act: why, and whether it waits for something or is refused for good.
create table record_set_aside (
  source_id     smallint not null references source,
  ext_key       bytea not null check (length(ext_key) = 16),
  state         text not null check (state in ('waiting', 'refused', 'placed')),
  reasons       text[] not null check (cardinality(reasons) > 0),
  file_id       bigint references partner_file,
  line          int,
  sealed        bytea,
  received_at   timestamptz not null default clock_timestamp(),
  primary key (source_id, ext_key)
);
create index record_set_aside_waiting on record_set_aside (source_id) where state = 'waiting';
grant select, insert, update on record_set_aside to carbon_app;
"""

DOWN = """
drop table record_set_aside, partner_file, binding, consent, partner_client, source, partner;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
