"""The public keys that what we sign can be checked with: access tokens, and statements to banks (RFC 7517)."""

from typing import Final

from flask import Response

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.house import house
from carbon_credits.core.db import reading

KEY: Final = {
    "type": "object",
    "required": ["kty", "crv", "x", "y", "kid", "alg", "use"],
    "additionalProperties": False,
    "properties": {
        "kty": {"const": "EC"},
        "crv": {"const": "P-256"},
        "x": {"type": "string"},
        "y": {"type": "string"},
        "kid": {"type": "string"},
        "alg": {"const": "ES256"},
        "use": {"const": "sig"},
    },
}
KEYS: Final = {
    "type": "object",
    "required": ["keys"],
    "additionalProperties": False,
    "properties": {"keys": {"type": "array", "items": KEY}},
}

blueprint = Blueprint("keys", __name__, who=Who.ANYONE, description="公钥。\n\nPublic keys.")


@blueprint.route("/.well-known/jwks.json", methods=["GET"])
@blueprint.doc(
    responses={"200": {"description": "JWK Set", "content": {"application/json": {"schema": KEYS}}}}
)
def publish() -> Response:
    """访问令牌与声明的公钥 / Public keys of access tokens and statements"""
    with reading() as session:
        keys = house().keyring.published(session)
    return answer(keys, headers={"Cache-Control": "public, max-age=30"})
