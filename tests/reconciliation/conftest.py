"""A city with one bike company."""

import pytest
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from integrations.bike_share import FEED
from tests.reconciliation.programme import City, a_city


@pytest.fixture
def city(session: Session, vault: Vault) -> City:
    """Nobody rides yet."""
    return a_city(session, vault, FEED)
