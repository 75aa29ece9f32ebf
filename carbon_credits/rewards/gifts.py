"""A gift of many: each pledges one piece of an offer; when all are pledged all are taken, else all are given back.

A pledge is a hold that lives a little longer than the gift's deadline, so that taking them can be finished after it.
What becomes of the pledges is done by a job, a chunk of one shard at a time, and may be cut off and gone on with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger import holds
from carbon_credits.ledger.locks import lock_wallets
from carbon_credits.rewards.captures import book
from carbon_credits.rewards.codes import short_code, well_typed
from carbon_credits.rewards.looking import HONOURED, shown_of
from carbon_credits.rewards.redemptions import Redemption, end, set_aside
from carbon_credits.rewards.refusals import refusal
from carbon_credits.rewards.terms import terms_of

SOONEST: Final = timedelta(hours=1)
LATEST: Final = timedelta(days=60)
# how long pledges are held past the deadline, for taking those of a gift that was completed at the last moment
TO_FINISH: Final = timedelta(days=3)


@dataclass(frozen=True)
class Gift:
    """A gift as those who have its code see it; who pledged is nobody's business. Goal and pledged in points."""

    gift_id: int
    join_code: str
    offer_id: int
    offer_title: Text
    title: str
    goal: int
    pledged: int
    points: int
    pledges: int
    deadline: datetime
    state: str


def begin(
    session: Session,
    vault: Vault,
    resident_id: int,
    offer_id: int,
    title: str,
    pieces: int,
    deadline: datetime,
    now: datetime,
) -> Gift:
    """Begin a gift of so many pieces of an offer; whoever has its code may pledge one.

    Raises the refusals of terms_of, `not_a_gift`, `deadline_not_fitting`.
    """
    terms = terms_of(session, offer_id, resident_id, now, None)
    if terms.kind != "group_gift":
        raise refusal("not_a_gift")
    if not now + SOONEST <= deadline <= now + LATEST:
        raise refusal("deadline_not_fitting")
    code = _code(vault, resident_id, now)
    session.execute(
        text("""
            insert into gift (offer_id, begun_by, shard_id, title, goal, join_mac, deadline, begun_at)
            values (:offer, :resident, :shard, :title, :goal, :mac, :deadline, :now)
        """),
        {
            "offer": offer_id,
            "resident": resident_id,
            "shard": shard_of(resident_id),
            "title": title,
            "goal": pieces * terms.points,
            "mac": _mac(vault, code),
            "deadline": deadline,
            "now": now,
        },
    )
    return show(session, vault, code)


def show(session: Session, vault: Vault, join_code: str) -> Gift:
    """The gift of an invitation's code; raises `gift_unknown`."""
    return _told(vault, _find(session, vault, join_code))


def gifts_of(session: Session, vault: Vault, resident_id: int, before: int | None, limit: int) -> list[Gift]:
    """The gifts that a resident began or pledged to, newest first; `before` is the number of the last one seen."""
    given = {"resident": resident_id, "shard": shard_of(resident_id), "before": before, "limit": limit}
    return [_told(vault, row) for row in session.execute(_MINE, given)]


def _told(vault: Vault, row: Row[tuple[object, ...]]) -> Gift:
    return Gift(
        gift_id=row.gift_id,
        join_code=_code(vault, row.begun_by, row.begun_at),
        offer_id=row.offer_id,
        offer_title=Text(row.title_zh, row.title_en),
        title=row.title,
        goal=row.goal,
        pledged=row.pledged,
        points=row.points,
        pledges=row.pledges,
        deadline=row.deadline,
        state=row.state,
    )


def pledge(session: Session, vault: Vault, resident_id: int, join_code: str, now: datetime) -> Redemption:
    """Pledge one piece; the one that meets the goal completes the gift, and no pledge exceeds it.

    Raises the refusals of terms_of and set_aside, `gift_unknown`, `gift_over`.
    """
    gift = _find(session, vault, join_code)
    if gift.state != "open" or now >= gift.deadline:
        raise refusal("gift_over")
    terms = terms_of(session, gift.offer_id, resident_id, now, None, lock=True)
    held_until = gift.deadline + TO_FINISH
    made = set_aside(
        session, vault, resident_id, terms, "group_gift", gift.deadline, held_until, gift.gift_id
    )
    counted = session.execute(
        text("""
            update gift
            set pledged = pledged + :points,
                state = case when pledged + :points = goal then 'complete' else state end,
                resolved_at = case when pledged + :points = goal then clock_timestamp() end
            where gift_id = :gift and state = 'open' and deadline > clock_timestamp() and pledged + :points <= goal
            returning gift_id
        """),
        {"gift": gift.gift_id, "points": terms.points},
    ).scalar()
    if counted is None:
        raise refusal("gift_over")
    return made


