"""What a provider says of a merchant's account with it: may it be paid to, and did the merchant's bank take its money.

It is asked, whatever a notice said, and the answer kept: a payment to an account that cannot be paid to does not begin,
and staff and merchant read why in words that say what to do.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.core.i18n import Text
from carbon_credits.rewards import accounts
from carbon_credits.rewards.merchant_models import AccountStanding, MerchantAccount
from carbon_credits.rewards.payment_contract import Collector, Payout, Refused, Unknown
from carbon_credits.rewards.settlement_models import Settlement

log = logging.getLogger(__name__)

# how soon an account that money waits for is asked about again where no notice came, and any other
WAITED_FOR: Final = timedelta(minutes=15)
AT_REST: Final = timedelta(days=1)
MOST: Final = 100
# currencies without a smaller unit; Stripe counts all others in hundredths
_WHOLE: Final = ("jpy", "krw", "vnd")

_DUE = text("""
select a.provider_ref from merchant_account a left join account_standing t using (account_id)
where a.rail = 'stripe' and a.state in ('proposed', 'active')
  and (t.account_id is null
       or t.asked_at < :at_rest
       or t.asked_at < :waited_for and (not t.payable or t.payout_ref is not null))
order by t.asked_at nulls first, a.account_id limit :most
""")


def follow(collector: Collector, reference: str) -> bool:
    """Ask a provider how an account stands, and write it down; False for an account that is none of ours.

    Raises Unknown.
    """
    with reading() as session:
        account_id = _by_reference(session, reference)
    if account_id is None:
        return False
    asked_at = clock.now()
    try:
        payable, payout = collector.can_be_paid(reference), collector.last_payout(reference)
    except Refused as no:
        log.error("a provider does not know an account", extra={"account": account_id, "code": no.code})
        payable, payout = False, None
    in_transaction(partial(note, account_id=account_id, payable=payable, payout=payout, asked_at=asked_at))
    return True


def ask_due(collector: Collector) -> int:
    """Ask about accounts that were never asked about or not for long; returns how many answers there were."""
    now = clock.now()
    given = {"waited_for": now - WAITED_FOR, "at_rest": now - AT_REST, "most": MOST}
    with reading() as session:
        due = list(session.execute(_DUE, given).scalars())
    heard = 0
    for reference in due:
        try:
            heard += follow(collector, reference)
        except Unknown as unknown:
            log.warning("a collector gave no answer", extra={"what": "account", "why": str(unknown)})
    return heard


def note(session: Session, account_id: int, payable: bool, payout: Payout | None, asked_at: datetime) -> None:
    """Write down an answer, unless the one to a younger question is known; a payout that arrived clears a failed one."""
    failed = payout if payout is not None and payout.failure is not None else None
    values: dict[str, Any] = {
        "payable": payable,
        "payout_ref": failed and failed.reference,
        "payout_failure": failed and failed.failure,
        "payout_amount": failed and failed.amount,
        "payout_currency": failed and failed.currency,
        "payout_made_at": failed and failed.made_at,
        "asked_at": asked_at,
    }
    made = insert(AccountStanding).values(account_id=account_id, **values)
    session.execute(
        made.on_conflict_do_update(
            index_elements=["account_id"],
            set_=values,
            where=AccountStanding.asked_at <= made.excluded.asked_at,
        )
    )


def of(session: Session, account_id: int) -> AccountStanding | None:
    """How an account stands, if its provider was asked."""
    return session.get(AccountStanding, account_id, populate_existing=True)


def says(found: AccountStanding | None) -> Text | None:
    """What its owner has to do, in plain words; None where there is nothing to do."""
    if found is None:
        return None
    if not found.payable:
        return Text(
            "Stripe 尚不能向此账户付款：请打开开户链接补齐资料，补齐后自动付款",
            "Stripe cannot pay this account yet: complete it by its link, then payment follows by itself",
        )
    if found.payout_ref is None:
        return None
    code, amount = found.payout_failure, amount_of(found)
    return Text(
        f"Stripe 向您的银行账户转出 {amount} 失败（{code}）：请登录 Stripe 更正银行账户，款项仍在 Stripe 账户内",
        f"Stripe could not pay out {amount} to your bank ({code}): correct the bank account at Stripe; it has the money",
    )


def amount_of(found: AccountStanding) -> str:
    """The amount of its failed payout in its currency: `HKD 12.34`."""
    amount, currency = found.payout_amount or 0, found.payout_currency or ""
    told = str(amount) if currency in _WHOLE else f"{amount // 100}.{amount % 100:02d}"
    return f"{currency.upper()} {told}"


def why_unpaid(session: Session, settlement: Settlement) -> Text | None:
    """Why nobody pays a settlement that is approved: its merchant's account cannot be paid to. None where it can."""
    if settlement.state != "approved":
        return None
    account = accounts.in_force(session, settlement.merchant_id)
    found = None if account is None else of(session, account.account_id)
    return None if found is None or found.payable else says(found)


def _by_reference(session: Session, reference: str) -> int | None:
    asked = select(MerchantAccount.account_id).where(
        MerchantAccount.rail == "stripe", MerchantAccount.provider_ref == reference
    )
    return session.execute(asked).scalar_one_or_none()
