"""Taking a credited act back: its grams in full, its points from wherever they are, into debt if need be."""

from dataclasses import replace
from datetime import date

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.expiry import expire_resident
from carbon_credits.ledger.funds import give_back
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import Line, post
from carbon_credits.ledger.recovery import Bucket, Recovered, recover


def claw_back(
    session: Session,
    resident_id: int,
    activity_id: int,
    generation: int,
    reason: str,
    today: date,
    *,
    matures_on: date | None,
) -> Recovered | None:
    """Reverse what one act (and generation) was credited with; None when that was done before.

    `matures_on` is the decision's: it names the pending bucket, None where points came at once.
    Order: own pending bucket, own lot, breakage if that lot lapsed, latest-expiring free lots, debt.
    Points return to the funds they came from. The caller changes the decision's state in this transaction.
    """
    shard_id = shard_of(resident_id)
    lock_shard(session, shard_id)
    expire_resident(session, resident_id, today)
    if _done_before(session, resident_id, activity_id, generation):
        return None
    credited = _credited(session, resident_id, activity_id, generation)
    found, undone = recover(session, resident_id, credited, matures_on, today)
    lines = _lines(resident_id, activity_id, generation, credited, found, undone)
    journal_id = post(session, JournalKind.CLAWBACK, shard_id, today, lines).journal_id
    found = replace(found, journal_id=journal_id)
    _remember(session, resident_id, activity_id, generation, found, reason)
    returned: dict[int, int] = {}
    for credit in credited:
        returned[credit["contra_ref"]] = returned.get(credit["contra_ref"], 0) + credit["points"]
    give_back(session, shard_id, returned)
    return found


def _done_before(session: Session, resident_id: int, activity_id: int, generation: int) -> bool:
    """Whether this was clawed back; decided under the wallet's lock, and by the primary key behind it."""
    return bool(
        session.execute(
            text("""
                select exists (select from clawback where resident_id = :resident and activity_id = :activity
                               and generation = :generation and shard_id = :shard)
            """),
            _names(resident_id, activity_id, generation),
        ).scalar_one()
    )


def _credited(session: Session, resident_id: int, activity_id: int, generation: int) -> list[RowMapping]:
    """What the act was credited with: a grant, perhaps a bonus, each from its own fund; grams restated since."""
    rows = session.execute(
        text("""
            select contra_ref, points, verified_mg, claimed_mg, removal_mg, lot_on, effective_on
            from posting
            where resident_id = :resident and shard_id = :shard and activity_id = :activity
              and generation = :generation and contra_kind in (1, 2, 7)
            order by wallet_seq
        """),
        _names(resident_id, activity_id, generation),
    )
    return list(rows.mappings())


def _lines(
    resident_id: int,
    activity_id: int,
    generation: int,
    credited: list[RowMapping],
    found: Recovered,
    undone: list[Bucket],
) -> list[Line]:
    """One line against each fund for what it had given, one for each breakage undone.

    Every line moves `available`; the first also shifts what in truth came out of pending or went into debt.
    """
    if not credited:
        return []
    blank = Line(
        resident_id,
        ContraKind.CLAWBACK,
        0,
        effective_on=credited[0]["effective_on"],
        activity_id=activity_id,
        generation=generation,
    )
    acts = [_undoing(blank, credit) for credit in credited]
    if found.from_pending or found.to_debt:
        shifted = acts[0].available + found.from_pending + found.to_debt
        acts[0] = replace(acts[0], available=shifted, pending=-found.from_pending, debt=found.to_debt)
    lapsed = replace(blank, contra_kind=ContraKind.BREAKAGE)
    return acts + [
        replace(lapsed, contra_ref=bucket.fund_id, available=bucket.points, lot_on=bucket.lot_on)
        for bucket in undone
    ]


def _undoing(blank: Line, credit: RowMapping) -> Line:
    """The mirror of one posting, on the day it was for, so that a period's grams correct themselves."""
    return replace(
        blank,
        contra_ref=credit["contra_ref"],
        effective_on=credit["effective_on"],
        available=-credit["points"],
        verified_mg=-credit["verified_mg"],
        claimed_mg=-credit["claimed_mg"],
        removal_mg=-credit["removal_mg"],
        lot_on=credit["lot_on"],
    )


def _remember(
    session: Session, resident_id: int, activity_id: int, generation: int, found: Recovered, reason: str
) -> None:
    session.execute(
        text("""
            insert into clawback (resident_id, activity_id, generation, shard_id, journal_id,
                                  from_pending, from_lot, from_other, from_breakage, to_debt, reason)
            values (:resident, :activity, :generation, :shard, :journal,
                    :pending, :lot, :other, :breakage, :debt, :reason)
        """),
        {
            **_names(resident_id, activity_id, generation),
            "journal": found.journal_id,
            "pending": found.from_pending,
            "lot": found.from_lot,
            "other": found.from_other,
            "breakage": found.from_breakage,
            "debt": found.to_debt,
            "reason": reason,
        },
    )


def _names(resident_id: int, activity_id: int, generation: int) -> dict[str, int]:
    return {
        "resident": resident_id,
        "activity": activity_id,
        "generation": generation,
        "shard": shard_of(resident_id),
    }
