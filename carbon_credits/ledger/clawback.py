"""Taking credited acts back: their grams in full, their points from wherever they are, into debt if need be.

Many acts of a shard are taken back together, in one journal and with as many statements as one act costs. Each finds
what the acts before it left, so that it comes to the same as one by one.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.ledger.expiry import expire_residents
from carbon_credits.ledger.funds import give_back
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import Line, post
from carbon_credits.ledger.recovery import Bucket, Pockets, Recovered


class Passage(NamedTuple):
    """One credited passage (generation) of an act that is to be taken back, and why.

    `matures_on` is the decision's: it names the pending bucket, None where points came at once.
    """

    resident_id: int
    activity_id: int
    generation: int
    matures_on: date | None
    reason: str


# What each act was credited with: a grant, perhaps a bonus, each from its own fund; grams restated since. Whether it was
# taken back before is decided under the wallet's lock, and by the primary key behind it.
_CREDITED: Final = text("""
select a.place, c.activity_id is not null as is_done, p.contra_ref, p.points, p.verified_mg, p.claimed_mg, p.removal_mg,
       p.lot_on, p.effective_on
from unnest(cast(:residents as bigint[]), cast(:acts as bigint[]), cast(:generations as smallint[]))
       with ordinality as a (resident_id, activity_id, generation, place)
left join lateral (
  select activity_id from clawback c
  where c.resident_id = a.resident_id and c.activity_id = a.activity_id and c.generation = a.generation
    and c.shard_id = :shard
  offset 0
) c on true
left join lateral (
  select * from posting p
  where p.resident_id = a.resident_id and p.shard_id = :shard and p.activity_id = a.activity_id
    and p.generation = a.generation and p.contra_kind in (1, 2, 7)
  offset 0
) p on c.activity_id is null
order by a.place, p.wallet_seq
""")
_FOUND: Final = tuple(field.name for field in fields(Recovered))
_REMEMBER: Final = text(f"""
insert into clawback (resident_id, activity_id, generation, reason, {", ".join(_FOUND)}, shard_id)
select *, :shard
from unnest(cast(:residents as bigint[]), cast(:acts as bigint[]), cast(:generations as smallint[]),
            cast(:reasons as text[]), {", ".join(f"cast(:found_{name} as bigint[])" for name in _FOUND)})
""")  # noqa: S608 - made of constants


def claw_back(
    session: Session, shard_id: int, passages: Sequence[Passage], today: date
) -> list[Recovered | None]:
    """Reverse what acts of one shard were credited with, in this order; for each what was found, None when that was
    done before.

    Order: own pending bucket, own lot, breakage if that lot lapsed, latest-expiring free lots, debt. Points return to the
    funds they came from. The caller changes the decisions' states in this transaction.
    """
    if not passages:
        return []
    lock_shard(session, shard_id)
    residents = sorted({passage.resident_id for passage in passages})
    expire_residents(session, shard_id, residents, today)
    credited = _credited(session, shard_id, passages)
    pockets = Pockets(session, shard_id, residents, today)
    lines: list[Line] = []
    taken: dict[Passage, Recovered] = {}
    returned: Counter[int] = Counter()
    for passage, earned in credited.items():
        recovered, undone = pockets.recover(passage.resident_id, _buckets(earned), passage.matures_on)
        taken[passage] = recovered
        lines += _lines(passage, earned, recovered, undone)
        for credit in earned:
            returned[credit.contra_ref] += credit.points
    pockets.write()
    journal_id = post(session, JournalKind.CLAWBACK, shard_id, today, lines).journal_id
    taken = {p: replace(found, journal_id=journal_id if credited[p] else None) for p, found in taken.items()}
    _remember(session, shard_id, taken)
    give_back(session, shard_id, returned)
    return [taken.pop(passage, None) for passage in passages]


def _credited(
    session: Session, shard_id: int, passages: Sequence[Passage]
) -> dict[Passage, list[Row[tuple[Any, ...]]]]:
    """What each act had earned, in the order of the acts; those that were taken back before are left out."""
    named: dict[tuple[int, int, int], Passage] = {}
    for passage in passages:
        named.setdefault(passage[:3], passage)
    once = list(named.values())
    rows = session.execute(_CREDITED, {**_names(once), "shard": shard_id})
    earned: dict[Passage, list[Row[tuple[Any, ...]]]] = {}
    for row in rows:
        if row.is_done:
            continue
        of_act = earned.setdefault(once[row.place - 1], [])
        if row.contra_ref is not None:
            of_act.append(row)
    return earned


def _buckets(earned: Sequence[Row[tuple[Any, ...]]]) -> list[Bucket]:
    """Grant and bonus out of one fund lie in one bucket and are looked for together."""
    points: Counter[tuple[date, int]] = Counter()
    for credit in earned:
        if credit.points:
            points[credit.lot_on, credit.contra_ref] += credit.points
    return [Bucket(fund_id, lot_on, points[lot_on, fund_id]) for lot_on, fund_id in sorted(points)]


def _lines(
    passage: Passage, earned: Sequence[Row[tuple[Any, ...]]], found: Recovered, undone: Sequence[Bucket]
) -> list[Line]:
    """One line against each fund for what it had given, one for each breakage undone.

    Every line moves `available`; the first also shifts what in truth came out of pending or went into debt.
    """
    if not earned:
        return []
    blank = Line(
        passage.resident_id,
        ContraKind.CLAWBACK,
        0,
        effective_on=earned[0].effective_on,
        activity_id=passage.activity_id,
        generation=passage.generation,
    )
    acts = [_undoing(blank, credit) for credit in earned]
    if found.from_pending or found.to_debt:
        shifted = acts[0].available + found.from_pending + found.to_debt
        acts[0] = replace(acts[0], available=shifted, pending=-found.from_pending, debt=found.to_debt)
    lapsed = replace(blank, contra_kind=ContraKind.BREAKAGE)
    return acts + [
        replace(lapsed, contra_ref=bucket.fund_id, available=bucket.points, lot_on=bucket.lot_on)
        for bucket in undone
    ]


def _undoing(blank: Line, credit: Row[tuple[Any, ...]]) -> Line:
    """The mirror of one posting, on the day it was for, so that a period's grams correct themselves."""
    return replace(
        blank,
        contra_ref=credit.contra_ref,
        effective_on=credit.effective_on,
        available=-credit.points,
        verified_mg=-credit.verified_mg,
        claimed_mg=-credit.claimed_mg,
        removal_mg=-credit.removal_mg,
        lot_on=credit.lot_on,
    )


def _remember(session: Session, shard_id: int, taken: Mapping[Passage, Recovered]) -> None:
    given = {
        **_names(list(taken)),
        "shard": shard_id,
        "reasons": [passage.reason for passage in taken],
        **{f"found_{name}": [getattr(found, name) for found in taken.values()] for name in _FOUND},
    }
    session.execute(_REMEMBER, given)


def _names(passages: Sequence[Passage]) -> dict[str, object]:
    return {
        "residents": [passage.resident_id for passage in passages],
        "acts": [passage.activity_id for passage in passages],
        "generations": [passage.generation for passage in passages],
    }
