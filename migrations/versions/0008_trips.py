"""Traces of trips: kept sealed and apart while they are looked at, then only the verdict and keyed fingerprints."""

from alembic import op

revision = "0008_trips"
down_revision = "0007_activities"
branch_labels = None
depends_on = None

UP = """
-- A trace waits here for its verdict, and for thirty days afterwards with its ends cut off. Sealed with the resident's
-- own key. While it waits, the act is on no other work list.
create table trip_trace (
  activity_id bigint not null,
  resident_id bigint not null,
  received_at timestamptz not null default clock_timestamp(),
  judged_at   timestamptz,
  occurred_on date not null,
  shard_id    smallint not null,
  sealed      bytea not null,
  primary key (activity_id, shard_id),
  check (shard_id = (resident_id - 1) / 16384)
);
create index trip_trace_waiting on trip_trace (received_at) where judged_at is null;
create index trip_trace_received on trip_trace (received_at);
create index trip_trace_resident on trip_trace (resident_id);
grant select, insert, delete on trip_trace to carbon_app;
grant update (sealed, judged_at) on trip_trace to carbon_app;

-- What was found, round by round: looking again makes a new row. `reasons` and `scores` belong together, one to one;
-- `features` are whole numbers, none of them a place.
create table trip_verdict (
  activity_id   bigint not null,
  resident_id   bigint not null,
  judged_at     timestamptz not null default clock_timestamp(),
  occurred_on   date not null,
  shard_id      smallint not null,
  round         smallint not null check (round > 0),
  rules_version smallint not null check (rules_version > 0),
  score         smallint not null,
  by_staff      int references staff,
  decision      text not null check (decision in ('accept', 'review', 'reject', 'unverified')),
  reasons       text[] not null,
  scores        smallint[] not null,
  features      jsonb,
  primary key (resident_id, activity_id, round, shard_id),
  check (cardinality(reasons) = cardinality(scores)),
  check (by_staff is null or decision in ('accept', 'reject'))
);
create index trip_verdict_for_people on trip_verdict (judged_at) where decision = 'review' or 'sampled' = any(reasons);
call make_append_only('trip_verdict');

-- What a trace leaves behind for good, so that it cannot be sold twice: keyed digests of points, of movements and of the
-- way, from which no place can be read. Keys are one a year, so that old ones can be destroyed.
create table trip_print (
  activity_id bigint primary key,
  resident_id bigint not null,
  keyed_for   smallint not null,
  exact       bigint[] not null check (cardinality(exact) <= 256),
  moves       bigint[] not null check (cardinality(moves) <= 256),
  route       bigint[] not null check (cardinality(route) <= 64)
);
create index trip_print_exact on trip_print using gin (exact);
create index trip_print_moves on trip_print using gin (moves);
call make_append_only('trip_print');

-- What a queued act brings with it from the look at its trace: the class that earned it, or what was found instead.
alter table activity_queue
  add column evidence_class char(1) check (evidence_class in ('C', 'D')),
  add column verdict text check (verdict in ('held', 'rejected')),
  add column reasons text[],
  add check (verdict is null or cardinality(reasons) > 0);
"""

DOWN = """
alter table activity_queue drop column evidence_class, drop column verdict, drop column reasons;
drop table trip_print, trip_verdict, trip_trace;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
