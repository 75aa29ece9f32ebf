"""A feed's month is closed once: when it is complete, nothing of it waits, and what is left open a second person waived.

Closing takes every shard's lock, so that no batch is half-way: what was decided and booked by then is in the frozen
figures, and everything later is an adjustment of the month in which it is booked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.crypto import digest, same
from carbon_credits.core.errors import Conflict, Invalid, InvariantBroken
from carbon_credits.core.i18n import Text
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.partners.models import Source
from carbon_credits.partners.service import source_by_feed
from carbon_credits.reconciliation.figures import booked_of, figures_of, late_of
from carbon_credits.reconciliation.models import ClosedPeriod
from carbon_credits.reconciliation.spans import Month, begin_of, month_of

CLOSE: Final = "period.close"
_COMPLETE = text("""
select complete_through >= :ends + grace_of(source_id, :last) from feed_watermark where source_id = :source
""")
# Unfinished cases about the feed's acts and files of the month, and about phones' claims of what it reports.
_OPEN = text("""
select c.case_id from recon_case c
left join partner_file f using (file_id)
where c.state <> 'closed'
  and case when c.activity_id is not null and c.source_id = 0
           then c.methodology = any(cast(:methodologies as smallint[])) else c.source_id = :source end
  and coalesce(c.occurred_on, f.service_date) >= :first and coalesce(c.occurred_on, f.service_date) < :after
order by c.case_id
""")


@dataclass(frozen=True)
class Report:
    """A feed's month: its figures (frozen when it is closed), what has changed since, what other months added to it."""

    feed: str
    month: str
    state: str
    closed_at: datetime | None
    digest: bytes | None
    waived: tuple[int, ...]
    figures: Mapping[str, Any]
    since: Mapping[str, Any] | None
    adjustments: tuple[Mapping[str, Any], ...]


def open_cases(session: Session, feed: str, name: str) -> list[int]:
    """The cases that stand in the way of closing a month."""
    month = month_of(source_by_feed(session, feed), name)
    return list(session.execute(_OPEN, month.given(month.source_id)).scalars())


def close(
    session: Session,
    feed: str,
    name: str,
    staff_id: int,
    now: datetime,
    *,
    waived: tuple[int, ...] = (),
    approval_id: int | None = None,
) -> ClosedPeriod:
    """Close a feed's month and freeze its figures. `waived` are cases that a second person let stand, by an approval.

    Raises Conflict when it is closed, not complete yet, something of it is undecided, or a case of it is open;
    InvariantBroken when a record or claim is in no line.
    """
    month = month_of(source_by_feed(session, feed), name)
    _require_closable(session, month, waived, now)
    _stand_still(session)
    figures = figures_of(session, month)
    _require_explained(month, figures)
    through, at = session.execute(
        text("select coalesce(max(journal_id), 0), clock_timestamp() from journal")
    ).one()
    row = {
        "source_id": month.source_id,
        "month": month.first,
        "closed_at": at,
        "closed_by": staff_id,
        "approval_id": approval_id,
        "waived": list(waived),
        "through_journal": through,
        "figures": figures,
        "digest": digest_of(month, figures),
    }
    closed = session.execute(insert(ClosedPeriod).values(**row).returning(ClosedPeriod)).scalar_one()
    after = {"digest": closed.digest.hex(), "waived": list(waived)}
    audit.record(session, f"staff:{staff_id}", "period.closed", f"period:{feed}:{month.name}", None, after)
    return closed


def check_close(payload: Mapping[str, Any]) -> None:
    """Raises Invalid unless a proposal names feed, month and the cases to let stand."""
    kinds = {"feed": str, "month": str, "cases": list}
    wrong = any(type(payload.get(name)) is not kind for name, kind in kinds.items())
    if wrong or not payload["cases"] or any(type(case) is not int for case in payload["cases"]):
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def close_approved(session: Session, approval_id: int, payload: Mapping[str, Any]) -> ClosedPeriod:
    """Close a month with the cases that an approval let stand; the proposer closes it."""
    check_close(payload)
    asked = text("select proposed_by from approval where approval_id = :approval")
    by = session.execute(asked, {"approval": approval_id}).scalar_one()
    waived = tuple(sorted(payload["cases"]))
    return close(
        session, payload["feed"], payload["month"], by, clock.now(), waived=waived, approval_id=approval_id
    )


