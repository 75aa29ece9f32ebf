"""Use of proceeds: of each loan, bond, special fund or own budget, what became of the money and what stands behind it.

Points are traced to money by `proceeds_tracing`; a payment's fen follow its points, rounded down cumulatively in the
order spent, lapsed, outstanding, allocated, unallocated, so that they add up to the last fen of what was kept. Grams are
those of acts that the points were granted for, verified apart from claimed and from removals.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy.orm import Session

from carbon_credits.core.errors import InvariantBroken
from carbon_credits.ledger import money_tags
from carbon_credits.ledger.money_tags import MoneyTag
from carbon_credits.reporting import proceeds_events, proceeds_purses
from carbon_credits.reporting.proceeds_events import Told
from carbon_credits.reporting.proceeds_purses import TopUp
from carbon_credits.reporting.proceeds_tracing import Move, Piece, Pools, Use

MG_A_KG: Final = 1_000_000
# what a payment's points are, in the order in which its fen follow them: spent at merchants; lapsed; with residents;
# in campaigns' funds, not granted; in the fund it was paid into, not granted
STATES: Final = ("spent", "lapsed", "outstanding", "allocated", "unallocated")
UNTAGGED: Final = "untagged"
_TOP_UP: Final = ("received_fen", "returned_fen", "reserved_fen", "spent_fen", "free_fen")


@dataclass(frozen=True)
class Payment:
    """What became of one payment for points: `points` and `fen` by STATES; `use` has grams and what merchants got too."""

    money: int
    fund: int
    received_points: int
    returned_points: int
    received_fen: int
    returned_fen: int
    points: Mapping[str, int]
    fen: Mapping[str, int]
    use: Use

    @property
    def verified_mg_spent(self) -> int:
        """Verified milligrams behind the points that were spent: of those granted, the share that was, floored."""
        granted = self.use.granted
        return self.use.verified_mg * min(self.use.spent, granted) // granted if granted > 0 else 0


@dataclass(frozen=True)
class Instrument:
    """One instrument's payments for points and top-ups of purses; of `kind` untagged what nobody has tagged."""

    kind: str
    instrument: str
    issuer: str
    matures_on: date | None
    documents: tuple[str, ...]
    payments: tuple[Payment, ...]
    top_ups: tuple[TopUp, ...]

    def points(self, state: str) -> int:
        """Points in one of STATES."""
        return sum(payment.points[state] for payment in self.payments)

    def fen(self, state: str) -> int:
        """Fen in one of STATES."""
        return sum(payment.fen[state] for payment in self.payments)

    @property
    def received_fen(self) -> int:
        """Fen that came in, for points and for top-ups."""
        return sum(one.received_fen for one in self.payments) + sum(one.received for one in self.top_ups)

    @property
    def returned_fen(self) -> int:
        """Fen that went back to whoever paid them."""
        return sum(one.returned_fen for one in self.payments) + sum(one.returned for one in self.top_ups)

    @property
    def paid_micro_fen(self) -> int:
        """What merchants got for the points spent, in millionths of a fen; the rest of their price is in the fund."""
        return sum(one.use.paid_micro_fen for one in self.payments)

    @property
    def verified_mg(self) -> int:
        """Verified milligrams behind the points granted."""
        return sum(one.use.verified_mg for one in self.payments)

    @property
    def claimed_mg(self) -> int:
        """Claimed milligrams behind the points granted; never added to the verified."""
        return sum(one.use.claimed_mg for one in self.payments)

    @property
    def removal_mg(self) -> int:
        """Milligrams that trees hold, behind the points granted."""
        return sum(one.use.removal_mg for one in self.payments)

    @property
    def verified_mg_spent(self) -> int:
        """Verified milligrams behind the points spent."""
        return sum(one.verified_mg_spent for one in self.payments)

    @property
    def fen_per_verified_kg(self) -> int | None:
        """Fen spent on points for each verified kilogram behind them, floored; None without a kilogram."""
        spent, mg = self.fen("spent"), self.verified_mg_spent
        return spent * MG_A_KG // mg if mg > 0 else None

    def as_document(self) -> dict[str, Any]:
        """As JSON; amounts in fen, points and milligrams, merchants' in millionths of a fen."""
        topped = [(of.received, of.returned, of.reserved, of.spent, of.free) for of in self.top_ups]
        return {
            "kind": self.kind,
            "instrument": self.instrument,
            "issuer": self.issuer,
            "matures_on": None if self.matures_on is None else self.matures_on.isoformat(),
            "documents": list(self.documents),
            "moneys": sorted({of.money for of in self.payments} | {of.money for of in self.top_ups}),
            "received_fen": self.received_fen,
            "returned_fen": self.returned_fen,
            **{f"{state}_fen": self.fen(state) for state in STATES},
            **{f"{state}_points": self.points(state) for state in STATES},
            "paid_micro_fen": self.paid_micro_fen,
            "top_ups": [dict(zip(_TOP_UP, of, strict=True)) for of in topped],
            "verified_mg": self.verified_mg,
            "verified_mg_spent": self.verified_mg_spent,
            "claimed_mg": self.claimed_mg,
            "removal_mg": self.removal_mg,
            "fen_per_verified_kg": self.fen_per_verified_kg,
        }


