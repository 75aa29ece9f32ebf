"""A door to the books, as for the ledger, and a keyring that signs."""

from collections.abc import Iterator

import pytest

from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from tests.factories.redemptions import a_merchant, a_till, residents_with
from tests.factories.residents import a_keyring
from tests.ledger.conftest import Door, assert_sound, door, engine
from tests.rewards.counter import Counter

__all__ = ("door", "engine")


@pytest.fixture
def keyring(door: Door, vault: Vault) -> Keyring:
    """Keys of this test."""
    with door() as session:
        return a_keyring(session, vault)


@pytest.fixture
def counter(door: Door, vault: Vault, keyring: Keyring, owner_url: str) -> Iterator[Counter]:
    """The counter, and sound books when everything is over."""
    with door() as session:
        merchant_id = a_merchant(session)
        till = a_till(session, merchant_id, "manager")
        (resident_id,) = residents_with(session, 1, 200)
    yield Counter(door, vault, keyring, merchant_id, till, resident_id, owner_url)
    assert_sound(door)
