"""Enrolling residents, and what they and we know of them."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ARRAY, BigInteger, Sequence, any_, cast, delete, func, insert, select, update
from sqlalchemy.orm import Session

from carbon_credits.core import crypto
from carbon_credits.core.crypto import KEY_BYTES, Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Language, Text
from carbon_credits.core.ids import resident_id as numbered
from carbon_credits.core.ids import shard_of
from carbon_credits.residents import consents
from carbon_credits.residents.models import (
    AuthSession,
    OtpChallenge,
    RefreshToken,
    Resident,
    ResidentKey,
    ResidentPhone,
    Throttle,
)
from carbon_credits.residents.phones import masked, phone_index

_ENROLMENT_NO: Final = Sequence("enrolment_no")
_KEY_NUMBER: Final = 1


class Street(StrEnum):
    """The district's three streets and one town."""

    ZUMIAO = "zumiao"
    SHIWAN = "shiwan"
    ZHANGCHA = "zhangcha"
    NANZHUANG = "nanzhuang"

    @property
    def text(self) -> Text:
        """Its name."""
        return _STREETS[self]


_STREETS: Final = {
    Street.ZUMIAO: Text("祖庙街道", "Zumiao Subdistrict"),
    Street.SHIWAN: Text("石湾镇街道", "Shiwanzhen Subdistrict"),
    Street.ZHANGCHA: Text("张槎街道", "Zhangcha Subdistrict"),
    Street.NANZHUANG: Text("南庄镇", "Nanzhuang Town"),
}


@dataclass(frozen=True)
class Profile:
    """What residents see of themselves; the phone is masked."""

    resident_id: int
    phone: str
    street: Street | None
    language: str
    enrolled_at: datetime


def lock_phone(session: Session, index: bytes) -> None:
    """Until the transaction ends, nobody else asks for a code or enrols with this phone."""
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(index[:8], "big", signed=True))))


def enrol(session: Session, vault: Vault, phone: str, now: datetime) -> tuple[int, bool]:
    """The resident of a number in E.164, and whether it was enrolled just now; one account for a number.

    Enrolling is agreeing to take part, so it writes that consent. It opens no wallet: crediting does.
    """
    index = phone_index(vault, phone)
    lock_phone(session, index)
    known = select(ResidentPhone.resident_id).where(ResidentPhone.phone_index == index)
    resident_id = session.execute(known).scalar_one_or_none()
    if resident_id is not None:
        return resident_id, False
    resident_id = numbered(session.execute(select(_ENROLMENT_NO.next_value())).scalar_one())
    session.execute(
        insert(Resident).values(resident_id=resident_id, shard_id=shard_of(resident_id), enrolled_at=now)
    )
    key = secrets.token_bytes(KEY_BYTES)
    sealed_key = vault.seal("resident-key", key, _key_place(resident_id))
    session.execute(insert(ResidentKey).values(resident_id=resident_id, sealed_key=sealed_key))
    sealed = seal_for(key, "phone", phone.encode(), _phone_place(resident_id))
    session.execute(insert(ResidentPhone).values(resident_id=resident_id, phone_index=index, sealed=sealed))
    consents.give(session, resident_id, consents.Purpose.PROGRAMME, None, now)
    return resident_id, True


def resident_key(session: Session, vault: Vault, resident_id: int) -> bytes:
    """The resident's own key; raises NotFound when it was destroyed, or there is no such resident."""
    held = select(ResidentKey.sealed_key).where(ResidentKey.resident_id == resident_id)
    sealed = session.execute(held).scalar_one_or_none()
    if sealed is None:
        raise _unknown()
    return vault.unseal("resident-key", sealed, _key_place(resident_id))


def keys_of(session: Session, vault: Vault, resident_ids: Collection[int]) -> Mapping[int, bytes]:
    """The own keys of many residents, by number; those whose key was destroyed are left out."""
    numbers = cast(list(resident_ids), ARRAY(BigInteger))
    held = select(ResidentKey).where(ResidentKey.resident_id == any_(numbers))
    return {
        row.resident_id: vault.unseal("resident-key", row.sealed_key, _key_place(row.resident_id))
        for row in session.scalars(held)
    }


def seal_for(key: bytes, purpose: str, plain: bytes, place: str) -> bytes:
    """Seal under a resident's key; `place` is table|column|row."""
    return crypto.seal(crypto.derive(key, purpose), _KEY_NUMBER, plain, place)


def unseal_for(key: bytes, purpose: str, sealed: bytes, place: str) -> bytes:
    """Open what seal_for made; raises CannotOpen."""
    return crypto.unseal(crypto.derive(key, purpose), sealed, place)


def profile_of(session: Session, vault: Vault, resident_id: int) -> Profile:
    """A resident's profile; raises NotFound."""
    asked = (
        select(Resident.street, Resident.language, Resident.enrolled_at, ResidentPhone.sealed)
        .join(ResidentPhone, ResidentPhone.resident_id == Resident.resident_id)
        .where(Resident.resident_id == resident_id)
    )
    found = session.execute(asked).one_or_none()
    if found is None:
        raise _unknown()
    key = resident_key(session, vault, resident_id)
    phone = unseal_for(key, "phone", found.sealed, _phone_place(resident_id)).decode()
    street = Street(found.street) if found.street else None
    return Profile(resident_id, masked(phone), street, found.language, found.enrolled_at)


def contact_of(session: Session, vault: Vault, resident_id: int) -> tuple[str, str]:
    """The phone in E.164 and the language a resident is written to in; raises NotFound."""
    asked = (
        select(Resident.language, ResidentPhone.sealed)
        .join(ResidentPhone, ResidentPhone.resident_id == Resident.resident_id)
        .where(Resident.resident_id == resident_id)
    )
    found = session.execute(asked).one_or_none()
    if found is None:
        raise _unknown()
    key = resident_key(session, vault, resident_id)
    return unseal_for(key, "phone", found.sealed, _phone_place(resident_id)).decode(), found.language


def change_profile(
    session: Session, resident_id: int, street: Street | None = None, language: Language | None = None
) -> None:
    """Change what is given, leave the rest; raises NotFound."""
    changes = {"street": street, "language": language}
    changed = (
        update(Resident)
        .where(Resident.resident_id == resident_id, Resident.status == "active")
        .values(
            {name: str(value) for name, value in changes.items() if value is not None} or {"status": "active"}
        )
        .returning(Resident.resident_id)
    )
    if session.execute(changed).scalar_one_or_none() is None:
        raise _unknown()


def forget_stale(session: Session, now: datetime) -> None:
    """Drop what signing in no longer needs: old challenges and counters, tokens and sessions run out."""
    day_ago = now - timedelta(days=1)
    session.execute(delete(OtpChallenge).where(OtpChallenge.expires_at < day_ago))
    session.execute(delete(Throttle).where(Throttle.hour < day_ago))
    session.execute(delete(RefreshToken).where(RefreshToken.expires_at < now))
    kept = select(RefreshToken.session_id).where(RefreshToken.session_id == AuthSession.session_id)
    session.execute(delete(AuthSession).where(AuthSession.created_at < day_ago, ~kept.exists()))


def _unknown() -> NotFound:
    return NotFound("resident_unknown", Text("没有此居民", "There is no such resident"))


def _key_place(resident_id: int) -> str:
    return f"resident_key|sealed_key|{resident_id}"


def _phone_place(resident_id: int) -> str:
    return f"resident_phone|sealed|{resident_id}"
