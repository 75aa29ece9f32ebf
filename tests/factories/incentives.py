"""Banks, programmes in force and grams in the books."""

from collections.abc import Sequence
from datetime import date
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from carbon_credits.core import approvals, clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import banks, lifecycle
from carbon_credits.incentives.banks import NewBank
from carbon_credits.incentives.models import Bank
from carbon_credits.incentives.programmes import Programme
from carbon_credits.ledger.service import open_wallet
from tests.factories.ledger import Act, credit, months_of
from tests.factories.staff import a_member

# beyond the numbers that acts get which are claimed
_numbers = count(10**9)
TIERS = (("light", 50_000, 50), ("mid", 100_000, 80))


def a_bank(session: Session, vault: Vault, code: str = "chan_bank") -> Bank:
    """A bank that has joined."""
    new = NewBank(
        code,
        "bank",
        Text("禅城银行", "Chan Bank"),
        f"https://{code.replace('_', '-')}.example/green",
        "王经理",
    )
    return banks.add(session, vault, new, a_member(session))


def some_terms(**changes: Any) -> dict[str, Any]:
    """The terms of a loan that is cheaper from 50 kg of verified travel in twelve months on."""
    tiers = [
        {"code": code, "from_g": grams, "amount": amount, "name": {"zh": "绿", "en": code}}
        for code, grams, amount in TIERS
    ]
    return {
        "code": "green_loan",
        "bank": "chan_bank",
        "name": {"zh": "绿色消费贷", "en": "Green loan"},
        "benefit": "rate_discount",
        "benefit_text": {"zh": "利率优惠", "en": "A lower rate"},
        "grade": "verified",
        "families": ["travel"],
        "tiers": tiers,
        "window_months": 12,
        "valid_days": 30,
        "consent": {"zh": "我同意向禅城银行出示我的档位。", "en": "I agree to show Chan Bank my tier."},
        "no_adverse_use": {"zh": "不得不利使用。", "en": "No adverse use."},
        **changes,
    }


def put_in_force(session: Session, **changes: Any) -> Programme:
    """A programme drafted and proposed by one member of staff and approved by another."""
    one, another = a_member(session), a_member(session)
    made = lifecycle.draft(session, some_terms(**changes), one)
    proposed = lifecycle.propose(session, made.id, "a test", one)
    decided = approvals.decide(session, proposed.approval_id, another, approve=True)
    return lifecycle.enact(session, decided.approval_id, decided.payload)


def give_grams(
    session: Session, resident_id: int, grams: int, *, pool: str = "v", days: Sequence[date] = ()
) -> None:
    """Grams of walking in the books, of today unless days are given; the same on each of them."""
    open_wallet(session, resident_id)
    for day in days or (clock.today(),):
        months_of(session, day, day)
        act = Act(resident_id, 0, grams * 1_000, pool, occurred_on=day, activity_id=next(_numbers))
        credit(session, act, day)