@dataclass(frozen=True)
class Report:
    """Every instrument through a day; what is untagged is the last."""

    until: date
    instruments: tuple[Instrument, ...]


def report(session: Session, until: date) -> Report:
    """Trace everything through a day. Raises InvariantBroken where the books do not add up."""
    told = proceeds_events.told(session, until)
    payments = traced(told)
    top_ups = proceeds_purses.top_ups(session, until)
    tags = money_tags.newest(session)
    keys = {_key(tags.get(money)) for money in _moneys(payments, top_ups)}
    ordered = sorted(keys, key=lambda key: (key[0] == UNTAGGED, key))
    return Report(until, tuple(_instrument(key, payments, top_ups, tags) for key in ordered))


def traced(told: Told) -> list[Payment]:
    """Each payment for points and what became of it. Raises InvariantBroken where points or fen do not add up."""
    pools = Pools()
    try:
        for event in told.events:
            if isinstance(event, Move):
                pools.move(event)
            else:
                pools.day(event)
        pools.finish()
    except ValueError as fault:
        raise InvariantBroken(str(fault)) from fault
    homes = {paid.money: paid.fund for paid in told.paid if paid.points > 0}
    return [_payment(told, money, fund, pools.funds) for money, fund in homes.items()]


def _payment(told: Told, money: int, fund: int, funds: Mapping[int, Sequence[Piece]]) -> Payment:
    of_it = [paid for paid in told.paid if paid.money == money]
    first = of_it[0]
    points, fen = sum(paid.points for paid in of_it), sum(paid.amount_fen for paid in of_it)
    use, free = Use(), {"allocated": 0, "unallocated": 0}
    for number, pieces in funds.items():
        for piece in pieces:
            if piece.money == money:
                use.add(piece.use)
                free["unallocated" if number == fund else "allocated"] += piece.free
    states = {
        "spent": use.spent,
        "lapsed": use.lapsed,
        "outstanding": use.granted - use.spent - use.lapsed,
        **free,
    }
    if sum(states.values()) != points:
        raise InvariantBroken(
            f"money {money}: {points} points came and stayed, {sum(states.values())} are traced"
        )
    return Payment(
        money,
        fund,
        first.points,
        first.points - points,
        first.amount_fen,
        first.amount_fen - fen,
        states,
        _priced(states, points, fen),
        use,
    )


def _priced(states: Mapping[str, int], points: int, fen: int) -> dict[str, int]:
    """What each state's points cost: of the points up to and with it the floor, less those before."""
    priced, run, before = {}, 0, 0
    for state in STATES:
        run += states[state]
        upto = fen * run // points if points else 0
        priced[state] = upto - before
        before = upto
    priced["unallocated"] += fen - before
    return priced


def _key(tag: MoneyTag | None) -> tuple[str, str, str, str]:
    if tag is None:
        return UNTAGGED, "", "", ""
    day = "" if tag.matures_on is None else tag.matures_on.isoformat()
    return tag.kind, tag.instrument, tag.issuer, day


def _moneys(payments: Sequence[Payment], top_ups: Sequence[TopUp]) -> set[int]:
    return {payment.money for payment in payments} | {top_up.money for top_up in top_ups}


def _instrument(
    key: tuple[str, str, str, str],
    payments: Sequence[Payment],
    top_ups: Sequence[TopUp],
    tags: Mapping[int, MoneyTag],
) -> Instrument:
    kind, instrument, issuer, day = key
    mine = {money for money in _moneys(payments, top_ups) if _key(tags.get(money)) == key}
    return Instrument(
        kind,
        instrument,
        issuer,
        date.fromisoformat(day) if day else None,
        tuple(sorted({tags[money].document for money in mine if money in tags})),
        tuple(one for one in payments if one.money in mine),
        tuple(one for one in top_ups if one.money in mine),
    )
