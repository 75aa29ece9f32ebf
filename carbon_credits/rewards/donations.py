"""A donation is taken at once: nobody stands at a till, the points go to whoever plants."""

from datetime import datetime

from sqlalchemy.orm import Session

from carbon_credits.rewards.captures import Capture, book
from carbon_credits.rewards.looking import shown_of
from carbon_credits.rewards.redemptions import Redemption


def give(session: Session, made: Redemption, now: datetime) -> Capture:
    """Capture a donation in the transaction that reserved it."""
    return book(session, shown_of(session, made.id, made.shard_id), client_id=None, occurred_at=now)
