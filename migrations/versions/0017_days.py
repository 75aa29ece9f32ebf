"""A feed's day is found without reading its month: coarse indexes by day, of some kilobytes for a partition."""

from alembic import op

revision = "0017_days"
down_revision = "0016_feed_push"
branch_labels = None
depends_on = None

UP = """
-- What happens on a day is told and decided within days of it, so a day lies together: a range of 32 pages has few of
-- them. Such an index costs an insert next to nothing.
create index activity_day on activity using brin (occurred_on) with (pages_per_range = 32, autosummarize = on);
create index decision_day on decision using brin (occurred_on) with (pages_per_range = 32, autosummarize = on);
create index record_set_aside_received on record_set_aside using brin (received_at)
  with (pages_per_range = 32, autosummarize = on);
"""

DOWN = """
drop index record_set_aside_received, decision_day, activity_day;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
