"""A push that is known to be its partner's: checked by its shape, read by its feed, landed by the corridor of files."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from carbon_credits.activities import landing, told
from carbon_credits.activities.intake import terms_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.partners import nonces
from carbon_credits.partners.contract import (
    Authentic,
    Feed,
    FileFault,
    Item,
    Operation,
    Pushed,
    PushRefusal,
    PushRequest,
)
from carbon_credits.partners.shapes import first_fault

log = logging.getLogger(__name__)

MOST_ITEMS: Final = 5_000
OUTCOMES: Final = ("accepted", "duplicate", "waiting", "refused")
# what an integration may trip over in a document of the right shape; a person looks at the log
_STUMBLES: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Push:
    """A request that is its partner's, decoded, and whose it is."""

    feed: Feed
    operation: Operation
    request: PushRequest
    authentic: Authentic
    document: Any


def read(push: Push) -> tuple[Item, ...] | PushRefusal:
    """What a push tells, or why nothing of it is taken. Looks at no database."""
    fault = first_fault(push.operation.schema, push.document)
    if fault is not None:
        place = fault.pointer or "/"
        detail = Text(f"{place}：{fault.detail.zh}", f"{place}: {fault.detail.en}")
        return PushRefusal("wrong_shape", detail, fault.pointer, push.authentic)
    try:
        items = tuple(push.operation.read(push.document))
    except FileFault as told:
        return PushRefusal(told.code, told.detail, authentic=push.authentic)
    except _STUMBLES:
        log.exception("a feed stumbled over a push", extra={"feed": push.feed.code})
        detail = Text("内容无法识别，已记录", "It cannot be understood; this has been recorded")
        return PushRefusal("not_understood", detail, authentic=push.authentic)
    if len(items) > MOST_ITEMS:
        detail = Text(f"一次至多 {MOST_ITEMS} 条", f"{MOST_ITEMS} records at a time are the most")
        return PushRefusal("too_many_records", detail, authentic=push.authentic)
    return items


def land(
    session: Session, vault: Vault, push: Push, items: Sequence[Item], now: datetime
) -> tuple[Pushed, frozenset[int]]:
    """Land what a push tells, all in the caller's transaction; the shards that now have work. Raises NotFound for a
    partner that is not active, Conflict for a number that was used for other content.
    """
    source = terms_of(session, push.feed.code)
    nonces.spend(session, vault, source.source_id, push.authentic, now)
    intake = told.Intake(vault, source, now)
    chunk = landing.land(session, intake, told.read(intake, items))
    counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
    for name, n in landing.outcomes(chunk.tally).items():
        counts[name.partition(":")[0]] += n
    refused = {row.place: row.reasons for row in chunk.refused}
    pushed = Pushed(push.request, push.authentic, push.document, tuple(items), refused, dict(counts))
    return pushed, chunk.shards
