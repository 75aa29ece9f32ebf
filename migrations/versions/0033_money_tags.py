"""What money that came in is: of which loan, bond, special fund or own budget, and by which document."""

from alembic import op

revision = "0033_money_tags"
down_revision = "0032_indicators"
branch_labels = None
depends_on = None

UP = """
-- Money is known by the approval it came in under: points of a fund, a sponsor's payment, fen of a purse. The tag it came
-- with has that approval; any other is a change (or was forgotten), which another approval and a reason stand behind.
-- The highest version counts.
create table money_tag (
  tag_id         bigint generated always as identity primary key,
  money_approval bigint not null references approval,
  version        smallint not null check (version between 1 and 99),
  kind           text not null check (kind in ('green_credit', 'green_bond', 'special_fund', 'own')),
  instrument     text not null check (length(instrument) between 1 and 120),
  issuer         text not null check (length(issuer) between 1 and 120),
  matures_on     date,
  document       text not null check (length(document) between 1 and 200),
  reason         text check (length(reason) between 1 and 500),
  approval_id    bigint not null unique references approval,
  at             timestamptz not null default clock_timestamp(),
  unique (money_approval, version),
  check ((kind in ('green_credit', 'green_bond')) = (matures_on is not null)),
  check ((approval_id = money_approval) = (reason is null)),
  check (version = 1 or reason is not null)
);
call make_append_only('money_tag');

-- What became of all money through a day that is over, kept for pages and for those who ask what was said before.
create table proceeds_reading (
  through  date primary key,
  report   jsonb not null,
  digest   bytea not null check (length(digest) = 32),
  taken_at timestamptz not null default clock_timestamp()
);
call make_append_only('proceeds_reading');
"""

DOWN = "drop table proceeds_reading, money_tag;"


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
