"""A resident's wallet: opening it, and reading what it holds and how it came to that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.models import Lot, Posting, Wallet


@dataclass(frozen=True)
class Balances:
    """A wallet as it stands: points in their pockets, milligrams of CO2e in their pools."""

    resident_id: int
    available: int
    held: int
    pending: int
    debt: int
    verified_mg: int
    claimed_mg: int
    removal_mg: int
    seq: int


@dataclass(frozen=True)
class Expiring:
    """Points that can be used through a day and not after."""

    expires_on: date
    points: int


def open_wallet(session: Session, resident_id: int) -> None:
    """Give a resident a wallet; once more changes nothing."""
    session.execute(
        text("insert into wallet (resident_id, shard_id) values (:resident, :shard) on conflict do nothing"),
        {"resident": resident_id, "shard": shard_of(resident_id)},
    )


def wallet_of(session: Session, resident_id: int) -> Balances:
    """The balances of one resident, in one row read. Raises NotFound without a wallet."""
    columns = [getattr(Wallet, name) for name in Balances.__dataclass_fields__]
    row = session.execute(
        select(*columns).where(Wallet.resident_id == resident_id, Wallet.shard_id == shard_of(resident_id))
    ).one_or_none()
    if row is None:
        raise NotFound("wallet_unknown", Text("没有该账户", "There is no such wallet"))
    return Balances(*row)


def expiring(session: Session, resident_id: int, today: date) -> list[Expiring]:
    """Spendable points by the last day they can be used, soonest first; neither held nor lapsed ones."""
    rows = session.execute(
        select(Lot.expires_on, func.sum(Lot.remaining))
        .where(
            Lot.resident_id == resident_id,
            Lot.shard_id == shard_of(resident_id),
            Lot.remaining > 0,
            Lot.expires_on >= today,
        )
        .group_by(Lot.expires_on)
        .order_by(Lot.expires_on)
    )
    return [Expiring(day, int(points)) for day, points in rows]


def postings_of(session: Session, resident_id: int, before_seq: int | None, limit: int) -> Sequence[Posting]:
    """A resident's postings, newest first; `before_seq` is the last wallet_seq of the page before."""
    query = select(Posting).where(
        Posting.resident_id == resident_id, Posting.shard_id == shard_of(resident_id)
    )
    if before_seq is not None:
        query = query.where(Posting.wallet_seq < before_seq)
    return session.scalars(query.order_by(Posting.wallet_seq.desc()).limit(limit)).all()
