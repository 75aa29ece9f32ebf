"""How one group is told to a resident, and what the doors of groups ask before they let anybody through."""

from contextlib import suppress
from typing import Any, Final

from sqlalchemy.orm import Session

from carbon_credits.api.house import house, principal
from carbon_credits.api.merchant.shapes import in_path, numbered
from carbon_credits.api.resident import group_shapes as shapes
from carbon_credits.core import clock
from carbon_credits.core.errors import NotFound
from carbon_credits.groups import dossiers, drives, figures, finding, membership, service
from carbon_credits.groups.models import Group, Membership
from carbon_credits.groups.service import GroupKind
from carbon_credits.residents import consents
from carbon_credits.residents.service import resident_key, seal_for, unseal_for

GROUP: Final = in_path("group", "12", 10)
NAME: Final = "group-name"


def one(session: Session, known: Group) -> dict[str, Any]:
    """A group by itself, as the resident at hand may see it."""
    mine = membership.membership_in(session, known.group_id, principal().id)
    size = service.size_of(session, known.group_id)
    household = known.kind == GroupKind.HOUSEHOLD and mine is not None
    today = clock.today()
    months = figures.months_of(session, known.group_id, today, own_household=household)
    return {
        **shapes.line(known, member=mine is not None),
        "listed": known.listed,
        "size": None if size is None else {"people": size.people, "as_of": size.as_of, "source": size.source},
        "parts": [shapes.line(row, member=False) for row in finding.parts_of(session, known.group_id)],
        "membership": None if mine is None else _own(session, mine),
        "names": [] if mine is None else _names_of(session, known.group_id),
        "months": [shapes.month(row) for row in months],
        "awards": [
            {"drive": row.drive, "name": {"zh": row.name_zh, "en": row.name_en}, "year": year}
            for row, year in drives.awards_of(session, known.group_id)
        ],
        "dossier": [
            shapes.dossier_line(row) for row in dossiers.dossier(session, known.group_id, today.year)
        ],
    }


def _own(session: Session, mine: Membership) -> dict[str, Any]:
    return {"since": mine.from_on, "share_name": _name(session, mine) if mine.sealed_name else None}


def _names_of(session: Session, group_id: int) -> list[str]:
    names = []
    for row in membership.named(session, group_id):
        # who is erased has no key any more, and with it no name
        with suppress(NotFound):
            names.append(_name(session, row))
    return names


def _name(session: Session, row: Membership) -> str:
    key = resident_key(session, house().vault, row.resident_id)
    return unseal_for(key, NAME, row.sealed_name or b"", _place(row.group_id, row.resident_id)).decode()


def require_consent(session: Session) -> None:
    """The consent `groups`, held until the transaction ends: a withdrawal at the same time comes before or after.

    Raises NotAllowed without it.
    """
    consents.lock_resident(session, principal().id)
    if not consents.is_granted(session, principal().id, consents.Purpose.GROUPS):
        raise membership.consent_missing()


def number(group: str) -> int:
    """A group's number out of a path or a body; raises NotFound for what could be nobody's."""
    found = numbered(group)
    if found >= 2**31:
        raise service.unknown()
    return found


def share_name(session: Session, group_id: int, name: str | None) -> None:
    """Let the others read a name of the resident at hand, sealed under their own key; None takes it back."""
    who, sealed = principal().id, None
    if name is not None:
        key = resident_key(session, house().vault, who)
        sealed = seal_for(key, NAME, name.encode(), _place(group_id, who))
    membership.share_name(session, group_id, who, sealed)


def _place(group_id: int, resident_id: int) -> str:
    return f"membership|sealed_name|{group_id}|{resident_id}"
