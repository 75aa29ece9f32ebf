"""A bank, a programme in force, and keys to sign with."""

import pytest
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from carbon_credits.incentives.programmes import Programme
from tests.factories.incentives import a_bank, put_in_force
from tests.factories.residents import a_keyring


@pytest.fixture
def keyring(session: Session, vault: Vault) -> Keyring:
    """Keys of both purposes."""
    return a_keyring(session, vault)


@pytest.fixture
def loan(session: Session, vault: Vault) -> Programme:
    """A green loan of one bank, active."""
    a_bank(session, vault)
    return put_in_force(session)