def finish_due(session: Session, now: datetime, today: date, limit: int) -> int:
    """Take the pledges of complete gifts, give back those of gifts whose time is up; at most `limit` of one shard.

    Returns how many gifts or pledges were dealt with, 0 when none is left. Gifts are failed in a transaction that takes
    no wallet, for whoever pledges takes the wallet first.
    """
    failed = session.execute(
        text("""
            update gift set state = 'failed', resolved_at = clock_timestamp()
            where gift_id in (select gift_id from gift where state = 'open' and deadline <= :now
                              order by gift_id limit :limit for no key update)
            returning gift_id
        """),
        {"now": now, "limit": limit},
    ).all()
    return len(failed) or _take_pledges(session, limit) or _give_back(session, today, limit)


def _take_pledges(session: Session, limit: int) -> int:
    pledges = _of_first_shard(session, "complete", limit, f"and m.state in {HONOURED}")
    for row in pledges:
        shown = shown_of(session, row.redemption_id, row.shard_id)
        book(session, shown, client_id=None, occurred_at=row.completed_at)
    return len(pledges)


def _give_back(session: Session, today: date, limit: int) -> int:
    pledges = _of_first_shard(session, "failed", limit, "")
    if pledges:
        given_back = holds.void_locked(
            session, pledges[0].shard_id, [row.redemption_id for row in pledges], today
        )
        end(session, given_back, "cancelled")
    return len(pledges)


def _of_first_shard(
    session: Session, state: str, limit: int, further: str
) -> Sequence[Row[tuple[UUID, int, int, datetime]]]:
    """Open pledges of gifts in a state, of the first shard that has any, their wallets locked in order.

    Looked at again once the wallets are ours: another may have dealt with some meanwhile.
    """
    asked = text(f"""
        select r.redemption_id, r.resident_id, r.shard_id, g.resolved_at as completed_at
        from redemption r join gift g using (gift_id) join merchant m on m.merchant_id = r.merchant_id
        join hold h on h.hold_id = r.redemption_id and h.shard_id = r.shard_id
        where r.gift_id is not null and r.state = 'reserved' and g.state = :state
          and h.expires_at > clock_timestamp() {further}
        order by r.shard_id, r.resident_id, r.redemption_id limit :limit
    """)  # noqa: S608 - constants
    given = {"state": state, "limit": limit}
    rows = session.execute(asked, given).all()
    if not rows:
        return []
    shard_id = rows[0].shard_id
    mine = [row for row in rows if row.shard_id == shard_id]
    lock_wallets(session, shard_id, sorted({row.resident_id for row in mine}))
    still = {row.redemption_id for row in session.execute(asked, given)}
    return [row for row in mine if row.redemption_id in still]


_COLUMNS: Final = """
select g.*, o.points, o.title_zh, o.title_en,
       (select count(*) from redemption r
        where r.gift_id = g.gift_id and r.state in ('reserved', 'captured')) as pledges
from gift g join offer o using (offer_id)
"""
_JOINED: Final = text(f"{_COLUMNS} where join_mac = :mac")
_MINE: Final = text(f"""{_COLUMNS}
where g.gift_id in (
    select gift_id from gift where begun_by = :resident union
    select gift_id from redemption where resident_id = :resident and shard_id = :shard and gift_id is not null)
  and (cast(:before as bigint) is null or g.gift_id < cast(:before as bigint))
order by g.gift_id desc limit :limit""")  # noqa: S608 - made of constants


def _find(session: Session, vault: Vault, join_code: str) -> Row[tuple[object, ...]]:
    code = well_typed(join_code)
    row = session.execute(_JOINED, {"mac": _mac(vault, code or "")}).one_or_none()
    if row is None:
        raise refusal("gift_unknown")
    return row


def _code(vault: Vault, begun_by: int, begun_at: datetime) -> str:
    """Made of what the row holds, so that it can be shown again and is kept nowhere."""
    return short_code(vault, f"gift|{begun_by}|{begun_at.timestamp():.6f}".encode())


def _mac(vault: Vault, code: str) -> bytes:
    return vault.blind("gift-join", code)
