"""Whose money a point was: whatever comes in, is granted, spent, taken back or lapses adds up to the last unit."""

from collections import Counter
from random import Random

import pytest

from carbon_credits.reporting.proceeds import _priced
from carbon_credits.reporting.proceeds_purses import Entry, TopUp, trace
from carbon_credits.reporting.proceeds_tracing import Day, Move, Pools, shared


def come(fund: int, money: int, points: int) -> Move:
    return Move(money, None, fund, points)


def go(fund: int, money: int, points: int) -> Move:
    return Move(money, fund, None, points)


def over(source: int, target: int, points: int) -> Move:
    return Move(None, source, target, points)


def seen(pools: Pools, fund: int) -> list[tuple[int, int, int, int, int]]:
    """Of each payment in a fund: points, granted, spent, lapsed."""
    return [(p.money, p.points, p.use.granted, p.use.spent, p.use.lapsed) for p in pools.funds[fund]]


def test_the_oldest_money_pays_and_money_that_came_later_paid_nothing_before() -> None:
    pools = Pools()
    pools.move(come(1, 10, 100))
    pools.day(Day(1, granted=80, spent=50, verified_mg=8_000, paid_micro_fen=50_000))
    before = seen(pools, 1)
    pools.move(come(1, 20, 100))
    assert seen(pools, 1) == [*before, (20, 100, 0, 0, 0)]
    pools.day(Day(1, granted=60, spent=45, lapsed=5, verified_mg=6_000))
    assert seen(pools, 1) == [(10, 100, 100, 95, 5), (20, 100, 40, 0, 0)]
    # twenty of the sixty were of the first payment, and so is a third of their grams
    assert [piece.use.verified_mg for piece in pools.funds[1]] == [8_000 + 2_000, 4_000]
    assert [piece.use.paid_micro_fen for piece in pools.funds[1]] == [50_000, 0]
    # what is taken back frees the newest
    pools.day(Day(1, granted=-30, lapsed=-2))
    assert seen(pools, 1) == [(10, 100, 100, 95, 3), (20, 100, 10, 0, 0)]


def test_what_is_taken_back_frees_the_newest_that_is_with_residents_first() -> None:
    pools = Pools()
    for money in (10, 20, 30):
        pools.move(come(1, money, 50))
    pools.day(Day(1, granted=130, spent=60, lapsed=10))
    pools.day(Day(1, granted=-45, lapsed=-4))
    assert seen(pools, 1) == [(10, 50, 50, 50, 0), (20, 50, 35, 10, 6), (30, 50, 0, 0, 0)]
    # more comes back than is with them: they owe it, and the newest that was granted is free first
    pools.day(Day(1, granted=-40))
    assert seen(pools, 1) == [(10, 50, 45, 50, 0), (20, 50, 0, 10, 6), (30, 50, 0, 0, 0)]


def test_what_a_campaign_gets_keeps_its_name_and_comes_back_under_it() -> None:
    pools = Pools()
    for money in (10, 20):
        pools.move(come(1, money, 100))
    pools.day(Day(1, granted=70))
    pools.move(over(1, 2, 80))
    assert seen(pools, 1) == [(10, 70, 70, 0, 0), (20, 50, 0, 0, 0)]
    assert seen(pools, 2) == [(10, 30, 0, 0, 0), (20, 50, 0, 0, 0)]
    pools.day(Day(2, granted=40))
    pools.move(over(2, 1, 40))
    assert seen(pools, 1) == [(10, 70, 70, 0, 0), (20, 90, 0, 0, 0)]
    assert seen(pools, 2) == [(10, 30, 30, 0, 0), (20, 10, 10, 0, 0)]


