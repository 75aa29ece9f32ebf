"""Where the points of acts that are taken back are found: where they hurt least, and never below zero.

Order, for each act: own pending bucket, own lot, breakage if that lot lapsed, latest-expiring free lots, debt. The
buckets of all residents concerned are read once, drawn from act by act in memory, and what was drawn is written
once: many acts cost as many statements as one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken

Name = TypeVar("Name")


@dataclass(frozen=True)
class Recovered:
    """Where the points of one act were found; the five add up to what the act had earned."""

    journal_id: int | None = None
    from_pending: int = 0
    from_lot: int = 0
    from_other: int = 0
    from_breakage: int = 0
    to_debt: int = 0


@dataclass(frozen=True)
class Bucket:
    """The bucket an act was paid into."""

    fund_id: int
    lot_on: date
    points: int


class Lot(NamedTuple):
    """The name of a resident's calendar bucket."""

    resident_id: int
    expires_on: date
    fund_id: int


class Pending(NamedTuple):
    """The name of a resident's bucket of points that are still to mature."""

    resident_id: int
    matures_on: date
    expires_on: date
    fund_id: int


_WHO: Final = "unnest(cast(:residents as bigint[])) r (resident_id)"
_LOTS: Final = text(f"""
select l.resident_id, l.expires_on, l.fund_id, l.remaining from {_WHO}
cross join lateral (select * from lot where lot.resident_id = r.resident_id offset 0) l
where l.shard_id = :shard and l.remaining > 0
""")  # noqa: S608 - made of constants
_PENDING: Final = text(f"""
select p.resident_id, p.matures_on, p.expires_on, p.fund_id, p.points from {_WHO}
cross join lateral (select * from pending_lot where pending_lot.resident_id = r.resident_id offset 0) p
where p.shard_id = :shard and p.points > 0
""")  # noqa: S608 - made of constants
_LAPSED: Final = text("""
select resident_id, lot_on, contra_ref, -sum(points)::bigint from posting
where resident_id = any(cast(:residents as bigint[])) and shard_id = :shard and contra_kind = 5 and lot_on < :today
group by 1, 2, 3 having sum(points) < 0
""")
# `earned` goes down by what is taken, `remaining` by what of it was still free: a lapsed bucket's breakage was not.
_TAKE_FROM_LOTS: Final = text("""
with taken as (
  update lot l set remaining = l.remaining - t.free, earned = l.earned - t.free - t.lapsed
  from unnest(cast(:residents as bigint[]), cast(:expire as date[]), cast(:funds as int[]), cast(:free as bigint[]),
              cast(:lapsed as bigint[])) as t (resident_id, expires_on, fund_id, free, lapsed)
  where l.resident_id = t.resident_id and l.expires_on = t.expires_on and l.fund_id = t.fund_id and l.shard_id = :shard
  returning 1
)
select count(*) from taken
""")
# An emptied bucket goes.
_TAKE_FROM_PENDING: Final = text("""
with t as materialized (
  select * from unnest(cast(:residents as bigint[]), cast(:mature as date[]), cast(:expire as date[]),
                       cast(:funds as int[]), cast(:points as bigint[]))
                as t (resident_id, matures_on, expires_on, fund_id, points)
), emptied as (
  delete from pending_lot p using t
  where p.resident_id = t.resident_id and p.matures_on = t.matures_on and p.expires_on = t.expires_on
    and p.fund_id = t.fund_id and p.shard_id = :shard and p.points = t.points
  returning 1
), lessened as (
  update pending_lot p set points = p.points - t.points from t
  where p.resident_id = t.resident_id and p.matures_on = t.matures_on and p.expires_on = t.expires_on
    and p.fund_id = t.fund_id and p.shard_id = :shard and p.points > t.points
  returning 1
)
select (select count(*) from emptied) + (select count(*) from lessened)
""")


