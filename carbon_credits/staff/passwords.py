"""Passwords: which will do, how they are kept (argon2id), and how many are hashed at once.

The rules are those of NIST SP 800-63B: length, no forced mixture, nothing that is guessed first, no change by the
calendar. A hash takes 64 MiB and a seventh of a second, so that two are made at a time in one process and the rest wait.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from carbon_credits.core.errors import FieldFault, Invalid, Unavailable
from carbon_credits.core.i18n import Text

LEAST: Final = 12
LONGEST: Final = 128
_FEWEST_DIFFERENT: Final = 5
_AT_ONCE: Final = BoundedSemaphore(2)
_PATIENCE_S: Final = 4.0
# RFC 9106's second choice in memory and passes; one lane, for the machines have few cores and other work
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
# what stands at the heart of passwords that are tried first, here and anywhere
_COMMON: Final = """
password passwort passw pass qwerty qwertyuiop qwertyuiopasdfghjkl asdfghjkl asdfghjklzxcvbnm zxcvbnm qazwsx qazwsxedc
qazwsxedcrfv qwer qwerasdf qwerasdfzxcv admin administrator adminadmin welcome letmein iloveyou woaini woainima abcdefgh
abcd test testtest changeme secret root user guest default computer foshan foshanshi chancheng chanchengqu
foshanchancheng zumiao shiwan zhangcha nanzhuang guangdong guangzhou tanpuhui tanzhonghe carbon carboncredits lowcarbon
"""
_COMMON_HEARTS: Final = frozenset(_COMMON.split())
_KEYBOARD: Final = (
    "01234567890123456789",
    "98765432109876543210",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
)


def normalised(password: str) -> str:
    """One form of what was typed, whatever the keyboard made of it."""
    return unicodedata.normalize("NFKC", password)


def judge(password: str, name: str) -> None:
    """Raises Invalid at `/password` for one that will not do for this member of staff."""
    given = normalised(password)
    told = _fault_of(given, normalised(name))
    if told is not None:
        fault = FieldFault("/password", "weak_password", told)
        raise Invalid("weak_password", Text("密码不符合要求", "The password will not do"), faults=(fault,))


def hash_of(password: str) -> str:
    """The argon2id hash of a password. Raises Unavailable when too many are being made."""
    with _a_turn():
        return _HASHER.hash(normalised(password))


def is_right(kept: str | None, password: str) -> bool:
    """Whether a password is that of a hash; nobody's hash takes as long. Raises Unavailable when too many wait."""
    nobodys = _nobodys()
    if len(password) > LONGEST:
        password = ""
    with _a_turn():
        try:
            return _HASHER.verify(kept or nobodys, normalised(password)) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_stale(kept: str) -> bool:
    """Whether a hash was made with other parameters than hashes are made with now."""
    return _HASHER.check_needs_rehash(kept)


def _fault_of(given: str, name: str) -> Text | None:
    if len(given) < LEAST:
        return Text(f"至少 {LEAST} 个字符", f"At least {LEAST} characters")
    if len(given) > LONGEST:
        return Text(f"最多 {LONGEST} 个字符", f"At most {LONGEST} characters")
    folded = given.casefold()
    if len(name) > 1 and name.casefold() in folded:
        return Text("不得包含姓名", "It must not contain your name")
    if len(set(folded)) < _FEWEST_DIFFERENT or any(folded in row for row in _KEYBOARD):
        return Text("不得为重复或连续的字符", "Not the same characters again, nor a row of keys")
    if "".join(filter(str.isalpha, folded)) in _COMMON_HEARTS or folded.isdecimal():
        return Text("过于常见或仅为数字", "It is too common, or nothing but digits")
    return None


@contextmanager
def _a_turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE_S):
        raise Unavailable("busy", Text("系统繁忙，请稍后重试", "Busy: try again shortly"))
    try:
        yield
    finally:
        _AT_ONCE.release()


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody's")
