"""Signing keys: made once, rotated in order, published as long as a token may need them."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock, signing
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Unavailable
from carbon_credits.core.signing import Keyring
from tests.residents.together import together

ISSUER = "https://carbon.test"


def states(session: Session, purpose: str = "access") -> list[str]:
    """The state of each key of a purpose, oldest first."""
    asked = text("select state from signing_key where purpose = :purpose order by created_at, kid")
    return list(session.execute(asked, {"purpose": purpose}).scalars())


def test_keys_are_made_once_even_by_ten_at_once(session: Session, vault: Vault, database_url: str) -> None:
    heard = together(database_url, 10, lambda own: signing.ensure_keys(own, vault))
    assert heard == [None] * 10
    assert sorted(states(session)) == ["next", "signing"]
    assert sorted(states(session, "statement")) == ["next", "signing"]


def test_there_is_nothing_to_sign_with_before(session: Session, vault: Vault) -> None:
    with pytest.raises(Unavailable):
        Keyring(vault, ISSUER).keys(session)


def test_a_rotation_moves_every_key_one_step(session: Session, vault: Vault) -> None:
    signing.ensure_keys(session, vault)
    before = Keyring(vault, ISSUER).keys(session)
    now = clock.now()
    assert signing.rotate(session, vault, now) == (set(before.public) - {before.signing_kid}).pop()
    after = Keyring(vault, ISSUER).keys(session)
    assert set(before.public) < set(after.public)
    assert after.signing_kid != before.signing_kid
    assert sorted(states(session)) == ["next", "retiring", "signing"]
    signing.rotate(session, vault, now + signing.RETIRED_AFTER + timedelta(seconds=1))
    assert sorted(states(session)) == ["next", "retired", "retiring", "signing"]
    assert before.signing_kid not in Keyring(vault, ISSUER).keys(session).public


def test_an_old_key_stays_published_until_its_last_token_has_run_out(session: Session, vault: Vault) -> None:
    signing.ensure_keys(session, vault)
    now = clock.now()
    signing.rotate(session, vault, now)
    assert signing.retire_old(session, now + signing.TOKEN_LIFE) == 0
    assert signing.retire_old(session, now + signing.RETIRED_AFTER + timedelta(seconds=1)) == 1


def test_a_key_of_statements_stays_published_as_long_as_a_statement_may_live(
    session: Session, vault: Vault
) -> None:
    ring = a_ring_of_statements(session, vault)
    signed_with, now = ring.keys(session).signing_kid, clock.now()
    signing.rotate(session, vault, now, "statement")
    # a process that has not looked yet signs with the old key for a while, for the longest time there is
    last = now + timedelta(seconds=signing.KEPT_S) + signing.STATEMENT_LIFE
    signing.retire_old(session, last)
    assert signed_with in Keyring(vault, ISSUER).of("statement").keys(session).public
    assert signed_with in {key["kid"] for key in Keyring(vault, ISSUER).published(session)["keys"]}
    assert signing.retire_old(session, now + signing.STATEMENTS_RETIRED_AFTER + timedelta(seconds=1)) == 1
    assert signed_with not in Keyring(vault, ISSUER).of("statement").keys(session).public


def test_a_rotation_of_one_purpose_leaves_the_other_and_no_key_serves_both(
    session: Session, vault: Vault
) -> None:
    statements = a_ring_of_statements(session, vault).keys(session)
    access = Keyring(vault, ISSUER).keys(session)
    assert not set(statements.public) & set(access.public)
    signing.rotate(session, vault, clock.now())
    assert Keyring(vault, ISSUER).of("statement").keys(session).signing_kid == statements.signing_kid
    signing.rotate(session, vault, clock.now(), "statement")
    assert sorted(states(session)) == sorted(states(session, "statement")) == ["next", "retiring", "signing"]


def test_a_purpose_without_keys_yet_leaves_the_others_published(session: Session, vault: Vault) -> None:
    signing.ensure_keys(session, vault)
    # as on the first day after statements came: all keys there were are of access tokens
    session.execute(text("update signing_key set state = 'retired' where purpose = 'statement'"))
    ring = Keyring(vault, ISSUER)
    assert len(ring.published(session)["keys"]) == 2
    with pytest.raises(Unavailable):
        ring.of("statement").keys(session)


def a_ring_of_statements(session: Session, vault: Vault) -> Keyring:
    """The ring that statements are signed with, with its first keys made."""
    signing.ensure_keys(session, vault)
    return Keyring(vault, ISSUER).of("statement")


def test_two_rotations_at_once_rotate_once(session: Session, vault: Vault, database_url: str) -> None:
    signing.ensure_keys(session, vault)
    session.commit()
    heard = together(database_url, 8, lambda own: signing.rotate(own, vault, clock.now()))
    rotated = [answer for answer in heard if isinstance(answer, str)]
    refused = [answer for answer in heard if isinstance(answer, Conflict)]
    assert len(rotated) + len(refused) == 8
    assert len(rotated) == len(set(rotated)) >= 1
    found = states(session)
    assert (found.count("signing"), found.count("next")) == (1, 1)
    assert found.count("retiring") == len(rotated)


def test_the_published_set_holds_no_private_half(session: Session, vault: Vault) -> None:
    signing.ensure_keys(session, vault)
    published = Keyring(vault, ISSUER).jwks(session)
    assert [set(key) for key in published["keys"]] == [{"crv", "kty", "x", "y", "kid", "alg", "use"}] * 2
    stored = session.execute(text("select public_jwk::text from signing_key")).scalars()
    assert not any('"d"' in row for row in stored)
    json.dumps(published)


def test_another_vault_does_not_open_our_keys(session: Session, vault: Vault) -> None:
    signing.ensure_keys(session, vault)
    with pytest.raises(Exception, match="signing_key"):
        Keyring(Vault({1: bytes(32)}), ISSUER).keys(session)
