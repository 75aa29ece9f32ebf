"""What an act's record was told as before and after: which act it corrects, which corrected it, and what took it back."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.activities.versions import MOST_FILE_VERSIONS

# The acts of the record that this act tells, by their highest version; an act alone in its record is one row.
TELLINGS = text("""
with me as (
  select source_id, ext_key from activity
  where resident_id = :resident and occurred_on = :day and activity_id = :activity and source_id > 0
), told as (
  select k.resident_id, k.occurred_on, k.activity_id, 1::bigint as version
  from me join act_key k using (source_id, ext_key)
  union all
  select v.resident_id, v.occurred_on, v.activity_id, v.version from me join act_version v using (source_id, ext_key)
)
select resident_id, occurred_on, activity_id, max(version) as version
from told group by resident_id, occurred_on, activity_id order by version
""")
TAKEN_BACK = text("""
select max(w.noted_at) from activity a join act_withdrawal w using (source_id, ext_key)
where a.resident_id = :resident and a.occurred_on = :day and a.activity_id = :activity
  and w.ended_at is null and w.kind = 'void' and (w.cause <> 'version' or w.version > :version)
""")


@dataclass(frozen=True)
class Retelling:
    """An act among those of its record. Names are of the same resident's acts; another's is not told.

    `version` is the partner's number of the telling, 1 for the first.
    """

    version: int
    corrects: str | None
    corrected_by: str | None
    is_corrected: bool
    withdrawn_at: datetime | None


def retelling_of(session: Session, resident_id: int, position: tuple[date, int]) -> Retelling | None:
    """How an act stands among the tellings of its record; None for a phone's act and for one told once and left so."""
    day, activity = position
    given = {"resident": resident_id, "day": day, "activity": activity}
    rows = session.execute(TELLINGS, given).all()
    place = next((n for n, row in enumerate(rows) if row.activity_id == activity), None)
    if place is None:
        return None
    mine = rows[place]
    taken_back = session.execute(TAKEN_BACK, {**given, "version": mine.version}).scalar_one()
    if len(rows) == 1 and taken_back is None:
        return None

    def name(at: int) -> str | None:
        there = 0 <= at < len(rows) and rows[at].resident_id == resident_id
        return public_id(rows[at].occurred_on, rows[at].activity_id) if there else None

    is_corrected = place < len(rows) - 1
    return Retelling(
        mine.version % MOST_FILE_VERSIONS,
        name(place - 1),
        name(len(rows) - 1) if is_corrected else None,
        is_corrected,
        taken_back,
    )
