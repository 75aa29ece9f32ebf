"""A merchant's day becomes a statement once, to the last micro-fen; what was frozen stays, and two people pay it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core.errors import Conflict, InvariantBroken, NotAllowed
from carbon_credits.rewards import settlement_approval, statements
from carbon_credits.rewards.settlement import make_next
from carbon_credits.rewards.settlement_models import Settlement
from carbon_credits.staff.models import Staff
from tests.ledger.conftest import door_of, engine_of
from tests.rewards import plain_books
from tests.rewards.plain_books import Owed
from tests.rewards.till_ground import (
    Taken,
    a_month,
    a_purse,
    a_shop,
    after,
    take,
    two_of_finance,
    undo,
    write,
)

DAY = date(2026, 11, 2)
NEXT = DAY + timedelta(days=1)


def settle(session: Session, last: date) -> int:
    """Make every statement up to a day, as the task does; how many."""
    made = 0
    while numbers := make_next(session, after(last)):
        made += len(numbers)
        session.commit()
    return made


def found(session: Session) -> dict[tuple[int, date], Owed]:
    """Every statement there is."""
    rows = session.execute(select(Settlement)).scalars().all()
    return {
        (row.merchant_id, row.day): Owed(
            row.captures, row.reversals, row.carried_in, row.lines_micro_fen, row.amount_fen, row.carried_out
        )
        for row in rows
    }


def one(session: Session, question: str, **given: Any) -> Any:
    return session.execute(text(question), given).scalar_one()


def a_small_month(session: Session) -> list[Taken]:
    """Seven merchants, nine days, captures with subsidies and reversals."""
    staff = two_of_finance(session)
    purse = a_purse(session, 1_000_000)
    shops = [a_shop(session, staff, points=37 + n, subsidy_fen=n % 3 * 50, purse_id=purse) for n in range(7)]
    taken = a_month(shops, DAY, 9, 400, seed=3)
    write(session, taken)
    session.commit()
    return taken


def test_a_months_statements_are_what_plain_arithmetic_says_and_making_them_again_makes_none(
    session: Session,
) -> None:
    taken = a_small_month(session)
    last = DAY + timedelta(days=8)
    assert settle(session, last) == len({(t.shop.merchant_id, t.day) for t in taken})
    expected = plain_books.owed(taken)
    assert found(session) == expected
    assert settle(session, last + timedelta(days=3)) == 0
    digests: dict[int, bytes] = {}
    for row in session.execute(select(Settlement).order_by(Settlement.day)).scalars():
        at = expected[row.merchant_id, row.day]
        mine = plain_books.digest_of(taken, row.merchant_id, row.day, at, digests.get(row.merchant_id))
        assert row.digest == mine
        digests[row.merchant_id] = mine
    every = list(session.execute(select(Settlement.settlement_id)).scalars())
    assert statements.altered(session, every) == []


def test_subsidies_are_spent_out_of_their_purse_once_a_settlement(session: Session) -> None:
    taken = a_small_month(session)
    settle(session, DAY + timedelta(days=8))
    spent = sum(t.shop.subsidy_fen for t in taken if not t.undone)
    purse = session.execute(text("select reserved_fen, spent_fen from purse")).one()
    assert tuple(purse) == (1_000_000 - spent, spent)
    assert one(session, "select sum(amount_fen) from purse_entry where kind = 'spent'") == spent
    assert one(session, "select count(distinct cause) = count(*) from purse_entry where kind = 'spent'")


def test_a_day_is_settled_only_when_it_is_over_in_shanghai(session: Session) -> None:
    shop = a_shop(session, two_of_finance(session))
    take(session, shop, DAY)
    assert make_next(session, after(DAY, 0) - timedelta(seconds=1)) == []
    assert make_next(session, after(DAY, 0) + timedelta(minutes=29)) == []
    assert len(make_next(session, after(DAY, 0) + timedelta(minutes=31))) == 1


def test_what_was_committed_after_its_days_statement_stands_in_the_next_one(session: Session) -> None:
    shop = a_shop(session, two_of_finance(session), points=3)
    take(session, shop, DAY)
    settle(session, DAY)
    take(session, shop, DAY)
    assert settle(session, DAY) == 0
    assert settle(session, NEXT) == 1
    assert [at.captures for at in found(session).values()] == [1, 1]
    assert one(session, "select sum(micro_fen) from settlement_line") == 2 * shop.micro_fen


def test_two_that_make_statements_at_once_make_each_once(session: Session, database_url: str) -> None:
    taken = a_small_month(session)
    engine = engine_of(database_url, pool_size=4)
    door = door_of(engine)

    def make(_: int) -> int:
        made = 0
        while True:
            with door() as opened:
                numbers = make_next(opened, after(DAY + timedelta(days=8)))
            if not numbers:
                return made
            made += len(numbers)

    with ThreadPoolExecutor(4) as makers:
        made = sum(makers.map(make, range(4)))
    engine.dispose()
    expected = plain_books.owed(taken)
    assert made == len(expected)
    assert found(session) == expected


def test_a_residual_is_carried_until_it_is_a_fen(session: Session) -> None:
    shop = a_shop(session, two_of_finance(session), points=1)
    for n in range(3):
        take(session, shop, DAY + timedelta(days=n))
    settle(session, DAY + timedelta(days=2))
    rows = session.execute(text("select amount_fen, carried_out, state from settlement order by day")).all()
    assert [tuple(row) for row in rows] == [
        (0, 950_001, "carried"),
        (1, 900_002, "frozen"),
        (1, 850_003, "frozen"),
    ]


def test_a_capture_is_undone_on_its_own_day_and_never_once_it_is_settled(session: Session) -> None:
    shop = a_shop(session, two_of_finance(session))
    first, second = take(session, shop, DAY, 2)
    session.commit()
    with pytest.raises(DBAPIError, match="on its day and before it is settled"):
        undo(session, first, on=NEXT)
    session.rollback()
    undo(session, first)
    session.commit()
    settle(session, DAY)
    with pytest.raises(DBAPIError, match="on its day and before it is settled"):
        undo(session, second)
    session.rollback()
    assert found(session)[shop.merchant_id, DAY].lines == shop.micro_fen


def test_a_capture_is_never_settled_twice(session: Session) -> None:
    shop = a_shop(session, two_of_finance(session))
    (capture,) = take(session, shop, DAY)
    settle(session, DAY)
    take(session, shop, NEXT)
    settle(session, NEXT)
    with pytest.raises(DBAPIError, match="settlement_line_pkey"):
        session.execute(
            text("""
                insert into settlement_line (settlement_id, capture_id, kind, micro_fen, subsidy_fen)
                select max(settlement_id), :capture, 'capture', 1, 0 from settlement
            """),
            {"capture": capture.capture_id},
        )


def test_a_line_that_was_altered_is_seen_and_stops_the_approval(session: Session, owner_url: str) -> None:
    staff = two_of_finance(session)
    take(session, a_shop(session, staff), DAY, 3)
    settle(session, DAY)
    session.execute(text("select 1"))
    payload = settlement_approval.payload_of(session, DAY)
    session.commit()
    tamper(
        owner_url,
        "update settlement_line set micro_fen = micro_fen + 1 where ctid = (select min(ctid) from settlement_line)",
    )
    (number,) = session.execute(select(Settlement.settlement_id)).scalars()
    assert statements.altered(session, [number]) == [number]
    with pytest.raises(InvariantBroken, match="not what was frozen"):
        settlement_approval.enact(session, 1, payload)


def tamper(owner_url: str, statement: str) -> None:
    """The owner's hand, triggers asleep."""
    import psycopg  # noqa: PLC0415

    with psycopg.connect(owner_url.replace("+psycopg", "")) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(statement)


