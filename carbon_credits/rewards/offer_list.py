"""What is to be had now, as a resident sees it: what it costs, who pays for it, how much is left."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards.merchants import Category
from carbon_credits.rewards.offers import MICRO


@dataclass(frozen=True)
class Wish:
    """What somebody looks for; what is None does not matter. `most_points` is the most it may cost."""

    category: Category | None = None
    street: Street | None = None
    most_points: int | None = None


@dataclass(frozen=True)
class Value:
    """Who pays for an offer's face value, in whole fen: these four are the face value.

    The points' part is rounded down for the eye; what is less than a fen of it the merchant is paid all the same.
    """

    subsidy_fen: int
    sponsor_fen: int
    points_fen: int
    merchant_fen: int


@dataclass(frozen=True)
class Shown:
    """One offer as it is shown: its row with its merchant's names, how many are left, and its value split."""

    row: Row[Any]
    value: Value


_COLUMNS: Final = """
select o.offer_id, o.kind, o.title_zh, o.title_en, o.text_zh, o.text_en, o.category, o.points, o.face_fen,
       o.value_micro_fen, o.subsidy_fen, o.per_person, o.streets, o.offline, o.from_at, o.to_at,
       m.code as merchant_code, m.name_zh, m.name_en, m.street, m.address, p.kind as purse_kind,
       (select coalesce(sum(s.left_n), 0)::bigint from offer_stock s where s.offer_id = o.offer_id) as left_n
from offer o join merchant m using (merchant_id) left join purse p using (purse_id)
where o.state = 'live' and o.from_at <= :now and o.to_at > :now and m.state = 'active'
"""
_PAGE = text(
    _COLUMNS
    + """
  and (cast(:category as text) is null or o.category = :category)
  and (cast(:street as text) is null or o.streets = '{}' or :street = any (o.streets))
  and (cast(:most as bigint) is null or o.points <= :most)
  and (cast(:before as bigint) is null or o.offer_id < :before)
order by o.offer_id desc limit :limit
"""
)
_ONE = text(_COLUMNS + " and o.offer_id = :offer")


def to_be_had(session: Session, wish: Wish, now: datetime, before: int | None, limit: int) -> list[Shown]:
    """Offers open now that fit a wish, the newest first, beginning after the offer `before`."""
    given = {
        "now": now,
        "category": wish.category,
        "street": wish.street,
        "most": wish.most_points,
        "before": before,
        "limit": limit,
    }
    return [_shown(row) for row in session.execute(_PAGE, given)]


def open_offer(session: Session, offer_id: int, now: datetime) -> Shown:
    """One offer that is open now; raises NotFound."""
    row = session.execute(_ONE, {"now": now, "offer": offer_id}).one_or_none()
    if row is None:
        raise NotFound(
            "offer_unknown", Text("没有该权益，请刷新列表", "There is no such offer: look at the list again")
        )
    return _shown(row)


def split(face_fen: int, points: int, value_micro_fen: int, subsidy_fen: int, *, by_sponsor: bool) -> Value:
    """Who pays how much of a face value; the four parts add up to it."""
    points_fen = points * value_micro_fen // MICRO
    return Value(
        subsidy_fen=0 if by_sponsor else subsidy_fen,
        sponsor_fen=subsidy_fen if by_sponsor else 0,
        points_fen=points_fen,
        merchant_fen=face_fen - points_fen - subsidy_fen,
    )


def _shown(row: Row[Any]) -> Shown:
    by_sponsor = row.purse_kind == "sponsor"
    parts = split(row.face_fen, row.points, row.value_micro_fen, row.subsidy_fen, by_sponsor=by_sponsor)
    return Shown(row, parts)
