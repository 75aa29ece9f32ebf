"""What a point is worth, the money that tops offers up, and the offers with their stock."""

from alembic import op

revision = "0019_offers"
down_revision = "0018_merchants"
branch_labels = None
depends_on = None

UP = """
-- What a merchant is paid for a point, in micro-fen (a millionth of a fen); dated, by two people.
create table point_value (
  in_force    date primary key,
  micro_fen   bigint not null check (micro_fen between 1 and 1000000000),
  reason      text not null check (length(reason) between 1 and 500),
  approval_id bigint not null unique references approval
);
call make_append_only('point_value');
create function point_value_on(day date) returns bigint language sql stable as $$
  select micro_fen from point_value where in_force <= day order by in_force desc limit 1
$$;

-- Money that tops offers up, the programme's or a sponsor's. Points are bought through funds; this is for the rest.
create table purse (
  purse_id     int generated always as identity primary key,
  code         text not null unique check (code ~ '^[a-z][a-z0-9_]{1,39}$'),
  kind         text not null check (kind in ('programme', 'sponsor')),
  name_zh      text not null check (length(name_zh) between 1 and 100),
  name_en      text not null check (length(name_en) between 1 and 100),
  paid_in_fen  bigint not null default 0 check (paid_in_fen >= 0),
  reserved_fen bigint not null default 0 check (reserved_fen >= 0),
  spent_fen    bigint not null default 0 check (spent_fen >= 0),
  refunded_fen bigint not null default 0 check (refunded_fen >= 0),
  check (reserved_fen + spent_fen + refunded_fen <= paid_in_fen)
);
grant select, insert on purse to carbon_app;
grant update (paid_in_fen, reserved_fen, spent_fen, refunded_fen) on purse to carbon_app;

-- Each movement of a purse, once for what caused it; the balances above are its sums.
create table purse_entry (
  entry_id   bigint generated always as identity primary key,
  purse_id   int not null references purse,
  kind       text not null check (kind in ('paid_in', 'reserved', 'released', 'spent', 'returned', 'refunded', 'refund_failed')),
  amount_fen bigint not null check (amount_fen > 0),
  cause      text not null check (length(cause) between 1 and 120),
  at         timestamptz not null default clock_timestamp(),
  unique (purse_id, kind, cause)
);
call make_append_only('purse_entry');

insert into reward_state (machine, follows, state) values
  ('offer', 'draft', 'proposed'), ('offer', 'proposed', 'draft'), ('offer', 'proposed', 'refused'),
  ('offer', 'proposed', 'live'), ('offer', 'live', 'paused'), ('offer', 'paused', 'live'),
  ('offer', 'live', 'ended'), ('offer', 'paused', 'ended');

-- One thing to be had at one price. A price never changes: another one is another offer that replaces this.
-- What the merchant is paid for one: the points at their value when it was approved, and the subsidy; the rest of the
-- face value is the merchant's own gift.
create table offer (
  offer_id        bigint generated always as identity primary key,
  merchant_id     int not null references merchant,
  kind            text not null check (kind in ('voucher', 'donation', 'group_gift')),
  title_zh        text not null check (length(title_zh) between 1 and 60),
  title_en        text not null check (length(title_en) between 1 and 100),
  text_zh         text not null check (length(text_zh) between 1 and 2000),
  text_en         text not null check (length(text_en) between 1 and 4000),
  category        text not null check (category in ('food', 'groceries', 'household', 'culture', 'travel', 'planting', 'other')),
  points          bigint not null check (points between 1 and 10000000),
  face_fen        bigint not null check (face_fen between 1 and 100000000),
  value_micro_fen bigint check (value_micro_fen > 0),
  subsidy_fen     bigint not null default 0 check (subsidy_fen >= 0),
  purse_id        int references purse,
  stock           int not null check (stock between 1 and 10000000),
  per_person      smallint check (per_person between 1 and 1000),
  streets         text[] not null default '{}'
                  check (streets <@ array['zumiao', 'shiwan', 'zhangcha', 'nanzhuang']),
  offline         boolean not null default false,
  from_at         timestamptz not null,
  to_at           timestamptz not null,
  state           text not null default 'draft' check (state in ('draft', 'proposed', 'refused', 'live', 'paused', 'ended')),
  state_reason    text check (length(state_reason) between 1 and 500),
  replaces        bigint references offer,
  approval_id     bigint references approval,
  made_at         timestamptz not null default clock_timestamp(),
  changed_at      timestamptz not null default clock_timestamp(),
  check (to_at > from_at),
  check ((subsidy_fen > 0) = (purse_id is not null)),
  check ((state in ('live', 'paused', 'ended')) <= (approval_id is not null and value_micro_fen is not null)),
  check (kind = 'voucher' or not offline),
  -- compared without a division, and without an overflow
  check (value_micro_fen is null or points::numeric * value_micro_fen + subsidy_fen::numeric * 1000000 <= face_fen::numeric * 1000000)
);
create index offer_open on offer (to_at) where state = 'live';
-- of several that would replace it one does
create unique index offer_replaced_once on offer (replaces) where state in ('live', 'paused', 'ended');
create index offer_of_merchant on offer (merchant_id);
create trigger only_allowed_offer_states before update on offer
  for each row execute function only_allowed_reward_states('offer');
grant select, insert on offer to carbon_app;
grant update (kind, title_zh, title_en, text_zh, text_en, category, points, face_fen, value_micro_fen, subsidy_fen, purse_id, stock,
              per_person, streets, offline, from_at, to_at, state, state_reason, approval_id, changed_at) on offer to carbon_app;

-- Once approved, what was approved stays.
create function approved_offer_stays() returns trigger language plpgsql as $$
begin
  if old.approval_id is not null and
     (new.merchant_id, new.kind, new.title_zh, new.title_en, new.text_zh, new.text_en, new.category, new.points, new.face_fen,
      new.value_micro_fen, new.subsidy_fen, new.purse_id, new.stock, new.per_person, new.streets, new.offline, new.from_at,
      new.to_at, new.approval_id)
     is distinct from
     (old.merchant_id, old.kind, old.title_zh, old.title_en, old.text_zh, old.text_en, old.category, old.points, old.face_fen,
      old.value_micro_fen, old.subsidy_fen, old.purse_id, old.stock, old.per_person, old.streets, old.offline, old.from_at,
      old.to_at, old.approval_id) then
    raise exception 'an approved offer is not changed' using errcode = 'CC001';
  end if;
  return new;
end $$;
create trigger approved_offer_stays before update on offer for each row execute function approved_offer_stays();

-- The stock of an offer, cut into slots so that those who want the same thing do not queue for one row. What is left
-- is never below zero, whoever comes at once.
create table offer_stock (
  offer_id bigint not null references offer,
  slot     smallint not null check (slot between 0 and 7),
  left_n   int not null check (left_n >= 0),
  primary key (offer_id, slot)
) with (fillfactor = 50);
grant select, insert on offer_stock to carbon_app;
grant update (left_n) on offer_stock to carbon_app;

-- How often somebody has had an offer, where that is limited; the limit is beside it, so that the row itself says no.
create table offer_share (
  offer_id    bigint not null,
  resident_id bigint not null,
  shard_id    smallint not null,
  taken       smallint not null check (taken >= 0),
  most        smallint not null,
  primary key (offer_id, resident_id, shard_id),
  check (taken <= most)
);
grant select, insert on offer_share to carbon_app;
grant update (taken) on offer_share to carbon_app;
"""

DOWN = """
drop table offer_share, offer_stock, offer;
drop function approved_offer_stays();
drop table purse_entry, purse;
drop function point_value_on(date);
drop table point_value;
delete from reward_state where machine = 'offer';
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
