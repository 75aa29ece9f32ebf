"""Groups as staff look through them: by kind and state, with how many belong; who waits to be let in or put forward."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

_LISTED = text("""
select g.group_id, g.kind, g.name_zh, g.name_en, g.street, g.parent_id, g.listed, g.state, g.state_reason, g.made_on,
       g.founder_id is not null as applied_for,
       (select count(*) from membership m where m.group_id = g.group_id and m.to_on is null) as members,
       (select people from group_size z where z.group_id = g.group_id
        order by as_of desc, size_id desc limit 1) as people,
       (select count(*) from group_request r where r.group_id = g.group_id and r.state = 'asked') as asking
from resident_group g
where (cast(:kind as text) is null or g.kind = :kind) and (cast(:state as text) is null or g.state = :state)
  and (cast(:streets as text[]) is null or g.street = any(:streets))
  and g.group_id > :after
order by g.group_id limit :most
""")
_COUNTS = text("""
select kind, state, count(*) as groups from resident_group
where cast(:streets as text[]) is null or street = any(:streets)
group by kind, state
""")
_REQUESTS = text("""
select r.request_id, r.group_id, r.asked_at, g.kind, g.name_zh, g.name_en
from group_request r join resident_group g using (group_id)
where r.state = 'asked' and r.request_id > :after
  and (cast(:streets as text[]) is null or g.street = any(:streets))
order by r.request_id limit :most
""")
_APPLICATIONS = text("""
select a.application_id, a.drive, d.name_zh as drive_zh, d.name_en as drive_en, a.group_id, a.year, a.state, a.review,
       a.changed_at, g.name_zh, g.name_en, g.kind, g.street, m.name as made_by, v.name as reviewed_by, a.approval_id
from drive_application a join drive d using (drive) join resident_group g using (group_id)
left join staff m on m.staff_id = a.made_by left join staff v on v.staff_id = a.reviewed_by
where (cast(:drive as text) is null or a.drive = :drive) and (cast(:year as int) is null or a.year = :year)
  and (cast(:state as text) is null or a.state = :state)
  and (cast(:group as int) is null or a.group_id = :group)
  and (cast(:numbers as bigint[]) is null or a.application_id = any(:numbers))
  and (cast(:before as bigint) is null or a.application_id < :before)
order by a.application_id desc limit :most
""")
_PROPOSED = text("""
select max(approval_id) from approval where kind = 'groups.award' and state = 'proposed'
  and payload ->> 'drive' = :drive and payload ->> 'year' = cast(:year as text)
""")

_APPLICATION_COUNTS = text("""
select drive, state, count(*) as applications from drive_application where year = :year group by drive, state
union all
select drive, state, count(*) from drive_request where state = 'asked' and year = :year group by drive, state
""")
_DRIVE_REQUESTS = text("""
select r.request_id, r.drive, d.name_zh as drive_zh, d.name_en as drive_en, r.year, r.asked_at,
       r.group_id, g.kind, g.name_zh, g.name_en, g.street
from drive_request r join drive d using (drive) join resident_group g using (group_id)
where r.state = 'asked' and r.request_id > :after
  and (cast(:streets as text[]) is null or g.street = any(:streets))
order by r.request_id limit :most
""")
_WAITING = text("""
select count(*) filter (where r.joins) as joining, min(r.asked_at) filter (where r.joins) as joining_since,
       count(*) filter (where not r.joins) as driving, min(r.asked_at) filter (where not r.joins) as driving_since
from (select group_id, asked_at, true as joins from group_request where state = 'asked'
      union all
      select group_id, asked_at, false from drive_request where state = 'asked') r
join resident_group g using (group_id)
where cast(:streets as text[]) is null or g.street = any(:streets)
""")
_FITTING = text("""
select group_id, kind, name_zh, name_en from resident_group
where state = 'active' and parent_id is null and kind = any(:kinds)
order by kind, name_zh collate "C", group_id limit :most
""")


def listed(
    session: Session,
    kind: str | None,
    state: str | None,
    after: int = 0,
    streets: Collection[str] | None = None,
    most: int = 50,
) -> list[Row[Any]]:
    """Groups by number: of a kind, in a state, of these streets; `members` now, `people` as it was declared."""
    given = {"kind": kind, "state": state, "after": after, "most": most}
    return list(session.execute(_LISTED, {**given, "streets": None if streets is None else sorted(streets)}))


def counts(session: Session, streets: Collection[str] | None = None) -> dict[tuple[str, str], int]:
    """How many groups there are of each kind in each state."""
    given = {"streets": None if streets is None else sorted(streets)}
    return {(row.kind, row.state): row.groups for row in session.execute(_COUNTS, given)}


def requests(
    session: Session, after: int = 0, streets: Collection[str] | None = None, most: int = 50
) -> list[Row[Any]]:
    """Who waits to be let in without a code, the oldest first; nobody is named."""
    given = {"after": after, "most": most, "streets": None if streets is None else sorted(streets)}
    return list(session.execute(_REQUESTS, given))


def drive_requests(
    session: Session, after: int = 0, streets: Collection[str] | None = None, most: int = 50
) -> list[Row[Any]]:
    """Groups that ask by themselves to be put forward for a drive, the oldest first; nobody is named."""
    given = {"after": after, "most": most, "streets": None if streets is None else sorted(streets)}
    return list(session.execute(_DRIVE_REQUESTS, given))


def waiting(session: Session, streets: Collection[str] | None = None) -> Row[Any]:
    """How many ask to be let in (`joining`) and to be put forward for a drive (`driving`), and since when the first."""
    given = {"streets": None if streets is None else sorted(streets)}
    return session.execute(_WAITING, given).one()


def applications(
    session: Session,
    *,
    drive: str | None = None,
    year: int | None = None,
    state: str | None = None,
    group_id: int | None = None,
    numbers: Collection[int] | None = None,
    before: int | None = None,
    most: int = 100,
) -> list[Row[Any]]:
    """Applications for drives' lists with the names of groups and of who made and reviewed them, the newest first."""
    given = {"drive": drive, "year": year, "state": state, "group": group_id, "before": before, "most": most}
    return list(
        session.execute(_APPLICATIONS, {**given, "numbers": None if numbers is None else list(numbers)})
    )


def award_waiting(session: Session, drive: str, year: int) -> int | None:
    """The number of a proposed list of a drive's year that waits for a second person."""
    return session.execute(_PROPOSED, {"drive": drive, "year": year}).scalar_one_or_none()


def application_counts(session: Session, year: int) -> dict[tuple[str, str], int]:
    """How many applications of a year each drive has in each state, and requests for it that wait (`asked`)."""
    rows = session.execute(_APPLICATION_COUNTS, {"year": year})
    return {(row.drive, row.state): row.applications for row in rows}


def fitting(session: Session, kinds: Collection[str], most: int = 500) -> list[Row[Any]]:
    """Active groups of these kinds that stand by themselves, by name: who may be put forward."""
    return list(session.execute(_FITTING, {"kinds": list(kinds), "most": most}))


def member_count(session: Session, group_id: int) -> int:
    """How many belong to a group now."""
    asked = text("select count(*) from membership where group_id = :group and to_on is null")
    return int(session.execute(asked, {"group": group_id}).scalar_one())
