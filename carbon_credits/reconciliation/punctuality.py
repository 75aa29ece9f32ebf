"""When a feed's days were complete, and what was alarming, disputed or taken back of them; a row for each feed and day.

A day is complete at the instant at which the last file arrived that the watermark needed to pass the day's end. It is the
arrival that counts, not when we were done with the file: that is what a partner answers for.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.partners.arrivals import ALARM
from carbon_credits.reconciliation.received import DAYS

# Files up to the watermark, by their first applied version: when all up to one had come, and how far they then told.
_PASSED: Final = text(f"""
with {DAYS}, file as (
  select distinct on (f.source_id, f.seq) f.source_id, f.seq, f.received_at, f.complete_through, f.service_date
  from partner_file f
  where f.source_id = any(cast(:sources as smallint[])) and f.seq is not null and f.corrected is not null
  order by f.source_id, f.seq, f.version
), reached as (
  select f.source_id, max(f.received_at) over upto as at, max(f.complete_through) over upto as through
  from file f
  join feed_watermark w on w.source_id = f.source_id and f.seq <= w.seq
  window upto as (partition by f.source_id order by f.seq)
), begun as (
  select source_id, min(service_date) as day from file group by source_id
)
select d.source_id, d.day, d.ends, d.until, b.day <= d.day as sends_files, w.complete_through,
       (select min(r.at) from reached r where r.source_id = d.source_id and r.through >= d.ends) as passed_at
from day d
left join begun b on b.source_id = d.source_id
left join feed_watermark w on w.source_id = d.source_id
order by d.source_id, d.day
""")  # noqa: S608 - made of constants
# Acts of the day of which a credit was taken back for fraud by two people, or that residents objected about.
_CASES: Final = text("""
select c.source_id, c.occurred_on as day,
       count(*) filter (where c.kind = 'clawback_fraud' and c.outcome = 'upheld') as taken_back,
       count(*) filter (where c.kind = 'disputed') as disputed
from recon_case c
where c.source_id = any(cast(:sources as smallint[])) and c.occurred_on >= :first and c.occurred_on < :after
  and c.kind in ('clawback_fraud', 'disputed') and c.activity_id is not null
group by c.source_id, c.occurred_on
""")
# Files refused because they were not theirs, or contradicted what had come; on the day on which they came.
_ALARMS: Final = text("""
select s.source_id, (e.at at time zone 'Asia/Shanghai')::date as day, count(*) as alarms
from source s
join audit_entry e on e.subject = 'partner:' || s.partner_id
where s.source_id = any(cast(:sources as smallint[])) and e.action = :alarm and e.after ->> 'feed' = s.feed
  and e.at >= :begins and e.at < :ends
group by s.source_id, 2
""")


def passed_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every feed and day: when it `ends`, `until` when its grace is, `passed_at` (None while it is not), whether the feed
    `sends_files` since, and its watermark `complete_through` (None where it has none).
    """
    return [dict(row) for row in session.execute(_PASSED, asked).mappings()]


def cases_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Acts by feed and day: credits `taken_back` for fraud, `disputed` ones."""
    return [dict(row) for row in session.execute(_CASES, asked).mappings()]


def alarms_of(session: Session, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Files refused with an alarm (forged, another partner's, other bytes under a number taken), by feed and day."""
    return [dict(row) for row in session.execute(_ALARMS, {**asked, "alarm": ALARM}).mappings()]
