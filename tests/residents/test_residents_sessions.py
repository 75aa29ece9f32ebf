"""Tokens: what is accepted, what is refused, and how fast an end is an end."""

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock, signing, tokens
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotAuthenticated
from carbon_credits.core.signing import Keyring
from carbon_credits.residents import sessions
from carbon_credits.residents.sessions import Refused, Tokens
from tests.factories.residents import ISSUER, a_resident
from tests.residents.together import together


@pytest.fixture
def now() -> datetime:
    """Tokens are checked against the real time."""
    return clock.now()


@pytest.fixture
def resident(session: Session, vault: Vault) -> int:
    """A resident, committed."""
    resident_id = a_resident(session, vault)
    session.commit()
    return resident_id


@pytest.fixture
def opened(session: Session, vault: Vault, keyring: Keyring, resident: int, now: datetime) -> Tokens:
    """A session just opened, committed."""
    made = sessions.open_session(session, vault, keyring, resident, now)
    session.commit()
    return made


def claims_of(opened: Tokens) -> dict[str, Any]:
    """What a token says, unchecked."""
    claims: dict[str, Any] = jwt.decode(opened.access_token, options={"verify_signature": False})
    return claims


def refused(session: Session, keyring: Keyring, token: str) -> bool:
    """Whether a token is refused."""
    try:
        sessions.authenticate(session, keyring, token)
    except NotAuthenticated:
        return True
    return False


def test_a_token_names_its_resident_and_session(
    session: Session, keyring: Keyring, opened: Tokens, resident: int
) -> None:
    principal = sessions.authenticate(session, keyring, opened.access_token)
    assert (principal.kind, principal.id, principal.language) == ("resident", resident, "zh")
    assert principal.actor == f"resident:{resident}"
    header, claims = jwt.get_unverified_header(opened.access_token), claims_of(opened)
    assert set(header) == {"alg", "typ", "kid"}
    assert (header["alg"], header["typ"]) == ("ES256", "at+jwt")
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == opened.expires_in == 900


def test_a_logout_counts_from_the_next_request_on(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime
) -> None:
    principal = sessions.authenticate(session, keyring, opened.access_token)
    assert principal.session_id is not None
    sessions.sign_out(session, principal.session_id, now)
    sessions.sign_out(session, principal.session_id, now)
    assert refused(session, keyring, opened.access_token)
    assert sessions.refresh(session, vault, keyring, opened.refresh_token, now) == Refused(revoked=False)


@pytest.mark.parametrize("status", ["frozen", "erased"])
def test_an_account_that_is_not_active_is_refused_at_once(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime, status: str
) -> None:
    session.execute(text("update resident set status = :s"), {"s": status})
    assert refused(session, keyring, opened.access_token)
    assert sessions.refresh(session, vault, keyring, opened.refresh_token, now) == Refused(revoked=False)


def test_ending_all_sessions_leaves_those_of_others(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, resident: int, now: datetime
) -> None:
    other = sessions.open_session(session, vault, keyring, a_resident(session, vault), now)
    sessions.end_all(session, resident, "staff", now)
    assert refused(session, keyring, opened.access_token)
    assert not refused(session, keyring, other.access_token)


def forged(opened: Tokens, keyring: Keyring, session: Session) -> dict[str, str]:
    """Tokens that somebody clever would try, by what is wrong with them."""
    keys = keyring.keys(session)
    claims, kid = claims_of(opened), keys.signing_kid
    pem = keys.public[kid].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    stranger = ec.generate_private_key(ec.SECP256R1())
    good: dict[str, Any] = {"kid": kid, "typ": "at+jwt"}

    def ours(changes: dict[str, Any], header: dict[str, Any] | None = None) -> str:
        changed = {k: v for k, v in {**claims, **changes}.items() if v is not None}
        return jwt.encode(changed, keys.signing_key, algorithm="ES256", headers=header or good)

    def raw(header: dict[str, Any], signature: bytes = b"") -> str:
        parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
        return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)

    head, body, signature = opened.access_token.split(".")
    hmac_key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    unsigned = raw({"alg": "HS256", **good})[:-1]
    by_public_key = hmac_key.sign(unsigned.encode(), pem)
    attempts = {
        "none": raw({"alg": "none", **good}),
        "signed with the public key": raw({"alg": "HS256", **good}, by_public_key),
        "a stranger's key": jwt.encode(claims, stranger, algorithm="ES256", headers=good),
        "an unknown key number": ours({}, {**good, "kid": "unknown"}),
        "a key number that is none": raw({"alg": "ES256", "typ": "at+jwt", "kid": 5}, b"x" * 64),
        "no key number": ours({}, {"typ": "at+jwt"}),
        "a key in the header": ours({}, {**good, "jwk": keys.jwks["keys"][0]}),
        "an address in the header": ours({}, {**good, "jku": "https://evil.test/jwks"}),
        "an identity token": ours({}, {**good, "typ": "JWT"}),
        "another audience": ours({"aud": "partner"}),
        "two audiences": ours({"aud": ["resident", "partner"]}),
        "another issuer": ours({"iss": "https://evil.test"}),
        "run out": ours({"exp": claims["iat"] - 60, "iat": claims["iat"] - 960}),
        "from the future": ours({"iat": claims["iat"] + 600, "exp": claims["exp"] + 600}),
        "another resident": ours({"sub": str(int(claims["sub"]) + 1)}),
        "a resident that is no number": ours({"sub": "1 or 1=1"}),
        "a session that is none": ours({"sid": "x"}),
        "a session that is a number": ours({"sid": 7}),
        "an altered body": f"{head}.{body[:-3]}AAA.{signature}",
        "an empty signature": f"{head}.{body}.",
        "not a token": "abc",
        "empty": "",
        "not ASCII": opened.access_token + "é",
        "endless": opened.access_token + "A" * 5000,
    }
    return attempts | {f"without {name}": ours({name: None}) for name in claims}