def names(session: Session) -> tuple[str, str]:
    """Two people of finance by name."""
    people = two_of_finance(session)
    asked = (
        select(Staff.name).where(Staff.staff_id.in_((people.asks, people.agrees))).order_by(Staff.staff_id)
    )
    first, second = session.execute(asked).scalars()
    return first, second


def test_one_approval_of_a_second_person_covers_a_day_of_many_merchants(session: Session) -> None:
    staff = two_of_finance(session)
    for _ in range(3):
        take(session, a_shop(session, staff), DAY, 2)
    settle(session, DAY)
    asks, agrees = names(session)
    payload = settlement_approval.payload_of(session, DAY)
    proposed = approving.propose(session, settlement_approval.KIND, payload, "the day", asks)
    session.commit()
    with pytest.raises(NotAllowed):
        approving.decide(session, proposed.approval_id, asks, approve=True)
    session.rollback()
    approving.decide(session, proposed.approval_id, agrees, approve=True)
    states = session.execute(text("select distinct state, approval_id from settlement")).all()
    assert [tuple(row) for row in states] == [("approved", proposed.approval_id)]


@pytest.mark.parametrize("change", ["kept out", "let in"])
def test_a_day_that_changed_after_the_proposal_is_refused(session: Session, change: str) -> None:
    staff = two_of_finance(session)
    for _ in range(2):
        take(session, a_shop(session, staff), DAY, 2)
    settle(session, DAY)
    first, second = session.execute(select(Settlement.settlement_id)).scalars()
    if change == "let in":
        settlement_approval.keep_out(session, first, "looks odd", staff.asks)
    asks, agrees = names(session)
    payload = settlement_approval.payload_of(session, DAY)
    proposed = approving.propose(session, settlement_approval.KIND, payload, "the day", asks)
    if change == "let in":
        settlement_approval.let_in(session, first, "is right", staff.asks)
    else:
        settlement_approval.keep_out(session, second, "looks odd", staff.asks)
    session.commit()
    with pytest.raises(Conflict) as refused:
        approving.decide(session, proposed.approval_id, agrees, approve=True)
    assert refused.value.code == "settlements_changed"
    session.rollback()
    assert one(session, "select count(*) from settlement where state = 'approved'") == 0
