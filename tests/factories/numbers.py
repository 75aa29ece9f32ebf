"""Numbers for what must be told apart: one row of them for all factories, so that no two make the same name."""

from itertools import count

_numbers = count(1)


def fresh() -> int:
    """A number that nothing in this process has had."""
    return next(_numbers)