def test_nothing_but_our_own_token_is_accepted(session: Session, keyring: Keyring, opened: Tokens) -> None:
    assert not refused(session, keyring, opened.access_token)
    attempts = forged(opened, keyring, session)
    accepted = [name for name, token in attempts.items() if not refused(session, keyring, token)]
    assert accepted == []
    assert len(attempts) >= 30


def test_a_refresh_token_is_exchanged_once_and_its_reuse_ends_the_session(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime
) -> None:
    second = sessions.refresh(session, vault, keyring, opened.refresh_token, now)
    assert isinstance(second, Tokens)
    later = now + sessions.RACE + timedelta(seconds=1)
    assert sessions.refresh(session, vault, keyring, opened.refresh_token, later) == Refused(revoked=True)
    assert sessions.refresh(session, vault, keyring, second.refresh_token, later) == Refused(revoked=False)
    assert refused(session, keyring, second.access_token)


def test_two_tabs_that_race_lose_nothing(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime
) -> None:
    second = sessions.refresh(session, vault, keyring, opened.refresh_token, now)
    soon = now + sessions.RACE
    assert sessions.refresh(session, vault, keyring, opened.refresh_token, soon) == Refused(revoked=False)
    assert isinstance(second, Tokens)
    assert isinstance(sessions.refresh(session, vault, keyring, second.refresh_token, soon), Tokens)


def test_of_ten_refreshes_at_once_one_is_served_and_the_session_lives(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime, database_url: str
) -> None:
    heard = together(
        database_url, 10, lambda s: sessions.refresh(s, vault, keyring, opened.refresh_token, now)
    )
    served = [answer for answer in heard if isinstance(answer, Tokens)]
    assert len(served) == 1
    assert heard.count(Refused(revoked=False)) == 9
    assert not refused(session, keyring, served[0].access_token)


@pytest.mark.parametrize("token", ["", "x", "never-issued", "\x00"])
def test_an_unknown_refresh_token_is_refused(
    session: Session, vault: Vault, keyring: Keyring, now: datetime, token: str
) -> None:
    assert sessions.refresh(session, vault, keyring, token, now) == Refused(revoked=False)


def test_a_refresh_token_runs_out_after_thirty_days(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, now: datetime
) -> None:
    late = now + sessions.REFRESH_LIFE
    assert sessions.refresh(session, vault, keyring, opened.refresh_token, late) == Refused(revoked=False)
    in_time = late - timedelta(seconds=1)
    assert isinstance(sessions.refresh(session, vault, keyring, opened.refresh_token, in_time), Tokens)


def test_a_token_outlives_a_rotation_of_the_keys_and_another_process_keeps_up(
    session: Session, vault: Vault, keyring: Keyring, opened: Tokens, resident: int, now: datetime
) -> None:
    elsewhere = Keyring(vault, ISSUER)
    assert not refused(session, elsewhere, opened.access_token)
    signing.rotate(session, vault, now)
    signing.rotate(session, vault, now)
    fresh = sessions.open_session(session, vault, Keyring(vault, ISSUER), resident, now)
    kid = jwt.get_unverified_header(fresh.access_token)["kid"]
    assert kid not in keyring.keys(session).public
    # a process that has just looked does not look again for a second
    keys = keyring.keys(session)
    keyring._keys = replace(keys, loaded_s=keys.loaded_s - signing.LOOK_AGAIN_S)
    assert not refused(session, keyring, fresh.access_token)
    assert not refused(session, keyring, opened.access_token)


def test_a_resident_token_is_not_a_partner_token(session: Session, keyring: Keyring, opened: Tokens) -> None:
    with pytest.raises(NotAuthenticated):
        tokens.read(session, keyring, opened.access_token, "partner")
