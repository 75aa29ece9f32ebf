"""Dated policy: earning rates and caps; each row names the approval that made it."""

from alembic import op

revision = "0005_programme"
down_revision = "0004_partners"
branch_labels = None
depends_on = None

UP = """
create table earning_rate (
  rate_id        int generated always as identity primary key,
  family         text not null,            -- a methodology's family, or * for all that have no rate of their own
  evidence_class char(1) not null check (evidence_class in ('A', 'B', 'C', 'D')),
  points_per_mg  numeric(18, 12) not null check (points_per_mg >= 0 and points_per_mg <= 1),
  mature_days    smallint not null check (mature_days between 0 and 60),
  in_force       date not null,
  until          date,
  fund_id        int not null,
  approval_id    bigint not null references approval,
  check (until > in_force),
  exclude using gist (family with =, evidence_class with =, daterange(in_force, until) with &&)
);
grant select, insert on earning_rate to carbon_app;
grant update (until) on earning_rate to carbon_app;

-- Science caps bind grams and points (by count of acts or by the methodology's own quantity);
-- policy caps bind base points (of a family, or of the whole programme).
create table cap (
  cap_id      int generated always as identity primary key,
  kind        text not null check (kind in ('science', 'policy')),
  scope       text not null,               -- a methodology's code, a family, or * for the programme
  unit        text not null check (unit in ('count', 'quantity', 'points')),
  period      text not null default 'day' check (period = 'day'),
  most        bigint not null check (most >= 0),
  in_force    date not null,
  until       date,
  approval_id bigint not null references approval,
  check (until > in_force),
  check ((kind = 'science') = (unit in ('count', 'quantity'))),
  check ((kind = 'science') = (scope like '%.%')),
  exclude using gist (scope with =, unit with =, period with =, daterange(in_force, until) with &&)
);
grant select, insert on cap to carbon_app;
grant update (until) on cap to carbon_app;
"""

DOWN = """
drop table cap, earning_rate;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
