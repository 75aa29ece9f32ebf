"""Forged, borrowed and stale access tokens: one answer, 401, whatever is wrong with them."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask

from carbon_credits.api.house import EXTENSION
from carbon_credits.core import clock
from carbon_credits.core.db import database
from tests.api.conftest import Caller

Token = dict[str, Any]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _parts(token: str) -> tuple[Token, Token, str]:
    signature = token.rpartition(".")[2]
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False}), signature


def _join(header: Token, claims: Token, signature: str = "") -> str:
    return ".".join((_b64(json.dumps(header).encode()), _b64(json.dumps(claims).encode()), signature))


def _hs256(header: Token, claims: Token, secret: bytes) -> str:
    unsigned = _join({**header, "alg": "HS256"}, claims).rstrip(".")
    return unsigned + "." + _b64(hmac.new(secret, unsigned.encode(), hashlib.sha256).digest())


@pytest.fixture
def sign(app: Flask, resident: Caller) -> Callable[[Token, Token], str]:
    """Sign changed headers and claims with the programme's own key."""
    with app.app_context():
        keys = app.extensions[EXTENSION].keyring.keys(database.session())
    header, claims, _ = _parts(resident.token)

    def signed(changed_header: Token, changed_claims: Token) -> str:
        told = {name: value for name, value in {**claims, **changed_claims}.items() if value is not None}
        return jwt.encode(told, keys.signing_key, "ES256", headers={**header, **changed_header})

    return signed


def _refused(resident: Caller, token: str) -> bool:
    told = resident.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    return told.status_code == 401 and told.mimetype == "application/problem+json"


def test_our_own_signature_over_our_own_claims_is_accepted(
    resident: Caller, sign: Callable[..., str]
) -> None:
    assert not _refused(resident, sign({}, {}))


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "HS256", "ES384", "EdDSA", ""])
def test_an_algorithm_of_the_callers_choice_is_refused(resident: Caller, alg: str) -> None:
    header, claims, signature = _parts(resident.token)
    assert _refused(resident, _join({**header, "alg": alg}, claims))
    assert _refused(resident, _join({**header, "alg": alg}, claims, signature))


def test_the_public_key_is_no_shared_secret(app: Flask, resident: Caller) -> None:
    header, claims, _ = _parts(resident.token)
    with app.app_context():
        keyring = app.extensions[EXTENSION].keyring
        public = keyring.public_key(database.session(), header["kid"])
        jwk = keyring.jwks(database.session())["keys"][0]
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(jwk).encode(), jwk["x"].encode(), b""):
        assert _refused(resident, _hs256(header, claims, secret))


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"kid": "' or 1=1 --"},
        {"typ": "JWT"},
        {"jku": "https://evil.test/jwks.json"},
        {"x5u": "https://evil.test/cert.pem"},
        {"jwk": {"kty": "EC"}},
        {"crit": ["exp"]},
    ],
)
def test_a_header_with_anything_else_in_it_is_refused(
    resident: Caller, sign: Callable[..., str], header: Token
) -> None:
    assert _refused(resident, sign(header, {}))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "partner"},
        {"aud": ["resident", "partner"]},
        {"aud": None},
        {"iss": "https://evil.test"},
        {"iss": None},
        {"sub": None},
        {"sub": "999999"},
        {"sub": "1 or 1=1"},
        {"sid": "00000000-0000-0000-0000-000000000000"},
        {"sid": None},
        {"jti": None},
        {"iat": None},
        {"exp": None},
        {"exp": 1},
        {"iat": 4_000_000_000, "exp": 4_000_000_900},
        {"nbf": 4_000_000_000},
    ],
)
def test_claims_that_are_not_for_this_are_refused(
    resident: Caller, sign: Callable[..., str], claims: Token
) -> None:
    assert _refused(resident, sign({}, claims))


def test_a_changed_claim_breaks_the_signature(resident: Caller) -> None:
    header, claims, signature = _parts(resident.token)
    assert _refused(resident, _join(header, {**claims, "sub": "2"}, signature))


def test_another_key_under_our_number_is_refused(resident: Caller) -> None:
    header, claims, _ = _parts(resident.token)
    key = ec.generate_private_key(ec.SECP256R1())
    assert _refused(resident, jwt.encode(claims, key, "ES256", headers=header))


def test_a_token_ends_after_a_quarter_of_an_hour(resident: Caller) -> None:
    with time_machine.travel(clock.now().timestamp() + 16 * 60, tick=False):
        assert _refused(resident, resident.token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "..", "é.é.é", "a" * 5_000, "null"])
def test_what_is_no_token_is_refused(resident: Caller, token: str) -> None:
    assert _refused(resident, token)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic eDp5", "Token x", "bearer\tx"])
def test_what_is_no_bearer_header_is_refused(resident: Caller, value: str) -> None:
    told = resident.client.get("/v1/me", headers={"Authorization": value})
    assert told.status_code == 401


def test_the_scheme_may_be_written_in_any_case(resident: Caller) -> None:
    told = resident.client.get("/v1/me", headers={"Authorization": f"bEARER {resident.token}"})
    assert told.status_code == 200
