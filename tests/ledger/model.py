"""The ledger again, in plain Python and without a database: what the state machine and the threads are held against."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from carbon_credits.ledger.models import ContraKind
from carbon_credits.ledger.recovery import Recovered
from tests.factories.ledger import Act

K = TypeVar("K")
Bucket = tuple[date, int]
Part = tuple[ContraKind, int, int]


@dataclass
class Wallet:
    """One resident's points and grams; `postings` is (kind, other side, points, balance after)."""

    free: dict[Bucket, int] = field(default_factory=lambda: defaultdict(int))
    held: dict[Bucket, int] = field(default_factory=lambda: defaultdict(int))
    pending: dict[tuple[date, date, int], int] = field(default_factory=lambda: defaultdict(int))
    breakage: dict[Bucket, int] = field(default_factory=lambda: defaultdict(int))
    grams: dict[str, int] = field(default_factory=lambda: {"v": 0, "c": 0, "r": 0})
    debt: int = 0
    postings: list[tuple[ContraKind, int, int, int]] = field(default_factory=list)

    def balances(self) -> tuple[int, int, int, int]:
        """(available, held, pending, debt)."""
        return sum(self.free.values()), sum(self.held.values()), sum(self.pending.values()), self.debt

    def post(self, kind: ContraKind, ref: int, points: int) -> None:
        before = self.postings[-1][3] if self.postings else 0
        self.postings.append((kind, ref, points, before + points))

    def receive(self, bucket: Bucket, points: int) -> None:
        """Points arrive: debt first."""
        repaid = min(self.debt, points)
        self.debt -= repaid
        self.free[bucket] += points - repaid

    def credit(self, act: Act, parts: Sequence[Part]) -> None:
        self.grams[act.pool] += act.mg if parts else 0
        for kind, fund_id, points in parts:
            if act.matures_on:
                self.pending[act.matures_on, act.lot_on, fund_id] += points
            else:
                self.receive((act.lot_on, fund_id), points)
            self.post(kind, fund_id, points)

    def expire(self, today: date) -> int:
        lapsed = sorted(bucket for bucket, points in self.free.items() if bucket[0] < today and points)
        for bucket in lapsed:
            self.lapse(bucket, self.free.pop(bucket))
        return len(lapsed)

    def lapse(self, bucket: Bucket, points: int) -> None:
        self.breakage[bucket] += points
        self.post(ContraKind.BREAKAGE, bucket[1], -points)

    def mature(self, today: date) -> list[Bucket]:
        """What is due becomes spendable; says which buckets it came to."""
        due: dict[Bucket, int] = defaultdict(int)
        for key in [key for key, points in self.pending.items() if key[0] <= today and points]:
            due[key[1:]] += self.pending.pop(key)
        for bucket in sorted(due):
            self.receive(bucket, due[bucket])
        return sorted(due)

    def reserve(self, points: int, today: date) -> dict[Bucket, int] | None:
        usable = {bucket: n for bucket, n in sorted(self.free.items()) if bucket[0] >= today and n}
        if sum(usable.values()) < points:
            return None
        self.expire(today)
        split: dict[Bucket, int] = {}
        for bucket, n in usable.items():
            taken = min(n, points - sum(split.values()))
            if taken:
                split[bucket] = taken
                self.free[bucket] -= taken
                self.held[bucket] += taken
        return split

    def capture(self, split: dict[Bucket, int], merchant_id: int) -> None:
        for bucket in sorted(split):
            self.held[bucket] -= split[bucket]
            self.post(ContraKind.MERCHANT, merchant_id, -split[bucket])

    def undo(self, split: dict[Bucket, int], merchant_id: int, today: date) -> None:
        for bucket in sorted(split):
            self.post(ContraKind.MERCHANT, merchant_id, split[bucket])
        for bucket in sorted(split):
            if bucket[0] < today:
                self.lapse(bucket, split[bucket])
            else:
                self.receive(bucket, split[bucket])

    def release(self, split: dict[Bucket, int], today: date) -> None:
        for bucket in sorted(split):
            self.held[bucket] -= split[bucket]
            if bucket[0] < today:
                self.lapse(bucket, split[bucket])
            else:
                self.receive(bucket, split[bucket])

    def claw_back(self, act: Act, parts: Sequence[Part], today: date) -> Recovered:
        self.expire(today)
        found = {"from_pending": 0, "from_lot": 0, "from_other": 0, "from_breakage": 0, "to_debt": 0}
        owed, undone = self.empty_own_buckets(act, parts, today, found)
        for bucket in sorted(self.free, reverse=True):
            owed -= _draw(self.free, bucket, owed, found, "from_other")
        self.debt += owed
        found["to_debt"] = owed
        self.grams[act.pool] -= act.mg if parts else 0
        for _, fund_id, points in parts:
            self.post(ContraKind.CLAWBACK, fund_id, -points)
        for bucket, points in undone.items():
            if points:
                self.post(ContraKind.BREAKAGE, bucket[1], points)
        return Recovered(None, **found)

    def empty_own_buckets(
        self, act: Act, parts: Sequence[Part], today: date, found: dict[str, int]
    ) -> tuple[int, dict[Bucket, int]]:
        undone: dict[Bucket, int] = {}
        owed = 0
        buckets: dict[Bucket, int] = defaultdict(int)
        for _, fund_id, points in parts:
            buckets[act.lot_on, fund_id] += points
        for bucket in sorted(buckets):
            rest = buckets[bucket]
            if act.matures_on:
                rest -= _draw(self.pending, (act.matures_on, *bucket), rest, found, "from_pending")
            rest -= _draw(self.free, bucket, rest, found, "from_lot")
            if bucket[0] < today:
                undone[bucket] = _draw(self.breakage, bucket, rest, found, "from_breakage")
                rest -= undone[bucket]
            owed += rest
        return owed, undone


def mature_together(wallets: Sequence[Wallet], today: date) -> None:
    """What a sweep of one shard does: where any bucket came too late, all that had something due are expired."""
    due = [(wallet, buckets) for wallet in wallets if (buckets := wallet.mature(today))]
    if any(bucket[0] < today for _, buckets in due for bucket in buckets):
        for wallet, _ in due:
            wallet.expire(today)


def _draw(pot: dict[K, int], key: K, wanted: int, found: dict[str, int], where: str) -> int:
    taken = min(pot.get(key, 0), wanted)
    if taken:
        pot[key] -= taken
        found[where] += taken
    return taken
