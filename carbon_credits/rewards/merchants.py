"""Merchants: they apply with a licence and an account, two people let them in, and they leave in good order.

`reward_state` holds which state may follow which; a change is one conditional update, so of two there is one winner.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import exists, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards import accounts
from carbon_credits.rewards.accounts import Settlement
from carbon_credits.rewards.clients import State
from carbon_credits.rewards.licence import is_licence
from carbon_credits.rewards.merchant_models import Merchant

ADMIT: Final = "merchant.admit"
PURPOSE: Final = "merchant-contact"
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{2,39}")
_PHONE: Final = re.compile(r"(\+?86)?1[3-9][0-9]{9}|(\+?86)?0[0-9]{2,3}-?[0-9]{7,8}")


class Category(StrEnum):
    """What a merchant or an offer is about."""

    FOOD = "food"
    GROCERIES = "groceries"
    HOUSEHOLD = "household"
    CULTURE = "culture"
    TRAVEL = "travel"
    PLANTING = "planting"
    OTHER = "other"


@dataclass(frozen=True)
class Application:
    """What a merchant says of itself. `licence_sha256` is the digest of a copy of the licence that staff were given."""

    code: str
    names: Text
    category: Category
    street: Street | None
    address: str
    licence_no: str
    contact_name: str
    contact_phone: str
    settlement: Settlement
    licence_sha256: bytes | None = None


def merchant(session: Session, merchant_id: int) -> Merchant:
    """A merchant by number; raises NotFound."""
    return _found(session.get(Merchant, merchant_id, populate_existing=True))


def held(session: Session, merchant_id: int) -> Merchant:
    """A merchant whose state stays as it is until this transaction ends; raises NotFound."""
    asked = select(Merchant).where(Merchant.merchant_id == merchant_id).with_for_update(read=True)
    return _found(session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none())


def by_code(session: Session, code: str) -> Merchant:
    """A merchant by code; raises NotFound."""
    asked = select(Merchant).where(Merchant.code == code).execution_options(populate_existing=True)
    return _found(session.execute(asked).scalar_one_or_none())


def all_of_them(session: Session) -> list[Merchant]:
    """Every merchant there is or was, in the order of their codes."""
    return list(session.scalars(select(Merchant).order_by(Merchant.code)))


def apply(session: Session, vault: Vault, told: Application, now: datetime) -> Merchant:
    """Note an application. One that was refused may be made again under the same licence and code.

    Raises Invalid with every fault at its field, Conflict when the licence or the code is somebody's already.
    """
    _check(told)
    row = {
        "code": told.code,
        "name_zh": told.names.zh,
        "name_en": told.names.en,
        "category": told.category.value,
        "street": None if told.street is None else told.street.value,
        "address": told.address,
        "licence_no": told.licence_no,
        "licence_sha256": told.licence_sha256,
        "contact": _sealed_contact(vault, told),
    }
    made = session.execute(
        insert(Merchant)
        .values(**row, applied_at=now, changed_at=now)
        .on_conflict_do_nothing()
        .returning(Merchant)
    ).scalar_one_or_none()
    if made is None:
        made = _again(session, row, now)
    accounts.propose(session, vault, made.merchant_id, told.settlement, now)
    return made


def _again(session: Session, row: Mapping[str, Any], now: datetime) -> Merchant:
    """The application of one that was refused, told anew; whoever is known otherwise is a conflict."""
    fresh = {name: value for name, value in row.items() if name not in {"code", "licence_no"}}
    made = session.execute(
        update(Merchant)
        .where(
            Merchant.code == row["code"],
            Merchant.licence_no == row["licence_no"],
            Merchant.state == State.REFUSED,
        )
        .values(**fresh, state=State.APPLIED, state_reason=None, changed_at=now)
        .returning(Merchant)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if made is not None:
        return made
    if session.execute(select(exists().where(Merchant.licence_no == row["licence_no"]))).scalar_one():
        raise Conflict("licence_known", Text("该营业执照已登记", "This licence is registered already"))
    raise Conflict("code_taken", Text("该代码已被使用", "This code is taken: choose another"))


def contact(vault: Vault, known: Merchant) -> Mapping[str, str]:
    """Who answers for a merchant: `name` and `phone`."""
    told: Mapping[str, str] = json.loads(vault.unseal(PURPOSE, known.contact, _place(known.code)))
    return told


def check_admission(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless the proposal is one that `admission` makes."""
    if set(payload) != {"merchant_id", "code", "licence_no", "account_id", "account_end"}:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def admission(session: Session, code: str) -> dict[str, Any]:
    """The proposal to let a merchant in: its licence and the account it would be paid to. Raises NotFound, Conflict."""
    waiting = by_code(session, code)
    if waiting.state != State.APPLIED:
        raise _not_waiting()
    account = accounts.proposed(session, waiting.merchant_id)
    return {
        "merchant_id": waiting.merchant_id,
        "code": waiting.code,
        "licence_no": waiting.licence_no,
        "account_id": None if account is None else account.account_id,
        "account_end": None if account is None else account.number_end,
    }


def admit(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Let a merchant in, with the account that was looked at. Raises Conflict when it does not wait any more."""
    moved = session.execute(
        update(Merchant)
        .where(
            Merchant.merchant_id == payload["merchant_id"],
            Merchant.licence_no == payload["licence_no"],
            Merchant.state == State.APPLIED,
        )
        .values(state=State.ACTIVE, approval_id=approval_id, changed_at=text("clock_timestamp()"))
        .returning(Merchant.merchant_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if moved is None:
        raise _not_waiting()
    if payload["account_id"] is not None:
        accounts.put_in_force(session, payload["merchant_id"], payload["account_id"], approval_id)


def _check(told: Application) -> None:
    faults = [
        _fault(
            "code",
            "wrong_format",
            "小写字母开头，3–40 位小写字母、数字或下划线",
            "a-z first, then a-z, 0-9, _",
        )
        if _CODE.fullmatch(told.code) is None
        else None,
        None
        if is_licence(told.licence_no)
        else _fault(
            "licence_no",
            "not_a_licence",
            "统一社会信用代码应为 18 位，且校验码须正确（GB 32100）",
            "eighteen characters whose last one is the right check (GB 32100)",
        ),
        None
        if _PHONE.fullmatch(told.contact_phone)
        else _fault(
            "contact_phone", "not_a_phone", "应为大陆手机或座机号码", "a telephone number of the mainland"
        ),
    ]
    wrong = tuple(fault for fault in faults if fault is not None) + tuple(accounts.faults_of(told.settlement))
    if wrong:
        raise Invalid(
            "wrong_application",
            Text("申请有误，请按提示改正", "The application is wrong: see each field"),
            faults=wrong,
        )


def _sealed_contact(vault: Vault, told: Application) -> bytes:
    plain = json.dumps({"name": told.contact_name, "phone": told.contact_phone}, ensure_ascii=False).encode()
    return vault.seal(PURPOSE, plain, _place(told.code))


def _place(code: str) -> str:
    return f"merchant|contact|{code}"


def _fault(name: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + name, code, Text(zh, en))


def _found(known: Merchant | None) -> Merchant:
    if known is None:
        raise unknown()
    return known


def unknown() -> NotFound:
    """There is no such merchant, or it is not one's to see."""
    return NotFound("merchant_unknown", Text("没有此商户", "There is no such merchant"))


def _not_waiting() -> Conflict:
    return Conflict("not_waiting", Text("该商户当前不在待审状态", "This merchant does not wait to be let in"))
