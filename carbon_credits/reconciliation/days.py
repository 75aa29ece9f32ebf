"""What a feed's day comes to: what came, how it stands, what was corrected or taken back; every record in one line."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.partners.models import FeedWatermark, PartnerFile
from carbon_credits.partners.progress import watermark_of
from carbon_credits.partners.service import source_by_feed
from carbon_credits.reconciliation.figures import Standing, booked_of, claims_of, records_of
from carbon_credits.reconciliation.models import ClosedPeriod
from carbon_credits.reconciliation.received import STATUSES
from carbon_credits.reconciliation.scorecard import FeedDay, feed_days, rates, require_past
from carbon_credits.reconciliation.spans import Span, day_of

STATES: Final = ("undecided", "credited", "held", "awaiting", "rejected", "replaced", "reversed")
# what a partner itself took back, and what was taken back from its riders; other reasons are between us and residents
WITHDRAWN: Final = (
    "corrected_by_partner",
    "withdrawn_by_partner",
    "clawback_fraud",
    "clawback_unopposed",
    "clawback_upheld",
)
PASSES: Final = ("exact", "window", "group")
_POOLS: Final = {"v": "verified_mg", "c": "claimed_mg", "r": "removal_mg"}


@dataclass(frozen=True)
class Day:
    """A feed's day. `status` is `open` until the watermark has passed it, then `complete`, `closed` with its month."""

    feed: str
    day: date
    status: str
    watermark: FeedWatermark | None
    found: FeedDay
    by_push: int | None
    records: Standing
    claims: Standing
    rates: Mapping[str, Mapping[str, int | None]]

    @property
    def states(self) -> dict[str, int]:
        """Records by the state of their newest decision; every state is there."""
        found = dict.fromkeys(STATES, 0)
        for alike in self.records.acts:
            if alike.state in found:
                found[alike.state] += alike.n
        return found

    @property
    def matched(self) -> dict[str, int]:
        """Credited records by the pass that found their claim."""
        return {name: self.records.lines.get(f"matched_{name}", 0) for name in PASSES}

    @property
    def credited(self) -> dict[str, int]:
        """What the day's records are credited with at present: mg CO2e by column, points."""
        found = dict.fromkeys((*_POOLS.values(), "points"), 0)
        for alike in self.records.acts:
            found["points"] += alike.points
            if alike.pool is not None:
                found[_POOLS[alike.pool]] += alike.mg
        return found

    @property
    def withdrawn(self) -> dict[str, int]:
        """Records that do not count any more, by what took them back."""
        reasons = self.reasons
        return {code: reasons[code] for code in WITHDRAWN}

    @property
    def reasons(self) -> Counter[str]:
        """Acts that earn nothing now by each reason they have; one with two reasons is in both."""
        found: Counter[str] = Counter()
        for alike in self.records.acts:
            if alike.state not in ("credited", "undecided"):
                found.update(dict.fromkeys(alike.reasons, alike.n))
        return found

    @property
    def rows(self) -> dict[str, int]:
        """Rows of the day's files by what became of them; what is in no status is `unexplained`."""
        counts = self.found.counts
        by_status = {name: counts[f"rows_{name}"] for name in STATUSES}
        rows = counts["file_rows"]
        return {"rows": rows, **by_status, "unexplained": rows - sum(by_status.values())}

    @property
    def claims_waiting(self) -> int:
        """Phones' claims of what the feed reports that no record has met yet."""
        return sum(self.claims.lines.get(line, 0) for line in ("awaiting", "undecided"))

    @property
    def claims_replaced(self) -> dict[str, int]:
        """Phones' claims for which this feed's records stand, by the pass that found them."""
        return {name: self.claims.lines.get(f"replaced_{name}", 0) for name in PASSES}

    @property
    def unexplained(self) -> int:
        """How many records, claims and rows are in no line, or in two."""
        return sum(map(abs, (self.records.unexplained, self.claims.unexplained, self.rows["unexplained"])))


def day_named(name: str) -> date:
    """A day by its name, 2026-11-20. Raises Invalid for what is none."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", name, re.ASCII) is None:
            raise ValueError(name)
        return date.fromisoformat(name)
    except ValueError as error:
        raise Invalid("wrong_day", Text("日期格式为 2026-11-20", "A day is written 2026-11-20")) from error


def report(session: Session, feed: str, name: str, now: datetime, partner_id: int | None = None) -> Day:
    """A feed's day as it stands, by name.

    Raises NotFound (also when the feed is not this partner's), Invalid for what is no day or lies in the future.
    """
    source = source_by_feed(session, feed, partner_id)
    span = day_of(source, day_named(name))
    require_past(span.first, now)
    session.execute(text("set local jit = off"))
    (found,) = feed_days(session, [span.source_id], span.first, span.first)[span.source_id]
    mark = watermark_of(session, span.source_id)
    return Day(
        feed,
        span.first,
        _status(session, span, found, mark),
        mark,
        found,
        None if _has_files(session, span) else found.counts["records"],
        records_of(session, span),
        claims_of(session, span),
        rates([found], now),
    )


def unbooked(session: Session, day: Day) -> dict[str, int]:
    """What a day's records are credited with beyond what the ledger's postings say: 0 in each column when all is well.

    Reads every posting since the day.
    """
    booked = booked_of(session, day_of(source_by_feed(session, day.feed), day.day))["records"]
    points = sum(booked["points_by_fund"].values())
    return {name: n - (points if name == "points" else booked[name] or 0) for name, n in day.credited.items()}


def _status(session: Session, span: Span, found: FeedDay, mark: FeedWatermark | None) -> str:
    month = (span.source_id, span.first.replace(day=1))
    if session.get(ClosedPeriod, month) is not None:
        return "closed"
    return "complete" if mark is not None and mark.complete_through >= found.ends else "open"


def _has_files(session: Session, span: Span) -> bool:
    """Whether the feed ever sent a file: acts do not say which door they came by."""
    asked = select(PartnerFile.file_id).where(PartnerFile.source_id == span.source_id).limit(1)
    return session.execute(asked).scalar_one_or_none() is not None
