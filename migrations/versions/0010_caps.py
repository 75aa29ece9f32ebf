"""Science caps may count a month or a year, as the reference limits of recycling and charging do."""

from alembic import op

revision = "0010_caps"
down_revision = "0009_proof"
branch_labels = None
depends_on = None

UP = """
alter table cap drop constraint cap_period_check;
alter table cap add constraint cap_period_check
  check (period = 'day' or (kind = 'science' and period in ('month', 'year')));
"""

DOWN = """
alter table cap drop constraint cap_period_check;
alter table cap add constraint cap_period_check check (period = 'day');
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
