"""How often Python looks for objects that hold one another."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SELDOM: Final = 10_000


@contextmanager
def seldom_collected() -> Iterator[None]:
    """While very many small things are made that hold nothing back: look once for each ten thousand of them, instead of
    for each few hundred. What does hold itself is still found.
    """
    youngest, *older = gc.get_threshold()
    gc.set_threshold(max(youngest, SELDOM), *older)
    try:
        yield
    finally:
        gc.set_threshold(youngest, *older)
