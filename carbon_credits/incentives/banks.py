"""The banks and insurers that take part: each is a partner with clients of its own, and an address for its statements."""

import re
from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from carbon_credits.core import audit
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.incentives.models import Bank
from carbon_credits.partners import service as partners
from carbon_credits.partners.models import Partner

Kind = Literal["bank", "insurer"]
KINDS: Final[tuple[Kind, ...]] = ("bank", "insurer")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{2,39}")
# an address of ours for statements is never a word such as our access tokens are addressed to
_AUDIENCE: Final = re.compile(r"https://[a-z0-9.-]{1,200}(/[A-Za-z0-9._~/-]{0,100})?")


@dataclass(frozen=True)
class NewBank:
    """What is known of a bank that joins; `contact` is who answers there, and is kept sealed."""

    code: str
    kind: Kind
    names: Text
    audience: str
    contact: str


def add(session: Session, vault: Vault, new: NewBank, by: int) -> Bank:
    """Register a bank and the partner its systems sign in as; `by` is the member of staff.

    Raises Invalid for a code, an audience or a contact that cannot be, Conflict when code or audience is taken.
    """
    _check(new)
    taken = select(Bank.bank_id).where((Bank.code == new.code) | (Bank.audience == new.audience))
    partner = select(Partner.partner_id).where(Partner.code == new.code)
    if session.execute(taken).first() is not None or session.execute(partner).first() is not None:
        raise Conflict("bank_taken", Text("代码或受众标识已登记", "This code or audience is taken"))
    made = session.execute(
        insert(Bank)
        .values(
            code=new.code,
            kind=new.kind,
            name_zh=new.names.zh,
            name_en=new.names.en,
            audience=new.audience,
            contact=vault.seal("bank-contact", new.contact.encode(), f"bank|contact|{new.code}"),
            partner_id=partners.add_partner(session, new.code, new.names),
        )
        .returning(Bank)
    ).scalar_one()
    told = {"kind": new.kind, "audience": new.audience}
    audit.record(session, f"staff:{by}", "bank.added", f"bank:{new.code}", None, told)
    return made


def by_code(session: Session, code: str) -> Bank:
    """A bank; raises NotFound."""
    found = session.execute(select(Bank).where(Bank.code == code)).scalar_one_or_none()
    if found is None:
        raise NotFound("bank_unknown", Text("没有此金融机构", "There is no such bank"))
    return found


def banks(session: Session) -> list[Bank]:
    """All of them, by code."""
    return list(session.scalars(select(Bank).order_by(Bank.code)))


def contact_of(vault: Vault, bank: Bank) -> str:
    """Who answers at a bank."""
    return vault.unseal("bank-contact", bank.contact, f"bank|contact|{bank.code}").decode()


def _check(new: NewBank) -> None:
    faults = []
    if _CODE.fullmatch(new.code) is None:
        faults.append(_fault("code", "应为 3–40 位小写字母、数字或下划线", "3 to 40 of a-z, 0-9 and _"))
    if _AUDIENCE.fullmatch(new.audience) is None:
        faults.append(
            _fault(
                "audience", "应为该机构的 https 地址", "an https address of the bank's, host in lower case"
            )
        )
    if not 1 <= len(new.contact) <= 200:
        faults.append(_fault("contact", "1–200 字", "1 to 200 characters"))
    faults += [
        _fault("name", "中英文名称各 1–100 字", "both names, 1 to 100 characters")
        for name in (new.names.zh, new.names.en)
        if not 1 <= len(name) <= 100
    ]
    if faults:
        raise Invalid(
            "wrong_bank", Text("登记信息有误", "What is told of the bank is wrong"), faults=tuple(faults)
        )


def _fault(field: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + field, "wrong_format", Text(zh, en))
