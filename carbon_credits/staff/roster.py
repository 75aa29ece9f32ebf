"""The roster: everybody who works or worked for the programme, as administrators see them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.staff.second_factor import MOST_WRONG
from carbon_credits.staff.service import Role, unknown


@dataclass(frozen=True)
class Listed:
    """One line. `streets` None is the whole district; `to_invite` is an approval that waits for its invitation."""

    staff_id: int
    name: str
    roles: tuple[Role, ...]
    streets: tuple[str, ...] | None
    status: str
    has_credential: bool
    is_locked: bool
    invited_until: datetime | None
    sessions: int
    to_invite: int | None


def everybody(session: Session, now: datetime) -> list[Listed]:
    """Everybody, in one query: the active first, by name."""
    return _listed(session, now, None)


def one(session: Session, staff_id: int, now: datetime) -> Listed:
    """One member of staff, also one who has gone. Raises NotFound."""
    found = _listed(session, now, staff_id)
    if not found:
        raise unknown()
    return found[0]


_EVERYBODY = text("""
select s.staff_id, s.name, s.roles, s.streets, s.status,
       c.staff_id is not null as has_credential,
       coalesce(c.locked_until > :now or c.wrong_codes >= :most, false) as is_locked,
       i.expires_at as invited_until, coalesce(g.living, 0) as sessions, a.approval_id as to_invite
from staff s
left join staff_credential c on c.staff_id = s.staff_id
left join staff_invitation i
  on i.staff_id = s.staff_id and i.used_at is null and i.ended_at is null and i.expires_at > :now
left join (select staff_id, count(*) as living from staff_session
           where ended_at is null and idle_end > :now group by staff_id) g on g.staff_id = s.staff_id
left join (select coalesce((p.payload ->> 'staff_id')::int, n.staff_id) as staff_id, max(p.approval_id) as approval_id
           from approval p left join staff n on p.kind = 'staff.admit' and n.name = p.payload ->> 'name'
           where p.kind in ('staff.admit', 'staff.reset') and p.state = 'approved'
             and p.decided_at > :now - interval '7 days'
             and not exists (select from staff_invitation u where u.approval_id = p.approval_id)
           group by 1) a on a.staff_id = s.staff_id and s.status = 'active'
where cast(:only as int) is null or s.staff_id = :only
order by s.status, s.name
""")


def _listed(session: Session, now: datetime, only: int | None) -> list[Listed]:
    return [
        Listed(
            row.staff_id,
            row.name,
            tuple(map(Role, row.roles)),
            None if row.streets is None else tuple(row.streets),
            row.status,
            row.has_credential,
            row.is_locked,
            row.invited_until,
            row.sessions,
            row.to_invite,
        )
        for row in session.execute(_EVERYBODY, {"now": now, "most": MOST_WRONG, "only": only})
    ]
