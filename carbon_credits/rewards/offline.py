"""Codes for tills that are offline for a while: signed, so that a till can check them alone, and taken here later.

The limits, which the till page and the merchant's contract repeat: reserved beforehand for one merchant, good for
VOUCHER_LIFE, told to us at most LATE after that. A till that is offline knows the signature, the merchant and the time,
and what it took itself; it cannot know what another till took. Of two that took the same code the first to tell us is
paid, the other is refused when it comes, and that merchant bears it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from sqlalchemy.orm import Session

from carbon_credits.core.signing import SIGNED_LIFE, Keyring
from carbon_credits.rewards.refusals import refusal

VOUCHER_LIFE: Final = timedelta(days=7)
LATE: Final = timedelta(days=3)
# clocks of tills that were offline differ a little more than those of servers
CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
TYPE: Final = "carbon-voucher+jwt"
ALGORITHM: Final = "ES256"
LONGEST: Final = 1_500
assert VOUCHER_LIFE + LATE <= SIGNED_LIFE, "a key is published as long as a code that it signed may come"


def sign(session: Session, keyring: Keyring, told: Mapping[str, Any], made: datetime, ends: datetime) -> str:
    """A compact JWS of what a till needs to know; `told` holds the long code and nothing of the resident."""
    keys = keyring.keys(session)
    claims = {"iss": keyring.issuer, "iat": int(made.timestamp()), "exp": int(ends.timestamp()), **told}
    return jwt.encode(
        claims, keys.signing_key, algorithm=ALGORITHM, headers={"kid": keys.signing_kid, "typ": TYPE}
    )


def is_signed(told: str) -> bool:
    """Whether a code is of this kind."""
    return told.count(".") == 2


def code_within(session: Session, keyring: Keyring, told: str) -> str:
    """The long code inside a signed one; raises `code_unknown` for anything we did not sign.

    Its time is not judged here: that is done by the row, with the moment at which the till took it.
    """
    if len(told) > LONGEST or not told.isascii():
        raise refusal("code_unknown")
    try:
        header = jwt.get_unverified_header(told)
        kid = header.get("kid")
        if set(header) != {"alg", "typ", "kid"} or header["typ"] != TYPE or not isinstance(kid, str):
            raise refusal("code_unknown")
        key = keyring.any_key(session, kid)
        if key is None:
            raise refusal("code_unknown")
        claims = jwt.decode(
            told,
            key,
            algorithms=[ALGORITHM],
            issuer=keyring.issuer,
            options={"verify_exp": False, "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise refusal("code_unknown") from error
    return str(claims.get("code", ""))


def fits(occurred_at: datetime, reserved_at: datetime, ends: datetime, now: datetime) -> bool:
    """Whether a till may have taken a code at that moment: within its life, not in the future, told in time."""
    return (
        reserved_at - CLOCK_DIFFERENCE <= occurred_at <= min(ends, now + CLOCK_DIFFERENCE)
        and now <= ends + LATE
    )
