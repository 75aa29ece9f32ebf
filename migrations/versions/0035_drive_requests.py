"""A group asks by itself to be put forward for a creation drive; staff take the request up or decline it."""

from alembic import op

revision = "0035_drive_requests"
down_revision = "0034_simulations"
branch_labels = None
depends_on = None

UP = """
insert into group_state (machine, follows, state) values
  ('drive_request', 'asked', 'taken_up'), ('drive_request', 'asked', 'declined'), ('drive_request', 'asked', 'withdrawn');

-- what a request points at: whoever founded the group, and the application of the one who took the request up
alter table resident_group add constraint resident_group_founder_once unique (group_id, kind, founder_id);
alter table drive_application
  add constraint drive_application_maker_once unique (application_id, drive, group_id, year, made_by);

-- Who runs a group asks that it be put forward for a drive's list of a year. A school's people are children: nobody of
-- them asks for it. Who takes a request up is who applies, so that another has to review it.
create table drive_request (
  request_id     bigint generated always as identity primary key,
  drive          text not null references drive,
  group_id       int not null,
  kind           text not null check (kind <> 'school'),
  resident_id    bigint not null references resident,
  year           smallint not null check (year between 2025 and 2100),
  asked_at       timestamptz not null default clock_timestamp(),
  state          text not null default 'asked' check (state in ('asked', 'taken_up', 'declined', 'withdrawn')),
  decided_by     int references staff,
  reason         text check (length(reason) between 1 and 500),
  application_id bigint unique,
  changed_at     timestamptz not null default clock_timestamp(),
  foreign key (group_id, kind, resident_id) references resident_group (group_id, kind, founder_id),
  foreign key (application_id, drive, group_id, year, decided_by)
    references drive_application (application_id, drive, group_id, year, made_by),
  check ((state in ('taken_up', 'declined')) = (decided_by is not null)),
  check ((state = 'taken_up') = (application_id is not null)),
  check ((state = 'declined') = (reason is not null))
);
create unique index drive_request_once on drive_request (group_id, drive, year) where state = 'asked';
create index drive_request_open on drive_request (request_id) where state = 'asked';
create index drive_request_newest on drive_request (group_id, drive, request_id desc);

create function drive_requests_fit() returns trigger language plpgsql as $$
begin
  if new.state <> 'asked' then
    raise exception 'a request begins as asked' using errcode = 'CC002';
  end if;
  -- whoever puts the group forward or closes it waits for this row, or is waited for
  perform from resident_group g join drive d on d.drive = new.drive
    where g.group_id = new.group_id and g.state = 'active' and not g.is_part and g.kind = any (d.kinds)
    for no key update of g;
  if not found then
    raise exception 'the drive is not for this group' using errcode = 'CC002';
  end if;
  perform from membership m
    where m.shard_id = (new.resident_id - 1) / 16384 and m.resident_id = new.resident_id
      and m.group_id = new.group_id and m.to_on is null
    for share;
  if not found then
    raise exception 'who asks does not belong to the group' using errcode = 'CC002';
  end if;
  if exists (select from drive_application a
             where a.drive = new.drive and a.group_id = new.group_id and a.year = new.year
               and a.state not in ('refused', 'withdrawn')) then
    raise exception 'the group is put forward already' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger drive_requests_fit before insert on drive_request for each row execute function drive_requests_fit();

create function answered_drive_requests_stay() returns trigger language plpgsql as $$
begin
  if old.state <> 'asked' then
    raise exception 'a request that is answered is history' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger answered_drive_requests_stay before update on drive_request
  for each row execute function answered_drive_requests_stay();
create trigger only_allowed_drive_request_states before update on drive_request
  for each row execute function only_allowed_group_states('drive_request');
grant select, insert on drive_request to carbon_app;
grant update (state, decided_by, reason, application_id, changed_at) on drive_request to carbon_app;
"""

DOWN = """
drop table drive_request;
drop function answered_drive_requests_stay();
drop function drive_requests_fit();
alter table drive_application drop constraint drive_application_maker_once;
alter table resident_group drop constraint resident_group_founder_once;
delete from group_state where machine = 'drive_request';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
