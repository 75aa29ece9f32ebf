"""An evaluation's papers are exports, written once at a time and erased by hand; a group's month knows its two largest."""

from alembic import op

revision = "0037_papers_and_largest"
down_revision = "0036_hubs"
branch_labels = None
depends_on = None

UP = """
alter table export
  drop constraint export_format_check,
  add constraint export_format_check check (format in ('csv', 'xlsx', 'pdf', 'json')),
  -- what is written once at a time: asked for again while it waits, is written or is kept, it is the same
  add column once text check (length(once) between 1 and 80),
  -- how many `rows_done` goes up to, where that is known beforehand
  add column parts int check (parts > 0),
  -- who erased it before its week was over
  add column erased_by int references staff,
  add constraint export_erased_by_check check (erased_by is null or state = 'expired');
create unique index export_once on export (once) where state in ('asked', 'running', 'done');
create index export_newest_of on export (once, export_id) where once is not null;
grant update (parts, erased_by) on export to carbon_app;

-- The two largest of those whose sums they are, by whom a month that is nearly one person's is told apart. Of nobody named.
alter table group_month
  add column verified_two bigint[] not null default '{}' check (cardinality(verified_two) <= 2),
  add column claimed_two bigint[] not null default '{}' check (cardinality(claimed_two) <= 2),
  add column removal_two bigint[] not null default '{}' check (cardinality(removal_two) <= 2);
grant update (verified_two, claimed_two, removal_two) on group_month to carbon_app;
"""

DOWN = """
drop index export_once, export_newest_of;
delete from export_piece where export_id in (select export_id from export where format in ('pdf', 'json'));
delete from export where format in ('pdf', 'json');
alter table export
  drop constraint export_format_check,
  add constraint export_format_check check (format in ('csv', 'xlsx')),
  drop column once, drop column parts, drop column erased_by;
alter table group_month drop column verified_two, drop column claimed_two, drop column removal_two;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
