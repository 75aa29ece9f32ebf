"""Partners' files with a manifest: keys, states, versions, watermarks, rejected rows, corrections."""

from alembic import op

revision = "0011_partner_files"
down_revision = "0010_caps"
branch_labels = None
depends_on = None

UP = """
-- What a partner signs manifests with. Several may be in force; one that was revoked is kept, to be told from an unknown one.
create table partner_key (
  key_id     text primary key check (key_id ~ '^[0-9a-f]{16}$'),
  partner_id smallint not null references partner,
  public_key bytea not null unique check (length(public_key) = 32),
  added_at   timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);
create index partner_key_partner on partner_key (partner_id);
grant select, insert on partner_key to carbon_app;
grant update (revoked_at) on partner_key to carbon_app;

-- A file brought by hand has no manifest; one that came by the door or the drop folder has all that goes with it.
alter table partner_file
  add column seq              bigint check (seq between 1 and 9999999999),
  add column version          smallint check (version between 1 and 999),
  add column service_date     date,
  add column rows             bigint check (rows >= 0),
  add column complete_through timestamptz,
  add column manifest         jsonb,
  add column signature        bytea check (length(signature) = 64),
  add column key_id           text references partner_key,
  add column arrived          text check (arrived in ('door', 'drop')),
  add column waived           text[] not null default '{}',
  add column corrected        int check (corrected >= 0),
  add column voided           int check (voided >= 0),
  add column acked            text,
  add constraint partner_file_manifest_whole check (
    num_nonnulls(seq, version, service_date, rows, complete_through, manifest, signature, key_id, arrived) in (0, 9)),
  drop constraint partner_file_source_id_sha256_key,
  drop constraint partner_file_state_check,
  add constraint partner_file_state_check check (
    state in ('seen', 'verified', 'staged', 'applied', 'quarantined', 'superseded', 'refused')),
  add constraint partner_file_finished check (
    (state in ('applied', 'superseded', 'refused')) = (finished_at is not null)),
  add constraint partner_file_fault_said check (state not in ('quarantined', 'refused') or fault is not null);
-- The same bytes are one file; an empty day has the bytes of another empty day and is told apart by its number.
create unique index partner_file_once on partner_file (source_id, sha256, seq) nulls not distinct;
create unique index partner_file_version_once on partner_file (source_id, seq, version) where state <> 'refused';
create unique index partner_file_one_applied on partner_file (source_id, seq) where state = 'applied';
create index partner_file_unfinished on partner_file (source_id, seq, version)
  where state in ('seen', 'verified', 'staged') and seq is not null;
grant update (waived, corrected, voided, acked) on partner_file to carbon_app;

-- Which states a file has and which may follow which: the only list, read by the trigger below.
create table partner_file_state (
  state   text not null,
  follows text not null,
  primary key (state, follows)
);
insert into partner_file_state (follows, state) values
  ('seen', 'verified'), ('verified', 'staged'), ('staged', 'applied'),
  ('seen', 'quarantined'), ('verified', 'quarantined'), ('staged', 'quarantined'),
  ('quarantined', 'seen'), ('quarantined', 'refused'),
  ('seen', 'superseded'), ('verified', 'superseded'), ('staged', 'superseded'), ('quarantined', 'superseded'),
  ('applied', 'superseded'),
  -- brought by hand: whole or not at all, and a refused one may be tried again with other words said about it
  ('seen', 'applied'), ('seen', 'refused'), ('refused', 'seen');
grant select on partner_file_state to carbon_app;

create function only_allowed_file_states() returns trigger language plpgsql as $$
begin
  if new.state <> old.state
     and not exists (select from partner_file_state s where s.follows = old.state and s.state = new.state) then
    raise exception 'a file that is % cannot become %', old.state, new.state using errcode = 'CC002';
  end if;
  if new.seq is not null
     and (old.state, new.state) in (('seen', 'applied'), ('seen', 'refused'), ('refused', 'seen')) then
    raise exception 'a file with a manifest takes no short cut from % to %', old.state, new.state using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger only_allowed_file_states before update on partner_file
  for each row execute function only_allowed_file_states();

-- How far a feed is known to be complete: that of the last file before the first that is missing. It never goes back.
create table feed_watermark (
  source_id        smallint primary key references source,
  seq              bigint not null check (seq >= 1),
  complete_through timestamptz not null,
  moved_at         timestamptz not null default clock_timestamp()
);
grant select, insert, update on feed_watermark to carbon_app;
create function watermark_goes_forward() returns trigger language plpgsql as $$
begin
  if new.seq < old.seq or new.complete_through < old.complete_through then
    raise exception 'a watermark does not go back' using errcode = 'CC002';
  end if;
  return new;
end $$;
create trigger watermark_goes_forward before update on feed_watermark
  for each row execute function watermark_goes_forward();

-- Which rows of a file were refused, by their place in it; the first ten thousand of each file.
create table partner_file_reject (
  file_id bigint not null references partner_file,
  item    int not null check (item >= 0),
  line    int,
  reasons text[] not null check (cardinality(reasons) > 0),
  primary key (file_id, item)
);
grant select, insert on partner_file_reject to carbon_app;

-- What a later version of a file took back or told otherwise. Nothing is reversed here: reconciliation settles it.
create table record_correction (
  file_id    bigint not null references partner_file,
  source_id  smallint not null references source,
  ext_key    bytea not null check (length(ext_key) = 16),
  kind       text not null check (kind in ('void', 'correct')),
  noted_at   timestamptz not null default clock_timestamp(),
  settled_at timestamptz,
  primary key (file_id, ext_key)
);
create index record_correction_open on record_correction (source_id, ext_key) where settled_at is null;
grant select, insert on record_correction to carbon_app;
grant update (settled_at) on record_correction to carbon_app;
"""

DOWN = """
drop table record_correction, partner_file_reject, feed_watermark;
drop function watermark_goes_forward();
drop trigger only_allowed_file_states on partner_file;
drop function only_allowed_file_states();
drop table partner_file_state;
delete from partner_file where seq is not null;
drop index partner_file_once, partner_file_version_once, partner_file_one_applied, partner_file_unfinished;
alter table partner_file
  drop constraint partner_file_finished,
  drop constraint partner_file_fault_said,
  drop constraint partner_file_manifest_whole,
  drop constraint partner_file_state_check,
  add constraint partner_file_state_check check (state in ('seen', 'applied', 'refused')),
  add unique (source_id, sha256),
  drop column seq, drop column version, drop column service_date, drop column rows, drop column complete_through,
  drop column manifest, drop column signature, drop column key_id, drop column arrived, drop column waived,
  drop column corrected, drop column voided, drop column acked;
drop table partner_key;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
