"""Who works at a merchant: a number at the till and a PIN of six digits, kept as a keyed digest.

A guess is counted by the statement that lets it be compared, so of any number of parallel guesses five are compared;
the fifth wrong one closes the number for a quarter of an hour, at every till of the merchant.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import BLIND_BYTES, Vault, same
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.merchant_models import MerchantMember

MOST_WRONG: Final = 5
LOCKED_FOR: Final = timedelta(minutes=15)
PURPOSE: Final = "merchant-member"
_PIN: Final = re.compile(r"[0-9]{6}")
_RUNS: Final = "01234567890 09876543210"


class MemberRole(StrEnum):
    """What somebody may do at a till; each may do what those after it may."""

    OWNER = "owner"
    MANAGER = "manager"
    CASHIER = "cashier"


# who may bring in a till and undo a capture
IN_CHARGE: Final = frozenset({MemberRole.OWNER, MemberRole.MANAGER})


@dataclass(frozen=True)
class Right:
    """The PIN was right: who it is."""

    member_id: int
    number: int
    role: MemberRole


@dataclass(frozen=True)
class Wrong:
    """The number or the PIN was wrong; so many guesses are left."""

    guesses_left: int


@dataclass(frozen=True)
class Locked:
    """Too many wrong guesses: closed until then."""

    until: datetime


@dataclass(frozen=True)
class Member:
    """Somebody of a merchant, with their name in the clear."""

    number: int
    name: str
    role: MemberRole
    added_at: datetime
    locked_until: datetime | None


def add(
    session: Session,
    vault: Vault,
    merchant_id: int,
    number: int,
    name: str,
    role: MemberRole,
    pin: str,
) -> int:
    """Add somebody under a number of the merchant's choice (1 to 999); returns the member's own number.

    A number is used once and never for another person. Raises Invalid for a PIN that is guessed first, Conflict.
    """
    _refuse_weak(pin)
    row = {
        "merchant_id": merchant_id,
        "number": number,
        "name": vault.seal(PURPOSE, name.encode(), _place(merchant_id, number)),
        "role": role.value,
        "pin_mac": _mac(vault, merchant_id, number, pin),
    }
    made = session.execute(
        insert(MerchantMember).values(row).on_conflict_do_nothing().returning(MerchantMember.member_id)
    ).scalar_one_or_none()
    if made is None:
        raise Conflict("number_taken", Text("该工号已被使用", "This number is somebody's, or was"))
    return made


def a_pin() -> str:
    """A PIN that will do, by chance."""
    while True:
        pin = f"{secrets.randbelow(1_000_000):06}"
        if not _is_weak(pin):
            return pin


def members_of(session: Session, vault: Vault, merchant_id: int) -> list[Member]:
    """Who works at a merchant now, by number."""
    asked = (
        select(MerchantMember)
        .where(MerchantMember.merchant_id == merchant_id, MerchantMember.ended_at.is_(None))
        .order_by(MerchantMember.number)
    )
    return [
        Member(
            row.number,
            vault.unseal(PURPOSE, row.name, _place(merchant_id, row.number)).decode(),
            MemberRole(row.role),
            row.added_at,
            row.locked_until,
        )
        for row in session.scalars(asked)
    ]


def change_pin(session: Session, vault: Vault, merchant_id: int, number: int, pin: str) -> None:
    """Give somebody another PIN, which also opens a number that was closed. Raises Invalid, NotFound."""
    _refuse_weak(pin)
    values = {"pin_mac": _mac(vault, merchant_id, number, pin), "wrong": 0, "locked_until": None}
    _change(session, merchant_id, number, values)


def end(session: Session, merchant_id: int, number: int, now: datetime) -> None:
    """Somebody leaves: the PIN is worth nothing from now on, and a shift of theirs is over. Raises NotFound."""
    _change(session, merchant_id, number, {"ended_at": now})
    session.execute(
        text("""
            update till_shift s set ended_at = greatest(:now, s.began_at) from merchant_member m
            where s.member_id = m.member_id and s.ended_at is null and m.merchant_id = :merchant and m.number = :number
        """),
        {"now": now, "merchant": merchant_id, "number": number},
    )


# `fresh` is how many wrong guesses there are with this one: those before a lock that is over do not count
_COUNT = text("""
update merchant_member m
set wrong = fresh.n, locked_until = case when fresh.n >= :most then cast(:until as timestamptz) end
from (select member_id, case when locked_until is null then wrong else 0 end + 1 as n
      from merchant_member
      where merchant_id = :merchant and number = :number and ended_at is null
        and (locked_until is null or locked_until <= :now)
      for no key update) fresh
where m.member_id = fresh.member_id
returning m.member_id, m.role, m.pin_mac, m.wrong
""")


def check_pin(
    session: Session, vault: Vault, merchant_id: int, number: int, pin: str, now: datetime
) -> Right | Wrong | Locked:
    """Compare a PIN. The outcome is a value, for a wrong guess must stay counted: the door commits, then says no.

    A number that is nobody's hears what a wrong PIN hears the first time.
    """
    given = _mac(vault, merchant_id, number, pin)
    place = {"merchant": merchant_id, "number": number, "now": now}
    row = session.execute(_COUNT, {**place, "most": MOST_WRONG, "until": now + LOCKED_FOR}).one_or_none()
    if row is None:
        same(given, bytes(BLIND_BYTES))
        return _closed(session, merchant_id, number, now)
    if not same(given, bytes(row.pin_mac)):
        return Wrong(MOST_WRONG - row.wrong) if row.wrong < MOST_WRONG else Locked(now + LOCKED_FOR)
    cleared = update(MerchantMember).where(MerchantMember.member_id == row.member_id)
    session.execute(cleared.values(wrong=0, locked_until=None).execution_options(synchronize_session=False))
    return Right(row.member_id, number, MemberRole(row.role))


def _closed(session: Session, merchant_id: int, number: int, now: datetime) -> Wrong | Locked:
    asked = select(MerchantMember.locked_until).where(
        MerchantMember.merchant_id == merchant_id,
        MerchantMember.number == number,
        MerchantMember.ended_at.is_(None),
    )
    until = session.execute(asked).scalar_one_or_none()
    return Wrong(MOST_WRONG - 1) if until is None or until <= now else Locked(until)


def _change(session: Session, merchant_id: int, number: int, values: dict[str, object]) -> None:
    changed = session.execute(
        update(MerchantMember)
        .where(
            MerchantMember.merchant_id == merchant_id,
            MerchantMember.number == number,
            MerchantMember.ended_at.is_(None),
        )
        .values(**values)
        .returning(MerchantMember.member_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if changed is None:
        raise NotFound("member_unknown", Text("没有此店员", "There is nobody of this number"))


def _refuse_weak(pin: str) -> None:
    """What anybody would try first is no PIN."""
    if _is_weak(pin):
        told = Text(
            "应为 6 位数字，不能全相同或连号", "Six digits, not all the same and not in a row like 123456"
        )
        fault = FieldFault("/pin", "weak_pin", told)
        raise Invalid("weak_pin", Text("PIN 不合要求", "The PIN will not do"), faults=(fault,))


def _is_weak(pin: str) -> bool:
    return _PIN.fullmatch(pin) is None or len(set(pin)) == 1 or pin in _RUNS


def _mac(vault: Vault, merchant_id: int, number: int, pin: str) -> bytes:
    return vault.blind("merchant-pin", f"{merchant_id}:{number}:{pin}")


def _place(merchant_id: int, number: int) -> str:
    return f"merchant_member|name|{merchant_id}|{number}"
