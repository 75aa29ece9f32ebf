"""A door to the books, as for the ledger, and a keyring that signs."""

import pytest

from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from tests.factories.residents import a_keyring
from tests.ledger.conftest import Door, door, engine

__all__ = ("door", "engine")


@pytest.fixture
def keyring(door: Door, vault: Vault) -> Keyring:
    """Keys of this test."""
    with door() as session:
        return a_keyring(session, vault)
