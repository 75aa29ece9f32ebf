"""What the stories share: a resident with acts, a look into the pockets, an act taken back."""

from datetime import date, timedelta

from carbon_credits.core.ids import shard_of
from carbon_credits.ledger import service
from carbon_credits.ledger.clawback import Passage, claw_back
from carbon_credits.ledger.recovery import Recovered
from tests.factories.ledger import TODAY, Act, a_campaign_fund, a_fund, credit, residents, reverse
from tests.ledger.conftest import Door

SOON = timedelta(minutes=15)
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)
MERCHANT = 7


def pockets(door: Door, resident_id: int) -> tuple[int, int, int, int]:
    """(available, held, pending, debt) as they are stored."""
    with door() as session:
        wallet = service.wallet_of(session, resident_id)
    return wallet.available, wallet.held, wallet.pending, wallet.debt


def a_resident_with(door: Door, *acts: Act) -> tuple[int, int, list[Act]]:
    """A resident, a fund, and these acts credited for them."""
    with door() as session:
        (resident_id,) = residents(session, 1)
        fund_id = a_fund(session)
        bonus_fund_id = a_campaign_fund(session) if any(act.bonus for act in acts) else 0
        placed = [
            Act(
                **{
                    **vars(act),
                    "resident_id": resident_id,
                    "fund_id": fund_id,
                    "bonus_fund_id": bonus_fund_id,
                }
            )
            for act in acts
        ]
        for act in placed:
            credit(session, act, TODAY)
    return resident_id, fund_id, placed


def passage_of(act: Act) -> Passage:
    """The one passage that an act of these tests has."""
    return Passage(act.resident_id, act.activity_id, 1, act.matures_on, "test")


def take_back(door: Door, act: Act, today: date = TODAY) -> Recovered | None:
    """Claw one act back and say so on its decision, as crediting does."""
    with door() as session:
        (found,) = claw_back(session, shard_of(act.resident_id), [passage_of(act)], today)
        if found:
            reverse(session, act)
    return found
