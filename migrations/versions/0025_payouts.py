"""What a provider says of merchants' accounts with it: may they be paid to, and did their own bank take the money."""

from alembic import op

revision = "0025_payouts"
down_revision = "0024_coverage"
branch_labels = None
depends_on = None

UP = """
-- As it was answered at `asked_at`; an answer to an older question never replaces one to a younger. The last payout that
-- ended, where it failed: amounts are in the smallest unit of the account's own currency, which need not be fen.
create table account_standing (
  account_id      int primary key references merchant_account,
  payable         boolean not null,
  payout_ref      text check (length(payout_ref) between 1 and 120),
  payout_failure  text check (length(payout_failure) between 1 and 60),
  payout_amount   bigint check (payout_amount > 0),
  payout_currency text check (payout_currency ~ '^[a-z]{3}$'),
  payout_made_at  timestamptz,
  asked_at        timestamptz not null,
  check (num_nonnulls(payout_ref, payout_failure, payout_amount, payout_currency, payout_made_at) in (0, 5))
);
grant select, insert on account_standing to carbon_app;
grant update (payable, payout_ref, payout_failure, payout_amount, payout_currency, payout_made_at, asked_at)
  on account_standing to carbon_app;

-- Whose account at the provider a notice is about, where it is not the programme's own.
alter table inbox_event add column account_ref text check (length(account_ref) between 1 and 120);
"""

DOWN = """
alter table inbox_event drop column account_ref;
drop table account_standing;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