def test_what_goes_back_is_its_payers_also_where_it_was_in_use_or_had_moved_on() -> None:
    pools = Pools()
    for money in (10, 20):
        pools.move(come(1, money, 100))
    pools.day(Day(1, granted=60, spent=40, verified_mg=600))
    pools.move(over(1, 2, 30))
    pools.day(Day(2, granted=20, verified_mg=2_000))
    # of the first payment 60 are granted here and 30 have moved on: all of it goes back
    pools.move(go(1, 10, 100))
    assert seen(pools, 1) == [(10, 0, 0, 0, 0), (20, 70, 60, 40, 0)]
    assert seen(pools, 2) == [(10, 0, 0, 0, 0), (20, 30, 20, 0, 0)]
    assert sum(piece.use.verified_mg for pieces in pools.funds.values() for piece in pieces) == 2_600


def test_a_grant_booked_before_its_money_waits_for_it_and_no_longer() -> None:
    pools = Pools()
    pools.day(Day(1, granted=50, spent=10, verified_mg=500))
    pools.move(come(1, 10, 100))
    pools.finish()
    assert seen(pools, 1) == [(10, 100, 50, 10, 0)]
    pools.day(Day(1, granted=51))
    with pytest.raises(ValueError, match="no money bought"):
        pools.finish()
    with pytest.raises(ValueError, match="less than what leaves"):
        Pools().move(over(1, 2, 1))


def test_more_is_spent_than_is_granted_where_residents_owe_points() -> None:
    pools = Pools()
    pools.move(come(1, 10, 100))
    pools.day(Day(1, granted=60, spent=60))
    pools.day(Day(1, granted=-60))
    (piece,) = pools.funds[1]
    assert (piece.free, piece.outstanding) == (100, -60)
    pools.day(Day(1, granted=100, spent=100))
    assert (piece.free, piece.outstanding, piece.use.spent) == (0, -60, 160)


class Books:
    """What is told to the pools, counted beside them."""

    def __init__(self, chance: Random) -> None:
        self.chance, self.pools = chance, Pools()
        self.came: Counter[int] = Counter()
        self.home: dict[int, int] = {}
        self.granted: Counter[int] = Counter()
        self.totals: Counter[str] = Counter()

    def free(self, fund: int) -> int:
        """Points of a fund that are not granted."""
        return sum(piece.free for piece in self.pools.funds.get(fund, []))

    def come(self, number: int) -> None:
        """Money comes in."""
        fund, points = self.chance.choice([1, 1, 2]), self.chance.randint(1, 1_000)
        self.pools.move(come(fund, number, points))
        self.came[number], self.home[number] = points, fund

    def over(self, _: int) -> None:
        """Money moves to another fund."""
        source, target = self.chance.sample([1, 2, 3], 2)
        if self.free(source):
            self.pools.move(over(source, target, self.chance.randint(1, self.free(source))))

    def go(self, _: int) -> None:
        """Money goes back to its payer."""
        money = self.chance.choice(list(self.came) or [0])
        most = min(self.came[money], self.free(self.home.get(money, 0)))
        if most > 0:
            points = self.chance.randint(1, most)
            self.pools.move(go(self.home[money], money, points))
            self.came[money] -= points

    def day(self, _: int) -> None:
        """A fund's day."""
        fund, chance = self.chance.choice([1, 1, 2, 3]), self.chance
        pieces = self.pools.funds.get(fund)
        if not pieces:
            return
        out = sum(piece.outstanding for piece in pieces)
        lapsed = sum(piece.use.lapsed for piece in pieces)
        day = Day(
            fund,
            granted=chance.randint(-self.granted[fund], self.free(fund)),
            spent=chance.randint(0, max(out, 0)),
            lapsed=chance.randint(-min(lapsed, 3), 5 if out > 5 else 0),
            paid_micro_fen=chance.randint(0, 10**6),
            verified_mg=chance.randint(0, 10**9),
            claimed_mg=chance.randint(0, 10**9),
        )
        self.pools.day(day)
        self.granted[fund] += day.granted
        for name in ("granted", "spent", "lapsed", "paid_micro_fen", "verified_mg", "claimed_mg"):
            self.totals[name] += getattr(day, name)


