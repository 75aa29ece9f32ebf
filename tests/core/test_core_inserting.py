"""Many new rows are inserted as if none were known; what it comes to is as if each had been asked for."""

import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection, transaction
from carbon_credits.core.inserting import A_WHILE, ASKING, MANY, insert_new

INSERT = f"""
insert into act_piece (source_id, piece_key, ext_key)
select 1, decode(lpad(to_hex(n), 32, '0'), 'hex'), decode(lpad('', 32, '0'), 'hex')
from generate_series(%(first)s::int, %(last)s::int) n order by 2
{ASKING}
"""


def insert(session: Session, first: int, last: int) -> int:
    return insert_new(session, INSERT, {"first": first, "last": last}, last - first + 1).rowcount


def kept(session: Session) -> int:
    count: int = session.execute(text("select count(*) from act_piece")).scalar_one()
    return count


def was_asked_for(session: Session, number: int) -> bool:
    """Whether a row was written by the transaction itself, not by one within it, as a plain insert is."""
    asked = text("""
        select xmin = pg_current_xact_id()::xid from act_piece
        where piece_key = decode(lpad(to_hex(cast(:number as int)), 32, '0'), 'hex')
    """)
    return session.execute(asked, {"number": number}).scalar_one() is True


@pytest.fixture(autouse=True)
def unwary(session: Session) -> None:
    """A connection outlives tests, and what it met in one of them must not count in the next."""
    session.connection().info.clear()


def test_many_new_rows_are_not_asked_for_and_few_are(session: Session) -> None:
    assert insert(session, 1, MANY) == MANY
    assert not was_asked_for(session, 1)
    assert insert(session, MANY + 1, 2 * MANY - 1) == MANY - 1
    assert was_asked_for(session, MANY + 1)
    assert kept(session) == 2 * MANY - 1


@pytest.mark.parametrize("known", [1, MANY // 2, MANY], ids=["the first", "the middle", "the last"])
def test_where_one_is_known_the_others_are_inserted_and_what_was_done_before_stays(
    session: Session, known: int
) -> None:
    assert insert(session, known, known) == 1
    assert insert(session, 1, MANY) == MANY - 1
    assert kept(session) == MANY
    session.commit()
    assert kept(session) == MANY


def test_who_met_a_known_row_asks_for_a_while(session: Session) -> None:
    insert(session, 1, MANY)
    assert insert(session, 1, MANY) == 0
    for turn in range(1, A_WHILE + 2):
        insert(session, turn * MANY + 1, (turn + 1) * MANY)
    asked = [was_asked_for(session, turn * MANY + 1) for turn in range(A_WHILE + 2)]
    assert asked == [False, *[True] * A_WHILE, False]


def test_of_two_at_once_each_row_is_inserted_by_one(bare_app: Flask, session: Session) -> None:
    meet = threading.Barrier(2)
    inserted: list[int] = []

    def deliver(first: int) -> None:
        with bare_app.app_context(), transaction() as own:
            raw_connection(own)
            meet.wait(20)
            inserted.append(insert(own, first, first + MANY))

    threads = [threading.Thread(target=deliver, args=(first,)) for first in (1, MANY // 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(inserted) == kept(session) == MANY // 2 + MANY
