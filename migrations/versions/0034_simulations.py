"""What campaigns would have cost in the past, as staff ask for it, and what they brought about, as each night finds it."""

from alembic import op

revision = "0034_simulations"
down_revision = "0033_money_tags"
branch_labels = None
depends_on = None

UP = """
-- One or two definitions, tried on acts so many weeks before their days. What it waits for, is at or came to, its columns
-- say: not begun, begun, and finished with a result or a failure. `digests` are of the definitions, so that a result stands
-- beside the draft it is of and no other.
create table simulation (
  simulation_id bigint generated always as identity primary key,
  campaign_id   int references campaign,
  definitions   jsonb not null check (jsonb_typeof(definitions) = 'array' and jsonb_array_length(definitions) between 1 and 2),
  digests       bytea[] not null check (cardinality(digests) = jsonb_array_length(definitions)),
  salt          bytea not null check (length(salt) = 16),
  weeks         smallint not null check (weeks between 0 and 520),
  asked_by      int not null references staff,
  asked_at      timestamptz not null default clock_timestamp(),
  begun_at      timestamptz,
  touched_at    timestamptz,
  attempts      smallint not null default 0 check (attempts between 0 and 3),
  acts_done     bigint not null default 0 check (acts_done >= 0),
  acts          bigint,
  finished_at   timestamptz,
  result        jsonb,
  failure       text check (length(failure) between 1 and 500),
  check ((begun_at is null) = (attempts = 0) and (begun_at is null) = (touched_at is null)),
  check (begun_at is not null or (acts is null and acts_done = 0 and finished_at is null)),
  check (acts_done <= acts),
  check ((finished_at is null) = (result is null and failure is null)),
  check (num_nulls(result, failure) > 0)
);
create index simulation_waits on simulation (simulation_id) where finished_at is null;
create index simulation_campaign on simulation (campaign_id, simulation_id desc);
grant select, insert on simulation to carbon_app;
grant update (begun_at, touched_at, attempts, acts_done, acts, finished_at, result, failure) on simulation to carbon_app;

create function finished_simulations_stay() returns trigger language plpgsql as $$
begin
  if old.finished_at is not null then
    raise exception 'a simulation that is finished is not changed' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger finished_simulations_stay before update on simulation
  for each row execute function finished_simulations_stay();

-- The report of a campaign as it was found on a day, about its days that were over; pages show the newest.
create table campaign_effect (
  campaign_id int not null references campaign,
  as_of       date not null,
  computed_at timestamptz not null default clock_timestamp(),
  report      jsonb not null check (jsonb_typeof(report) = 'object'),
  primary key (campaign_id, as_of)
);
call make_append_only('campaign_effect');
"""

DOWN = """
drop table campaign_effect, simulation;
drop function finished_simulations_stay();
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
