"""Campaigns: their terms and states, whom they are for, the fund each has of its own, and the bonuses they paid."""

from alembic import op

revision = "0029_campaigns"
down_revision = "0028_staff_access"
branch_labels = None
depends_on = None

UP = """
-- A campaign's fund is filled by one transfer out of another fund and by nothing else: no rate pays out of it.
alter table fund add column kind text not null default 'general' check (kind in ('general', 'campaign'));
alter table fund add unique (fund_id, kind);
alter table earning_rate
  add column fund_kind text not null generated always as ('general') stored,
  add foreign key (fund_id, fund_kind) references fund (fund_id, kind);
alter table fund_deposit
  add column fund_kind text not null generated always as ('general') stored,
  add foreign key (fund_id, fund_kind) references fund (fund_id, kind);

-- Which states a campaign has and which may follow which: the only list, read by code and by the trigger below.
create table campaign_state (
  follows text not null,
  state   text not null,
  primary key (follows, state)
);
insert into campaign_state (follows, state) values
  ('draft', 'proposed'), ('draft', 'withdrawn'), ('proposed', 'draft'), ('proposed', 'withdrawn'), ('proposed', 'approved'),
  ('approved', 'running'), ('approved', 'withdrawn'), ('running', 'paused'), ('paused', 'running'),
  ('running', 'ended'), ('paused', 'ended');
grant select on campaign_state to carbon_app;

-- Points per act beside the base, for a time, for some: what it gives, how much at most, out of which money. Every day
-- counts by the day of the act; `starts_on` and `ends_on` are both in it. The salt decides who is held out; it never changes.
create table campaign (
  campaign_id    int generated always as identity primary key,
  code           text not null unique check (code ~ '^[a-z][a-z0-9_]{2,29}$'),
  theme          text not null check (theme in ('earth_day', 'environment_day', 'water_day', 'water_week', 'energy_week',
                   'low_carbon_day', 'tree_planting_day', 'green_travel_month', 'building_month', 'other')),
  name_zh        text not null check (length(name_zh) between 1 and 60),
  name_en        text not null check (length(name_en) between 1 and 100),
  text_zh        text not null check (length(text_zh) between 1 and 2000),
  text_en        text not null check (length(text_en) between 1 and 4000),
  rules_zh       text not null check (length(rules_zh) between 1 and 4000),
  rules_en       text not null check (length(rules_en) between 1 and 8000),
  starts_on      date not null,
  ends_on        date not null,
  methodologies  smallint[] not null check (cardinality(methodologies) between 1 and 200),
  reward         text not null check (reward in ('multiplier', 'bonus')),
  multiplier     numeric(6, 3) check (multiplier > 1 and multiplier <= 10),
  bonus_points   bigint check (bonus_points between 1 and 1000000),
  audience       text not null check (audience in ('everyone', 'streets', 'group', 'new', 'lapsed')),
  streets        text[] check (cardinality(streets) between 1 and 4 and streets <@ array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang']),
  group_id       int references resident_group,
  audience_days  smallint check (audience_days between 1 and 366),
  cap_day        bigint check (cap_day > 0),
  cap_week       bigint check (cap_week > 0),
  cap_total      bigint check (cap_total > 0),
  budget_points  bigint not null check (budget_points between 1 and 1000000000000),
  source_fund_id int not null,
  source_kind    text not null generated always as ('general') stored,
  fund_id        int unique,
  fund_kind      text not null generated always as ('campaign') stored,
  holdout_ppm    int not null default 0 check (holdout_ppm between 0 and 500000),
  salt           bytea not null check (length(salt) = 16),
  version        int not null default 1 check (version > 0),
  made_by        int not null references staff,
  state          text not null default 'draft'
    check (state in ('draft', 'proposed', 'approved', 'running', 'paused', 'ended', 'withdrawn')),
  state_reason   text check (length(state_reason) between 1 and 500),
  approval_id    bigint references approval,
  launched_at    timestamptz,
  ended_at       timestamptz,
  end_cause      text check (end_cause in ('date', 'exhausted', 'staff')),
  settled_at     timestamptz,
  made_at        timestamptz not null default clock_timestamp(),
  changed_at     timestamptz not null default clock_timestamp(),
  foreign key (source_fund_id, source_kind) references fund (fund_id, kind),
  foreign key (fund_id, fund_kind) references fund (fund_id, kind),
  -- money moves from the older fund to the newer one and back: one order of locks
  check (fund_id > source_fund_id),
  check (ends_on between starts_on and starts_on + 365),
  check ((reward = 'multiplier') = (multiplier is not null) and (reward = 'bonus') = (bonus_points is not null)),
  check ((audience = 'streets') = (streets is not null) and (audience = 'group') = (group_id is not null)
         and (audience in ('new', 'lapsed')) = (audience_days is not null)),
  check (cap_day <= cap_week),
  check (cap_day <= cap_total),
  check (cap_week <= cap_total),
  -- a fixed bonus for every act would pay for acts cut in pieces
  check (reward <> 'bonus' or (cap_day is not null and cap_day >= bonus_points)),
  check (greatest(bonus_points, cap_day, cap_week, cap_total) <= budget_points),
  check (state = 'withdrawn' or (state = 'draft') = (approval_id is null)),
  check (state = 'withdrawn' or (state in ('approved', 'running', 'paused', 'ended')) = (fund_id is not null)),
  check ((state in ('running', 'paused', 'ended')) = (launched_at is not null)),
  check ((state = 'ended') = (ended_at is not null) and (state = 'ended') = (end_cause is not null)),
  check (state not in ('paused', 'ended', 'withdrawn') or state_reason is not null)
);
create index campaign_days on campaign (ends_on, starts_on) where fund_id is not null;
grant select, insert on campaign to carbon_app;
grant update (theme, name_zh, name_en, text_zh, text_en, rules_zh, rules_en, starts_on, ends_on, methodologies, reward, multiplier,
              bonus_points, audience, streets, group_id, audience_days, cap_day, cap_week, cap_total, budget_points,
              source_fund_id, fund_id, holdout_ppm, version, state, state_reason, approval_id, launched_at, ended_at, end_cause,
              settled_at, changed_at)
  on campaign to carbon_app;

create function only_allowed_campaign_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state and not exists (
       select from campaign_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'a campaign that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger only_allowed_campaign_states before update on campaign
  for each row execute function only_allowed_campaign_states();

-- Terms change in a draft alone, and only what a second person approved gets money.
create function campaign_terms_stay() returns trigger language plpgsql as $$
begin
  if old.state <> 'draft' and
     (new.theme, new.name_zh, new.name_en, new.text_zh, new.text_en, new.rules_zh, new.rules_en, new.starts_on, new.ends_on,
      new.methodologies, new.reward, new.multiplier, new.bonus_points, new.audience, new.streets, new.group_id,
      new.audience_days, new.cap_day, new.cap_week, new.cap_total, new.budget_points, new.source_fund_id, new.holdout_ppm,
      new.version)
     is distinct from
     (old.theme, old.name_zh, old.name_en, old.text_zh, old.text_en, old.rules_zh, old.rules_en, old.starts_on, old.ends_on,
      old.methodologies, old.reward, old.multiplier, old.bonus_points, old.audience, old.streets, old.group_id,
      old.audience_days, old.cap_day, old.cap_week, old.cap_total, old.budget_points, old.source_fund_id, old.holdout_ppm,
      old.version) then
    raise exception 'only a draft of a campaign is changed' using errcode = 'CC001';
  end if;
  if old.state <> 'draft' and new.state <> 'draft' and new.approval_id is distinct from old.approval_id then
    raise exception 'the approval of a campaign is not changed' using errcode = 'CC001';
  end if;
  if old.fund_id is not null and new.fund_id is distinct from old.fund_id then
    raise exception 'the fund of a campaign is not changed' using errcode = 'CC001';
  end if;
  if old.state = 'ended' and (new.ended_at, new.end_cause) is distinct from (old.ended_at, old.end_cause) then
    raise exception 'the end of a campaign is not changed' using errcode = 'CC001';
  end if;
  if new.state = 'approved' and not exists (
       select from approval a where a.approval_id = new.approval_id and a.state = 'approved') then
    raise exception 'a campaign that nobody approved' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger campaign_terms_stay before update on campaign for each row execute function campaign_terms_stay();
create function campaigns_begin_as_drafts() returns trigger language plpgsql as $$
begin
  if new.state <> 'draft' then
    raise exception 'a campaign begins as a draft' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger campaigns_begin_as_drafts before insert on campaign for each row execute function campaigns_begin_as_drafts();

-- What a campaign that is proposed, or was approved, takes for itself: one row for each methodology and street, `none` for
-- residents who named no street. Two campaigns for one act cannot exist. Written by the trigger below and by nobody else.
create table campaign_scope (
  campaign_id int not null references campaign,
  methodology smallint not null,
  street      text not null check (street in ('zumiao', 'shiwan', 'zhangcha', 'nanzhuang', 'none')),
  period      daterange not null check (not isempty(period)),
  primary key (campaign_id, methodology, street),
  constraint campaign_one_for_an_act
    exclude using gist (methodology with =, street with =, period with &&)
);
grant select on campaign_scope to carbon_app;

create function keep_campaign_scope() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if new.state = old.state then
    return null;
  elsif new.state = 'proposed' then
    insert into campaign_scope (campaign_id, methodology, street, period)
    select new.campaign_id, m, s, daterange(new.starts_on, new.ends_on, '[]')
    from unnest(new.methodologies) m
    cross join unnest(coalesce(new.streets, array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang', 'none'])) s;
  elsif new.state in ('draft', 'withdrawn') then
    delete from campaign_scope where campaign_id = new.campaign_id;
  elsif new.state = 'ended' then
    update campaign_scope
    set period = daterange(new.starts_on, least(new.ends_on, (new.ended_at at time zone 'Asia/Shanghai')::date), '[]')
    where campaign_id = new.campaign_id;
  end if;
  return null;
end $$;
create trigger keep_campaign_scope after update of state on campaign for each row execute function keep_campaign_scope();

-- While a campaign pauses, acts that end meanwhile get nothing of it; those before do, whenever they are decided.
create table campaign_pause (
  campaign_id int not null references campaign,
  from_at     timestamptz not null,
  to_at       timestamptz,
  why         text not null check (length(why) between 1 and 500),
  paused_by   int not null references staff,
  resumed_by  int references staff,
  primary key (campaign_id, from_at),
  check (to_at >= from_at),
  exclude using gist (campaign_id with =, tstzrange(from_at, to_at) with &&)
);
grant select, insert on campaign_pause to carbon_app;
grant update (to_at, resumed_by) on campaign_pause to carbon_app;

-- Who was in it when it began, or at their first act of it since, and on which side. Never changed, never told.
create table campaign_audience (
  campaign_id int not null,
  resident_id bigint not null,
  side        text not null check (side in ('offered', 'held_out', 'outside')),
  at_launch   boolean not null,
  frozen_at   timestamptz not null default clock_timestamp(),
  shard_id    smallint not null check (shard_id = (resident_id - 1) / 16384),
  primary key (campaign_id, resident_id, shard_id)
);
create index campaign_audience_resident on campaign_audience (resident_id);
call make_append_only('campaign_audience');

-- Whether a resident's number falls on the part held out under a campaign's salt: the first eight bytes of SHA-256 as a
-- whole number without sign, modulo a million, in two halves so that it fits.
create function held_out(salt bytea, resident bigint, ppm int) returns boolean language sql immutable parallel safe as $$
  select ((hi % 1000000) * (4294967296 % 1000000) + lo) % 1000000 < ppm
  from (select ('x' || encode(substr(h, 1, 4), 'hex'))::bit(32)::bigint as hi,
               ('x' || encode(substr(h, 5, 4), 'hex'))::bit(32)::bigint as lo
        from sha256(salt || int8send(resident)) h) halves
$$;

-- Points that move from one fund to another, and the money behind them: one row is both sides.
create table fund_transfer (
  transfer_id bigint generated always as identity primary key,
  from_fund   int not null references fund,
  to_fund     int not null references fund,
  points      bigint not null check (points > 0),
  amount_fen  bigint not null check (amount_fen >= 0),
  why         text not null check (why in ('campaign_approved', 'campaign_left_over')),
  campaign_id int not null references campaign,
  at          timestamptz not null default clock_timestamp(),
  check (from_fund <> to_fund)
);
create unique index fund_transfer_budget_once on fund_transfer (campaign_id) where why = 'campaign_approved';
create index fund_transfer_from on fund_transfer (from_fund);
create index fund_transfer_to on fund_transfer (to_fund);
call make_append_only('fund_transfer');

-- What a campaign gave for one passage (generation) of an act: what its reward came to, what was left of it after the
-- person's caps, and what the fund could pay of that. It stands as long as the decision does.
create table bonus (
  activity_id bigint not null,
  resident_id bigint not null,
  entitled    bigint not null check (entitled > 0),
  due_points  bigint not null check (due_points between 0 and entitled),
  points      bigint not null check (points between 0 and due_points),
  journal_id  bigint,
  campaign_id int not null,
  fund_id     int not null,
  occurred_on date not null,
  generation  smallint not null,
  shard_id    smallint not null,
  reasons     text[] check (cardinality(reasons) > 0 and reasons <@ array[
                'campaign_daily_cap', 'campaign_weekly_cap', 'campaign_total_cap', 'campaign_exhausted']),
  primary key (resident_id, occurred_on, activity_id, generation, shard_id),
  check ((points < entitled) = (reasons is not null)),
  check (points = 0 or journal_id is not null)
) partition by range (occurred_on);
insert into monthly_table values ('bonus', true);
call make_append_only('bonus');

select make_partitions((current_date - interval '3 months')::date, (current_date + interval '3 months')::date);
"""

DOWN = """
drop table bonus, fund_transfer, campaign_audience, campaign_pause, campaign_scope, campaign, campaign_state;
drop function only_allowed_campaign_states(), campaign_terms_stay(), campaigns_begin_as_drafts(), keep_campaign_scope(),
  held_out(bytea, bigint, int);
delete from monthly_table where table_name = 'bonus';
alter table fund_deposit drop column fund_kind;
alter table earning_rate drop column fund_kind;
alter table fund drop constraint fund_fund_id_kind_key, drop column kind;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
