"""A provider of single sign-on on loopback: hands out codes once, holds PKCE to account, signs what it is told to."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

CLIENT = ("carbon", "s3cret")


class OidcServer(ThreadingHTTPServer):
    """`claims` change what the next ID token says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.codes: dict[str, dict[str, str]] = {}
        self.claims: dict[str, Any] = {}
        self.asked: list[str] = []
        self.turn("k1")

    def turn(self, kid: str) -> None:
        """Sign with another key, the only one published from now on."""
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), kid

    def agree(self, address: str, subject: str) -> dict[str, str]:
        """What the browser brings back after somebody has signed in at the provider."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = secrets.token_urlsafe(8)
        self.codes[code] = {**asked, "sub": subject}
        return {"code": code, "state": asked["state"]}

    def token(self, asked: dict[str, str]) -> str:
        """The ID token for a code."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT[0],
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 60,
            **self.claims,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def sign(self, claims: dict[str, Any]) -> str:
        """As it should be."""
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": self.kid})


class _Handler(BaseHTTPRequestHandler):
    server: OidcServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/.well-known/openid-configuration":
            at = self.server.issuer
            self._answer(
                200,
                {
                    "issuer": at,
                    "authorization_endpoint": at + "/authorize",
                    "token_endpoint": at + "/token",
                    "jwks_uri": at + "/keys",
                },
            )
        else:
            public = ECAlgorithm.to_jwk(self.server.key.public_key(), as_dict=True)
            self._answer(200, {"keys": [{**public, "kid": self.server.kid, "use": "sig"}]})

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = {name: values[0] for name, values in body.items()}
        basic = base64.b64encode(":".join(CLIENT).encode()).decode()
        asked = self.server.codes.pop(given.get("code", ""), None)
        digest = hashlib.sha256(given.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or self.headers["Authorization"] != f"Basic {basic}"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != given["redirect_uri"]
        ):
            self._answer(400, {"error": "invalid_grant"})
            return
        self._answer(200, {"token_type": "Bearer", "id_token": self.server.token(asked)})

    def _answer(self, status: int, told: dict[str, Any]) -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Nothing is said of calls."""


Kind = TypeVar("Kind", bound=OidcServer)


@contextmanager
def a_provider(kind: type[Kind]) -> Iterator[Kind]:
    """A provider that runs until the block ends."""
    with kind() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
