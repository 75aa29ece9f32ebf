"""That residents were told of points which are about to lapse, once for each day on which they do."""

from alembic import op

revision = "0023_expiry_notices"
down_revision = "0022_payments_in"
branch_labels = None
depends_on = None

UP = """
create table expiry_notice (
  resident_id bigint not null,
  expires_on  date not null,
  days_before smallint not null check (days_before in (30, 7)),
  points      bigint not null check (points > 0),
  told        boolean not null,
  at          timestamptz not null default clock_timestamp(),
  shard_id    smallint not null,
  primary key (resident_id, expires_on, days_before, shard_id)
);
call make_append_only('expiry_notice');
"""

DOWN = "drop table expiry_notice;"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
