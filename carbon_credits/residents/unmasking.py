"""Looking a resident up, and reading their phone number in full: for a reason, on record, and not without end.

Staff see `138****0001`. Whoever must call somebody says why; each time is a row of the audit that nobody can take out,
and a hundred in a day are enough for one person's work.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.audit import AuditEntry
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import FieldFault, Invalid, NotFound, TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.residents.models import Resident, ResidentPhone
from carbon_credits.residents.phones import normalised, phone_index
from carbon_credits.residents.service import Profile, contact_of, profile_of

SHOWN: Final = "resident.phone_shown"
MOST_A_DAY: Final = 100
LEAST_REASON: Final = 5
LONGEST_REASON: Final = 500
_DAY: Final = timedelta(days=1)
_LOCK: Final = 280_002


@dataclass(frozen=True)
class Asking:
    """Who looks: their number among staff, and the streets they work in; None is the whole district."""

    staff_id: int
    streets: Collection[str] | None

    @property
    def actor(self) -> str:
        """How the audit names them."""
        return f"staff:{self.staff_id}"


def find(session: Session, vault: Vault, words: str, asking: Asking) -> int:
    """The number of the resident of a phone or of a number. Raises NotFound, also outside the asker's streets."""
    given = words.strip()
    asked = select(Resident.resident_id)
    if given.isascii() and given.isdigit() and len(given) < len("13800000001"):
        asked = asked.where(Resident.resident_id == int(given))
    else:
        index = phone_index(vault, normalised(given))
        asked = asked.join(ResidentPhone, ResidentPhone.resident_id == Resident.resident_id).where(
            ResidentPhone.phone_index == index
        )
    if asking.streets is not None:
        asked = asked.where(Resident.street.in_(asking.streets))
    found = session.execute(asked).scalar_one_or_none()
    if found is None:
        raise _unknown()
    return found


def masked_profile(session: Session, vault: Vault, resident_id: int, asking: Asking) -> Profile:
    """A resident's profile, the phone masked. Raises NotFound, also outside the asker's streets."""
    profile = profile_of(session, vault, resident_id)
    if asking.streets is not None and profile.street not in asking.streets:
        raise _unknown()
    return profile


def show_phone(
    session: Session, vault: Vault, resident_id: int, asking: Asking, reason: str, now: datetime
) -> str:
    """The phone in full, in E.164, with the reason put on record.

    Raises NotFound, Invalid for no reason worth the name, TooMany after MOST_A_DAY in 24 hours.
    """
    masked_profile(session, vault, resident_id, asking)
    why = reason.strip()
    if not LEAST_REASON <= len(why) <= LONGEST_REASON:
        told = Text(
            f"请说明理由（{LEAST_REASON} 至 {LONGEST_REASON} 字）",
            f"Say why, in {LEAST_REASON} to {LONGEST_REASON} characters",
        )
        raise Invalid("reason_missing", told, faults=(FieldFault("/reason", "reason_missing", told),))
    session.execute(select(func.pg_advisory_xact_lock(_LOCK, asking.staff_id)))
    shown = select(func.count()).where(
        AuditEntry.actor == asking.actor, AuditEntry.action == SHOWN, AuditEntry.at > now - _DAY
    )
    if session.execute(shown).scalar_one() >= MOST_A_DAY:
        told = Text("今日查看次数已达上限", "That is as many as one person may read in a day")
        raise TooMany("too_many_unmaskings", told, retry_after_s=3_600)
    audit.record(session, asking.actor, SHOWN, f"resident:{resident_id}", reason=why)
    return contact_of(session, vault, resident_id)[0]


def _unknown() -> NotFound:
    told = Text("没有此居民，或不在您的辖区", "There is no such resident, or not in your streets")
    return NotFound("resident_unknown", told)
