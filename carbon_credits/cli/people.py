"""Demonstration residents: enrolled with a street, a wallet, and consent to partners whose accounts they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners.models import Partner
from carbon_credits.residents import bindings, consents, service
from carbon_credits.residents.consents import Purpose
from carbon_credits.residents.models import ResidentPhone
from carbon_credits.residents.phones import phone_index
from carbon_credits.residents.service import Street

STREETS: Final = tuple(Street)
OF_FILES: Final = 100_001
_LOOKED_UP: Final = 500


@dataclass(frozen=True)
class Account:
    """One subject of one partner."""

    partner_id: int
    partner: str
    subject_token: str


def phone(number: int) -> str:
    """The n-th demonstration phone, +8613800000001 upwards."""
    return f"+86138{number:08}"


def settle_in(session: Session, vault: Vault, mobile: str, street: Street, now: datetime) -> int:
    """A resident of this phone with a street and a wallet; once more changes nothing."""
    resident_id, is_new = service.enrol(session, vault, mobile, now)
    if is_new:
        service.change_profile(session, resident_id, street=street)
        open_wallet(session, resident_id)
    return resident_id


def hold(session: Session, vault: Vault, resident_id: int, account: Account, now: datetime) -> None:
    """Consent to a partner's records and bind the account; once more changes nothing."""
    consents.give(session, resident_id, Purpose.PARTNER_RECORDS, account.partner_id, now)
    subject = bindings.subject_index(vault, account.partner, account.subject_token)
    bindings.bind(session, account.partner_id, subject, resident_id, now)


def unbound(session: Session, vault: Vault, partner: Partner, subjects: Sequence[str]) -> list[str]:
    """The subjects that no resident holds yet, in their order."""
    index_of = {subject: bindings.subject_index(vault, partner.code, subject) for subject in subjects}
    held = bindings.residents_of(session, partner.partner_id, list(index_of.values()))
    return [subject for subject in subjects if index_of[subject] not in held]


def free_phones(session: Session, vault: Vault) -> Iterator[tuple[int, str]]:
    """Demonstration phones for the people of imported files that nobody is enrolled with, and their numbers."""
    start = OF_FILES
    while True:
        numbers = range(start, start + _LOOKED_UP)
        index_of = {number: phone_index(vault, phone(number)) for number in numbers}
        asked = select(ResidentPhone.phone_index).where(ResidentPhone.phone_index.in_(index_of.values()))
        taken = {bytes(found) for found in session.execute(asked).scalars()}
        yield from ((number, phone(number)) for number in numbers if index_of[number] not in taken)
        start += _LOOKED_UP


def house(session: Session, vault: Vault, partner: Partner, subjects: Sequence[str], now: datetime) -> int:
    """Make a demonstration resident for each subject that has none; returns how many."""
    homeless = unbound(session, vault, partner, subjects)
    for subject, (number, mobile) in zip(homeless, free_phones(session, vault), strict=False):
        resident_id = settle_in(session, vault, mobile, STREETS[number % len(STREETS)], now)
        hold(session, vault, resident_id, Account(partner.partner_id, partner.code, subject), now)
    return len(homeless)
