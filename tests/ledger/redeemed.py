"""Redemptions of every kind beside the ledger's own holds: open, used, undone, pledged, and one that is settled."""

from datetime import timedelta

from sqlalchemy import text

from carbon_credits.core.clock import now
from carbon_credits.core.crypto import Vault
from carbon_credits.rewards import gifts, redemptions, reversals
from carbon_credits.rewards.captures import book
from carbon_credits.rewards.looking import shown_of
from tests.factories.redemptions import a_merchant, a_till, an_offer, residents_with
from tests.ledger.conftest import Door


def redeemed_and_settled(door: Door, vault: Vault) -> None:
    """One merchant's day."""
    with door() as session:
        merchant_id = a_merchant(session)
        till = a_till(session, merchant_id, "manager")
        (resident_id,) = residents_with(session, 1, 100)
        tea = an_offer(session, merchant_id, per_person=5, subsidy_fen=7)
        grove = an_offer(session, merchant_id, kind="group_gift")
        redemptions.reserve(session, vault, resident_id, tea, now())
        captures = []
        for _ in range(2):
            made = redemptions.reserve(session, vault, resident_id, tea, now())
            shown = shown_of(session, made.id, made.shard_id)
            captures.append(book(session, shown, client_id=till.client_id, occurred_at=now()))
        reversals.reverse(session, till, captures[1].id, "a test")
        begun = gifts.begin(session, vault, resident_id, grove, "grove", 3, now() + timedelta(days=2), now())
        gifts.pledge(session, vault, resident_id, begun.join_code, now())
        session.execute(
            text("""
                with made as (
                  insert into settlement (merchant_id, day, captures, reversals, carried_in, lines_micro_fen, amount_fen,
                                          carried_out, digest)
                  select :merchant, booked_on, 1, 0, 0, paid_micro_fen, paid_micro_fen / 1000000,
                         paid_micro_fen % 1000000, sha256('x')
                  from capture where capture_id = :capture returning settlement_id
                )
                insert into settlement_line (settlement_id, capture_id, kind, micro_fen, subsidy_fen, purse_id)
                select settlement_id, capture_id, 'capture', paid_micro_fen, subsidy_fen, purse_id
                from made cross join capture where capture_id = :capture
            """),
            {"merchant": merchant_id, "capture": captures[0].id},
        )
