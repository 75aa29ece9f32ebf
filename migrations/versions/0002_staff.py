"""Who works for the programme."""

from alembic import op

revision = "0002_staff"
down_revision = "0001_foundations"
branch_labels = None
depends_on = None

UP = """
create table staff (
  staff_id   int generated always as identity primary key,
  name       text not null unique check (length(name) between 1 and 60),
  roles      text[] not null check (roles <@ array['programme', 'finance', 'support', 'audit', 'science']),
  status     text not null default 'active' check (status in ('active', 'closed')),
  created_at timestamptz not null default clock_timestamp()
);
grant select, insert on staff to carbon_app;
grant update (roles, status) on staff to carbon_app;
alter table approval add constraint approval_proposed_by_fkey foreign key (proposed_by) references staff;
alter table approval add constraint approval_decided_by_fkey foreign key (decided_by) references staff;
"""

DOWN = """
alter table approval drop constraint approval_proposed_by_fkey, drop constraint approval_decided_by_fkey;
drop table staff;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
