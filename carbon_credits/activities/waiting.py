"""Records that wait: kept whole until their subject is bound, or in pieces until their feed can join them.

A record told in pieces (two taps) spends them: a piece that is in an act is not joined to another.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ARRAY, LargeBinary, any_, cast, select
from sqlalchemy.orm import Session

from carbon_credits.activities.ready import Names
from carbon_credits.core.crypto import Vault
from carbon_credits.partners import aside
from carbon_credits.partners.contract import Item, Record, Scalar, Unusable
from carbon_credits.partners.models import RecordSetAside

_WHOLE: Final = "record"


def keep(record: Record) -> Mapping[str, Scalar]:
    """A whole record, as it is kept while its subject is unknown."""
    told = {
        "record_id": record.record_id,
        "subject_token": record.subject_token,
        "methodology": record.methodology,
        "occurred_from": record.occurred_from.isoformat(),
        "occurred_to": record.occurred_to.isoformat(),
        "monitored": dict(record.monitored),
        "references": dict(record.references),
        "evidence": dict(record.evidence),
        "line": record.line,
        "settles": list(record.settles),
        "evidence_class": record.evidence_class,
        "version": record.version,
    }
    return {_WHOLE: json.dumps(told, ensure_ascii=False)}


@dataclass(frozen=True)
class Page:
    """Some of what waits: whole records, pieces for their feed to join, and the key it ends at (none: the last)."""

    records: tuple[Record, ...]
    pieces: tuple[Mapping[str, Scalar], ...]
    ends_at: bytes | None


def waiting_page(session: Session, vault: Vault, source_id: int, after: bytes, most: int) -> Page:
    """The next of what waits after a key, in the order of keys, so that nobody holds all of it."""
    found = list(aside.waiting(session, vault, source_id, after, most))
    records = tuple(_record(json.loads(str(kept[_WHOLE]))) for _, kept in found if _WHOLE in kept)
    pieces = tuple(kept for _, kept in found if _WHOLE not in kept)
    return Page(records, pieces, found[-1][0] if len(found) == most else None)


def settle(session: Session, source_id: int, acts: Sequence[Names], now: datetime) -> None:
    """These records are acts: neither they nor their pieces wait any longer, nor are they waited for again."""
    if acts:
        aside.placed(session, source_id, {names.by_aside for names in acts})
    pieces = {piece for names in acts for _, piece in names.pieces}
    if pieces:
        aside.spend(session, source_id, pieces, now)


def settled(session: Session, vault: Vault, source_id: int, items: Iterable[Item]) -> frozenset[str]:
    """Which of these unusable pieces are part of an act already, by their record number."""
    names = {
        aside.record_key(vault, source_id, i.record_id): i.record_id for i in items if isinstance(i, Unusable)
    }
    asked = select(RecordSetAside.ext_key).where(
        RecordSetAside.source_id == source_id,
        RecordSetAside.ext_key == any_(cast(sorted(names), ARRAY(LargeBinary))),
        RecordSetAside.state == "placed",
    )
    return frozenset(names[key] for key in session.execute(asked).scalars())


def _record(told: Mapping[str, Any]) -> Record:
    times = {name: datetime.fromisoformat(told[name]) for name in ("occurred_from", "occurred_to")}
    return Record(**{**told, **times, "settles": tuple(told["settles"])})
