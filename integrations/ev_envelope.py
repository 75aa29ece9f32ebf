"""The envelope of T/CEC 102: sealed and signed data, a token bought with `query_token`, and answers in the same form.

`Sig` is HMAC-MD5 over operator, data, time and number, in capitals; `Data` is AES-128-CBC in base64. Both are what the
standard demands; nothing else here leans on MD5. Times are Beijing's. Answers have `Ret` 0, or 4001 (signature), 4002
(token), 4003 (envelope), 4004 (content).
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import (
    Authentic,
    PushAnswer,
    PushRefusal,
    PushRequest,
    SecretForm,
    Secrets,
)
from integrations import documents
from integrations.authenticity import SIGNATURE_WRONG, STALE, TOKEN_WRONG, WINDOW, fitting, same

QUERY_TOKEN: Final = "query_token"  # noqa: S105 - the name of an operation
TOKEN_LIFE_S: Final = 7_200
BEIJING: Final = timezone(timedelta(hours=8))
FORMS: Final[Mapping[str, SecretForm]] = {
    # nine characters: the organisation code by which operators know one another
    "operator_id": SecretForm(r"[A-Z0-9]{9}"),
    "operator_secret": SecretForm(r"[A-Za-z0-9]{16,64}", made=32),
    "data_secret": SecretForm(r"[A-Za-z0-9]{16}", made=16),
    "data_secret_iv": SecretForm(r"[A-Za-z0-9]{16}", made=16),
    "sig_secret": SecretForm(r"[A-Za-z0-9]{16,64}", made=32),
}
RETS: Final[Mapping[str, int]] = {"signature_wrong": 4001, "token_wrong": 4002, "envelope_wrong": 4003}
_BROKEN: Final = PushRefusal(
    "envelope_wrong",
    Text(
        "应含 OperatorID、Data、TimeStamp、Seq、Sig", "It must have OperatorID, Data, TimeStamp, Seq and Sig"
    ),
)
_PARTS: Final = ("OperatorID", "Data", "TimeStamp", "Seq", "Sig")


def authenticate(request: PushRequest, sets: Sequence[Secrets]) -> Authentic | PushRefusal:
    """Signature, then time, then token; the data is opened last."""
    try:
        told = _parts(request.body)
        at = datetime.strptime(told["TimeStamp"], "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except (ValueError, KeyError):
        return _BROKEN
    of_operator = [each for each in sets if each["operator_id"] == told["OperatorID"]]
    message = "".join(told[name] for name in _PARTS[:4])
    secrets = fitting(told["Sig"].upper(), [(signature(each, message), each) for each in of_operator])
    if secrets is None:
        return SIGNATURE_WRONG
    if abs(request.at - at) > WINDOW:
        return STALE
    try:
        content = opened(secrets, told["Data"])
    except ValueError:
        return _BROKEN
    number = "|".join((told["OperatorID"], told["TimeStamp"], told["Seq"]))
    found = Authentic(content, secrets, nonce=number, until=at + WINDOW)
    if request.operation == QUERY_TOKEN:
        return found if _has_password(content, secrets) else TOKEN_WRONG
    _, _, token = request.headers.get("authorization", "").partition(" ")
    return found if _is_live(token, secrets, request.at) else TOKEN_WRONG


def new_token(secrets: Secrets, at: datetime) -> str:
    """A token for two hours. It is its own proof, so nothing of it is kept; it ends early with its secrets."""
    return _token(secrets, int(at.timestamp()) + TOKEN_LIFE_S)


def answer(ret: int, words: str, data: Mapping[str, Any] | None, secrets: Secrets | None) -> PushAnswer:
    """An answer: sealed and signed where it is known to whom, and without data otherwise."""
    if secrets is None:
        return PushAnswer(200, {"Ret": ret, "Msg": words, "Data": "", "Sig": ""})
    said = json.dumps(data or {}, ensure_ascii=False, default=float)
    shut = sealed(secrets, said.encode())
    sig = signature(secrets, f"{ret}{words}{shut}")
    return PushAnswer(200, {"Ret": ret, "Msg": words, "Data": shut, "Sig": sig})


def refuse(request: PushRequest, refusal: PushRefusal) -> PushAnswer:
    """A refusal; both languages, for their engineers read either."""
    del request
    known = refusal.authentic
    words = f"{refusal.detail.zh} / {refusal.detail.en} ({refusal.code})"
    return answer(RETS.get(refusal.code, 4004), words, None, known.secrets if known else None)


def signature(secrets: Secrets, message: str) -> str:
    """HMAC-MD5 in capital hexadecimal, as the standard demands."""
    return hmac.new(secrets["sig_secret"].encode(), message.encode(), "md5").hexdigest().upper()


def sealed(secrets: Secrets, plain: bytes) -> str:
    """AES-128-CBC with PKCS 7, in base64."""
    padder = PKCS7(128).padder()
    encryptor = _cipher(secrets).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def opened(secrets: Secrets, shut: str) -> bytes:
    """What was sealed; raises ValueError."""
    try:
        raw = base64.b64decode(shut, validate=True)
    except binascii.Error as error:
        raise ValueError(shut) from error
    decryptor, unpadder = _cipher(secrets).decryptor(), PKCS7(128).unpadder()
    plain = decryptor.update(raw) + decryptor.finalize()
    return unpadder.update(plain) + unpadder.finalize()


def _cipher(secrets: Secrets) -> Cipher[modes.CBC]:
    # the standard fixes the initial vector; the signature covers what is sealed
    key, vector = secrets["data_secret"].encode(), secrets["data_secret_iv"].encode()
    return Cipher(algorithms.AES(key), modes.CBC(vector))


def _parts(body: bytes) -> dict[str, str]:
    """The five texts of an envelope; raises ValueError and KeyError."""
    told = documents.one(body)
    if not isinstance(told, dict) or not all(isinstance(told[name], str) for name in _PARTS):
        raise ValueError("no envelope")
    parts: dict[str, str] = {name: told[name] for name in _PARTS}
    is_numbered = len(parts["Seq"]) == 4 and parts["Seq"].isascii() and parts["Seq"].isdecimal()
    if not is_numbered or len(parts["TimeStamp"]) != 14 or not "".join(parts.values()).isascii():
        raise ValueError("no envelope")
    return parts


def _has_password(content: bytes, secrets: Secrets) -> bool:
    try:
        told = documents.one(content)["OperatorSecret"]
    except (ValueError, KeyError, TypeError):
        return False
    return isinstance(told, str) and same(told, secrets["operator_secret"])


def _is_live(token: str, secrets: Secrets, at: datetime) -> bool:
    until, _, _ = token.partition(".")
    if not (until.isascii() and until.isdecimal() and len(until) <= 10):
        return False
    return same(token, _token(secrets, int(until))) and datetime.fromtimestamp(int(until), UTC) > at


def _token(secrets: Secrets, until: int) -> str:
    key = f"{secrets['operator_secret']}|{secrets['sig_secret']}".encode()
    message = f"{secrets['operator_id']}|{until}".encode()
    return f"{until}.{hmac.new(key, message, sha256).hexdigest()}"
