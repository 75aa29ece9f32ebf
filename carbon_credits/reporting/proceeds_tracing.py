"""Whose money a point was: points of a fund are paid with the oldest money in it, day by day, in whole points.

The rule (decision 0041). Money waits in the order it came. Points granted take the oldest that is free; points spent or
lapsed take the oldest that is granted; points taken back free the newest that is outstanding. Money moved to a
campaign's fund is the oldest that is free, and keeps its name there and on its way back. What is returned to whoever
paid it must be theirs: where it is in use, the use changes places with other money that is free. A day is the smallest
unit: what moves between funds comes before what is granted, that before what is spent and lapses. What comes with
points (grams, fen paid to merchants) is shared by points, rounded down cumulatively, so that parts add up to the last
unit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Final


@dataclass
class Use:
    """What points of a piece of money were used for, and what comes with them: milligrams, millionths of a fen."""

    granted: int = 0
    spent: int = 0
    lapsed: int = 0
    paid_micro_fen: int = 0
    verified_mg: int = 0
    claimed_mg: int = 0
    removal_mg: int = 0

    def add(self, other: "Use") -> None:
        """Take over another's."""
        for name in USES:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def part(self, points: int) -> "Use":
        """Give away so many of the points granted, with their share of everything else."""
        whole = self.granted
        given = Use(**{name: getattr(self, name) * points // whole for name in USES})
        for name in USES:
            setattr(self, name, getattr(self, name) - getattr(given, name))
        return given


USES: Final = tuple(one.name for one in fields(Use))


@dataclass
class Piece:
    """Points of one fund that one payment bought; `money` is the approval it came in under."""

    money: int
    points: int
    use: Use = field(default_factory=Use)

    @property
    def free(self) -> int:
        """Points not granted."""
        return self.points - self.use.granted

    @property
    def outstanding(self) -> int:
        """Points with residents: granted and neither spent nor lapsed. Below zero where they owe them."""
        return self.use.granted - self.use.spent - self.use.lapsed


@dataclass(frozen=True)
class Move:
    """Money that comes into a fund (`source` None), goes back to its payer (`target` None), or moves between funds."""

    money: int | None
    source: int | None
    target: int | None
    points: int


@dataclass(frozen=True)
class Day:
    """A fund's day, net: points granted, spent and lapsed, and what comes with them."""

    fund: int
    granted: int = 0
    spent: int = 0
    lapsed: int = 0
    paid_micro_fen: int = 0
    verified_mg: int = 0
    claimed_mg: int = 0
    removal_mg: int = 0


class Pools:
    """Every fund's money, traced, its events given in order; what is taken and is not there is an error."""

    def __init__(self) -> None:
        self.funds: dict[int, list[Piece]] = {}
        self._late: dict[int, Day] = {}

    def move(self, move: Move) -> None:
        """Money in, out or over. Raises ValueError where a fund has not as much that is free."""
        if move.source is None:
            assert move.target is not None
            assert move.money is not None
            self._put(move.target, move.money, move.points)
        elif move.target is None:
            assert move.money is not None
            self._give_back(move.source, move.money, move.points)
        else:
            for money, points in self._take(move.source, move.points):
                self._put(move.target, money, points)

    def day(self, day: Day) -> None:
        """What a fund's points did in a day.

        Around midnight a grant may be booked on the day before its money came: such a day waits for the next.
        """
        whole = day if day.fund not in self._late else _together(self._late.pop(day.fund), day)
        pieces = self.funds.get(day.fund, [])
        if whole.granted > sum(max(piece.free, 0) for piece in pieces):
            self._late[day.fund] = whole
            return
        grants = _granted(pieces, whole.granted)
        for name in ("verified_mg", "claimed_mg", "removal_mg"):
            _share(pieces, name, getattr(whole, name), grants)
        spent = _used(pieces, "spent", whole.spent)
        _share(pieces, "paid_micro_fen", whole.paid_micro_fen, spent)
        _used(pieces, "lapsed", whole.lapsed)

    def finish(self) -> None:
        """When all is told. Raises ValueError where points were granted that no money bought."""
        for fund in sorted(self._late):
            self.day(Day(fund))
        if self._late:
            raise ValueError(f"points granted that no money bought, of funds {sorted(self._late)}")

    def _piece(self, fund: int, money: int) -> Piece:
        pieces = self.funds.setdefault(fund, [])
        found = next((piece for piece in pieces if piece.money == money), None)
        if found is None:
            found = Piece(money, 0)
            pieces.append(found)
        return found

    def _put(self, fund: int, money: int, points: int) -> None:
        self._piece(fund, money).points += points

    def _take(self, fund: int, points: int) -> list[tuple[int, int]]:
        """The oldest that is free."""
        taken = []
        for piece in self.funds.get(fund, []):
            some = min(max(piece.free, 0), points)
            if some:
                piece.points -= some
                points -= some
                taken.append((piece.money, some))
        if points:
            raise ValueError(f"fund {fund} has {points} points less than what leaves it")
        return taken

    def _give_back(self, fund: int, money: int, points: int) -> None:
        own = self._piece(fund, money)
        self._bring_home(fund, own, points - own.points)
        in_use = points - own.free
        if in_use > 0:
            self._swap_use(fund, own, in_use)
        own.points -= points

    def _bring_home(self, fund: int, own: Piece, lacking: int) -> None:
        """Where money has moved on to other funds, other money that is free here takes its place there."""
        for elsewhere in sorted(self.funds):
            if elsewhere == fund:
                continue
            for away in [piece for piece in self.funds[elsewhere] if piece.money == own.money]:
                for other in [piece for piece in self.funds[fund] if piece is not own]:
                    some = min(max(other.free, 0), away.points, lacking)
                    if some > 0:
                        self._exchange(elsewhere, away, other, some)
                        own.points += some
                        lacking -= some
        if lacking > 0:
            raise ValueError(f"fund {fund} has {lacking} points less than what goes back")

    def _exchange(self, elsewhere: int, away: Piece, other: Piece, points: int) -> None:
        used = max(points - max(away.free, 0), 0)
        there = self._piece(elsewhere, other.money)
        if used:
            there.use.add(away.use.part(used))
        there.points += points
        away.points -= points
        other.points -= points

    def _swap_use(self, fund: int, own: Piece, points: int) -> None:
        """What the money had paid for is paid by other money that is free, the oldest first."""
        for other in self.funds[fund]:
            some = min(max(other.free, 0), points) if other is not own else 0
            if some:
                other.use.add(own.use.part(some))
                points -= some
        if points:
            raise ValueError(f"fund {fund} has {points} points less than what goes back")


def _together(one: Day, other: Day) -> Day:
    names = [of.name for of in fields(Day) if of.name != "fund"]
    return Day(one.fund, **{name: getattr(one, name) + getattr(other, name) for name in names})


def shared(amount: int, weights: Sequence[int]) -> list[int]:
    """A whole number in parts as the weights are, each rounded down cumulatively: together they are the whole.

    Without any weight the last has all of it.
    """
    total = sum(weights)
    if total <= 0:
        return [*([0] * (len(weights) - 1)), amount] if weights else []
    size, sign = abs(amount), -1 if amount < 0 else 1
    parts, before, run = [], 0, 0
    for weight in weights:
        run += weight
        upto = size * run // total
        parts.append(sign * (upto - before))
        before = upto
    return parts


def _share(pieces: Sequence[Piece], name: str, amount: int, weights: Sequence[int]) -> None:
    if not amount:
        return
    if not any(weights):
        weights = [max(piece.use.granted, 0) for piece in pieces]
    if not pieces:
        raise ValueError(f"{name} of a fund that never had money")
    for piece, part in zip(pieces, shared(amount, weights), strict=True):
        setattr(piece.use, name, getattr(piece.use, name) + part)


def _granted(pieces: Sequence[Piece], points: int) -> list[int]:
    """How many of each piece, in order: the oldest free; where points came back, the newest outstanding."""
    if points >= 0:
        return _put_on(pieces, "granted", points, [max(piece.free, 0) for piece in pieces])
    first = [max(piece.outstanding, 0) for piece in pieces]
    rooms = _latest(first, -points)
    rest = -points - sum(rooms)
    more = _latest([piece.use.granted - taken for piece, taken in zip(pieces, rooms, strict=True)], rest)
    return _take_off(pieces, "granted", [a + b for a, b in zip(rooms, more, strict=True)], -points)


def _used(pieces: Sequence[Piece], name: str, points: int) -> list[int]:
    """The oldest outstanding is spent, or lapses. Where residents owe points, more was: then the oldest money at all."""
    if points < 0:
        return _take_off(
            pieces, name, _latest([getattr(piece.use, name) for piece in pieces], -points), -points
        )
    rooms = [max(piece.outstanding, 0) for piece in pieces]
    beyond = points - sum(rooms)
    if beyond > 0 and pieces:
        more = _earliest(
            [
                max(piece.points - piece.use.spent - piece.use.lapsed - room, 0)
                for piece, room in zip(pieces, rooms, strict=True)
            ],
            beyond,
        )
        rooms = [a + b for a, b in zip(rooms, more, strict=True)]
        rooms[-1] += points - sum(rooms) if points > sum(rooms) else 0
    return _put_on(pieces, name, points, rooms)


def _put_on(pieces: Sequence[Piece], name: str, points: int, rooms: Sequence[int]) -> list[int]:
    parts = _earliest(rooms, points)
    if sum(parts) != points:
        raise ValueError(f"{points - sum(parts)} points {name} that no money bought")
    for piece, part in zip(pieces, parts, strict=True):
        setattr(piece.use, name, getattr(piece.use, name) + part)
    return parts


def _take_off(pieces: Sequence[Piece], name: str, parts: Sequence[int], points: int) -> list[int]:
    if sum(parts) != points:
        raise ValueError(f"{points - sum(parts)} points come back that were never {name}")
    for piece, part in zip(pieces, parts, strict=True):
        setattr(piece.use, name, getattr(piece.use, name) - part)
    return list(parts)


def _earliest(rooms: Iterable[int], points: int) -> list[int]:
    parts = []
    for room in rooms:
        parts.append(min(room, points))
        points -= parts[-1]
    return parts


def _latest(rooms: Sequence[int], points: int) -> list[int]:
    return _earliest(reversed(rooms), points)[::-1]
