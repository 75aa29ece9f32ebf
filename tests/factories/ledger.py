"""Funds, wallets and credits for tests. `credit` writes what the crediting batch writes, one act at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.ids import SHARD_SIZE, shard_of
from carbon_credits.ledger import funds
from carbon_credits.ledger.locks import lock_shard, lock_wallets
from carbon_credits.ledger.models import ContraKind, JournalKind
from carbon_credits.ledger.posting import Line, post
from carbon_credits.ledger.service import open_wallet, wallet_of
from carbon_credits.staff.service import Role, add
from tests.factories import campaigns
from tests.factories.numbers import fresh

TODAY = date(2026, 11, 22)
LOT_ON = date(2028, 11, 30)
SOURCE = 1
# of residents and acts; their numbers say which shard they are in, so nothing else counts them up
_ids = count(1)
POOLS = {"v": "verified_mg", "c": "claimed_mg", "r": "removal_mg"}


@dataclass(frozen=True)
class Act:
    """A decided act on its way into the books: points and bonus are what it would earn if the funds can pay."""

    resident_id: int
    points: int = 10
    mg: int = 1000
    pool: str = "v"
    fund_id: int = 0
    bonus: int = 0
    bonus_fund_id: int = 0
    occurred_on: date = TODAY
    lot_on: date = LOT_ON
    matures_on: date | None = None
    motion: bool = False
    activity_id: int = field(default_factory=lambda: next(_ids))


@dataclass(frozen=True)
class Granted:
    """What an act got: (kind, fund, points) of each posting, in order."""

    parts: tuple[tuple[ContraKind, int, int], ...]


def residents(session: Session, how_many: int) -> list[int]:
    """Residents with wallets, dealt over two shards; their numbers were never used before."""
    made = []
    for _ in range(how_many):
        number = next(_ids)
        resident_id = (number % 2) * SHARD_SIZE + number
        open_wallet(session, resident_id)
        made.append(resident_id)
    return made


def a_fund(session: Session, points: int = 1_000_000) -> int:
    """A fund that holds `points` after one approved deposit."""
    number = fresh()
    fund_id = funds.create_fund(session, f"fund_{number}", f"资金池{number}", f"Fund {number}")
    if points:
        a_deposit(session, fund_id, points)
    return fund_id


def a_campaign_fund(session: Session, points: int = 1_000_000) -> int:
    """The fund of a campaign of a day of its own, far ahead: what bonuses come out of."""
    number = fresh()
    roles = [Role.PROGRAMME, Role.FINANCE]
    people = [add(session, f"{who} {number}", roles, "tests").staff_id for who in ("proposer", "approver")]
    source = a_fund(session, points)
    day = (date(2100, 1, 1) + timedelta(days=number)).isoformat()
    campaign = campaigns.approved(
        session,
        (people[0], people[1]),
        code=f"c{number}_campaign",
        starts_on=day,
        ends_on=day,
        budget_points=points,
        source_fund=session.execute(
            text("select code from fund where fund_id = :f"), {"f": source}
        ).scalar_one(),
    )
    assert campaign.fund_id is not None
    return campaign.fund_id


def a_deposit(session: Session, fund_id: int, points: int) -> None:
    """One approved deposit at a fen a point."""
    approval_id = session.execute(
        text("""
            with who as (
              insert into staff (name, roles) values (:name, '{finance}') returning staff_id
            )
            insert into approval (kind, payload, digest, reason, proposed_by)
            select 'fund.deposit', '{}', sha256('x'), 'a test', staff_id from who returning approval_id
        """),
        {"name": f"cashier {fresh()}"},
    ).scalar_one()
    funds.deposit(session, fund_id, points, points, approval_id)


def months_of(session: Session, first: date, last: date) -> None:
    """See that there are partitions for these days."""
    session.execute(text("select make_partitions(:first, :last)"), {"first": first, "last": last})


def credit(session: Session, act: Act, today: date) -> Granted | None:
    """Credit one act as the batch does; None when it is in the books already."""
    shard_id = shard_of(act.resident_id)
    if not _tell(session, act, shard_id):
        return None
    lock_shard(session, shard_id)
    lock_wallets(session, shard_id, [act.resident_id])
    parts = _granted(session, act, shard_id)
    journal_id = _post(session, act, shard_id, parts, today)
    points = {kind: sum(p for k, _, p in parts if k is kind) for kind in (ContraKind.GRANT, ContraKind.BONUS)}
    _decide(session, act, shard_id, journal_id, points)
    return Granted(tuple(parts))


def reverse(session: Session, act: Act, state: str = "reversed") -> None:
    """What crediting does after a clawback: the decision says so."""
    session.execute(
        text("""
            update decision set state = :state, reasons = '{test}'
            where resident_id = :resident and occurred_on = :day and activity_id = :activity
        """),
        {"resident": act.resident_id, "day": act.occurred_on, "activity": act.activity_id, "state": state},
    )


def _tell(session: Session, act: Act, shard_id: int) -> bool:
    given = {
        "activity": act.activity_id,
        "resident": act.resident_id,
        "day": act.occurred_on,
        "key": act.activity_id.to_bytes(8, "big"),
        "shard": shard_id,
        "source": SOURCE,
        **_span(act),
    }
    first = session.execute(
        text("""
            insert into act_key values (:source, :key, :activity, :resident, :key, :day)
            on conflict do nothing returning activity_id
        """),
        given,
    ).scalar()
    if first is None:
        return False
    session.execute(
        text("""
            insert into activity (activity_id, resident_id, occurred_from, occurred_to, occurred_on,
                                  methodology, source_id, shard_id, evidence_class, monitored, evidence_digest)
            values (:activity, :resident, :begins, :ends, :day, 1, :source, :shard, 'B', '{}', decode(md5('none'), 'hex'))
        """),
        given,
    )
    return True


def _span(act: Act) -> dict[str, datetime]:
    begins = datetime(act.occurred_on.year, act.occurred_on.month, act.occurred_on.day, 2, tzinfo=UTC)
    return {"begins": begins, "ends": begins + timedelta(minutes=10)}


def _granted(session: Session, act: Act, shard_id: int) -> list[tuple[ContraKind, int, int]]:
    wanted: dict[int, int] = {}
    asked = ((ContraKind.GRANT, act.fund_id, act.points), (ContraKind.BONUS, act.bonus_fund_id, act.bonus))
    for _, fund_id, points in asked:
        if points:
            wanted[fund_id] = wanted.get(fund_id, 0) + points
    rest = funds.take(session, shard_id, wanted)
    parts = []
    for kind, fund_id, points in asked:
        got = min(points, rest.get(fund_id, 0))
        rest[fund_id] = rest.get(fund_id, 0) - got
        if got or (kind is ContraKind.GRANT and act.mg):
            parts.append((kind, fund_id, got))
    return parts


def _post(
    session: Session, act: Act, shard_id: int, parts: Sequence[tuple[ContraKind, int, int]], today: date
) -> int | None:
    debt = wallet_of(session, act.resident_id).debt
    lines = []
    for kind, fund_id, points in parts:
        repaid = 0 if act.matures_on else min(debt, points)
        debt -= repaid
        _fill(session, act, shard_id, fund_id, points - repaid)
        pockets = {"pending": points} if act.matures_on else {"available": points - repaid, "debt": -repaid}
        grams = {POOLS[act.pool]: act.mg} if kind is ContraKind.GRANT else {}
        lines.append(
            Line(
                act.resident_id,
                kind,
                fund_id,
                effective_on=act.occurred_on,
                activity_id=act.activity_id,
                generation=1,
                lot_on=act.lot_on if points else None,
                **pockets,
                **grams,
            )
        )
    return post(session, JournalKind.CREDIT, shard_id, today, lines).journal_id


def _fill(session: Session, act: Act, shard_id: int, fund_id: int, points: int) -> None:
    if not points:
        return
    given = {
        "resident": act.resident_id,
        "lot_on": act.lot_on,
        "matures_on": act.matures_on,
        "fund": fund_id,
        "points": points,
        "shard": shard_id,
    }
    if act.matures_on:
        statement = """
            insert into pending_lot as p values (:resident, :matures_on, :lot_on, :fund, :points, :shard)
            on conflict (resident_id, matures_on, expires_on, fund_id, shard_id)
            do update set points = p.points + excluded.points
        """
    else:
        statement = """
            insert into lot as l values (:resident, :lot_on, :fund, :points, :points, 0, :shard)
            on conflict (resident_id, expires_on, fund_id, shard_id)
            do update set earned = l.earned + excluded.earned, remaining = l.remaining + excluded.remaining
        """
    session.execute(text(statement), given)


def _decide(
    session: Session, act: Act, shard_id: int, journal_id: int | None, points: dict[ContraKind, int]
) -> None:
    session.execute(
        text("""
            insert into decision (activity_id, resident_id, occurred_from, occurred_to, raw_mg, credited_mg,
                                  points, bonus, journal_id, release_id, fund_id, occurred_on, matures_on, lot_on,
                                  methodology, generation, shard_id, evidence_class, pool, motion, state)
            values (:activity, :resident, :begins, :ends, :mg, :mg, :points, :bonus, :journal, 1, :fund, :day,
                    :matures_on, :lot_on, 1, 1, :shard, 'B', :pool, :motion, 'credited')
        """),
        {
            "activity": act.activity_id,
            "resident": act.resident_id,
            **_span(act),
            "mg": act.mg,
            "points": points[ContraKind.GRANT],
            "bonus": points[ContraKind.BONUS],
            "journal": journal_id,
            "fund": act.fund_id,
            "day": act.occurred_on,
            "matures_on": act.matures_on,
            "lot_on": act.lot_on,
            "shard": shard_id,
            "pool": act.pool,
            "motion": act.motion,
        },
    )
    if points[ContraKind.BONUS]:
        session.execute(
            text("""
                insert into bonus (activity_id, resident_id, entitled, due_points, points, journal_id, campaign_id,
                                   fund_id, occurred_on, generation, shard_id)
                select :activity, :resident, :points, :points, :points, :journal, campaign_id, fund_id, :day, 1, :shard
                from campaign where fund_id = :fund
            """),
            {
                "activity": act.activity_id,
                "resident": act.resident_id,
                "points": points[ContraKind.BONUS],
                "journal": journal_id,
                "fund": act.bonus_fund_id,
                "day": act.occurred_on,
                "shard": shard_id,
            },
        )
