"""Which partner account is whose. A partner's own token for a customer is kept as a keyed digest alone.

A binding is in force while it is not ended; withdrawing consent ends it, so intake asks this table and no
other.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, LargeBinary, any_, cast, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import BLIND_BYTES, Blinder, Vault
from carbon_credits.core.errors import Conflict, NotAllowed
from carbon_credits.core.i18n import Text
from carbon_credits.residents import consents
from carbon_credits.residents.models import Binding, Resident


@dataclass(frozen=True)
class Bound:
    """One partner account in force for a resident."""

    partner_id: int
    bound_at: datetime


def subject_index(vault: Vault, partner_code: str, subject_token: str) -> bytes:
    """What a partner's token for a customer is found by; not comparable between partners."""
    return subject_indexer(vault, partner_code)(subject_token)


def subject_indexer(vault: Vault, partner_code: str) -> Blinder:
    """What makes the subject indexes of a partner, for whoever makes many."""
    return vault.blinder(f"subject:{partner_code}")


def bind(session: Session, partner_id: int, subject: bytes, resident_id: int, now: datetime) -> None:
    """From now on the partner's records for this subject (a `subject_index`) are the resident's.

    Binding twice changes nothing. Raises NotAllowed without the resident's consent to this partner's records,
    Conflict when the subject is bound to another, NotFound for an unknown resident.
    """
    consents.lock_resident(session, resident_id)
    if not consents.is_granted(session, resident_id, consents.Purpose.PARTNER_RECORDS, partner_id):
        said = Text("须先同意接收该合作方的记录", "Consent to this partner's records comes first")
        raise NotAllowed("consent_missing", said)
    made = (
        insert(Binding)
        .values(partner_id=partner_id, subject_index=subject, resident_id=resident_id, bound_at=now)
        .on_conflict_do_nothing(
            index_elements=[Binding.partner_id, Binding.subject_index],
            index_where=Binding.ended_at.is_(None),
        )
        .returning(Binding.resident_id)
    )
    if session.execute(made).scalar_one_or_none() is not None:
        return
    if residents_of(session, partner_id, [subject]).get(subject) != resident_id:
        raise Conflict("bound_to_another", Text("该账号已绑定其他居民", "This account is bound to another"))


def unbind(session: Session, partner_id: int, resident_id: int, now: datetime) -> None:
    """End every binding of a resident with a partner; ending twice is no fault."""
    consents.lock_resident(session, resident_id)
    session.execute(
        update(Binding)
        .where(
            Binding.resident_id == resident_id, Binding.partner_id == partner_id, Binding.ended_at.is_(None)
        )
        .values(ended_at=now)
    )


def residents_of(session: Session, partner_id: int, subjects: Collection[bytes]) -> Mapping[bytes, int]:
    """The active residents of many subjects of one partner, in one query; the unbound are left out."""
    asked = (
        select(Binding.subject_index, Binding.resident_id)
        .join(Resident, Resident.resident_id == Binding.resident_id)
        .where(
            Binding.partner_id == partner_id,
            Binding.subject_index == any_(cast(list(subjects), ARRAY(LargeBinary))),
            Binding.ended_at.is_(None),
            Resident.status == "active",
        )
    )
    return {row.subject_index: row.resident_id for row in session.execute(asked)}


def bound_since(session: Session, partner_id: int, since: datetime) -> frozenset[bytes]:
    """Every subject of a partner that is bound, or was at some time after an instant; some 80 bytes for each."""
    is_ours = Binding.partner_id == partner_id, or_(Binding.ended_at.is_(None), Binding.ended_at > since)
    # one behind the other: a district has hundreds of thousands, and a row for each is read for seconds
    asked = select(func.string_agg(Binding.subject_index, b"")).where(*is_ours)
    keys = session.execute(asked).scalar_one() or b""
    return frozenset(keys[at : at + BLIND_BYTES] for at in range(0, len(keys), BLIND_BYTES))


def bindings_of(session: Session, resident_id: int) -> list[Bound]:
    """The partner accounts in force for a resident, oldest first."""
    asked = (
        select(Binding.partner_id, Binding.bound_at)
        .where(Binding.resident_id == resident_id, Binding.ended_at.is_(None))
        .order_by(Binding.bound_at)
    )
    return [Bound(row.partner_id, row.bound_at) for row in session.execute(asked)]
