"""What campaigns give, once more in plain Python: written from the rules, after the acts are decided."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from hashlib import sha256

from tests.crediting.acts import Act
from tests.crediting.oracle import Terms


@dataclass
class Offer:
    """A campaign as its rules are read by a person; days both included."""

    code: str
    first: date
    last: date
    methodologies: set[str]
    times: Fraction | None
    each: int | None
    caps: tuple[int | None, int | None, int | None]
    held_out_ppm: int
    salt: bytes
    residents: set[int]
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    ended_at: datetime | None = None

    def is_for(self, act: Act) -> bool:
        """Whether it gives anything for an act."""
        return (
            act.state == "credited"
            and act.points > 0
            and act.methodology.code in self.methodologies
            and self.first <= act.on <= self.last
            and act.resident in self.residents
            and not self.holds_out(act.resident)
            and not any(begin <= act.t < end for begin, end in self.pauses)
            and (self.ended_at is None or act.t <= self.ended_at)
        )

    def holds_out(self, resident: int) -> bool:
        """The first eight bytes of the hash, modulo a million, below the share."""
        number = sha256(self.salt + resident.to_bytes(8, "big")).digest()[:8]
        return int.from_bytes(number, "big") % 1_000_000 < self.held_out_ppm

    def earns(self, act: Act, terms: Terms) -> int:
        """Before the caps: a fixed number, or so many times the base, less the base."""
        if self.each is not None:
            return self.each
        rate = terms.rate(act.methodology.family, act.evidence)
        assert rate is not None
        assert self.times is not None
        exact = act.credited * Fraction(rate[0])
        base = exact if int(exact) == act.points else Fraction(act.points)
        return int(base * self.times) - act.points


def bonuses(
    acts: Iterable[Act], offers: list[Offer], terms: Terms
) -> dict[int, tuple[str, int, int, list[str]]]:
    """By act: which campaign, what it came to, what the person's caps left, and why less."""
    given: dict[int, tuple[str, int, int, list[str]]] = {}
    used: dict[tuple[object, ...], int] = defaultdict(int)
    for act in sorted(acts, key=lambda act: (act.f, act.order)):
        offer = next((offer for offer in offers if offer.is_for(act)), None)
        if offer is None or (earned := offer.earns(act, terms)) == 0:
            continue
        monday = act.on - timedelta(days=act.on.weekday())
        # longest first: the one that is named
        periods = [
            ("campaign_total_cap", "whole"),
            ("campaign_weekly_cap", ("week", monday)),
            ("campaign_daily_cap", act.on),
        ]
        rooms = {
            reason: cap - used[offer.code, act.resident, period]
            for (reason, period), cap in zip(periods, reversed(offer.caps), strict=True)
            if cap is not None
        }
        due = min([earned, *rooms.values()])
        given[act.id] = (offer.code, earned, due, [_why(earned, rooms)] if due < earned else [])
        for _, period in periods:
            used[offer.code, act.resident, period] += due
    return given


def _why(earned: int, rooms: dict[str, int]) -> str:
    """The longest cap that had nothing left, or left less than the shorter ones."""
    longest_first = list(rooms.items())
    for place, (reason, room) in enumerate(longest_first):
        shorter = [left for _, left in longest_first[place + 1 :]]
        if room == 0 or room < min([earned, *shorter]):
            return reason
    raise AssertionError("cut by no cap")
