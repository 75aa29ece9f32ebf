"""Knowing a push to be its partner's: tokens and signatures, compared in constant time with every secret in force."""

import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Authentic, PushRefusal, PushRequest, SecretForm, Secrets

TOKEN_WRONG: Final = PushRefusal("token_wrong", Text("令牌缺失或无效", "The token is missing or wrong"))
SIGNATURE_WRONG: Final = PushRefusal("signature_wrong", Text("签名不符", "The signature does not fit"))
STALE: Final = PushRefusal(
    "timestamp_wrong", Text("时间戳超出允许范围", "The time of the request is too far from ours")
)
WINDOW: Final = timedelta(minutes=10)
TOKEN: Final = SecretForm(r"[A-Za-z0-9._~+/=-]{24,200}", made=40)
BEARER_HOW: Final = Text(
    "请求头 Authorization: Bearer 加令牌", "The header Authorization: Bearer with the token"
)
SIGNED_HOW: Final = Text(
    "请求头 X-App-Id、X-Timestamp（1970 年起的秒数，误差不超过 10 分钟）、X-Nonce（8–64 字符，不重复）、X-Sign："
    "以 secret 为密钥，对 app id、时间戳、nonce（各加换行）与请求体的 HMAC-SHA256，小写十六进制",
    "Headers X-App-Id, X-Timestamp (seconds since 1970, within ten minutes), X-Nonce (8 to 64 characters, never again) "
    "and X-Sign: HMAC-SHA256 under the secret over app id, timestamp and nonce, each with a line break, and the body, "
    "in lower-case hexadecimal",
)
_NEVER: Final = "0" * 64


def same(told: str, ours: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(told.encode(), ours.encode())


def fitting(told: str, candidates: Sequence[tuple[str, Secrets]]) -> Secrets | None:
    """The secrets whose expected value was told. All are compared, and something where there are none."""
    found: Secrets | None = None
    for expected, secrets in candidates or ((_NEVER, {}),):
        is_same = same(told, expected)
        found = secrets if is_same and candidates and found is None else found
    return found


def bearer(request: PushRequest, sets: Sequence[Secrets]) -> Authentic | PushRefusal:
    """`Authorization: Bearer TOKEN`, the token as it was handed out."""
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    secrets = fitting(told, [(each["token"], each) for each in sets])
    if scheme.lower() != "bearer" or secrets is None:
        return TOKEN_WRONG
    return Authentic(request.body, secrets)


def signed(request: PushRequest, sets: Sequence[Secrets]) -> Authentic | PushRefusal:
    """Headers `X-App-Id`, `X-Timestamp` (s since 1970), `X-Nonce` and `X-Sign`: hexadecimal HMAC-SHA256 under the
    secret over app id, timestamp and nonce, each followed by a line break, and the body.
    """
    app_id, stamp, nonce, told = (
        request.headers.get(f"x-{name}", "") for name in ("app-id", "timestamp", "nonce", "sign")
    )
    message = f"{app_id}\n{stamp}\n{nonce}\n".encode() + request.body
    macs = [
        (hmac.new(each["secret"].encode(), message, sha256).hexdigest(), each)
        for each in sets
        if each["app_id"] == app_id
    ]
    secrets = fitting(told, macs)
    if secrets is None:
        return SIGNATURE_WRONG
    at = _at(stamp)
    if at is None or abs(request.at - at) > WINDOW or not 8 <= len(nonce) <= 64:
        return STALE
    return Authentic(request.body, secrets, nonce=f"{app_id}|{nonce}", until=at + WINDOW)


def _at(stamp: str) -> datetime | None:
    is_sane = stamp.isascii() and stamp.isdecimal() and len(stamp) <= 10
    return datetime.fromtimestamp(int(stamp), UTC) if is_sane else None
