"""The batch once more, row by row in plain Python: slow, plain, and written from the rules rather than from the SQL."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext

from carbon_credits.methodologies.base import Methodology, Pool, derive
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.programme.service import lot_day
from tests.crediting.acts import PARTNERS, Act
from tests.crediting.pairing import match

LONGER = (("month", "monthly"), ("year", "yearly"))
BASES = (
    ("item", "item_already_claimed", False),
    ("meter", "meter_already_claimed", True),
    ("transaction", "transaction_already_claimed", False),
    ("vehicle", "vehicle_already_claimed", True),
)


@dataclass
class Terms:
    """Rates by (family, class), daily caps by (scope, unit), longer ones by (scope, unit, period), as put in force."""

    rates: dict[tuple[str, str], tuple[Decimal, int, int]]
    caps: dict[tuple[str, str], int]
    longer: dict[tuple[str, str, str], int]

    def rate(self, family: str, evidence: str) -> tuple[Decimal, int, int] | None:
        return self.rates.get((family, evidence)) or self.rates.get(("*", evidence))


class Oracle:
    """All acts of all shards, decided from the beginning, as if they had come at once."""

    def __init__(self, terms: Terms, closed: set[int], today: date) -> None:
        self.terms, self.closed, self.today = terms, closed, today

    def decide(self, acts: list[Act]) -> None:
        """Decide every act there is."""
        for act in acts:
            if not act.state:
                self._quantify(act)
        by_resident: dict[int, list[Act]] = defaultdict(list)
        for act in acts:
            by_resident[act.resident].append(act)
        for own in by_resident.values():
            self._overlap(own)
            match(own)
        self._exclude(acts)
        self._cap(sorted((act for act in acts if not act.state), key=lambda act: (act.f, act.order)))

    def _quantify(self, act: Act) -> None:
        found = quantify(act.methodology, {**act.monitored, **derive(act.methodology, act.f, act.t)}, act.on)
        if refused := [reason for reason in found.reasons if reason != _nothing(act.methodology)]:
            act.state, act.reasons = "rejected", refused
            return
        act.raw = found.raw_mg
        if act.methodology.needs_partner and act.evidence not in PARTNERS:
            act.refuse("awaiting", "awaiting_partner_record")
        elif act.resident in self.closed:
            act.refuse("held", "wallet_closed")

    def _exclude(self, acts: list[Act]) -> None:
        for name, reason, is_period in BASES:
            holders: list[Act] = []
            for act in sorted((a for a in acts if not a.state and name in a.keys), key=lambda a: a.first):
                rivals = [
                    h for h in holders if h.keys[name] == act.keys[name] and (not is_period or act.meets(h))
                ]
                if rivals:
                    act.refuse("rejected", reason)
                else:
                    holders.append(act)

    def _overlap(self, acts: list[Act]) -> None:
        taken: list[Act] = []
        for act in sorted((a for a in acts if a.motion and not a.state), key=lambda act: act.first):
            grade = max((act.shares_with(other) for other in taken if act.meets(other)), default=0)
            if grade == 0:
                taken.append(act)
            elif grade == 2:
                act.refuse("rejected", "overlaps_credited_trip")
            else:
                act.refuse("held", "overlaps_another_trip")

    def _cap(self, credited: list[Act]) -> None:
        done: list[Act] = []
        for act in credited:
            m, caps = act.methodology, self.terms.caps
            day = [d for d in done if d.resident == act.resident and d.on == act.on]
            same = [d for d in day if d.methodology.code == m.code]
            quantity = act.monitored[m.cap_quantity] if m.cap_quantity else 0
            mg, cut = max(act.raw or 0, 0), self._too_many(act, done, len(same))
            asked = 0 if cut else quantity
            act.counted = _room(caps.get((m.code, "quantity")), sum(d.counted for d in same), asked)
            used_up = self._cut_by_longer(act, done)
            act.credited = 0 if cut else mg if act.counted == quantity else mg * act.counted // quantity
            rate = self.terms.rate(m.family, act.evidence)
            due = 0
            if rate is not None:
                with localcontext(prec=60):
                    due = int((act.credited * rate[0]).to_integral_value(ROUND_FLOOR))
                act.fund = rate[2]
                act.matures = self.today + timedelta(days=rate[1]) if rate[1] else None
            family = sum(d.points for d in day if d.methodology.family == m.family)
            act.points = _room(caps.get((m.family, "points")), family, due)
            act.points = _room(caps.get(("*", "points")), sum(d.points for d in day), act.points)
            act.lot = lot_day(act.on)
            act.pool = (
                "r" if m.pool is Pool.REMOVAL else "v" if m.verifiable and act.evidence in PARTNERS else "c"
            )
            act.state = "credited"
            act.reasons = [
                code
                for code, holds in (
                    (_nothing(m), mg == 0),
                    (cut, bool(cut)),
                    (used_up or "daily_quantity_cap", act.counted < asked),
                    ("no_earning_rate", act.credited > 0 and rate is None),
                    ("daily_points_cap", act.points < due),
                )
                if holds
            ]
            done.append(act)

    def _too_many(self, act: Act, done: list[Act], same_day: int) -> str:
        code = act.methodology.code
        if same_day + 1 > self.terms.caps.get((code, "count"), 10**9):
            return "daily_count_cap"
        for period, word in LONGER:
            most = self.terms.longer.get((code, "count", period), 10**9)
            if len(_of_period(act, done, period)) + 1 > most:
                return f"{word}_count_cap"
        return ""

    def _cut_by_longer(self, act: Act, done: list[Act]) -> str:
        """Cut what the day left by the month's and the year's room; the longest that is used up, or nothing."""
        used_up = ""
        for period, word in LONGER:
            most = self.terms.longer.get((act.methodology.code, "quantity", period))
            used = sum(d.counted for d in _of_period(act, done, period))
            act.counted = _room(most, used, act.counted)
            if most is not None and used + act.counted >= most:
                used_up = f"{word}_quantity_cap"
        return used_up


def _of_period(act: Act, done: list[Act], period: str) -> list[Act]:
    """What the resident has of the same methodology in the act's month or year."""
    first = act.on.replace(day=1) if period == "month" else act.on.replace(day=1, month=1)
    same = [d for d in done if d.resident == act.resident and d.methodology.code == act.methodology.code]
    return [d for d in same if d.on.year == first.year and (period == "year" or d.on.month == first.month)]


def _nothing(methodology: Methodology) -> str:
    """What is said where an act comes to nothing: the methodology's own words, if it has any."""
    return "no_reduction" if methodology.no_grams is None else methodology.no_grams.reason


def _room(most: int | None, used: int, asked: int) -> int:
    return asked if most is None else min(most, used + asked) - min(most, used)


def methodology(number: int) -> Methodology:
    """The version of a methodology number the tests use."""
    return BY_NUMBER[number][-1]
