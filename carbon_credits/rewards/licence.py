"""The unified social credit code of a business licence (GB 32100-2015): eighteen characters, the last one a check."""

from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LENGTH: Final = 18
_BASE: Final = len(ALPHABET)
_WEIGHTS: Final = tuple(pow(3, place, _BASE) for place in range(LENGTH - 1))


def check_character(first: str) -> str:
    """The eighteenth character for the first seventeen; raises ValueError for characters outside the alphabet."""
    total = sum(weight * ALPHABET.index(sign) for weight, sign in zip(_WEIGHTS, first, strict=True))
    return ALPHABET[-total % _BASE]


def is_licence(number: str) -> bool:
    """Whether a number has the right length, characters and check."""
    if len(number) != LENGTH or not set(number) <= set(ALPHABET):
        return False
    return check_character(number[:-1]) == number[-1]
