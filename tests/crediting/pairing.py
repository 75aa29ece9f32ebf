"""Matching once more, pair by pair in plain Python: written from the rules rather than from the SQL."""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from tests.crediting.acts import Act


def match(acts: list[Act]) -> None:
    """Pair one resident's claims with the records, surest first."""
    records = [act for act in acts if act.is_record and not act.state]
    claims = [
        act
        for act in acts
        if not act.is_record
        and (not act.state or act.state == "awaiting" or act.reasons[0].startswith("overlaps"))
    ]
    pairing = _passes(claims, records)
    for claim in claims:
        if claim.id in pairing.matched:
            claim.refuse("replaced", "replaced_by_partner_record")
        elif claim.state == "awaiting" and _travels_otherwise(claim, records):
            claim.refuse("rejected", "overlaps_credited_trip")


def _passes(claims: list[Act], records: list[Act]) -> "Pairing":
    pairing = Pairing()
    pairing.take_best([(c, r) for c in claims for r in records if _named_alike(c, r)], sure=False)
    window = [(c, r) for c in claims for r in records if _at_one_time(c, r)]
    for _ in range(3):
        if not pairing.take_best(window, sure=True):
            break
    for claim in claims:
        if _near_tie(claim, _ranked(claim, pairing.open(window))):
            claim.refuse("held", "ambiguous_match")
    pairing.group([c for c in claims if c.reasons != ["ambiguous_match"]], records)
    return pairing


Pairs = list[tuple[Act, Act]]


class Pairing:
    """Who is matched so far."""

    def __init__(self) -> None:
        self.matched: dict[int, Act] = {}
        self.taken: set[int] = set()

    def open(self, pairs: Pairs) -> Pairs:
        return [(c, r) for c, r in pairs if c.id not in self.matched and r.id not in self.taken]

    def take_best(self, pairs: Pairs, *, sure: bool) -> int:
        """One round of mutual best choice; how many were matched."""
        left = self.open(pairs)
        found = []
        for claim in {c.id: c for c, _ in left}.values():
            ranked = _ranked(claim, left)
            best = ranked[0]
            suitors = sorted((c for c, r in left if r is best), key=lambda c: (-_score(c, best), c.order))
            if suitors[0] is claim and not (sure and _near_tie(claim, ranked)):
                found.append((claim, best))
        for claim, record in found:
            self.matched[claim.id] = record
            self.taken.add(record.id)
        return len(found)

    def group(self, claims: list[Act], records: list[Act]) -> None:
        """A claim over several records, each mostly inside it and together at least half of it."""
        inside: dict[int, list[Act]] = defaultdict(list)
        for record in records:
            holders = [c for c in claims if c.id not in self.matched and _holds(c, record)]
            if holders and record.id not in self.taken:
                best = min(holders, key=lambda c: (-_shared(c, record), c.order))
                inside[best.id].append(record)
        for claim in claims:
            mine = inside[claim.id]
            if len(mine) > 1 and 2 * sum(_shared(claim, r) for r in mine) >= _lasts(claim):
                self.matched[claim.id] = mine[0]
                self.taken.update(r.id for r in mine)


def _travels_otherwise(claim: Act, records: list[Act]) -> bool:
    trips = (act for act in records if act.motion) if claim.motion else ()
    return any(claim.meets(trip) and claim.shares_with(trip) == 2 for trip in trips)


def _named_alike(claim: Act, record: Act) -> bool:
    same = claim.methodology.code == record.methodology.code
    return same and claim.match_key is not None and claim.match_key == record.match_key


def _at_one_time(claim: Act, record: Act) -> bool:
    if claim.methodology.code != record.methodology.code:
        return False
    start_s, permille = _tolerance(claim)
    near = abs((record.f - claim.f).total_seconds()) <= start_s
    return near and (not claim.motion or 1000 * _shared(claim, record) >= permille * _whole(claim, record))


def _holds(claim: Act, record: Act) -> bool:
    same = claim.motion and claim.methodology.code == record.methodology.code
    return same and 10 * _shared(claim, record) > 7 * _lasts(record)


def _tolerance(act: Act) -> tuple[int, int]:
    if act.methodology.code == "travel.shared_bicycle":
        return 300, 600
    return (900 if act.motion else 600), 500


def _lasts(act: Act) -> int:
    return int((act.t - act.f).total_seconds())


def _shared(a: Act, b: Act) -> int:
    return int((min(a.t, b.t) - max(a.f, b.f)).total_seconds())


def _whole(a: Act, b: Act) -> int:
    return int((max(a.t, b.t) - min(a.f, b.f)).total_seconds())


def _score(claim: Act, record: Act) -> int:
    start_s, _ = _tolerance(claim)
    apart = int(abs((record.f - claim.f).total_seconds()))
    near = Decimal(1000 * max(0, start_s - apart)) / start_s
    if not claim.motion:
        return int(near.to_integral_value(ROUND_HALF_UP))
    common = Decimal(2000 * max(0, _shared(claim, record))) / max(1, _whole(claim, record))
    return int(((common + near) / 3).to_integral_value(ROUND_HALF_UP))


def _ranked(claim: Act, pairs: Pairs) -> list[Act]:
    return sorted((r for c, r in pairs if c is claim), key=lambda r: (-_score(claim, r), r.order))


def _near_tie(claim: Act, ranked: list[Act]) -> bool:
    return len(ranked) > 1 and 10 * _score(claim, ranked[1]) > 9 * _score(claim, ranked[0])
