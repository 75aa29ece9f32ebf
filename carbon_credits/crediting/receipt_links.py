"""A receipt lent to somebody: a sealed link to one act for a day, good for nothing else."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.activities.views import activity_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.residents.links import Link

LINK: Final = Link(
    purpose="receipt-link",
    place="receipt-link|token|v1",
    told="qi",  # act, its day as an ordinal
    life=timedelta(hours=24),
    code="receipt_link_unknown",
    unknown=Text("没有这个链接", "There is no such link"),
)


class Lent(NamedTuple):
    """Whose act a link shows, and until when."""

    resident_id: int
    activity: str
    expires_at: datetime


def lend(session: Session, vault: Vault, resident_id: int, name: str, now: datetime) -> tuple[str, datetime]:
    """A token for one of the resident's acts and the minute it ends. Raises NotFound for another's act as for none."""
    day, number = activity_of(session, resident_id, name).position
    return LINK.lend(vault, resident_id, (number, day.toordinal()), now)


def borrowed(session: Session, vault: Vault, token: str, now: datetime) -> Lent:
    """What a token shows. Raises LinkExpired when it is over, NotFound for any other reason not to show it."""
    resident_id, (number, day), expires_at = LINK.borrowed(session, vault, token, now)
    return Lent(resident_id, public_id(date.fromordinal(day), number), expires_at)
