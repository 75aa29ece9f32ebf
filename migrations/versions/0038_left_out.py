"""How many rows of a delivered file were left out while it was unpacked, because nobody bound is meant by them."""

from alembic import op

revision = "0038_left_out"
down_revision = "0037_papers_and_largest"
branch_labels = None
depends_on = None

UP = """
alter table partner_file add column left_out bigint check (left_out >= 0);
grant update (left_out) on partner_file to carbon_app;
"""

DOWN = """
alter table partner_file drop column left_out;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
