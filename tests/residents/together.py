"""Doing one thing many times at once: each in its own thread, connection and transaction."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from sqlalchemy import NullPool, create_engine
from sqlalchemy.orm import Session

T = TypeVar("T")
OPTIONS = "-c timezone=UTC -c statement_timeout=20000"


def together(url: str, times: int, work: Callable[[Session], T]) -> list[T | Exception]:
    """What each of `times` callers got, or the error it met; all of them start at one moment."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"options": OPTIONS})
    start = Barrier(times)

    def one(_: int) -> T | Exception:
        try:
            with Session(engine, expire_on_commit=False) as session, session.begin():
                session.connection()
                start.wait(timeout=20)
                return work(session)
        except Exception as error:  # noqa: BLE001 - the tests look at it
            return error

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(one, range(times)))
