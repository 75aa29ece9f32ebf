"""Inserting many rows of which hardly any is known: first as if none were, and only where one is, asking for each.

`on conflict do nothing` looks each row up before it is written and marks it twice, which costs nearly as much again as
the row. A plain insert that meets its own key fails as a whole, and the database's log says so; it is undone to a
savepoint and done once more with the question. Known rows seldom come alone, so whoever met one asks for a while.
"""

from collections.abc import Mapping
from typing import Final

from psycopg import Cursor
from psycopg.errors import UniqueViolation
from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection

ASKING: Final = "on conflict do nothing"
# of fewer rows the question is not worth a savepoint
MANY: Final = 500
# so many inserts of a connection ask, after one that met something known
A_WHILE: Final = 20
_ASKS: Final = "asks_for_known_rows"


def insert_new(
    session: Session, statement: str, given: Mapping[str, object], rows: int
) -> Cursor[tuple[object, ...]]:
    """Run an insert of about so many rows, whose first `on conflict do nothing` is left out where that is worth a try.

    What it comes to is the same either way, also beside others who insert the same: a plain insert waits for them too.
    """
    connection, kept = raw_connection(session), session.connection().info
    asks = kept.get(_ASKS, 0)
    if rows < MANY or asks:
        kept[_ASKS] = max(0, asks - 1)
        return connection.execute(statement, given)
    try:
        # the driver's own savepoint: the session's would be set by the next statement that it sees
        with connection.transaction():
            return connection.execute(statement.replace(ASKING, "", 1), given)
    except UniqueViolation:
        kept[_ASKS] = A_WHILE
        return connection.execute(statement, given)
