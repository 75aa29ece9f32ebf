"""A statement lent to whoever holds its paper: a sealed link to one month as it was, for thirty days."""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.statements import Statement
from carbon_credits.residents.links import Link

LINK: Final = Link(
    purpose="statement-link",
    place="statement-link|token|v1",
    told="ii",  # first day as an ordinal, last posting
    life=timedelta(days=30),
    code="statement_link_unknown",
    unknown=Text("没有这个链接", "There is no such link"),
)


class Lent(NamedTuple):
    """Whose month a link shows, up to which posting, and until when."""

    resident_id: int
    month: date
    upto: int
    expires_at: datetime


def lend(vault: Vault, resident_id: int, shown: Statement, now: datetime) -> tuple[str, datetime]:
    """A token for a statement, and the minute it ends."""
    return LINK.lend(vault, resident_id, (shown.month.toordinal(), shown.upto), now)


def borrowed(session: Session, vault: Vault, token: str, now: datetime) -> Lent:
    """What a token shows. Raises LinkExpired when it is over, NotFound for any other reason not to show it."""
    resident_id, (month, upto), expires_at = LINK.borrowed(session, vault, token, now)
    return Lent(resident_id, date.fromordinal(month), upto, expires_at)
