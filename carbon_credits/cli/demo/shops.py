"""The demonstration's merchants and what they offer: let in, topped up and approved by two people, like real ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from carbon_credits.cli import approving
from carbon_credits.cli.demo import rules
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards import (
    clients,
    members,
    merchants,
    offer_approval,
    offers,
    point_value,
    purses,
    tills,
)
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.licence import check_character
from carbon_credits.rewards.members import MemberRole
from carbon_credits.rewards.merchant_models import Merchant, MerchantClient
from carbon_credits.rewards.merchants import Application, Category
from carbon_credits.rewards.offer_models import Offer, Purse
from carbon_credits.rewards.offers import Draft, OfferKind
from carbon_credits.staff.models import Staff
from carbon_credits.staff.service import Role, add

PROPOSER: Final = "demo-merchants"
APPROVER: Final = "demo-merchants-2"
ROLES: Final = (Role.MERCHANT, Role.FINANCE)
# what the demonstration's points were bought for: a hundred are one fen
MICRO_FEN: Final = 10_000
OPEN_FOR: Final = timedelta(days=180)
PURSES: Final[tuple[tuple[str, purses.Kind, Text, int], ...]] = (
    ("demo_programme", "programme", Text("区级补贴", "District subsidies"), 2_000_000),
    ("demo_sponsor", "sponsor", Text("演示赞助企业", "Demonstration sponsor"), 2_000_000),
)


@dataclass(frozen=True)
class Stall:
    """A merchant and its offers, each with fen a piece on top and out of which purse."""

    application: Application
    offers: tuple[tuple[Draft, int, str | None], ...]


def _application(
    number: int, code: str, names: Text, category: Category, street: Street, address: str
) -> Application:
    first = f"91440604MA0DEM{number:03}"
    return Application(
        code=f"demo_{code}",
        names=names,
        category=category,
        street=street,
        address=address,
        licence_no=first + check_character(first),
        contact_name="演示联系人",
        contact_phone=f"1380000{number:04}",
        settlement=Settlement("bank", Bank(names.zh, f"44000000000000{number:02}", "105588000011")),
    )


def _draft(kind: OfferKind, title: Text, words: Text, points: int, face_fen: int, now: datetime) -> Draft:
    category = Category.FOOD if kind is OfferKind.VOUCHER else Category.PLANTING
    return Draft(kind, title, words, category, points, face_fen, 500, now, now + OPEN_FOR)


def _stalls(now: datetime) -> tuple[Stall, ...]:
    lunch = _draft(
        OfferKind.VOUCHER,
        Text("工作日午餐抵 10 元", "10 yuan off a weekday lunch"),
        Text("周一至周五 11:00–14:00，每桌限用一张。", "Monday to Friday, 11 to 2, one a table."),
        1_500,
        1_000,
        now,
    )
    cup = replace(
        lunch,
        title=Text("陶艺体验抵 20 元", "20 yuan off an hour of pottery"),
        text=Text("需提前预约；网络中断时也可核销。", "Book beforehand; can be taken while offline too."),
        category=Category.CULTURE,
        points=2_000,
        face_fen=2_000,
        per_person=2,
        offline=True,
    )
    rice = replace(
        lunch,
        title=Text("蔬菜抵 5 元", "5 yuan off vegetables"),
        text=Text("限张槎居民。", "For residents of Zhangcha."),
        category=Category.GROCERIES,
        points=600,
        face_fen=500,
        streets=(Street.ZHANGCHA,),
    )
    seedling = _draft(
        OfferKind.DONATION,
        Text("捐一株红树苗的十分之一", "A tenth of a mangrove seedling"),
        Text("积分捐给植树项目。", "The points go to a planting project."),
        300,
        100,
        now,
    )
    grove = replace(
        seedling,
        kind=OfferKind.GROUP_GIFT,
        title=Text("众人合种一棵樟树", "A camphor tree by many"),
        text=Text("凑满积分即种；到期未满退还。", "Planted when the points are together; else given back."),
        points=20_000,
        face_fen=10_000,
        stock=20,
    )
    food, culture, groceries = Category.FOOD, Category.CULTURE, Category.GROCERIES
    return (
        Stall(
            _application(
                1,
                "sanyou",
                Text("演示三友饭店", "Demo Three Friends"),
                food,
                Street.ZUMIAO,
                "禅城区祖庙路 1 号",
            ),
            ((lunch, 200, "demo_programme"),),
        ),
        Stall(
            _application(
                2,
                "taofang",
                Text("演示石湾陶坊", "Demo Shiwan Pottery"),
                culture,
                Street.SHIWAN,
                "禅城区石湾 2 号",
            ),
            ((cup, 500, "demo_sponsor"),),
        ),
        Stall(
            _application(
                3,
                "xiansheng",
                Text("演示张槎鲜生", "Demo Zhangcha Fresh"),
                groceries,
                Street.ZHANGCHA,
                "禅城区张槎 3 号",
            ),
            ((rice, 0, None),),
        ),
        Stall(
            _application(
                4,
                "lvhua",
                Text("演示绿化机构", "Demo Planting Body"),
                Category.PLANTING,
                Street.NANZHUANG,
                "禅城区南庄 4 号",
            ),
            ((seedling, 97, "demo_sponsor"), (grove, 9_800, "demo_sponsor")),
        ),
    )


def ensure(
    session: Session, vault: Vault, known: Iterable[Mapping[str, Any]], now: datetime
) -> list[dict[str, Any]]:
    """See that merchants, purses, offers and credentials are there; what is there stays. Returns what the file lists."""
    for name in (PROPOSER, APPROVER):
        if session.scalar(select(Staff.staff_id).where(Staff.name == name)) is None:
            add(session, name, ROLES, by="demo")
    if not point_value.values(session):
        _enact(
            session,
            point_value.SET,
            {"in_force": rules.SINCE, "micro_fen": MICRO_FEN, "reason": rules.REASON},
        )
    for code, kind, names, fen in PURSES:
        if session.scalar(select(Purse.purse_id).where(Purse.code == code)) is None:
            number = purses.create(session, code, kind, names)
            _enact(session, purses.PAY_IN, {"purse_id": number, "amount_fen": fen})
    listed = {entry.get("code"): dict(entry) for entry in known}
    return [_stall(session, vault, stall, listed, now) for stall in _stalls(now)]


def _stall(
    session: Session, vault: Vault, stall: Stall, listed: Mapping[Any, dict[str, Any]], now: datetime
) -> dict[str, Any]:
    told = stall.application
    try:
        merchant = merchants.by_code(session, told.code)
    except NotFound:
        merchants.apply(session, vault, told, now)
        _enact(session, merchants.ADMIT, merchants.admission(session, told.code))
        merchant = merchants.by_code(session, told.code)
    for draft, subsidy_fen, purse in stall.offers:
        mine = (
            Offer.merchant_id == merchant.merchant_id,
            Offer.title_zh == draft.title.zh,
            Offer.to_at > now,
        )
        if session.scalar(select(Offer.offer_id).where(*mine).limit(1)) is None:
            made = offers.draft(session, merchant.merchant_id, draft, now)
            offers.put_forward(session, merchant.merchant_id, made.offer_id)
            _enact(
                session,
                offer_approval.APPROVE,
                offer_approval.proposal(session, made.offer_id, subsidy_fen, purse),
            )
    return _credentials(session, vault, merchant, listed.get(told.code), now)


def _credentials(
    session: Session, vault: Vault, merchant: Merchant, known: dict[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """As the file has them while they are live; a secret cannot be read back from the database."""
    live = set(
        session.scalars(
            select(MerchantClient.client_id).where(
                MerchantClient.merchant_id == merchant.merchant_id, MerchantClient.ended_at.is_(None)
            )
        )
    )
    if known and {known["client_id"], known["till"]["client_id"]} <= live:
        return known
    for lost in live:
        clients.end(session, merchant.merchant_id, lost, now)
    system = clients.add_system(session, vault, merchant.merchant_id, "demo", now)
    code = tills.begin_pairing(session, vault, merchant.merchant_id, "收银台 1", "demo", now).code
    till, _ = tills.pair(session, vault, code, now)
    return {
        "code": merchant.code,
        "name": {"zh": merchant.name_zh, "en": merchant.name_en},
        "client_id": system.client_id,
        "client_secret": system.client_secret,
        "till": {"client_id": till.client_id, "client_secret": till.client_secret},
        "members": [
            _member(session, vault, merchant.merchant_id, number, role)
            for number, role in ((1, MemberRole.OWNER), (7, MemberRole.CASHIER))
        ],
    }


def _member(
    session: Session, vault: Vault, merchant_id: int, number: int, role: MemberRole
) -> dict[str, Any]:
    pin = members.a_pin()
    given = {"merchant": merchant_id, "number": number}
    there = text("select 1 from merchant_member where merchant_id = :merchant and number = :number")
    if session.execute(there, given).scalar() is None:
        members.add(session, vault, merchant_id, number, f"演示店员 {number}", role, pin)
    else:
        members.change_pin(session, vault, merchant_id, number, pin)
    return {"number": number, "role": role.value, "pin": pin}


def _enact(session: Session, kind: str, payload: Mapping[str, Any]) -> None:
    proposed = approving.propose(session, kind, payload, rules.REASON, PROPOSER)
    approving.decide(session, proposed.approval_id, APPROVER, approve=True)