def report(session: Session, feed: str, name: str) -> Report:
    """A feed's month, closed or as it stands, and what closed months were adjusted by in it.

    Raises InvariantBroken when the frozen figures are not those of their digest.
    """
    source = source_by_feed(session, feed)
    month = month_of(source, name)
    closed = session.get(ClosedPeriod, (month.source_id, month.first))
    present = figures_of(session, month)
    adjustments = tuple(_adjustments(session, source, month))
    if closed is None:
        return Report(feed, month.name, "open", None, None, (), present, None, adjustments)
    if not same(digest_of(month, closed.figures), closed.digest):
        raise InvariantBroken(f"the figures of {feed} {month.name} are not those that were frozen")
    since = difference(present, closed.figures)
    waived = tuple(closed.waived)
    return Report(
        feed,
        month.name,
        "closed",
        closed.closed_at,
        closed.digest,
        waived,
        closed.figures,
        since,
        adjustments,
    )


def difference(now: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, Any]:
    """What figures have grown by; what is the same is left out."""
    found: dict[str, Any] = {}
    for name in sorted({*now, *then}):
        mine, theirs = now.get(name, 0), then.get(name, 0)
        if isinstance(mine, Mapping) or isinstance(theirs, Mapping):
            grown: Any = difference(mine or {}, theirs or {})
        else:
            grown = mine - theirs
        if grown:
            found[name] = grown
    return found


def digest_of(month: Month, figures: Mapping[str, Any]) -> bytes:
    """What frozen figures are known by."""
    words = json.dumps(figures, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return digest("closed-period", month.feed.encode(), month.name.encode(), words.encode())


def _adjustments(session: Session, source: Source, month: Month) -> list[dict[str, Any]]:
    """What was booked in this month for months that were closed before, one entry for each that was touched."""
    closed = select(ClosedPeriod).where(
        ClosedPeriod.source_id == month.source_id, ClosedPeriod.month <= month.first
    )
    found = []
    for period in session.execute(closed.order_by(ClosedPeriod.month)).scalars():
        of = month_of(source, f"{period.month:%Y-%m}")
        entry = {
            "booked": booked_of(
                session, of, journal=period.through_journal, first=month.first, after=month.after
            ),
            "late": late_of(session, of, period.closed_at, month.first, month.after),
        }
        if difference(entry, {}):
            found.append({"month": of.name, **entry})
    return found


def _require_closable(session: Session, month: Month, waived: tuple[int, ...], now: datetime) -> None:
    ends = begin_of(month.after)
    if session.get(ClosedPeriod, (month.source_id, month.first)) is not None:
        raise Conflict("period_closed", Text("该月已关账", "The month is closed already"))
    given = {"source": month.source_id, "ends": ends, "last": _last_day(month)}
    if now < ends or not session.execute(_COMPLETE, given).scalar_one_or_none():
        said = Text(
            "该月数据未齐（水位加宽限未过）", "Not complete yet: watermark and grace are not past its end"
        )
        raise Conflict("period_incomplete", said)
    left = set(session.execute(_OPEN, month.given(month.source_id)).scalars()) - set(waived)
    if left:
        listed = ", ".join(f"#{number}" for number in sorted(left))
        raise Conflict("cases_open", Text(f"尚有未结事项 {listed}", f"Cases of it are open: {listed}"))


def _require_explained(month: Month, figures: Mapping[str, Any]) -> None:
    for side in ("records", "claims"):
        if figures[side]["unexplained"]:
            raise InvariantBroken(
                f"{figures[side]['unexplained']} {side} of {month.feed} {month.name} in no line"
            )
        if figures[side]["lines"].get("undecided"):
            raise Conflict("undecided", Text("尚有未核算的记录", "Something of it is not decided yet"))


def _stand_still(session: Session) -> None:
    """Take every shard's lock: no batch, clawback or restatement is under way until the month is written down."""
    session.execute(text("select set_config('lock_timeout', '30s', true)"))
    for shard in session.execute(text("select distinct shard_id from wallet order by 1")).scalars().all():
        lock_shard(session, shard)


def _last_day(month: Month) -> date:
    return date.fromordinal(month.after.toordinal() - 1)
