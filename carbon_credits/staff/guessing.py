"""Wrong guesses at passwords, counted by account, by known browser and by address, before they are compared.

The statement that counts a guess is the one that lets it be compared, so of any number of parallel guesses ten are; the
tenth wrong one in a row closes the account to passwords for a quarter of an hour, the thirtieth of an hour its address.
What comes from a browser in which the same person has signed in is counted for that browser alone, and closes only it.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.errors import TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.staff.browsers import KNOWN_FOR
from carbon_credits.staff.models import Credential, GuessingAddress

MOST_WRONG: Final = 10
MOST_WRONG_OF_AN_ADDRESS: Final = 30
LOCKED_FOR: Final = timedelta(minutes=15)
COUNTED_FOR: Final = timedelta(hours=1)

_COUNT_ADDRESS: Final = text("""
insert into staff_address as a (address, wrong, since) values (:address, 1, :now)
on conflict (address) do update set
  wrong = case when a.locked_until is null and a.since > :long_ago then a.wrong + 1 else 1 end,
  since = case when a.locked_until is null and a.since > :long_ago then a.since else excluded.since end,
  locked_until = case when a.locked_until is null and a.since > :long_ago and a.wrong + 1 >= :most
                      then cast(:until as timestamptz) end
where a.locked_until is null or a.locked_until <= :now
returning a.wrong
""")
# `fresh` is how many wrong guesses there are with this one: those before a lock that is over do not count
_COUNT_ACCOUNT: Final = text("""
update staff_credential c
set wrong = fresh.n, locked_until = case when fresh.n >= :most then cast(:until as timestamptz) end
from (select c.staff_id, s.name, case when c.locked_until is null then c.wrong else 0 end + 1 as n
      from staff_credential c join staff s using (staff_id)
      where s.name = :name and s.status = 'active' and (c.locked_until is null or c.locked_until <= :now)
      for no key update of c) fresh
where c.staff_id = fresh.staff_id
returning c.staff_id, fresh.name, c.password_hash, c.password_set_at, c.must_change, c.wrong
""")
# the same of a browser that is known and not closed
_COUNT_BROWSER: Final = text("""
update staff_browser b
set wrong = fresh.n, locked_until = case when fresh.n >= :most then cast(:until as timestamptz) end
from (select b.browser_mac, s.staff_id, s.name, c.password_hash, c.password_set_at, c.must_change,
             case when b.locked_until is null then b.wrong else 0 end + 1 as n
      from staff_browser b join staff s using (staff_id) join staff_credential c using (staff_id)
      where b.browser_mac = :browser and s.name = :name and s.status = 'active'
        and b.known_at >= c.password_set_at and b.known_at > :long_known
        and (b.locked_until is null or b.locked_until <= :now)
      for no key update of b) fresh
where b.browser_mac = fresh.browser_mac
returning fresh.staff_id, fresh.name, fresh.password_hash, fresh.password_set_at, fresh.must_change, b.wrong
""")
_RIGHT: Final = text("""
with address as (
  update staff_address set wrong = greatest(wrong - 1, 0), locked_until = null where address = :address
), browser as (
  update staff_browser set wrong = greatest(wrong - 1, 0), locked_until = null where browser_mac = :browser)
update staff_credential set wrong = greatest(wrong - 1, 0), locked_until = null
where staff_id = :staff and cast(:browser as bytea) is null
""")


@dataclass(frozen=True)
class Account:
    """Whose password is guessed at, with what to compare it to; and the known browser that it is counted for, if any."""

    staff_id: int
    name: str
    password_hash: str
    password_set_at: datetime
    must_change: bool
    browser: bytes | None


def count(session: Session, name: str, address: str, now: datetime, browser: bytes = b"") -> Account | None:
    """Count a guess; None where there is nothing to compare it to: no such account, or closed for a while.

    Raises TooMany when the address is closed. The caller commits before it compares.
    """
    _count_address(session, address, now)
    given = {"name": name, "now": now, "most": MOST_WRONG, "until": now + LOCKED_FOR}
    known = {**given, "browser": browser, "long_known": now - KNOWN_FOR}
    counted: bytes | None = browser
    row = session.execute(_COUNT_BROWSER, known).one_or_none() if browser else None
    if row is None:
        counted, row = None, session.execute(_COUNT_ACCOUNT, given).one_or_none()
    if row is None:
        return None
    if row.wrong == MOST_WRONG:
        what = {"known_browser": counted is not None}
        audit.record(session, "sign-in", "staff.locked", f"staff:{row.staff_id}", None, what)
    return Account(
        row.staff_id, row.name, row.password_hash, row.password_set_at, row.must_change, browser=counted
    )


def was_right(session: Session, account: Account, address: str) -> None:
    """A guess that was counted was right, so it is none."""
    given = {"staff": account.staff_id, "browser": account.browser, "address": _place(address)}
    session.execute(_RIGHT, given)


def forget(session: Session, staff_id: int) -> None:
    """Somebody has shown both factors: the wrong guesses at their password count no more."""
    session.execute(
        update(Credential)
        .where(Credential.staff_id == staff_id)
        .values(wrong=0, locked_until=None)
        .execution_options(synchronize_session=False)
    )


def forget_stale(session: Session, now: datetime) -> None:
    """Drop what is counted of addresses that have been quiet for a day."""
    session.execute(delete(GuessingAddress).where(GuessingAddress.since < now - timedelta(days=1)))


def _count_address(session: Session, address: str, now: datetime) -> None:
    given = {
        "address": _place(address),
        "now": now,
        "long_ago": now - COUNTED_FOR,
        "until": now + LOCKED_FOR,
        "most": MOST_WRONG_OF_AN_ADDRESS,
    }
    if session.execute(_COUNT_ADDRESS, given).scalar_one_or_none() is not None:
        return
    asked = select(GuessingAddress.locked_until).where(GuessingAddress.address == _place(address))
    until = session.execute(asked).scalar_one_or_none() or now
    told = Text("尝试次数过多，请稍后再试", "Too many attempts: try again later")
    raise TooMany("too_many_attempts", told, retry_after_s=int((until - now).total_seconds()) + 1)


def _place(address: str) -> str:
    """Whom an address counts for: an IPv6 customer has a whole /64."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
