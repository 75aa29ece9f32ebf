"""The register of partners and their feeds: the integrations' list, and the rows it stands for."""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed
from carbon_credits.partners.models import Partner, Source

_LOCK: Final = 440_602


class Register:
    """The feeds this programme was put together with, by code."""

    def __init__(self, feeds: Iterable[Feed]) -> None:
        self._feeds: dict[str, Feed] = {}
        for feed in feeds:
            if feed.code in self._feeds:
                raise ValueError(f"two feeds are called {feed.code}")
            self._feeds[feed.code] = feed

    def __iter__(self) -> Iterator[Feed]:
        return iter(self._feeds.values())

    def feed(self, code: str) -> Feed:
        """The feed of this code; raises NotFound."""
        if code not in self._feeds:
            raise _no_feed()
        return self._feeds[code]


def install(session: Session, feeds: Iterable[Feed]) -> None:
    """Write a row for each feed and its partner where there is none; names and terms follow the code.

    A feed's evidence class is fixed by its first row: acts were credited by it.
    """
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    for feed in feeds:
        partner_id = _partner_row(session, feed)
        _source_row(session, feed, partner_id)


def partner_by_code(session: Session, code: str) -> Partner:
    """An active partner; raises NotFound."""
    asked = select(Partner).where(Partner.code == code, Partner.status == "active")
    partner = session.execute(asked).scalar_one_or_none()
    if partner is None:
        raise NotFound("partner_unknown", Text("没有此合作方", "There is no such partner"))
    return partner


def add_partner(session: Session, code: str, names: Text) -> int:
    """Register a partner that has no feed, for its clients; its number. Its code must be free."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    partner_id = _next(session, func.max(Partner.partner_id))
    row = {"partner_id": partner_id, "code": code, "name_zh": names.zh, "name_en": names.en}
    session.execute(insert(Partner).values(**row))
    return partner_id


def partners(session: Session) -> list[Partner]:
    """The active partners, by number."""
    asked = select(Partner).where(Partner.status == "active").order_by(Partner.partner_id)
    return list(session.execute(asked).scalars())


def source_by_feed(session: Session, feed: str, partner_id: int | None = None) -> Source:
    """The source of a feed; raises NotFound, also when it is not this partner's."""
    asked = select(Source).where(Source.feed == feed, Source.partner_id.is_not(None))
    if partner_id is not None:
        asked = asked.where(Source.partner_id == partner_id)
    source = session.execute(asked).scalar_one_or_none()
    if source is None:
        raise _no_feed()
    return source


def _partner_row(session: Session, feed: Feed) -> int:
    names = {"name_zh": feed.partner_names.zh, "name_en": feed.partner_names.en}
    known = update(Partner).where(Partner.code == feed.partner).values(**names).returning(Partner.partner_id)
    partner_id = session.execute(known).scalar_one_or_none()
    if partner_id is None:
        partner_id = _next(session, func.max(Partner.partner_id))
        session.execute(insert(Partner).values(partner_id=partner_id, code=feed.partner, **names))
    return partner_id


def _source_row(session: Session, feed: Feed, partner_id: int) -> None:
    terms = {"methodologies": list(feed.methodologies), "late_days": feed.late_days}
    known = update(Source).where(Source.feed == feed.code).values(**terms).returning(Source.source_id)
    if session.execute(known).scalar_one_or_none() is None:
        session.execute(
            insert(Source).values(
                source_id=_next(session, func.max(Source.source_id)),
                partner_id=partner_id,
                feed=feed.code,
                evidence_class=feed.evidence_class,
                **terms,
            )
        )


def _next(session: Session, highest: ColumnElement[int]) -> int:
    return (session.execute(select(highest)).scalar_one() or 0) + 1


def _no_feed() -> NotFound:
    return NotFound("feed_unknown", Text("没有此数据源", "There is no such feed"))