@pytest.mark.parametrize("seed", range(40))
def test_random_books_add_up_whatever_happens(seed: int) -> None:
    books = Books(Random(seed))
    for number in range(1, 120):
        books.chance.choice([books.come, books.day, books.day, books.day, books.over, books.go])(number)
        assert_adds_up(books.pools, books.came, books.granted, books.totals)


def assert_adds_up(pools: Pools, came: Counter[int], granted: Counter[int], totals: Counter[str]) -> None:
    """Every unit of what was told is with one payment, and every payment is whole."""
    every = [piece for pieces in pools.funds.values() for piece in pieces]
    for money, points in came.items():
        assert sum(piece.points for piece in every if piece.money == money) == points
    for fund, pieces in pools.funds.items():
        assert sum(piece.use.granted for piece in pieces) == granted[fund]
        assert all(0 <= piece.use.granted <= piece.points for piece in pieces)
        assert all(piece.use.spent >= 0 and piece.use.lapsed >= 0 for piece in pieces)
    for name, total in totals.items():
        assert sum(getattr(piece.use, name) for piece in every) == total


def test_fen_follow_points_to_the_last_one() -> None:
    chance = Random(5)
    for _ in range(500):
        parts = [chance.randint(0, 50) for _ in range(5)]
        states = dict(zip(("spent", "lapsed", "outstanding", "allocated", "unallocated"), parts, strict=True))
        states["outstanding"] -= chance.choice([0, 0, min(states["unallocated"], 10)])
        points, fen = sum(states.values()), chance.randint(0, 10_000)
        priced = _priced(states, points, fen)
        assert sum(priced.values()) == fen
        if points:
            assert all(abs(priced[name] * points - fen * states[name]) < points for name in states)


def test_a_share_is_whole_whatever_its_sign() -> None:
    assert shared(100, [1, 1, 1]) == [33, 33, 34]
    assert shared(-100, [1, 1, 1]) == [-33, -33, -34]
    assert shared(7, [0, 0]) == [0, 7]
    assert shared(7, []) == []


@pytest.mark.parametrize("seed", range(20))
def test_random_purses_add_up(seed: int) -> None:
    chance = Random(seed)
    entries: list[Entry] = []
    for number in range(1, 80):
        now = trace(entries)
        free, reserved, spent = (
            sum(getattr(one, name) for one in now) for name in ("free", "reserved", "spent")
        )
        kind = chance.choice(["paid_in", "reserved", "released", "spent", "returned", "refunded"])
        money = chance.choice(now).money if now else number
        owned = {one.money: one.received - one.returned for one in now}
        most = {
            "paid_in": 500,
            "reserved": free,
            "released": reserved,
            "spent": reserved,
            "returned": spent,
            "refunded": min(free, owned.get(money, 0)),
        }[kind]
        if most:
            entries.append(Entry(1, kind, chance.randint(1, most), number if kind == "paid_in" else money))
    told: Counter[str] = Counter()
    for entry in entries:
        told[entry.kind] += entry.fen
    found = trace(entries)
    assert all(min(one.free, one.reserved, one.spent, one.returned) >= 0 for one in found)
    assert sum(one.received for one in found) == told["paid_in"]
    assert sum(one.returned for one in found) == told["refunded"]
    assert sum(one.spent for one in found) == told["spent"] - told["returned"]
    assert sum(one.reserved for one in found) == (
        told["reserved"] - told["released"] - told["spent"] + told["returned"]
    )


def test_a_top_up_that_goes_back_changes_places_with_what_is_free() -> None:
    entries = [
        Entry(1, "paid_in", 100, 10),
        Entry(1, "paid_in", 100, 20),
        Entry(1, "reserved", 90),
        Entry(1, "spent", 50),
    ]
    entries += [Entry(1, "refunded", 100, 10), Entry(1, "refund_failed", 40, 10)]
    assert trace(entries) == [
        TopUp(10, received=100, returned=60),
        TopUp(20, received=100, reserved=40, spent=50),
    ]
