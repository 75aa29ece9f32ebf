"""Two that want the same: one wins, and the books say who."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from carbon_credits.core.clock import now
from carbon_credits.ledger.expiry import expire_due
from carbon_credits.ledger.holds import HoldOver, InsufficientPoints, capture, reserve, void
from tests.factories.ledger import TODAY, Act, a_fund, credit, residents
from tests.ledger.books import MERCHANT, SOON, pockets
from tests.ledger.conftest import Door, assert_sound

THREADS = 8


def test_of_sixty_that_want_ten_out_of_two_hundred_twenty_win(door: Door) -> None:
    with door() as session:
        (resident_id,) = residents(session, 1)
        fund_id = a_fund(session)
        for points in (70, 60, 70):
            credit(session, Act(resident_id, points=points, fund_id=fund_id), TODAY)

    def want(_: int) -> bool:
        try:
            with door() as session:
                reserve(session, resident_id, 10, MERCHANT, now() + SOON, TODAY)
        except InsufficientPoints:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(want, range(60))) == 20
    assert pockets(door, resident_id) == (0, 200, 0, 0)
    assert_sound(door)


def test_a_capture_and_a_void_at_once_have_one_winner(door: Door) -> None:
    with door() as session:
        (resident_id,) = residents(session, 1)
        credit(session, Act(resident_id, points=200, fund_id=a_fund(session)), TODAY)
        holds = [reserve(session, resident_id, 10, MERCHANT, now() + SOON, TODAY) for _ in range(20)]

    def resolve(turn: int) -> str | None:
        hold, verb = holds[turn // 4], (capture, void)[turn % 2]
        try:
            with door() as session:
                verb(session, hold.hold_id, hold.shard_id, TODAY)
        except HoldOver:
            return None
        return verb.__name__

    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = list(threads.map(resolve, range(80)))
    for start in range(0, 80, 4):
        assert sum(outcome is not None for outcome in outcomes[start : start + 4]) == 1
    assert pockets(door, resident_id) == (200 - 10 * outcomes.count("capture"), 0, 0, 0)
    assert_sound(door)


def test_points_that_lapse_while_they_are_wanted_go_one_way_only(door: Door) -> None:
    with door() as session:
        fund_id = a_fund(session)
        everyone = residents(session, 30)
        for resident_id in everyone:
            credit(session, Act(resident_id, points=10, fund_id=fund_id, lot_on=TODAY), TODAY)

    def expire(_: int) -> None:
        for shard_id in (0, 1):
            with door() as session:
                expire_due(session, shard_id, TODAY + timedelta(days=1), 5)

    def want(resident_id: int) -> bool:
        try:
            with door() as session:
                # the till's day is still the last day of the lot
                reserve(session, resident_id, 10, MERCHANT, now() + SOON, TODAY)
        except InsufficientPoints:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        sweeps = [threads.submit(expire, turn) for turn in range(10)]
        won = dict(zip(everyone, threads.map(want, everyone), strict=True))
        for sweep in sweeps:
            sweep.result()
    for resident_id, held in won.items():
        assert pockets(door, resident_id) == ((0, 10, 0, 0) if held else (0, 0, 0, 0))
    assert_sound(door)
