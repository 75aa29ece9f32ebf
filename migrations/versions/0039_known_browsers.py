"""Browsers in which a member of staff has signed in: others' wrong guesses do not shut them out."""

from alembic import op

revision = "0039_known_browsers"
down_revision = "0038_left_out"
branch_labels = None
depends_on = None

UP = """
-- The browser holds 256 random bits, this their keyed digest. Wrong guesses from it are counted here, not at the account.
create table staff_browser (
  browser_mac  bytea primary key check (length(browser_mac) = 16),
  staff_id     int not null references staff,
  known_at     timestamptz not null,
  wrong        smallint not null default 0 check (wrong between 0 and 10),
  locked_until timestamptz
);
create index staff_browser_staff on staff_browser (staff_id);
grant select, insert, delete on staff_browser to carbon_app;
grant update (known_at, wrong, locked_until) on staff_browser to carbon_app;
"""

DOWN = """
drop table staff_browser;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
