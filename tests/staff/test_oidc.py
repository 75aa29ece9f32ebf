"""Single sign-on: what comes back from the provider counts when all of it holds, and not otherwise."""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from carbon_credits.core.errors import NotAuthenticated, Unavailable
from carbon_credits.staff.oidc import Flow, Provider
from tests.staff.oidc_server import CLIENT, OidcServer, a_provider

BACK = "https://carbon.test/admin/single-sign-on/back"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcServer]:
    with a_provider(OidcServer) as server:
        yield server


@pytest.fixture
def server(running: OidcServer) -> OidcServer:
    running.claims, running.asked = {}, []
    return running


@pytest.fixture
def provider(server: OidcServer) -> Provider:
    return Provider(server.issuer, *CLIENT)


def come_back(server: OidcServer, provider: Provider) -> str:
    flow, address = provider.begin(BACK)
    brought = server.agree(address, "u-17")
    return provider.finish(flow, brought["state"], brought["code"], BACK)


def test_who_has_signed_in_there_is_known_by_a_subject(server: OidcServer, provider: Provider) -> None:
    _, address = provider.begin(BACK)
    asked = parse_qs(urlsplit(address).query)
    assert (asked["scope"], asked["code_challenge_method"]) == (["openid"], ["S256"])
    assert come_back(server, provider) == "u-17"
    # the document and the keys are asked for once
    assert sorted(server.asked) == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.test"},
        {"aud": "another"},
        {"aud": ["carbon", "another"]},
        {"aud": ["carbon", "another"], "azp": "another"},
        {"nonce": "of another attempt"},
        {"nonce": None},
        {"exp": int(time.time()) - 120},
        {"exp": None},
        {"iat": None},
        {"iat": int(time.time()) + 86_400},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
    ],
)
def test_a_token_that_says_anything_else_is_refused(
    server: OidcServer, provider: Provider, claims: dict[str, Any]
) -> None:
    server.claims = claims
    with pytest.raises(NotAuthenticated):
        come_back(server, provider)


def test_another_attempts_state_code_or_verifier_is_refused(server: OidcServer, provider: Provider) -> None:
    flow, address = provider.begin(BACK)
    brought = server.agree(address, "u-17")
    with pytest.raises(NotAuthenticated):
        provider.finish(flow, "another", brought["code"], BACK)
    with pytest.raises(NotAuthenticated):
        provider.finish(flow, flow.state, "", BACK)
    with pytest.raises(NotAuthenticated):
        provider.finish(Flow(flow.state, flow.nonce, "another"), flow.state, brought["code"], BACK)
    # the provider takes a code once, whoever brought it first
    with pytest.raises(NotAuthenticated):
        provider.finish(flow, flow.state, brought["code"], BACK)


class Forger(OidcServer):
    """A provider's server in the hands of somebody without its key."""

    how = ""

    def sign(self, claims: dict[str, Any]) -> str:
        """As it should not be."""
        headers = {"kid": self.kid}
        if self.how == "nobody":
            return jwt.encode(claims, "", algorithm="none", headers=headers)
        if self.how == "public key as a secret":
            numbers = self.key.public_key().public_numbers()
            return jwt.encode(claims, numbers.x.to_bytes(32, "big"), algorithm="HS256", headers=headers)
        if self.how == "no name of a key":
            return jwt.encode(claims, self.key, algorithm="ES256")
        return jwt.encode(claims, ec.generate_private_key(ec.SECP256R1()), algorithm="ES256", headers=headers)


@pytest.mark.parametrize("how", ["nobody", "public key as a secret", "another key", "no name of a key"])
def test_a_token_signed_by_nobody_or_by_another_is_refused(how: str) -> None:
    with a_provider(Forger) as server:
        server.how = how
        with pytest.raises(NotAuthenticated):
            come_back(server, Provider(server.issuer, *CLIENT))


def test_a_provider_turns_its_key_and_is_asked_again_but_not_for_ever(
    server: OidcServer, provider: Provider
) -> None:
    assert come_back(server, provider) == "u-17"
    server.turn("k2")
    with pytest.raises(NotAuthenticated):
        come_back(server, provider)
    assert server.asked.count("/keys") == 1
    provider.asked_again_after_s = 0.0
    assert come_back(server, provider) == "u-17"
    assert server.asked.count("/keys") == 2


def test_a_provider_that_is_away_or_another_is_unavailable(server: OidcServer) -> None:
    for issuer in ("http://127.0.0.1:9", server.issuer + "/other", "http://elsewhere.test", "ftp://x"):
        with pytest.raises(Unavailable):
            Provider(issuer, *CLIENT).begin(BACK)


def test_a_provider_that_was_away_is_left_alone_for_a_while(server: OidcServer, provider: Provider) -> None:
    at = provider.issuer
    provider.issuer = "http://127.0.0.1:9"
    with pytest.raises(Unavailable):
        provider.begin(BACK)
    provider.issuer = at
    with pytest.raises(Unavailable):
        provider.begin(BACK)
    assert server.asked == []
