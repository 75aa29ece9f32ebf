"""What merchants are paid to: one account at a time, put in force by two people; the number is sealed, its end shown."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.rewards.merchant_models import Merchant, MerchantAccount

CHANGE: Final = "merchant.account"
PURPOSE: Final = "merchant-account"
_NUMBER: Final = re.compile(r"[0-9]{8,32}")
_BANK: Final = re.compile(r"[0-9]{12}")
# cards of UnionPay; accounts of firms have no check that all banks share
_CARD: Final = re.compile(r"62[0-9]{14,17}")


@dataclass(frozen=True)
class Bank:
    """An account at a bank: whose, its number, the bank's number in the payment system (联行号)."""

    holder: str
    number: str = field(repr=False)
    bank_code: str


@dataclass(frozen=True)
class Settlement:
    """How a merchant wants to be paid. With Stripe the account is made later, when Stripe names it."""

    rail: Literal["stripe", "bank"]
    bank: Bank | None = None


def passes_luhn(number: str) -> bool:
    """The check of ISO/IEC 7812 over digits."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def faults_of(told: Settlement, at: str = "/settlement/bank") -> Iterator[FieldFault]:
    """What is wrong with how a merchant wants to be paid, each at its field."""
    if told.rail == "stripe":
        if told.bank is not None:
            yield FieldFault(
                at, "not_needed", Text("Stripe 结算不填银行账户", "with Stripe give no bank account")
            )
        return
    if told.bank is None:
        yield FieldFault(at, "required", Text("请填写收款账户", "give the account to be paid to"))
        return
    if not 1 <= len(told.bank.holder.strip()) <= 100:
        yield FieldFault(f"{at}/holder", "wrong_length", Text("应为 1–100 个字", "1 to 100 characters"))
    if _BANK.fullmatch(told.bank.bank_code) is None:
        yield FieldFault(f"{at}/bank_code", "wrong_format", Text("联行号为 12 位数字", "twelve digits"))
    if _NUMBER.fullmatch(told.bank.number) is None:
        yield FieldFault(f"{at}/number", "wrong_format", Text("账号为 8–32 位数字", "8 to 32 digits"))
    elif _CARD.fullmatch(told.bank.number) and not passes_luhn(told.bank.number):
        wrong = Text("卡号校验位不符，请核对", "the card's check digit is wrong: look again")
        yield FieldFault(f"{at}/number", "wrong_check_digit", wrong)


def propose(session: Session, vault: Vault, merchant_id: int, told: Settlement, now: datetime) -> int | None:
    """Note the account a merchant wants; those proposed before are refused. None with Stripe: Stripe names it later.

    Raises Invalid.
    """
    wrong = tuple(faults_of(told))
    if wrong:
        raise Invalid("wrong_account", Text("收款账户有误", "The account is wrong"), faults=wrong)
    refuse_proposed(session, merchant_id)
    if told.bank is None:
        return None
    end = told.bank.number[-4:]
    place = _place(merchant_id, told.bank.bank_code, end)
    row = {
        "merchant_id": merchant_id,
        "rail": "bank",
        "holder": vault.seal(PURPOSE, told.bank.holder.strip().encode(), place + "|holder"),
        "number": vault.seal(PURPOSE, told.bank.number.encode(), place + "|number"),
        "number_end": end,
        "bank_code": told.bank.bank_code,
        "proposed_at": now,
    }
    return session.execute(
        insert(MerchantAccount).values(row).returning(MerchantAccount.account_id)
    ).scalar_one()


def propose_stripe(session: Session, merchant_id: int, provider_ref: str, now: datetime) -> int:
    """Note the account that Stripe made for a merchant, `acct_…`; two people put it in force. Returns its number."""
    refuse_proposed(session, merchant_id)
    row = {"merchant_id": merchant_id, "rail": "stripe", "provider_ref": provider_ref, "proposed_at": now}
    return session.execute(
        insert(MerchantAccount).values(row).returning(MerchantAccount.account_id)
    ).scalar_one()


def refuse_proposed(session: Session, merchant_id: int) -> None:
    """Whatever account waits for approval is not wanted any more; the merchant's row keeps two who propose apart."""
    session.execute(
        select(Merchant.merchant_id)
        .where(Merchant.merchant_id == merchant_id)
        .with_for_update(key_share=True)
    )
    session.execute(
        update(MerchantAccount)
        .where(MerchantAccount.merchant_id == merchant_id, MerchantAccount.state == "proposed")
        .values(state="refused")
        .execution_options(synchronize_session=False)
    )


def proposed(session: Session, merchant_id: int) -> MerchantAccount | None:
    """The account that waits for approval, if one does."""
    return _of(session, merchant_id, "proposed")


def in_force(session: Session, merchant_id: int) -> MerchantAccount | None:
    """The account a merchant is paid to now, if there is one."""
    return _of(session, merchant_id, "active")


def opened(vault: Vault, account: MerchantAccount) -> Bank:
    """A bank account in the clear, for whoever writes the bank's file. Raises ValueError for one of Stripe's."""
    if account.holder is None or account.number is None or not account.number_end or not account.bank_code:
        raise ValueError(f"account {account.account_id} is none at a bank")
    place = _place(account.merchant_id, account.bank_code, account.number_end)
    holder = vault.unseal(PURPOSE, account.holder, place + "|holder").decode()
    return Bank(holder, vault.unseal(PURPOSE, account.number, place + "|number").decode(), account.bank_code)


def change(session: Session, merchant_id: int) -> dict[str, Any]:
    """The proposal to pay a merchant to its new account. Raises Conflict when none waits."""
    waiting = proposed(session, merchant_id)
    if waiting is None:
        raise _none_waits()
    return {
        "merchant_id": merchant_id,
        "account_id": waiting.account_id,
        "rail": waiting.rail,
        "account_end": waiting.number_end,
    }


def check_change(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless the proposal is one that `change` makes."""
    if set(payload) != {"merchant_id", "account_id", "rail", "account_end"}:
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"))


def enact_change(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Pay a merchant to its new account from now on. Raises Conflict."""
    put_in_force(session, payload["merchant_id"], payload["account_id"], approval_id)


def put_in_force(session: Session, merchant_id: int, account_id: int, approval_id: int) -> None:
    """End the account before, begin this one. Raises Conflict when it does not wait any more."""
    mine = MerchantAccount.merchant_id == merchant_id
    session.execute(
        update(MerchantAccount)
        .where(mine, MerchantAccount.state == "active")
        .values(state="ended", ended_at=text("clock_timestamp()"))
        .execution_options(synchronize_session=False)
    )
    begun = session.execute(
        update(MerchantAccount)
        .where(mine, MerchantAccount.account_id == account_id, MerchantAccount.state == "proposed")
        .values(state="active", approval_id=approval_id)
        .returning(MerchantAccount.account_id)
        .execution_options(synchronize_session=False)
    )
    if begun.scalar_one_or_none() is None:
        raise _none_waits()


def _of(session: Session, merchant_id: int, state: str) -> MerchantAccount | None:
    asked = select(MerchantAccount).where(
        MerchantAccount.merchant_id == merchant_id, MerchantAccount.state == state
    )
    return session.execute(asked.execution_options(populate_existing=True)).scalar_one_or_none()


def _place(merchant_id: int, bank_code: str, number_end: str) -> str:
    """What a sealed number belongs to: columns that nobody may change."""
    return f"merchant_account|{merchant_id}|{bank_code}|{number_end}"


def _none_waits() -> Conflict:
    return Conflict("no_account_waits", Text("没有待批的收款账户", "No account waits for approval"))
