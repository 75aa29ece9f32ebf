"""What residents' tests share."""

import json
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from tests.factories.residents import a_keyring


@pytest.fixture
def keyring(session: Session, vault: Vault) -> Keyring:
    """Keys, made and committed."""
    made = a_keyring(session, vault)
    session.commit()
    return made


def texts(session: Session, vault: Vault) -> list[dict[str, Any]]:
    """The text messages waiting in the outbox, opened, oldest first."""
    rows = session.execute(
        text("select payload, sealed from outbox where topic = 'sms.code' order by outbox_id")
    )
    return [
        json.loads(vault.unseal("outbox", sealed, f"outbox|sealed|{payload['challenge_id']}"))
        for payload, sealed in rows
    ]
