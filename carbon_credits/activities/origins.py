"""Which methodology stands behind acts that another room knows by day and number alone."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.methodologies.catalogue import BY_NUMBER

# One index look-up for each act asked for; never more rows than acts.
METHODOLOGIES_OF = text("""
select a.occurred_on, a.activity_id, a.methodology
from unnest(cast(:days as date[]), cast(:numbers as bigint[])) as wanted (day, number)
join activity a on a.resident_id = :resident and a.occurred_on = wanted.day and a.activity_id = wanted.number
""")


def methodologies_of(
    session: Session, resident_id: int, acts: Collection[tuple[date, int]]
) -> Mapping[tuple[date, int], str]:
    """The methodology's code by an act's day and number. Asks nothing of the database for no acts."""
    if not acts:
        return {}
    days, numbers = zip(*acts, strict=True)
    given = {"resident": resident_id, "days": list(days), "numbers": list(numbers)}
    return {
        (day, number): BY_NUMBER[methodology][-1].code
        for day, number, methodology in session.execute(METHODOLOGIES_OF, given)
    }
