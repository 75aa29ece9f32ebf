"""Pushes in partners' own formats: the secrets they are known by, and the numbers that may be used once."""

from alembic import op

revision = "0016_feed_push"
down_revision = "0015_mass_balance"
branch_labels = None
depends_on = None

UP = """
-- What a feed's pushes are known by. Sealed with table, column and row; ended sets are kept, values are never changed.
create table feed_secret (
  secret_id text primary key check (secret_id ~ '^[0-9a-f]{12}$'),
  source_id smallint not null references source check (source_id > 0),
  scheme    text not null check (scheme ~ '^[a-z][a-z0-9_]{1,39}$'),
  sealed    bytea not null check (length(sealed) between 30 and 4000),
  set_at    timestamptz not null default clock_timestamp(),
  ends_at   timestamptz
);
create index feed_secret_of_feed on feed_secret (source_id, scheme, set_at);
grant select, insert on feed_secret to carbon_app;
grant update (ends_at) on feed_secret to carbon_app;

-- A number that a push used, as a keyed digest, and what it was used for; forgotten when its time is over.
create table feed_push_seen (
  source_id smallint not null references source check (source_id > 0),
  nonce     bytea not null check (length(nonce) = 16),
  content   bytea not null check (length(content) = 32),
  until     timestamptz not null,
  primary key (source_id, nonce)
);
create index feed_push_seen_until on feed_push_seen (source_id, until);
grant select, insert, delete on feed_push_seen to carbon_app;
"""

DOWN = """
drop table feed_push_seen, feed_secret;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
