"""Merchants that are paid by Stripe: their account there, and the link by which they complete it.

Stripe asks the merchant for its papers, on its own pages; we keep the account's name alone. The account is paid to once
two people have put it in force, like any other.
"""

from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from carbon_credits.core import audit, clock
from carbon_credits.core.db import in_transaction, reading
from carbon_credits.rewards import accounts, merchants
from carbon_credits.rewards.merchant_models import MerchantAccount
from carbon_credits.rewards.payment_contract import Collector, Onboarding


def onboard(collector: Collector, code: str) -> Onboarding:
    """An account at the provider, the same one again, and a fresh link; raises NotFound, Refused, Unknown."""
    with reading() as session:
        merchant_id = merchants.by_code(session, code).merchant_id
        known = _known(session, merchant_id)
        key = f"account:{code}:{_how_many(session, merchant_id)}"
    made = collector.onboard(code, known, key)
    if known is None:
        in_transaction(partial(_note, merchant_id=merchant_id, code=code, reference=made.reference))
    return made


def can_be_paid(collector: Collector, code: str) -> bool | None:
    """Whether its account can be paid to now; None where it has none. Raises NotFound, Refused, Unknown."""
    with reading() as session:
        known = _known(session, merchants.by_code(session, code).merchant_id)
    return None if known is None else collector.can_be_paid(known)


def _known(session: Session, merchant_id: int) -> str | None:
    for account in (accounts.proposed(session, merchant_id), accounts.in_force(session, merchant_id)):
        if account is not None and account.rail == "stripe":
            return account.provider_ref
    return None


def _how_many(session: Session, merchant_id: int) -> int:
    """So that an account that was refused is not the answer to the next question."""
    asked = select(func.count()).where(
        MerchantAccount.merchant_id == merchant_id, MerchantAccount.rail == "stripe"
    )
    return session.execute(asked).scalar_one()


def _note(session: Session, merchant_id: int, code: str, reference: str) -> None:
    if _known(session, merchant_id) != reference:
        accounts.propose_stripe(session, merchant_id, reference, clock.now())
        audit.record(session, "operator", "account.opened", f"merchant:{code}", None, {"account": reference})
