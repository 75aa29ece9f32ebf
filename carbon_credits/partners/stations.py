"""Stations (boxes, machines) as their feeds tell of them: what each deposit put in, and what was taken out and weighed.

Both land once by their number. The number told again is a duplicate; with other content it is a contradiction, unless
a later version of its file tells it: then it takes the place of what was told before. What the partner takes back is
marked, never deleted; taken back before it was told, it is known when it comes. So the order of arrival does not matter.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, SmallInteger, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from carbon_credits.core.crypto import digest
from carbon_credits.core.db import Model
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.partners.contract import Item, Record, StationDeposit, Weighing
from carbon_credits.partners.models import PartnerFile

FAMILY: Final = "recycling."
Instant = DateTime(timezone=True)


class StationDepositRow(Model):
    """Grams that one deposit put into a station's bag. `ext_key` is that of its act, where it became one."""

    __tablename__ = "station_deposit"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    mass_g: Mapped[int] = mapped_column(BigInteger)
    told_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    methodology: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    station: Mapped[str | None] = mapped_column(Text)


class WeighingRow(Model):
    """A bag taken out of a station; `net_g` is what it weighed, where it was weighed."""

    __tablename__ = "weighing"

    source_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey("source.source_id"), primary_key=True)
    ext_key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    document_no: Mapped[str] = mapped_column(Text)
    emptied_at: Mapped[datetime] = mapped_column(Instant)
    net_g: Mapped[int | None] = mapped_column(BigInteger)
    told_at: Mapped[datetime] = mapped_column(Instant)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    methodology: Mapped[int] = mapped_column(SmallInteger)
    version: Mapped[int] = mapped_column(SmallInteger)
    station: Mapped[str] = mapped_column(Text)


# Once for its number: a later version of the file takes the place of an earlier one; said to be taken back, it is so
# whichever was told first; everything else leaves what stands.
LAND_DEPOSIT = text("""
insert into station_deposit as s (source_id, ext_key, station, methodology, at, mass_g, version, told_at, withdrawn_at)
values (:source_id, :ext_key, :station, :methodology, :at, :amount, :version, :now, :withdrawn_at)
on conflict (source_id, ext_key) do update set
  station = excluded.station, methodology = excluded.methodology, at = excluded.at, mass_g = excluded.mass_g,
  version = excluded.version,
  withdrawn_at = case when excluded.version > s.version then excluded.withdrawn_at
                      else coalesce(s.withdrawn_at, excluded.withdrawn_at) end
where excluded.version > s.version or (excluded.withdrawn_at is not null and s.withdrawn_at is null)
""")
LAND_WEIGHING = text("""
insert into weighing as w
  (source_id, ext_key, document_no, station, methodology, emptied_at, net_g, version, told_at, withdrawn_at)
values (:source_id, :ext_key, :document_no, :station, :methodology, :at, :amount, :version, :now, :withdrawn_at)
on conflict (source_id, ext_key) do update set
  station = excluded.station, methodology = excluded.methodology, emptied_at = excluded.emptied_at,
  net_g = excluded.net_g, version = excluded.version,
  withdrawn_at = case when excluded.version > w.version then excluded.withdrawn_at
                      else coalesce(w.withdrawn_at, excluded.withdrawn_at) end
where excluded.version > w.version or (excluded.withdrawn_at is not null and w.withdrawn_at is null)
returning true
""")
KNOWN_WEIGHING = text("""
select station = :station and methodology = :methodology and emptied_at = :at and net_g is not distinct from :amount
from weighing where source_id = :source_id and ext_key = :ext_key
""")
# What a later version of a file no longer tells was taken back with it.
WITHDRAW = """
update {table} t set withdrawn_at = :now
from record_correction c
where c.file_id = :file and c.kind = 'void' and t.source_id = c.source_id and t.ext_key = c.ext_key
  and t.withdrawn_at is null
"""
WITHDRAWALS: Final = tuple(text(WITHDRAW.format(table=name)) for name in ("station_deposit", "weighing"))


def station_key(record_id: str) -> bytes:
    """The key of a deposit or weighing within its source; a deposit's is that of its act."""
    return digest("partner-record", record_id.encode())[:16]


def deposits_of(item: Item) -> tuple[StationDeposit, ...]:
    """What an item says was put in. A record of recycling that names no station is a deposit all the same."""
    if isinstance(item, Weighing):
        return ()
    if item.deposits or not isinstance(item, Record):
        return item.deposits
    if (
        not item.methodology.startswith(FAMILY)
        or "mass_g" not in item.monitored
        or item.methodology not in BY_CODE
    ):
        return ()
    grams = item.monitored["mass_g"]
    return (
        (StationDeposit(item.record_id, None, item.methodology, item.occurred_to, grams),)
        if grams >= 0
        else ()
    )


def land_deposits(
    session: Session, source_id: int, items: Iterable[Item], now: datetime, file_id: int | None = None
) -> None:
    """Write down what each deposit put in, grams by station and material, once for its number."""
    deposits = [each for item in items for each in deposits_of(item)]
    if not deposits:
        return
    version = _version(session, file_id)
    # in the order of keys, so that two deliveries wait for one another and never in a ring
    rows = sorted(
        (_values(source_id, each, each.station, each.at, each.mass_g, version, now) for each in deposits),
        key=lambda row: row["ext_key"],
    )
    session.execute(LAND_DEPOSIT, rows)


def land_weighings(
    session: Session, source_id: int, weighings: Sequence[Weighing], now: datetime, file_id: int | None = None
) -> list[str]:
    """Land weighings, once for each number; of each whether it is `accepted`, `duplicate` or `content_differs`."""
    if not weighings:
        return []
    version = _version(session, file_id)
    said: dict[int, str] = {}
    order = sorted(range(len(weighings)), key=lambda place: station_key(weighings[place].record_id))
    for place in order:
        each = weighings[place]
        row = _values(source_id, each, each.station, each.emptied_at, each.net_g, version, now)
        row["document_no"] = each.record_id
        written = session.execute(LAND_WEIGHING, row).scalar_one_or_none()
        said[place] = "accepted" if written is not None else _as_known(session, row)
    return [said[place] for place in range(len(weighings))]


def withdraw_voided(session: Session, file_id: int, now: datetime) -> None:
    """Take back the deposits and weighings that a version of a file no longer tells."""
    for statement in WITHDRAWALS:
        session.execute(statement, {"file": file_id, "now": now})


def _as_known(session: Session, row: dict[str, Any]) -> str:
    is_same = session.execute(KNOWN_WEIGHING, row).scalar_one()
    return "duplicate" if is_same or row["withdrawn_at"] is not None else "content_differs"


def _version(session: Session, file_id: int | None) -> int:
    if file_id is None:
        return 1
    asked = select(PartnerFile.version).where(PartnerFile.file_id == file_id)
    return session.execute(asked).scalar_one() or 1


def _values(
    source_id: int,
    told: StationDeposit | Weighing,
    station: str | None,
    at: datetime,
    amount: int | None,
    version: int,
    now: datetime,
) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "ext_key": station_key(told.record_id),
        "station": station,
        "methodology": BY_CODE[told.methodology][-1].number,
        "at": at,
        "amount": amount,
        "version": version,
        "now": now,
        "withdrawn_at": now if told.is_withdrawn else None,
    }
