"""Residents for tests, enrolled through the room's own door."""

from datetime import UTC, datetime

from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring, ensure_keys
from carbon_credits.residents import bindings, consents, service
from tests.factories.numbers import fresh

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
ISSUER = "https://carbon.test"


def a_phone() -> str:
    """A mobile number nobody has had in this run."""
    return f"+86138{fresh():08}"


def a_resident(session: Session, vault: Vault, phone: str | None = None, at: datetime = NOW) -> int:
    """The number of a resident just enrolled."""
    return service.enrol(session, vault, phone or a_phone(), at)[0]


def a_keyring(session: Session, vault: Vault) -> Keyring:
    """A keyring with its first keys made."""
    ensure_keys(session, vault)
    return Keyring(vault, ISSUER)


def a_bound_resident(
    session: Session, vault: Vault, partner_id: int, partner_code: str, subject_token: str
) -> int:
    """A resident who consented to a partner's records and whose account there is bound."""
    resident_id = a_resident(session, vault)
    consents.give(session, resident_id, consents.Purpose.PARTNER_RECORDS, partner_id, NOW)
    subject = bindings.subject_index(vault, partner_code, subject_token)
    bindings.bind(session, partner_id, subject, resident_id, NOW)
    return resident_id
