"""What an offer is to one resident at one moment: what is agreed when it is taken, or why it cannot be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import ProgrammeError
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.rewards.refusals import refusal

_UNSEEN: Final = ("draft", "proposed", "refused")


@dataclass(frozen=True)
class Terms:
    """What one redemption of an offer is worth and to whom; copied into it, so that no later change touches it."""

    offer_id: int
    merchant_id: int
    kind: str
    points: int
    face_fen: int
    value_micro_fen: int
    subsidy_fen: int
    purse_id: int | None
    per_person: int | None
    offline: bool
    merchant: Text
    title: Text


_READ = """
o.offer_id, o.merchant_id, o.kind, o.points, o.face_fen, o.value_micro_fen, o.subsidy_fen, o.purse_id,
       o.per_person, o.offline, o.streets, o.state, o.from_at, o.to_at, o.title_zh, o.title_en,
       m.state as merchant_state, m.name_zh, m.name_en, r.street,
       exists (select from offer n where n.replaces = o.offer_id and n.state = 'live') as replaced
from offer o join merchant m using (merchant_id) left join resident r on r.resident_id = :resident
"""
_SEEN = text(f"select {_READ} where o.offer_id = :offer")
# The wallet is locked on the way: what moves points must be a later statement, which sees what the last holder wrote.
_LOCKED = text(f"""
with mine as materialized (
  select resident_id from wallet where resident_id = :resident and shard_id = :shard for no key update
)
select mine.resident_id as wallet, {_READ} left join mine on true where o.offer_id = :offer
""")  # noqa: S608 - made of constants


def terms_of(
    session: Session,
    offer_id: int,
    resident_id: int,
    now: datetime,
    shown_points: int | None,
    *,
    lock: bool = False,
) -> Terms:
    """The terms on which this resident may take this offer now; `shown_points` is the price the client showed.

    With `lock` the resident's wallet is locked until the transaction ends, for whoever goes on to take it.
    Raises `offer_unknown`, `offer_ended`, `offer_not_open`, `merchant_suspended`, `price_changed`, `not_your_street`.
    """
    given = {"offer": offer_id, "resident": resident_id, "shard": shard_of(resident_id)}
    row = session.execute(_LOCKED if lock else _SEEN, given).one_or_none()
    if row is None or row.state in _UNSEEN:
        raise refusal("offer_unknown")
    why_not = _standing(row, now) or _fit(row, shown_points)
    if why_not is not None:
        raise why_not
    return Terms(
        offer_id=row.offer_id,
        merchant_id=row.merchant_id,
        kind=row.kind,
        points=row.points,
        face_fen=row.face_fen,
        value_micro_fen=row.value_micro_fen,
        subsidy_fen=row.subsidy_fen,
        purse_id=row.purse_id,
        per_person=row.per_person,
        offline=row.offline,
        merchant=Text(row.name_zh, row.name_en),
        title=Text(row.title_zh, row.title_en),
    )


def _standing(row: Row[tuple[object, ...]], now: datetime) -> ProgrammeError | None:
    """Whether the offer is to be had at all: a merchant that leaves takes nothing new."""
    if row.state == "ended" or now >= row.to_at or row.merchant_state in ("closing", "closed"):
        return refusal("price_changed" if row.replaced else "offer_ended")
    if row.merchant_state != "active":
        return refusal("merchant_suspended")
    if row.state != "live" or now < row.from_at:
        return refusal("offer_not_open")
    return None


def _fit(row: Row[tuple[object, ...]], shown_points: int | None) -> ProgrammeError | None:
    """Whether it is what this resident was shown, and for their street."""
    if shown_points is not None and shown_points != row.points:
        return refusal("price_changed")
    if row.streets and row.street not in row.streets:
        return refusal("not_your_street")
    return None
