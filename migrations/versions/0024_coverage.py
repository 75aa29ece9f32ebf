"""What stands behind the points, read from time to time: money over points at their value, and how long funds last."""

from alembic import op

revision = "0024_coverage"
down_revision = "0023_expiry_notices"
branch_labels = None
depends_on = None

UP = """
-- One reading of the whole, of one moment. Points outstanding are available + held + pending - debt.
create table coverage_reading (
  reading_id      bigint generated always as identity primary key,
  read_at         timestamptz not null default clock_timestamp(),
  value_micro_fen bigint not null check (value_micro_fen > 0),
  points          bigint not null,
  owed_micro_fen  bigint not null check (owed_micro_fen >= 0)
);
call make_append_only('coverage_reading');

-- The same of each fund, but for debts, which no fund owns. `reserved` is what its outstanding points were paid with and
-- is not spent; `granted_28` are its points granted in 28 days less what was taken back.
create table coverage_fund (
  reading_id         bigint not null references coverage_reading,
  fund_id            int not null references fund,
  points             bigint not null check (points >= 0),
  not_granted        bigint not null check (not_granted >= 0),
  deposits_fen       bigint not null check (deposits_fen >= 0),
  spent_micro_fen    bigint not null check (spent_micro_fen >= 0),
  reserved_micro_fen bigint not null,
  granted_28         bigint not null,
  primary key (reading_id, fund_id)
);
call make_append_only('coverage_fund');
"""

DOWN = "drop table coverage_fund, coverage_reading;"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
