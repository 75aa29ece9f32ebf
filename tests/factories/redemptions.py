"""What redeeming needs around it: a merchant, its tills and who stands at them, an offer with stock."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.rewards.looking import Till
from carbon_credits.rewards.stock import SLOTS
from tests.factories.ledger import TODAY, Act, a_fund, credit, months_of, residents
from tests.factories.numbers import fresh


@dataclass(frozen=True)
class OfferOf:
    """An approved offer of one merchant; points whole, money in fen, the value of a point in micro-fen."""

    merchant_id: int
    points: int = 10
    face_fen: int = 500
    value_micro_fen: int = 20_000_000
    subsidy_fen: int = 0
    stock: int = 1_000
    kind: str = "voucher"
    per_person: int | None = None
    streets: tuple[str, ...] = ()
    offline: bool = False
    state: str = "live"
    from_at: datetime = field(default_factory=lambda: clock.now() - timedelta(days=1))
    to_at: datetime = field(default_factory=lambda: clock.now() + timedelta(days=30))
    replaces: int | None = None


def an_approval(session: Session) -> int:
    """One decided by nobody in particular."""
    given = {"name": f"approver {fresh()}"}
    return int(
        session.execute(
            text("""
                with who as (insert into staff (name, roles) values (:name, '{merchant}') returning staff_id)
                insert into approval (kind, payload, digest, reason, proposed_by)
                select 'merchant.admit', '{}', sha256('x'), 'a test', staff_id from who returning approval_id
            """),
            given,
        ).scalar_one()
    )


def a_point_value(session: Session, micro_fen: int = 20_000_000) -> None:
    """What a point is worth since yesterday."""
    session.execute(
        text("insert into point_value values (:day, :value, 'a test', :approval)"),
        {"day": clock.today() - timedelta(days=1), "value": micro_fen, "approval": an_approval(session)},
    )


def a_merchant(session: Session, state: str = "active") -> int:
    """A merchant in a state."""
    number = fresh()
    given = {
        "code": f"shop_{number}",
        "zh": f"商户{number}",
        "en": f"Shop {number}",
        "licence": f"9144060400{number:08}",
        "state": state,
        "approval": an_approval(session),
    }
    return int(
        session.execute(
            text("""
                insert into merchant (code, name_zh, name_en, category, street, address, licence_no, contact, state,
                                      state_reason, approval_id)
                values (:code, :zh, :en, 'food', 'zumiao', '祖庙路 1 号', :licence, '\\x00', :state, 'a test', :approval)
                returning merchant_id
            """),
            given,
        ).scalar_one()
    )


def a_till(session: Session, merchant_id: int, role: str | None = "cashier", kind: str = "till") -> Till:
    """A client of a merchant; a till with somebody of this role on shift, or nobody."""
    number = fresh()
    client_id = f"{kind}-{number:05}"
    given: dict[str, Any] = {
        "client": client_id,
        "merchant": merchant_id,
        "kind": kind,
        "number": number % 999 + 1,
    }
    session.execute(
        text("""
            insert into merchant_client (client_id, merchant_id, kind, label, scopes, secret_mac)
            values (:client, :merchant, :kind, 'a test', '{captures,reversals}', decode(repeat('00', 16), 'hex'))
        """),
        given,
    )
    if role is not None and kind == "till":
        session.execute(
            text("""
                with who as (
                  insert into merchant_member (merchant_id, number, name, role, pin_mac)
                  values (:merchant, :number, '\\x00', :role, decode(repeat('00', 16), 'hex')) returning member_id
                )
                insert into till_shift (client_id, member_id) select :client, member_id from who
            """),
            {**given, "role": role},
        )
    return Till(merchant_id, client_id)


def an_offer(session: Session, merchant_id: int, **changes: Any) -> int:
    """An approved offer with its stock in slots, and a purse that can pay its subsidy."""
    offer = OfferOf(merchant_id, **changes)
    given = {**vars(offer), "streets": list(offer.streets), "approval": an_approval(session), "purse": None}
    if offer.subsidy_fen:
        given["purse"] = session.execute(
            text("""
                insert into purse (code, kind, name_zh, name_en, paid_in_fen, reserved_fen)
                values (:code, 'sponsor', '赞助', 'Sponsor', :fen, :fen) returning purse_id
            """),
            {"code": f"purse_{fresh()}", "fen": offer.subsidy_fen * offer.stock},
        ).scalar_one()
    offer_id = session.execute(
        text("""
            insert into offer (merchant_id, kind, title_zh, title_en, text_zh, text_en, category, points, face_fen,
                               value_micro_fen, subsidy_fen, purse_id, stock, per_person, streets, offline, from_at,
                               to_at, state, replaces, approval_id)
            values (:merchant_id, :kind, '一杯茶', 'A cup of tea', '一杯茶', 'A cup of tea', 'food', :points, :face_fen,
                    :value_micro_fen, :subsidy_fen, :purse, :stock, :per_person, :streets, :offline, :from_at,
                    :to_at, :state, :replaces, :approval) returning offer_id
        """),
        given,
    ).scalar_one()
    session.execute(
        text("""
            insert into offer_stock (offer_id, slot, left_n)
            select :offer, slot, :stock / :slots + case when slot < :stock % :slots then 1 else 0 end
            from generate_series(0, :slots - 1) as slot
        """),
        {"offer": offer_id, "stock": offer.stock, "slots": SLOTS},
    )
    return int(offer_id)


def residents_with(session: Session, how_many: int, points: int) -> list[int]:
    """Residents who may spend so many points, out of a fund that can pay."""
    today = clock.today()
    months_of(session, min(TODAY, today) - timedelta(days=31), today + timedelta(days=100))
    fund_id = a_fund(session)
    made = residents(session, how_many)
    for resident_id in made:
        if points:
            credit(session, Act(resident_id, points=points, fund_id=fund_id), today)
    return made
