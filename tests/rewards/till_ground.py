"""Merchants with accounts and a purse, and captures as tills would leave them, written straight into the tables.

Settlement reads captures and reversals and nothing of how they came about; what it makes of them is compared with a plain
recomputation over the same rows.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.staff.service import Role
from tests.factories.numbers import fresh
from tests.factories.rewards import a_licence
from tests.factories.staff import a_member

VALUE = 950_001  # micro-fen a point: an awkward one, so that fractions of a fen are left


@dataclass(frozen=True)
class Staff:
    """Two people of finance."""

    asks: int
    agrees: int


@dataclass(frozen=True)
class Shop:
    """A merchant with one offer; `subsidy_fen` of each capture comes out of the purse."""

    merchant_id: int
    offer_id: int
    points: int
    subsidy_fen: int
    purse_id: int | None

    @property
    def micro_fen(self) -> int:
        """What it is paid for a capture."""
        return self.points * VALUE + self.subsidy_fen * 1_000_000


@dataclass(frozen=True)
class Taken:
    """A capture, and the day it was undone on, if it was."""

    capture_id: UUID
    shop: Shop
    day: date
    undone: bool


def two_of_finance(session: Session) -> Staff:
    """Who asks and who agrees."""
    return Staff(a_member(session, Role.FINANCE), a_member(session, Role.FINANCE))


def an_approval(session: Session, staff: Staff, kind: str = "merchant.activate") -> int:
    """Something two people agreed on."""
    return int(
        session.execute(
            text("""
                insert into approval (kind, payload, digest, reason, proposed_by, state, decided_by, decided_at)
                values (:kind, '{}', sha256('x'), 'a test', :asks, 'approved', :agrees, clock_timestamp())
                returning approval_id
            """),
            {"kind": kind, "asks": staff.asks, "agrees": staff.agrees},
        ).scalar_one()
    )


def a_purse(session: Session, fen: int) -> int:
    """A purse with money, all of it reserved for offers."""
    number = fresh()
    return int(
        session.execute(
            text("""
                with made as (
                  insert into purse (code, kind, name_zh, name_en, paid_in_fen, reserved_fen)
                  values (:code, 'sponsor', '钱包', 'Purse', :fen, :fen) returning purse_id
                ),
                entered as (
                  insert into purse_entry (purse_id, kind, amount_fen, cause)
                  select purse_id, kind, :fen, 'a test' from made cross join (values ('paid_in'), ('reserved')) k (kind)
                )
                select purse_id from made
            """),
            {"code": f"purse_{number}", "fen": fen},
        ).scalar_one()
    )


def a_shop(
    session: Session,
    staff: Staff,
    *,
    points: int = 100,
    subsidy_fen: int = 0,
    purse_id: int | None = None,
    rail: str | None = "stripe",
) -> Shop:
    """An active merchant with an offer, paid over a rail; without one where there is none."""
    number, approval = fresh(), an_approval(session, staff)
    merchant = session.execute(
        text("""
            insert into merchant (code, name_zh, name_en, category, address, licence_no, contact, state, approval_id)
            values (:code, '商户', 'Shop', 'food', '祖庙路 1 号', :licence, '\\x00', 'active', :approval)
            returning merchant_id
        """),
        {"code": f"shop_{number}", "licence": a_licence(), "approval": approval},
    ).scalar_one()
    if rail is not None:
        an_account(session, staff, merchant, rail)
    offer = session.execute(
        text("""
            insert into offer (merchant_id, kind, title_zh, title_en, text_zh, text_en, category, points, face_fen,
                               value_micro_fen, subsidy_fen, purse_id, stock, from_at, to_at, state, approval_id)
            values (:merchant, 'voucher', '茶', 'Tea', '一杯', 'A cup', 'food', :points, :face, :value, :subsidy, :purse,
                    1000000, '2026-01-01', '2027-01-01', 'live', :approval) returning offer_id
        """),
        {
            "merchant": merchant,
            "points": points,
            "face": points + subsidy_fen + 100,
            "value": VALUE,
            "subsidy": subsidy_fen,
            "purse": purse_id if subsidy_fen else None,
            "approval": approval,
        },
    ).scalar_one()
    return Shop(merchant, offer, points, subsidy_fen, purse_id if subsidy_fen else None)


def an_account(session: Session, staff: Staff, merchant_id: int, rail: str = "stripe") -> int:
    """What a merchant is paid to from now on; the one before is ended."""
    number = fresh()
    session.execute(
        text("""
            update merchant_account set state = 'ended', ended_at = clock_timestamp()
            where merchant_id = :merchant and state = 'active'
        """),
        {"merchant": merchant_id},
    )
    columns = {
        "stripe": "(:merchant, 'stripe', :reference, null, null, null, null, 'active', :approval)",
        "bank": "(:merchant, 'bank', null, '\\x01', '\\x02', '4711', '102588000011', 'active', :approval)",
    }
    return int(
        session.execute(
            text(f"""
                insert into merchant_account (merchant_id, rail, provider_ref, holder, number, number_end, bank_code,
                                              state, approval_id)
                values {columns[rail]} returning account_id
            """),
            {
                "merchant": merchant_id,
                "reference": f"acct_{number}",
                "approval": an_approval(session, staff, "merchant.account"),
            },
        ).scalar_one()
    )


def take(session: Session, shop: Shop, day: date, many: int = 1, *, undone: int = 0) -> list[Taken]:
    """So many captures on a day, the last `undone` of them undone the same day."""
    taken = [Taken(uuid4(), shop, day, place >= many - undone) for place in range(many)]
    write(session, taken)
    return taken


def write(session: Session, taken: Sequence[Taken]) -> None:
    """Write captures and their reversals, many at once, at noon of their day."""
    given = {
        "ids": [one.capture_id for one in taken],
        "merchants": [one.shop.merchant_id for one in taken],
        "offers": [one.shop.offer_id for one in taken],
        "at": [datetime.combine(one.day, time(12), PROGRAMME_ZONE) for one in taken],
        "days": [one.day for one in taken],
        "points": [one.shop.points for one in taken],
        "subsidies": [one.shop.subsidy_fen for one in taken],
        "purses": [one.shop.purse_id for one in taken],
        "micro": [one.shop.micro_fen for one in taken],
    }
    session.execute(
        text("""
            insert into capture (capture_id, redemption_id, shard_id, merchant_id, offer_id, journal_id, captured_at,
                                 occurred_at, booked_on, points, face_fen, subsidy_fen, purse_id, paid_micro_fen)
            select id, gen_random_uuid(), 0, merchant, offer, 1, at, at, day, points, points + subsidy + 100, subsidy,
                   purse, micro
            from unnest(cast(:ids as uuid[]), cast(:merchants as int[]), cast(:offers as bigint[]),
                        cast(:at as timestamptz[]), cast(:days as date[]), cast(:points as bigint[]),
                        cast(:subsidies as bigint[]), cast(:purses as int[]), cast(:micro as bigint[]))
                 as t (id, merchant, offer, at, day, points, subsidy, purse, micro)
        """),
        given,
    )
    undone = [one for one in taken if one.undone]
    session.execute(
        text("""
            insert into capture_reversal (capture_id, merchant_id, journal_id, booked_on, reason)
            select id, merchant, 2, day, 'a test'
            from unnest(cast(:ids as uuid[]), cast(:merchants as int[]), cast(:days as date[])) as t (id, merchant, day)
        """),
        {
            "ids": [one.capture_id for one in undone],
            "merchants": [one.shop.merchant_id for one in undone],
            "days": [one.day for one in undone],
        },
    )


def undo(session: Session, one: Taken, on: date | None = None) -> None:
    """Undo a capture on its day, or on another, which the database refuses."""
    session.execute(
        text("""
            insert into capture_reversal (capture_id, merchant_id, journal_id, booked_on, reason)
            values (:capture, :merchant, 2, :day, 'a test')
        """),
        {
            "capture": one.capture_id,
            "merchant": one.shop.merchant_id,
            "day": on or one.day,
        },
    )


def after(day: date, hours: int = 1) -> datetime:
    """So many hours into the day after."""
    return datetime.combine(day + timedelta(days=1), time(0), PROGRAMME_ZONE) + timedelta(hours=hours)


def a_month(shops: Sequence[Shop], first: date, days: int, many: int, seed: int) -> list[Taken]:
    """Captures spread over merchants and days, one in twenty undone; some merchants have days without any."""
    chance = random.Random(seed)
    return [
        Taken(
            UUID(int=chance.getrandbits(128), version=4),
            chance.choice(shops),
            first + timedelta(days=chance.randrange(days)),
            chance.random() < 0.05,
        )
        for _ in range(many)
    ]
