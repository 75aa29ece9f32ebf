"""A number that may be used once: the same request again is the same, other content under its number is a forgery."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Vault, same
from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Authentic
from carbon_credits.partners.models import FeedPushSeen

_FORGOTTEN_AT_ONCE = 1_000


def spend(session: Session, vault: Vault, source_id: int, authentic: Authentic, now: datetime) -> None:
    """Note that a request's number was used for this content; nothing where its format has none.

    A partner that had no answer sends the same bytes again, which lands nothing twice and is let through. Raises
    Conflict (`nonce_reused`) for other content under the number while it is remembered.
    """
    if authentic.nonce is None or authentic.until is None:
        return
    _forget(session, source_id, now)
    nonce = vault.blind(f"push-nonce:{source_id}", authentic.nonce)
    content = sha256(authentic.content).digest()
    row = {"source_id": source_id, "nonce": nonce, "content": content, "until": authentic.until}
    added = insert(FeedPushSeen).values(row).on_conflict_do_nothing().returning(FeedPushSeen.nonce)
    if session.execute(added).scalar_one_or_none() is not None:
        return
    asked = select(FeedPushSeen.content).where(
        FeedPushSeen.source_id == source_id, FeedPushSeen.nonce == nonce
    )
    if not same(session.execute(asked).scalar_one(), content):
        detail = Text("该序号已用于其他内容", "This number was used for other content")
        raise Conflict("nonce_reused", detail)


def _forget(session: Session, source_id: int, now: datetime) -> None:
    """Numbers whose time is over are refused by their time; a few go with each push."""
    old = (
        select(FeedPushSeen.nonce)
        .where(FeedPushSeen.source_id == source_id, FeedPushSeen.until < now)
        .order_by(FeedPushSeen.until)
        .limit(_FORGOTTEN_AT_ONCE)
    )
    session.execute(
        delete(FeedPushSeen)
        .where(FeedPushSeen.source_id == source_id, FeedPushSeen.nonce.in_(old.scalar_subquery()))
        .execution_options(synchronize_session=False)
    )