class Pockets:
    """What lies in the buckets of residents whose wallets the caller holds, and what was drawn from it so far."""

    def __init__(self, session: Session, shard_id: int, residents: Sequence[int], today: date) -> None:
        self._session, self._shard, self._today = session, shard_id, today
        given = {"residents": list(residents), "shard": shard_id}
        self._pending = {Pending(*row[:4]): int(row[4]) for row in session.execute(_PENDING, given)}
        self._lots = {Lot(*row[:3]): int(row[3]) for row in session.execute(_LOTS, given)}
        lapsed = session.execute(_LAPSED, {**given, "today": today})
        self._lapsed = {Lot(*row[:3]): int(row[3]) for row in lapsed}
        self._of: dict[int, list[Lot]] = defaultdict(list)
        for lot in sorted(self._lots, key=lambda lot: lot[1:], reverse=True):
            self._of[lot.resident_id].append(lot)
        self._from_pending: Counter[Pending] = Counter()
        self._from_lots: Counter[Lot] = Counter()
        self._from_lapsed: Counter[Lot] = Counter()

    def recover(
        self, resident_id: int, buckets: Sequence[Bucket], matures_on: date | None
    ) -> tuple[Recovered, list[Bucket]]:
        """Find one act's points; also the lapsed buckets whose breakage is undone, and by how much."""
        pending = lots = breakage = rest = 0
        undone = []
        for bucket in buckets:
            wanted = bucket.points
            own = Lot(resident_id, bucket.lot_on, bucket.fund_id)
            if matures_on is not None:
                waiting = Pending(resident_id, matures_on, *own[1:])
                found = _draw(self._pending, waiting, wanted, self._from_pending)
                pending, wanted = pending + found, wanted - found
            found = _draw(self._lots, own, wanted, self._from_lots)
            lots, wanted = lots + found, wanted - found
            if bucket.lot_on < self._today and wanted:
                found = _draw(self._lapsed, own, wanted, self._from_lapsed)
                breakage, wanted = breakage + found, wanted - found
                undone.append(Bucket(bucket.fund_id, bucket.lot_on, found))
            rest += wanted
        other = self._from_others(resident_id, rest)
        found_all = Recovered(None, pending, lots, other, breakage, rest - other)
        return found_all, [bucket for bucket in undone if bucket.points]

    def write(self) -> None:
        """Write what was drawn. Raises InvariantBroken when a bucket is not what it was when it was read."""
        self._write_pending()
        touched = sorted(self._from_lots | self._from_lapsed)
        if not touched:
            return
        residents, expire, funds = map(list, zip(*touched, strict=True))
        given = {
            "residents": residents,
            "expire": expire,
            "funds": funds,
            "free": [self._from_lots[lot] for lot in touched],
            "lapsed": [self._from_lapsed[lot] for lot in touched],
            "shard": self._shard,
        }
        self._all_found(self._session.execute(_TAKE_FROM_LOTS, given).scalar_one(), len(touched))

    def _write_pending(self) -> None:
        touched = sorted(self._from_pending)
        if not touched:
            return
        residents, mature, expire, funds = map(list, zip(*touched, strict=True))
        given = {
            "residents": residents,
            "mature": mature,
            "expire": expire,
            "funds": funds,
            "points": [self._from_pending[bucket] for bucket in touched],
            "shard": self._shard,
        }
        self._all_found(self._session.execute(_TAKE_FROM_PENDING, given).scalar_one(), len(touched))

    def _all_found(self, found: int, wanted: int) -> None:
        if found != wanted:
            raise InvariantBroken(f"shard {self._shard}: {wanted} buckets to draw from, {found} found")

    def _from_others(self, resident_id: int, wanted: int) -> int:
        """Take free points that expire last, so that the resident loses the least."""
        left = wanted
        for lot in self._of.get(resident_id, ()):
            if not left:
                break
            left -= _draw(self._lots, lot, left, self._from_lots)
        return wanted - left


def _draw(pot: dict[Name, int], name: Name, wanted: int, drawn: Counter[Name]) -> int:
    found = min(pot.get(name, 0), wanted)
    if found:
        pot[name] -= found
        drawn[name] += found
    return found
