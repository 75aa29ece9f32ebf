"""The batch once more, row by row in plain Python: slow, plain, and written from the rules rather than from the SQL."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext

from carbon_credits.methodologies.base import Methodology, Pool, derive
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.programme.service import lot_day

PARTNERS = frozenset("AB")
LONGER = (("month", "monthly"), ("year", "yearly"))
BASES = (
    ("item", "item_already_claimed", False),
    ("meter", "meter_already_claimed", True),
    ("transaction", "transaction_already_claimed", False),
    ("vehicle", "vehicle_already_claimed", True),
)


@dataclass
class Act:
    """A claimed act, and what is decided about it."""

    id: int
    resident: int
    f: datetime
    t: datetime
    on: date
    methodology: Methodology
    evidence: str
    monitored: dict[str, int]
    keys: dict[str, bytes]
    state: str = ""
    reasons: list[str] = field(default_factory=list)
    against: int | None = None
    raw: int | None = None
    counted: int = 0
    credited: int = 0
    points: int = 0
    fund: int | None = None
    matures: date | None = None
    lot: date | None = None
    pool: str | None = None

    @property
    def motion(self) -> bool:
        return "person_motion" in self.methodology.bases

    @property
    def first(self) -> tuple[str, datetime, int]:
        return self.evidence, self.f, self.id

    def shares_with(self, other: "Act") -> int:
        """0 little, 1 more than a fifth, 2 more than seven tenths of the shorter."""
        shared = min(self.t, other.t) - max(self.f, other.f)
        shorter = min(self.t - self.f, other.t - other.f)
        return 2 if 10 * shared > 7 * shorter else 1 if 10 * shared > 2 * shorter else 0

    def meets(self, other: "Act") -> bool:
        return self.f < other.t and self.t > other.f

    def refuse(self, state: str, reason: str, against: int | None = None) -> None:
        self.state, self.reasons, self.against = state, [reason], against


@dataclass
class Terms:
    """Rates by (family, class), daily caps by (scope, unit), longer ones by (scope, unit, period), as put in force."""

    rates: dict[tuple[str, str], tuple[Decimal, int, int]]
    caps: dict[tuple[str, str], int]
    longer: dict[tuple[str, str, str], int]

    def rate(self, family: str, evidence: str) -> tuple[Decimal, int, int] | None:
        return self.rates.get((family, evidence)) or self.rates.get(("*", evidence))


class Oracle:
    """All that was decided so far, of all shards."""

    def __init__(self, terms: Terms, funds: dict[int, int], closed: set[int], today: date) -> None:
        self.terms, self.funds, self.closed, self.today = terms, funds, closed, today
        self.past: list[Act] = []
        self.returned: list[tuple[int, int]] = []
        self.claims: dict[str, list[tuple[bytes, Act]]] = defaultdict(list)

    def batch(self, acts: list[Act]) -> None:
        """Decide a batch of one shard."""
        for act in acts:
            self._quantify(act)
        self._exclude(acts)
        self._replace(acts)
        self._overlap(acts)
        for name, _, _ in BASES:
            gone = {id(act) for act in acts if act.state in ("rejected", "replaced")}
            self.claims[name] = [(key, act) for key, act in self.claims[name] if id(act) not in gone]
        credited = sorted((act for act in acts if not act.state), key=lambda act: (act.f, act.id))
        self._cap(credited)
        self._pay(credited)
        # what replaced claims had earned goes back to its fund once the batch is paid
        for fund, points in self.returned:
            self.funds[fund] += points
        self.returned.clear()
        self.past += acts

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
            mine = [act for act in acts if not act.state and name in act.keys]
            for act in sorted(mine, key=lambda act: act.first):
                rivals = [
                    other
                    for key, other in self.claims[name]
                    if key == act.keys[name] and (not is_period or act.meets(other))
                ]
                if not rivals:
                    self.claims[name].append((act.keys[name], act))
            for act in mine:
                if not any(other is act for _, other in self.claims[name]):
                    holders = [
                        other.id
                        for key, other in self.claims[name]
                        if key == act.keys[name] and (not is_period or act.meets(other))
                    ]
                    act.refuse("rejected", reason, min(holders))

    def _replace(self, acts: list[Act]) -> None:
        records = [act for act in acts if act.motion and not act.state and act.evidence in PARTNERS]
        for record in records:
            for phone in [*acts, *self.past]:
                same = phone.resident == record.resident and phone.methodology is record.methodology
                if not same or phone.evidence in PARTNERS or not phone.motion or not phone.meets(record):
                    continue
                if phone.state in ("", "awaiting", "credited") and phone.shares_with(record) == 2:
                    if phone.state == "credited" and phone.points:
                        assert phone.fund is not None
                        self.returned.append((phone.fund, phone.points))
                    phone.refuse("replaced", "replaced_by_partner_record", record.id)

    def _overlap(self, acts: list[Act]) -> None:
        taken: dict[int, list[Act]] = defaultdict(list)
        for act in self.past:
            if act.motion and act.state == "credited":
                taken[act.resident].append(act)
        for act in sorted((a for a in acts if a.motion and not a.state), key=lambda act: act.first):
            met = [(act.shares_with(other), -other.id) for other in taken[act.resident] if act.meets(other)]
            grade, other = max(met, default=(0, 0))
            if grade == 0:
                taken[act.resident].append(act)
            else:
                state, reason = (
                    ("rejected", "overlaps_credited_trip")
                    if grade == 2
                    else ("held", "overlaps_another_trip")
                )
                act.refuse(state, reason, -other)

    def _cap(self, credited: list[Act]) -> None:
        done = [act for act in self.past if act.state == "credited"]
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

    def _pay(self, credited: list[Act]) -> None:
        for act in credited:
            if act.points:
                assert act.fund is not None
                paid = min(act.points, self.funds[act.fund])
                self.funds[act.fund] -= paid
                if paid < act.points:
                    act.points = paid
                    act.reasons.append("fund_exhausted")


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
