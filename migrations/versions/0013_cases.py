"""Waiting that ends, cases with owners and deadlines, answers to appeals, clawbacks with a window, periods that close."""

from alembic import op

revision = "0013_cases"
down_revision = "0012_matching"
branch_labels = None
depends_on = None

UP = """
-- What still waits for a partner's record, a shard at a time, the oldest day first.
create index decision_awaiting on decision (shard_id, occurred_on, resident_id, activity_id) where state = 'awaiting';
-- What a person must look at is few among many.
create index decision_held on decision (decided_at) where state = 'held';

-- How much longer than its watermark says a feed is waited for before the absence of a record counts; dated, and why.
create table feed_grace (
  source_id smallint not null references source,
  in_force  date not null,
  days      smallint not null check (days between 0 and 60),
  reason    text not null check (length(reason) between 1 and 500),
  set_by    int not null references staff,
  at        timestamptz not null default clock_timestamp(),
  primary key (source_id, in_force),
  check (source_id > 0)
);
call make_append_only('feed_grace');
-- Three days where nobody said otherwise: a file a day, and a weekend in which nobody sends it again.
create function grace_of(feed smallint, day date) returns interval language sql stable as $$
  select make_interval(days => coalesce(
    (select g.days from feed_grace g where g.source_id = feed and g.in_force <= day order by g.in_force desc limit 1), 3))
$$;

-- What a person said of an act's evidence may put it into class B; a phone's own word stays C or D.
alter table activity_queue drop constraint activity_queue_evidence_class_check,
  add constraint activity_queue_evidence_class_check check (evidence_class in ('B', 'C', 'D'));
-- An act that waits on the list takes the verdict that comes for it.
grant update (verdict, reasons) on activity_queue to carbon_app;

-- Which kinds of case there are, whose they are, and in how many days they are to be answered. A room that opens
-- another kind adds its row.
create table recon_case_kind (
  kind       text primary key check (kind ~ '^[a-z_]+$'),
  owner_role text not null check (owner_role in ('programme', 'finance', 'support', 'audit', 'science')),
  days       smallint not null check (days between 1 and 90),
  name_zh    text not null,
  name_en    text not null
);
insert into recon_case_kind (kind, owner_role, days, name_zh, name_en) values
  ('disputed',          'support',   15, '居民申诉', 'a resident objects'),
  ('clawback_proposed', 'programme', 14, '拟撤回已计入的记录', 'a credit is to be taken back'),
  ('clawback_fraud',    'programme', 1,  '两人批准的即时撤回', 'a credit taken back at once by two people'),
  ('clawback_outlier',  'programme', 2,  '同日撤回比例异常，已停止', 'too many clawbacks of one feed and day: stopped'),
  ('ambiguous_match',   'support',   15, '两条合作方记录难以分辨', 'two records fit one claim nearly alike'),
  ('feed_silent',       'programme', 2,  '数据源停止上报', 'a feed has fallen silent'),
  ('file_quarantined',  'programme', 2,  '文件被隔离', 'a file was put aside');
grant select on recon_case_kind to carbon_app;

-- Which states a case has and which may follow which: the only list, read by the trigger below.
create table recon_case_state (
  state   text not null,
  follows text not null,
  primary key (state, follows)
);
insert into recon_case_state (follows, state) values
  ('open', 'waiting_for_partner'), ('open', 'waiting_for_resident'), ('open', 'decided'),
  ('waiting_for_partner', 'open'), ('waiting_for_partner', 'decided'),
  ('waiting_for_resident', 'open'), ('waiting_for_resident', 'decided'),
  ('decided', 'closed');
grant select on recon_case_state to carbon_app;

-- A thing that a person must look at: about one act, one feed and day, or one file. What was done, when and by whom is
-- in audit_entry under 'case:N'.
create table recon_case (
  case_id        bigint generated always as identity primary key,
  kind           text not null references recon_case_kind,
  subject        text not null check (length(subject) between 3 and 120),
  source_id      smallint references source,
  file_id        bigint references partner_file,
  resident_id    bigint,
  activity_id    bigint,
  occurred_on    date,
  generation     smallint,
  shard_id       smallint,
  methodology    smallint,
  owner_role     text not null check (owner_role in ('programme', 'finance', 'support', 'audit', 'science')),
  owner_id       int references staff,
  reason         text not null check (length(reason) between 1 and 1000),
  opened_at      timestamptz not null,
  opened_by      text not null check (length(opened_by) between 1 and 80),
  deadline       timestamptz not null,
  state          text not null default 'open'
                 check (state in ('open', 'waiting_for_partner', 'waiting_for_resident', 'decided', 'closed')),
  asked          text check (length(asked) between 1 and 1000),
  partner_said   boolean,
  partner_words  text check (length(partner_words) between 1 and 1000),
  outcome        text check (outcome in ('upheld', 'partly', 'rejected', 'unopposed', 'withdrawn', 'resolved')),
  answer_zh      text check (length(answer_zh) between 1 and 1000),
  answer_en      text check (length(answer_en) between 1 and 1000),
  decided_by     text,
  decided_at     timestamptz,
  closed_at      timestamptz,
  check (num_nonnulls(resident_id, activity_id, generation, shard_id, methodology) in (0, 5)),
  check (activity_id is null or occurred_on is not null),
  check (num_nonnulls(activity_id, file_id, source_id) > 0),
  check (deadline > opened_at),
  check ((state in ('decided', 'closed')) = (decided_at is not null)),
  check (num_nonnulls(outcome, decided_by, decided_at) in (0, 3)),
  check ((state = 'closed') = (closed_at is not null)),
  check ((answer_zh is null) = (answer_en is null)),
  check (outcome not in ('upheld', 'partly', 'rejected') or answer_zh is not null),
  check (state <> 'waiting_for_partner' or asked is not null)
);
-- The same thing is one case: about an act for ever, about a feed or a file while it lasts.
create unique index recon_case_act_once on recon_case (kind, subject) where activity_id is not null;
create unique index recon_case_open_once on recon_case (kind, subject) where activity_id is null and state <> 'closed';
create index recon_case_unfinished on recon_case (deadline) where state not in ('decided', 'closed');
create index recon_case_of_act on recon_case (activity_id) where activity_id is not null;
create index recon_case_of_feed on recon_case (source_id, occurred_on);
grant select, insert on recon_case to carbon_app;
grant update (owner_id, source_id, deadline, state, asked, partner_said, partner_words, outcome, answer_zh, answer_en,
              decided_by, decided_at, closed_at) on recon_case to carbon_app;

create function only_allowed_case_states() returns trigger language plpgsql as $$
begin
  if old.state = 'closed' then
    raise exception 'a closed case is not changed' using errcode = 'CC001';
  end if;
  if new.state <> old.state
     and not exists (select from recon_case_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'a case that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  if old.outcome is not null and (new.outcome, new.answer_zh, new.answer_en, new.decided_by, new.decided_at)
       is distinct from (old.outcome, old.answer_zh, old.answer_en, old.decided_by, old.decided_at) then
    raise exception 'a decision is not changed' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger only_allowed_case_states before update on recon_case
  for each row execute function only_allowed_case_states();

-- An objection has a day by which it is answered, an answer in both languages, and may be taken back while it is open.
-- To a proposal of taking points back a resident may object besides what was said of the decision itself.
alter table appeal
  add column against   text not null default 'decision' check (against in ('decision', 'clawback')),
  add column answer_by timestamptz,
  add column answer_en text,
  drop constraint appeal_state_check,
  add constraint appeal_state_check check (state in ('open', 'won', 'partly', 'lost', 'withdrawn')),
  add constraint appeal_answered check (
    (state in ('won', 'partly', 'lost')) = (answer is not null) and (answer is null) = (answer_en is null)),
  drop constraint appeal_activity_id_generation_key;
create unique index appeal_once on appeal (activity_id, generation, against) where state <> 'withdrawn';
grant update (answer_en) on appeal to carbon_app;

-- A feed's month that was closed: its figures as they stood, what was waived and by whom. Never changed.
create table closed_period (
  source_id       smallint not null references source,
  month           date not null check (extract(day from month) = 1),
  closed_at       timestamptz not null default clock_timestamp(),
  closed_by       int not null references staff,
  approval_id     bigint references approval,
  waived          bigint[] not null default '{}',
  through_journal bigint not null check (through_journal >= 0),
  figures         jsonb not null,
  digest          bytea not null check (length(digest) = 32),
  primary key (source_id, month),
  check ((waived = '{}') = (approval_id is null))
);
call make_append_only('closed_period');
"""

DOWN = """
drop table closed_period;
delete from appeal where state in ('partly', 'withdrawn') or against = 'clawback';
drop index appeal_once;
alter table appeal
  drop constraint appeal_answered,
  drop constraint appeal_state_check,
  add constraint appeal_state_check check (state in ('open', 'won', 'lost')),
  add unique (activity_id, generation),
  drop column against, drop column answer_by, drop column answer_en;
drop table recon_case;
drop function only_allowed_case_states();
drop table recon_case_state, recon_case_kind;
revoke update (verdict, reasons) on activity_queue from carbon_app;
delete from activity_queue where evidence_class = 'B';
alter table activity_queue drop constraint activity_queue_evidence_class_check,
  add constraint activity_queue_evidence_class_check check (evidence_class in ('C', 'D'));
drop function grace_of(smallint, date);
drop table feed_grace;
drop index decision_awaiting, decision_held;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
