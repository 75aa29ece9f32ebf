"""The database session: opened at a door, handed down, committed here and nowhere else."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

from carbon_credits.core.errors import Unavailable
from carbon_credits.core.i18n import Text

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_once",
    "ck": "%(table_name)s_%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}
# deadlock, serialisation failure, lock not available: the whole unit of work may simply be done again
AGAIN = frozenset({"40P01", "40001", "55P03"})
ATTEMPTS = 4
T = TypeVar("T")


class Base(DeclarativeBase):
    """The one declarative base; tables are promises and the migrations write them."""

    metadata = MetaData(naming_convention=NAMING)


database = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False, "autoflush": True})

if TYPE_CHECKING:

    class Model(Base):
        """What every room's tables inherit."""

        __abstract__ = True
else:
    Model = database.Model


def connect(
    app: Flask,
    url: str,
    *,
    pool_size: int = 8,
    statement_timeout_ms: int = 5_000,
    lock_timeout_ms: int = 1_000,
) -> None:
    """Wire the application to its database. Every session carries its own time limits.

    The lock timeout is also how long a request waits for its twin before it is told to come back.
    """
    limits = (
        f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={lock_timeout_ms}"
        " -c idle_in_transaction_session_timeout=15000 -c timezone=UTC"
    )
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 2,
        "pool_recycle": 300,
        "pool_pre_ping": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": {"connect_timeout": 5, "options": limits, "application_name": "carbon-credits"},
    }
    database.init_app(app)


@contextmanager
def transaction() -> Iterator[Session]:
    """The only opener: commits when the block ends well, rolls back when it does not."""
    session = database.session()
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reads alone; whatever was written in it by mistake is undone.

    Rows that are mapped objects stay as they were read: expired by the rollback, a page would ask for each once more.
    """
    session = database.session()
    try:
        yield session
    finally:
        session.expunge_all()
        session.rollback()


@contextmanager
def beside() -> Iterator[Session]:
    """A short transaction of its own beside the one that is open: for what others are to see while that one goes on."""
    with Session(database.engine) as session, session.begin():
        yield session


def raw_connection(session: Session) -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's connection of the session's transaction."""
    raw = session.connection().connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


@contextmanager
def wrapped() -> Iterator[None]:
    """Whoever speaks to the driver itself: what it raises is wrapped as the session would wrap it."""
    try:
        yield
    except psycopg.Error as error:
        told = DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True)
        assert isinstance(told, DBAPIError)
        raise told from error


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """What is done in it leaves no trace: meanwhile only temporary tables may be written, and they are as before then."""
    savepoint = session.begin_nested()
    try:
        session.execute(text("set transaction read only"))
        yield
    finally:
        savepoint.rollback()


def in_transaction(work: Callable[[Session], T]) -> T:
    """Do `work` in one transaction, again when the database asks for it (deadlock, lock timeout).

    Raises Unavailable after the last attempt, so that the caller may come back with the same key.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction() as session:
                return work(session)
        except DBAPIError as error:
            if sqlstate(error) not in AGAIN:
                raise
            if attempt == ATTEMPTS:
                raise Unavailable("busy", Text("系统繁忙，请稍后重试", "Busy: try again shortly")) from error
            # jitter so that two that met do not meet again
            time.sleep(random.uniform(0.01, 0.05) * attempt)  # noqa: S311
    raise AssertionError("unreachable")


@contextmanager
def alone(kind: int, number: int) -> Iterator[bool]:
    """Hold a piece of work that only one process does at a time; False when another holds it.

    The lock is that of a connection of its own, so it outlives transactions and ends with the process, however that ends.
    """
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        given = {"kind": kind, "number": number}
        got = connection.execute(text("select pg_try_advisory_lock(:kind, :number)"), given).scalar_one()
        try:
            yield bool(got)
        finally:
            if got:
                connection.execute(text("select pg_advisory_unlock(:kind, :number)"), given)


def sqlstate(error: DBAPIError) -> str | None:
    """PostgreSQL's five-character code of a failure, where there is one."""
    return getattr(error.orig, "sqlstate", None)


def constraint_name(error: DBAPIError) -> str | None:
    """Which constraint refused, so that a duplicate is never guessed from the class of the error."""
    diagnostic: Any = getattr(error.orig, "diag", None)
    return None if diagnostic is None else diagnostic.constraint_name


def is_away(error: BaseException) -> bool:
    """Whether a failure means that the database cannot be reached, rather than that it said no."""
    return isinstance(error, OperationalError) and (
        sqlstate(error) is None or (sqlstate(error) or "")[:2] in {"08", "57", "53"}
    )


def forget_connections() -> None:
    """After a fork: drop the parent's connections without closing them under its feet."""
    database.engine.dispose(close=False)
