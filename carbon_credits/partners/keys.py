"""Partners' signing keys (Ed25519, RFC 8032): several in force while one takes over from another; revoked ones refuse."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.partners.models import PartnerKey

MOST_IN_FORCE: Final = 4
SIGNATURE_BYTES: Final = 64


@dataclass(frozen=True)
class Signature:
    """A signature as it was found good, and by which key."""

    raw: bytes
    key_id: str


def read_public_key(raw: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key, from PEM or base64. Raises Invalid."""
    wrong = Invalid("key_wrong", Text("应为 Ed25519 公钥（PEM）", "This is no Ed25519 public key in PEM"))
    if raw.lstrip().startswith(b"-----BEGIN"):
        try:
            key = load_pem_public_key(raw)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise wrong from error
        if not isinstance(key, Ed25519PublicKey):
            raise wrong
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    try:
        found = base64.b64decode(raw.strip(), validate=True)
        Ed25519PublicKey.from_public_bytes(found)
    except ValueError as error:
        raise wrong from error
    return found


def add_key(session: Session, partner_id: int, public_key: bytes, now: datetime) -> str:
    """Let a partner sign with this key too; returns its id. Raises Conflict: known already, or too many in force."""
    in_force = select(func.count()).where(
        PartnerKey.partner_id == partner_id, PartnerKey.revoked_at.is_(None)
    )
    if session.execute(in_force).scalar_one() >= MOST_IN_FORCE:
        raise Conflict("keys_full", Text("有效密钥过多，请先吊销一个", "Too many keys in force: revoke one"))
    key_id = sha256(public_key).hexdigest()[:16]
    added = (
        insert(PartnerKey)
        .values(key_id=key_id, partner_id=partner_id, public_key=public_key, added_at=now)
        .on_conflict_do_nothing()
        .returning(PartnerKey.key_id)
    )
    if session.execute(added).scalar_one_or_none() is None:
        raise Conflict("key_known", Text("此密钥已登记过", "This key was added before"))
    return key_id


def revoke_key(session: Session, key_id: str, now: datetime) -> None:
    """Refuse whatever is signed by a key from now on. Revoking twice is no fault. Raises NotFound."""
    revoked = (
        update(PartnerKey)
        .where(PartnerKey.key_id == key_id)
        .values(revoked_at=func.coalesce(PartnerKey.revoked_at, now))
        .returning(PartnerKey.key_id)
        .execution_options(synchronize_session=False)
    )
    if session.execute(revoked).scalar_one_or_none() is None:
        raise NotFound("key_unknown", Text("没有此密钥", "There is no such key"))


def keys_of(session: Session, partner_id: int) -> list[PartnerKey]:
    """A partner's keys, revoked ones too, oldest first."""
    asked = select(PartnerKey).where(PartnerKey.partner_id == partner_id).order_by(PartnerKey.added_at)
    return list(session.execute(asked).scalars())


def read_signature(told: bytes) -> bytes:
    """The 64 bytes of a signature, told raw or in base64. Raises Invalid."""
    if len(told) == SIGNATURE_BYTES:
        return told
    try:
        found = base64.b64decode(told.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != SIGNATURE_BYTES:
        detail = Text(
            "签名应为 64 字节 Ed25519 的 base64", "The signature must be base64 of 64 Ed25519 bytes"
        )
        raise Invalid("signature_unreadable", detail)
    return found


def check_signature(session: Session, partner_id: int, message: bytes, raw: bytes) -> Signature:
    """By which key in force a partner signed. Raises Invalid: `key_missing`, `key_revoked` or `signature_wrong`."""
    known = keys_of(session, partner_id)
    signer = next((key for key in known if _signed(key, message, raw)), None)
    if signer is None and all(key.revoked_at is not None for key in known):
        raise Invalid("key_missing", Text("没有有效的签名公钥", "No public key of yours is in force with us"))
    if signer is None:
        detail = Text(
            "签名不符：请对规范化清单（键排序、无空格）签名",
            "The signature does not fit: sign the canonical manifest, keys sorted and no blanks",
        )
        raise Invalid("signature_wrong", detail)
    if signer.revoked_at is not None:
        raise Invalid(
            "key_revoked", Text("该密钥已吊销", f"Key {signer.key_id} is revoked: sign with another")
        )
    return Signature(raw, signer.key_id)


def _signed(key: PartnerKey, message: bytes, raw: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(raw, message)
    except InvalidSignature:
        return False
    return True
