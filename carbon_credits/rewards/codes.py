"""One-time codes: what a resident shows, how a till finds what is behind it, and how guessing is stopped.

A code is a keyed digest of the redemption's number, so it can be shown again and is kept nowhere; what the database
holds is a second keyed digest, of the code. The long code has 128 bits. The short one has 45 and a check character; it
is digested together with its merchant, works there alone, and wrong ones are counted for each till.
"""

import base64
import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import TooMany
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.refusals import refusal

PREFIX: Final = "CCR1."
# Crockford's base 32: no I, L, O, U, and what is read as one of them is taken for the digit it looks like
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LOOKALIKES: Final = str.maketrans("OIL", "011", " -")
SHORT: Final = 10
_LONG: Final = re.compile(r"CCR1\.[A-Z2-7]{26}")
_SHORT: Final = re.compile(f"[{ALPHABET}]{{{SHORT}}}")
# a cashier who mistypes is caught by the check character and not counted; this is for guesses that could be right
MOST_WRONG: Final = 20
_HOUR: Final = timedelta(hours=1)


def long_code(vault: Vault, redemption_id: UUID) -> str:
    """The code of a redemption as it is drawn: 128 bits in letters a QR code packs tightly."""
    return PREFIX + base64.b32encode(
        vault.blind("redemption-code-made", redemption_id.bytes)
    ).decode().rstrip("=")


def short_code(vault: Vault, number: bytes) -> str:
    """Ten characters to be read out and typed in, the last a check; `number` is what they stand for."""
    drawn = int.from_bytes(vault.blind("redemption-short-made", number)[:8], "big")
    told = [drawn >> 5 * place & 31 for place in range(SHORT - 1)]
    return "".join(ALPHABET[digit] for digit in [*told, _check(told)])


def well_typed(told: str) -> str | None:
    """A short code as it was meant, or None when a character is wrong or two are in the wrong order."""
    code = told.upper().translate(LOOKALIKES)
    if _SHORT.fullmatch(code) is None:
        return None
    digits = [ALPHABET.index(letter) for letter in code]
    return code if _check(digits[:-1]) == digits[-1] else None


def digests_of(vault: Vault, redemption_id: UUID, merchant_id: int) -> tuple[bytes, bytes]:
    """What is kept of a redemption's long code and of its short one."""
    short = short_code(vault, redemption_id.bytes)
    return digest_of_long(vault, long_code(vault, redemption_id)), digest_of_short(vault, short, merchant_id)


def digest_of(vault: Vault, told: str, merchant_id: int) -> bytes:
    """What would be kept of a code as it was scanned or typed at this merchant; raises `code_unknown`."""
    scanned = told.strip().upper()
    if _LONG.fullmatch(scanned):
        return digest_of_long(vault, scanned)
    typed = well_typed(told)
    if typed is None:
        raise refusal("code_unknown")
    return digest_of_short(vault, typed, merchant_id)


def is_guess(told: str) -> bool:
    """Whether a code that was not found could have been a guess: well typed, and short."""
    return well_typed(told) is not None


def check_guesses(session: Session, client_id: str, now: datetime) -> None:
    """Raises TooMany where a till has shown MOST_WRONG wrong codes within the clock hour."""
    many = session.execute(
        text("select n from wrong_code where client_id = :client and hour = :hour"),
        {"client": client_id, "hour": _hour(now)},
    ).scalar()
    if (many or 0) >= MOST_WRONG:
        raise TooMany(
            "too_many_wrong_codes",
            Text("错误券码过多，请扫码或稍后再试", "Too many wrong codes: scan instead, or try again later"),
            retry_after_s=int((_hour(now) + _HOUR - now).total_seconds()) + 1,
        )


def count_guess(session: Session, client_id: str, now: datetime) -> None:
    """Count one wrong short code of a till; the door does so in a transaction of its own."""
    session.execute(
        text("""
            insert into wrong_code as w (client_id, hour, n) values (:client, :hour, 1)
            on conflict (client_id, hour) do update set n = w.n + 1 where w.n < 1000
        """),
        {"client": client_id, "hour": _hour(now)},
    )


def forget_guesses(session: Session, now: datetime) -> int:
    """Drop the counts of hours that are over; returns how many."""
    gone = text("delete from wrong_code where hour < :before returning 1")
    return len(session.execute(gone, {"before": now - 2 * _HOUR}).all())


def digest_of_long(vault: Vault, code: str) -> bytes:
    """What is kept of a long code."""
    return vault.blind("redemption-code", code)


def digest_of_short(vault: Vault, code: str, merchant_id: int) -> bytes:
    """What is kept of a short code: it belongs to one merchant."""
    return vault.blind("redemption-short", f"{merchant_id}:{code}")


def _check(digits: list[int]) -> int:
    """Odd weights modulo 32: every single wrong character shows, and all but one in 31 of two exchanged ones."""
    return sum((2 * place + 1) * digit for place, digit in enumerate(digits)) % 32


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
