"""The register of partners and their feeds: the integrations' list, and the rows it stands for."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Final

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
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
    told = {feed.code: feed for feed in feeds}
    if told:
        numbers = _partner_rows(session, {feed.partner: feed.partner_names for feed in told.values()})
        _source_rows(session, told, numbers)


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
    highest = session.execute(select(func.max(Partner.partner_id))).scalar_one()
    partner_id = (highest or 0) + 1
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


def _partner_rows(session: Session, told: Mapping[str, Text]) -> Mapping[str, int]:
    """Write the partners, names by code; their numbers."""
    numbers = _numbered(session, select(Partner.code, Partner.partner_id), told)
    rows = [
        {"partner_id": numbers[code], "code": code, "name_zh": names.zh, "name_en": names.en}
        for code, names in told.items()
    ]
    written = insert(Partner).values(rows)
    names = {name: written.excluded[name] for name in ("name_zh", "name_en")}
    session.execute(written.on_conflict_do_update(index_elements=[Partner.code], set_=names))
    return numbers


def _source_rows(session: Session, told: Mapping[str, Feed], partners: Mapping[str, int]) -> None:
    numbers = _numbered(session, select(Source.feed, Source.source_id), told)
    rows = [
        {
            "source_id": numbers[code],
            "partner_id": partners[feed.partner],
            "feed": code,
            "evidence_class": feed.evidence_class,
            "methodologies": list(feed.methodologies),
            "late_days": feed.late_days,
        }
        for code, feed in told.items()
    ]
    written = insert(Source).values(rows)
    terms = {name: written.excluded[name] for name in ("methodologies", "late_days")}
    session.execute(written.on_conflict_do_update(index_elements=[Source.feed], set_=terms))


def _numbered(session: Session, known: Select[str, int], codes: Iterable[str]) -> Mapping[str, int]:
    """The number of each code: the one it has, or one that follows the highest there is."""
    numbers = dict(session.execute(known).all())
    following = count(max(numbers.values(), default=0) + 1)
    return {code: numbers[code] if code in numbers else next(following) for code in codes}


def _no_feed() -> NotFound:
    return NotFound("feed_unknown", Text("没有此数据源", "There is no such feed"))
