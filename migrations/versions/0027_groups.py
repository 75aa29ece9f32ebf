"""Groups, who belongs to them and since when, what they do in a month; creation drives; dossiers."""

from alembic import op

revision = "0027_groups"
down_revision = "0026_incentives"
branch_labels = None
depends_on = None

UP = """
alter table consent drop constraint consent_purpose_check,
  add constraint consent_purpose_check
    check (purpose in ('programme', 'partner_records', 'location_traces', 'statistics', 'green_finance', 'groups'));

-- Which states the things of this room have and which may follow which: the only list, read by the trigger below.
create table group_state (
  machine text not null,
  follows text not null,
  state   text not null,
  primary key (machine, follows, state)
);
grant select on group_state to carbon_app;
insert into group_state (machine, follows, state) values
  ('group', 'applied', 'active'), ('group', 'applied', 'refused'), ('group', 'active', 'closed'),
  ('request', 'asked', 'taken_in'), ('request', 'asked', 'refused'), ('request', 'asked', 'withdrawn'),
  ('application', 'applied', 'recommended'), ('application', 'applied', 'refused'), ('application', 'applied', 'withdrawn'),
  ('application', 'recommended', 'awarded'), ('application', 'recommended', 'refused'),
  ('application', 'recommended', 'withdrawn');

create function only_allowed_group_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
       select from group_state s where s.machine = tg_argv[0] and s.follows = old.state and s.state = new.state) then
    raise exception 'a % that is % cannot become %', tg_argv[0], old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;

-- People who act together. A class is in its school, a building in its estate: two levels, of one kind. A household has
-- no name of its own and stands on no board.
create table resident_group (
  group_id     int generated always as identity primary key,
  kind         text not null check (kind in ('household', 'estate', 'school', 'firm', 'public_body', 'mall', 'building', 'hub', 'pilot')),
  name_zh      text not null check (length(name_zh) between 1 and 100),
  name_en      text not null check (length(name_en) between 1 and 100),
  street       text check (street in ('zumiao', 'shiwan', 'zhangcha', 'nanzhuang')),
  parent_id    int,
  is_part      boolean not null generated always as (parent_id is not null) stored,
  of_whole     boolean generated always as (case when parent_id is not null then false end) stored,
  listed       boolean not null default false,
  founder_id   bigint references resident,
  made_by      int references staff,
  state        text not null default 'applied' check (state in ('applied', 'active', 'refused', 'closed')),
  state_reason text check (length(state_reason) between 1 and 500),
  decided_by   int references staff,
  made_on      date not null,
  changed_at   timestamptz not null default clock_timestamp(),
  unique (group_id, kind),
  unique (group_id, kind, is_part),
  foreign key (parent_id, kind, of_whole) references resident_group (group_id, kind, is_part),
  check ((founder_id is null) <> (made_by is null)),
  check (state = 'applied' or decided_by is not null),
  check (state not in ('refused', 'closed') or state_reason is not null),
  check (kind <> 'household' or (name_zh = '家庭' and name_en = 'Household' and not listed and parent_id is null))
);
create index resident_group_part on resident_group (parent_id) where parent_id is not null;
create index resident_group_founder on resident_group (founder_id) where founder_id is not null;
-- one application of a kind at a time, so that nobody fills the list of what waits
create unique index resident_group_waits_once on resident_group (founder_id, kind) where state = 'applied';
create trigger only_allowed_group_states before update on resident_group
  for each row execute function only_allowed_group_states('group');
grant select, insert on resident_group to carbon_app;
grant update (listed, state, state_reason, decided_by, changed_at) on resident_group to carbon_app;

-- How many people there are, as somebody says who knows; the newest day counts, of one day the newest word.
create table group_size (
  size_id  bigint generated always as identity primary key,
  group_id int not null references resident_group,
  as_of    date not null,
  people   int not null check (people between 1 and 10000000),
  source   text not null check (length(source) between 1 and 300),
  said_by  int not null references staff
);
create index group_size_newest on group_size (group_id, as_of desc, size_id desc);
call make_append_only('group_size');

-- A code that lets people in, until a day and so many times; the keyed digest alone is kept.
create table join_code (
  code_mac   bytea primary key check (length(code_mac) = 16),
  group_id   int not null references resident_group,
  made_by    text not null check (length(made_by) between 1 and 80),
  made_at    timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  most       int not null check (most between 1 and 100000),
  used       int not null default 0,
  ended_at   timestamptz,
  check (used between 0 and most),
  check (expires_at > made_at)
);
create index join_code_group on join_code (group_id);
grant select, insert on join_code to carbon_app;
grant update (used, ended_at) on join_code to carbon_app;

-- Who asks to be let in without a code.
create table group_request (
  request_id  bigint generated always as identity primary key,
  group_id    int not null references resident_group,
  resident_id bigint not null references resident,
  asked_at    timestamptz not null default clock_timestamp(),
  state       text not null default 'asked' check (state in ('asked', 'taken_in', 'refused', 'withdrawn')),
  decided_by  int references staff,
  check ((state in ('taken_in', 'refused')) = (decided_by is not null))
);
create unique index group_request_once on group_request (group_id, resident_id) where state = 'asked';
create trigger only_allowed_request_states before update on group_request
  for each row execute function only_allowed_group_states('request');
grant select, insert on group_request to carbon_app;
grant update (state, decided_by) on group_request to carbon_app;

-- Who belonged from which day to which, the last one not included. One household, and one group of a kind, at a time.
create table membership (
  membership_id bigint generated always as identity,
  group_id      int not null,
  kind          text not null,
  resident_id   bigint not null references resident,
  shard_id      smallint not null check (shard_id = (resident_id - 1) / 16384),
  from_on       date not null,
  to_on         date,
  how           text not null check (how in ('code', 'request', 'founder')),
  sealed_name   bytea,
  primary key (resident_id, membership_id, shard_id),
  foreign key (group_id, kind) references resident_group (group_id, kind),
  check (to_on >= from_on),
  check (to_on is null or sealed_name is null),
  -- there are children in schools
  check (kind <> 'school' or sealed_name is null),
  constraint membership_one_of_a_kind
    exclude using gist (shard_id with =, resident_id with =, kind with =, daterange(from_on, to_on) with &&)
);
create index membership_group on membership (group_id, from_on);
create function membership_history_stays() returns trigger language plpgsql as $$
begin
  if old.to_on is not null then
    raise exception 'a membership that has ended is history' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger membership_history_stays before update on membership
  for each row execute function membership_history_stays();
grant select, insert on membership to carbon_app;
grant update (to_on, sealed_name) on membership to carbon_app;

-- What the members of a group did in a month of acts, each on days on which they belonged. Computed, never typed.
create table group_month (
  group_id     int not null references resident_group,
  month        date not null check (month = date_trunc('month', month)),
  members      int not null check (members >= 0),
  active       int not null check (active between 0 and members),
  people       int not null check (people >= members),
  verified_mg  bigint not null check (verified_mg >= 0),
  claimed_mg   bigint not null check (claimed_mg >= 0),
  removal_mg   bigint not null check (removal_mg >= 0),
  travel_mg    bigint not null check (travel_mg between 0 and verified_mg),
  recycling_mg bigint not null check (recycling_mg between 0 and verified_mg),
  computed_on  date not null,
  primary key (group_id, month)
);
create index group_month_month on group_month (month);
grant select, insert on group_month to carbon_app;
grant update (members, active, people, verified_mg, claimed_mg, removal_mg, travel_mg, recycling_mg, computed_on)
  on group_month to carbon_app;

-- The plan's seven creation drives (三(十一)35), and who may take part in each.
create table drive (
  drive   text primary key check (drive ~ '^[a-z_]+$'),
  name_zh text not null,
  name_en text not null,
  kinds   text[] not null check (cardinality(kinds) > 0)
);
grant select on drive to carbon_app;
insert into drive (drive, name_zh, name_en, kinds) values
  ('public_body', '节约型机关', 'Resource-saving public bodies', '{public_body}'),
  ('family', '绿色家庭', 'Green families', '{household}'),
  ('school', '绿色学校', 'Green schools', '{school}'),
  ('community', '绿色社区', 'Green communities', '{estate}'),
  ('travel', '绿色出行', 'Green travel', '{firm,public_body,school,estate,hub}'),
  ('mall', '绿色商场', 'Green malls', '{mall}'),
  ('building', '绿色建筑', 'Green buildings', '{building}');

-- What a drive asks, from a day on; `dropped` asks it no more. What is assumed is so until two people put the real one.
create table drive_criterion (
  drive       text not null references drive,
  code        text not null check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  in_force    date not null,
  text_zh     text not null check (length(text_zh) between 1 and 300),
  text_en     text not null check (length(text_en) between 1 and 300),
  filled      text not null check (filled in ('data', 'declared', 'dropped')),
  figure      text check (figure in ('members', 'members_share_pm', 'active_share_pm', 'verified_mg_per_head',
                                     'travel_mg_per_head', 'recycling_mg_per_head')),
  threshold   bigint check (threshold > 0),
  source      text not null check (length(source) between 1 and 300),
  assumed     boolean not null,
  approval_id bigint references approval,
  primary key (drive, code, in_force),
  check ((filled = 'data') = (figure is not null and threshold is not null)),
  check ((figure is null) = (threshold is null)),
  -- nobody of the programme assumes a thing by himself
  check (assumed or approval_id is not null)
);
insert into drive_criterion (drive, code, in_force, text_zh, text_en, filled, figure, threshold, source, assumed) values
  ('public_body', 'takes_part', '2026-01-01', '近三个月每月有减排记录的人数占比平均不低于 20%',
   'On average of three months a fifth of its people have acts credited', 'data', 'active_share_pm', 200, '设定值 / set by us', true),
  ('public_body', 'energy_use', '2026-01-01', '单位建筑面积能耗比 2020 年降低不少于 7%，人均综合能耗降低不少于 8%',
   'Energy per floor area 7 % and per head 8 % below 2020', 'declared', null, null,
   '方案 18（2030 年全区公共机构目标）/ plan 18, the district''s aim for 2030', true),
  ('family', 'saves', '2026-01-01', '近十二个月人均核证减排量不少于 50 千克',
   'Fifty kilograms verified a head in twelve months', 'data', 'verified_mg_per_head', 50000000, '设定值 / set by us', true),
  ('family', 'sorts_waste', '2026-01-01', '家庭生活垃圾分类投放', 'The household sorts its waste', 'declared', null, null,
   '方案 27 / plan 27', true),
  ('school', 'takes_part', '2026-01-01', '近三个月每月有减排记录的人数占比平均不低于 10%',
   'On average of three months a tenth of its people have acts credited', 'data', 'active_share_pm', 100, '设定值 / set by us', true),
  ('school', 'teaches', '2026-01-01', '开展碳达峰碳中和知识教育及主题宣传', 'It teaches about carbon and keeps the themed days',
   'declared', null, null, '方案 34 / plan 34', true),
  ('community', 'enrolled', '2026-01-01', '注册成员占常住人口不低于 10%', 'A tenth of those who live there are members',
   'data', 'members_share_pm', 100, '设定值 / set by us', true),
  ('community', 'recycles', '2026-01-01', '近十二个月人均核证回收减排量不少于 5 千克',
   'Five kilograms a head verified from recycling in twelve months', 'data', 'recycling_mg_per_head', 5000000,
   '设定值 / set by us', true),
  ('community', 'sorting', '2026-01-01', '生活垃圾分类减量比例达 50%，资源化利用比例达 35%',
   'Sorting keeps back 50 % of waste, 35 % is used again', 'declared', null, null,
   '方案 27（2025 年农村目标）/ plan 27, the aim for villages in 2025', true),
  ('travel', 'green_trips', '2026-01-01', '绿色出行比例不低于 75%（调查）', 'Three trips of four are green, by survey',
   'declared', null, null, '方案（2030 年全区目标）/ the plan''s aim for the district in 2030', true),
  ('travel', 'saves', '2026-01-01', '近十二个月人均核证出行减排量不少于 20 千克',
   'Twenty kilograms a head verified from travel in twelve months', 'data', 'travel_mg_per_head', 20000000,
   '设定值 / set by us', true),
  ('mall', 'floor_area', '2026-01-01', '建筑面积 10 万平方米（含）以上', 'Floor area of 100,000 square metres or more',
   'declared', null, null, '方案 18 / plan 18', true),
  ('mall', 'energy_quota', '2026-01-01', '执行公共建筑能耗限额管理', 'It keeps to the quota of energy of public buildings',
   'declared', null, null, '方案 18 / plan 18', true),
  ('building', 'stars', '2026-01-01', '取得绿色建筑标识：2 万平方米以上公共建筑不低于二星级',
   'It holds a green-building label; a public building above 20,000 square metres two stars', 'declared', null, null,
   '方案 16 / plan 16', true);
call make_append_only('drive_criterion');

-- A group asks to be on a drive's list of a year: looked at by one person, put on the list by two others.
create table drive_application (
  application_id bigint generated always as identity primary key,
  drive          text not null references drive,
  group_id       int not null references resident_group,
  year           smallint not null check (year between 2025 and 2100),
  criteria_on    date not null,
  made_by        int not null references staff,
  state          text not null default 'applied' check (state in ('applied', 'recommended', 'awarded', 'refused', 'withdrawn')),
  reviewed_by    int references staff,
  review         text check (length(review) between 1 and 2000),
  approval_id    bigint references approval,
  changed_at     timestamptz not null default clock_timestamp(),
  check (reviewed_by <> made_by),
  check (state in ('applied', 'withdrawn') or (reviewed_by is not null and review is not null)),
  check ((state = 'awarded') = (approval_id is not null))
);
create unique index drive_application_once on drive_application (drive, group_id, year)
  where state not in ('refused', 'withdrawn');
create trigger only_allowed_application_states before update on drive_application
  for each row execute function only_allowed_group_states('application');
grant select, insert on drive_application to carbon_app;
grant update (state, reviewed_by, review, approval_id, changed_at) on drive_application to carbon_app;

-- What was found or declared of a criterion; the newest counts, and none comes after the review.
create table drive_answer (
  answer_id       bigint generated always as identity primary key,
  application_id  bigint not null references drive_application,
  drive           text not null,
  code            text not null,
  in_force        date not null,
  value           bigint,
  met             boolean,
  document        text check (length(document) between 1 and 300),
  document_sha256 bytea check (length(document_sha256) = 32),
  said_by         int not null references staff,
  at              timestamptz not null default clock_timestamp(),
  foreign key (drive, code, in_force) references drive_criterion,
  check ((document is null) = (document_sha256 is null))
);
create index drive_answer_application on drive_answer (application_id, code, answer_id desc);
create function answers_come_before_the_review() returns trigger language plpgsql as $$
begin
  perform from drive_application a
    where a.application_id = new.application_id and a.drive = new.drive and a.state = 'applied' for share;
  if not found then
    raise exception 'this application is not open to answers' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger answers_come_before_the_review before insert on drive_answer
  for each row execute function answers_come_before_the_review();
call make_append_only('drive_answer');

-- A hub's or a pilot's dossier: where it began and where it wants to be, each with its source.
create table dossier_figure (
  figure_id bigint generated always as identity primary key,
  group_id  int not null,
  kind      text not null check (kind in ('hub', 'pilot')),
  role      text not null check (role in ('baseline', 'target')),
  code      text not null check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  unit      text not null check (length(unit) between 1 and 20),
  year      smallint not null check (year between 2000 and 2100),
  value     bigint not null,
  source    text not null check (length(source) between 1 and 300),
  said_by   int not null references staff,
  at        timestamptz not null default clock_timestamp(),
  foreign key (group_id, kind) references resident_group (group_id, kind)
);
create index dossier_figure_newest on dossier_figure (group_id, code, role, figure_id desc);
call make_append_only('dossier_figure');
"""

DOWN = """
drop table dossier_figure, drive_answer, drive_application, drive_criterion, drive, group_month, membership, group_request,
  join_code, group_size, resident_group;
drop function answers_come_before_the_review();
drop function membership_history_stays();
drop function only_allowed_group_states();
drop table group_state;
alter table consent disable trigger append_only;
delete from consent where purpose = 'groups';
alter table consent enable trigger append_only;
alter table consent drop constraint consent_purpose_check,
  add constraint consent_purpose_check
    check (purpose in ('programme', 'partner_records', 'location_traces', 'statistics', 'green_finance'));
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
