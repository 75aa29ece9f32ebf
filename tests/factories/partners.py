"""Partners for tests: a feed whose file is one word a line, and its rows."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.partners import service
from carbon_credits.partners.contract import Feed, Item, ParseOptions, Record, Scalar
from carbon_credits.partners.models import Source


def a_record(record_id: str = "r1", subject_token: str = "rider-1", **changes: int) -> Record:
    """A ride of 3.2 km in 16 minutes."""
    begins = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    ends = begins + timedelta(minutes=16)
    monitored = {"distance_m": 3200, **changes}
    return Record(record_id, subject_token, "travel.cycling", begins, ends, monitored)


def a_feed(
    code: str = "test_bikes",
    partner: str = "test_partner",
    methodologies: tuple[str, ...] = ("travel.cycling",),
) -> Feed:
    """A feed that reads one record id from each line."""

    def parse_file(stream: BinaryIO, options: ParseOptions) -> Iterator[Item]:
        for line in stream:
            yield a_record(line.decode().strip())

    def summary(stream: BinaryIO, options: ParseOptions) -> Mapping[str, int]:
        return {"lines": len(stream.readlines())}

    def place(kept: Iterable[Mapping[str, Scalar]], options: ParseOptions) -> Iterator[Item]:
        return iter(())

    return Feed(
        code=code,
        partner=partner,
        partner_names=Text("测试合作方", "Test partner"),
        names=Text("测试数据源", "Test feed"),
        evidence_class="A",
        methodologies=methodologies,
        late_days=35,
        parse_file=parse_file,
        summary=summary,
        place=place,
    )


def a_source(session: Session, feed: Feed | None = None) -> Source:
    """The source row of a feed, installed."""
    made = feed or a_feed()
    service.install(session, [made])
    return service.source_by_feed(session, made.code)
