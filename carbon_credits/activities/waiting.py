"""Records that wait: kept whole until their subject is bound, or in pieces until their feed can join them.

A record told in pieces (two taps) spends them: a piece that is in an act is not joined to another.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from carbon_credits.activities.ready import Names, record_key
from carbon_credits.core.crypto import Vault
from carbon_credits.partners import aside
from carbon_credits.partners.aside import Kept
from carbon_credits.partners.contract import Record, Scalar, Unusable

_WHOLE: Final = "record"
# the first key of the lock between those who join pieces of a source and those who let them wait
PIECES_LOCK: Final = 440_613
# a chunk of a file may take longer than a request waits
_PATIENCE: Final = text("select set_config('lock_timeout', '30s', true)")
# In an act by now, or noted as such before acts remembered their pieces. With a limit each is looked up by the index:
# where it is only asked whether there is one, all pieces there ever were may be read for the few that are asked for.
SETTLED: Final = text("""
select place::int
from generate_series(0, length(cast(:keys as bytea)) / 16 - 1) place
where (select true from act_piece p
       where p.source_id = :source and p.piece_key = substr(cast(:keys as bytea), place * 16 + 1, 16) limit 1)
   or (select r.state = 'placed' from record_set_aside r
       where r.source_id = :source and r.ext_key = substr(cast(:aside as bytea), place * 16 + 1, 16) limit 1)
""")


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
    """Some of what waits: as it lies there, the whole records of it, the pieces for their feed to join, and the key it
    ends at (none: the last).
    """

    found: tuple[Kept, ...]
    records: tuple[Record, ...]
    pieces: tuple[Mapping[str, Scalar], ...]
    ends_at: bytes | None


def waiting_page(session: Session, vault: Vault, source_id: int, after: bytes, most: int) -> Page:
    """The next of what waits after a key, in the order of keys, so that nobody holds all of it."""
    found = tuple(aside.waiting(session, vault, source_id, after, most))
    records = tuple(_record(json.loads(str(each.kept[_WHOLE]))) for each in found if _WHOLE in each.kept)
    pieces = tuple(each.kept for each in found if _WHOLE not in each.kept)
    return Page(found, records, pieces, found[-1].key if len(found) == most else None)


class Waits:
    """What waits of a source as it was read: what waits as before does not need to be written once more."""

    def __init__(self, vault: Vault, source_id: int) -> None:
        self._key = aside.keys_of(vault, source_id)
        self._known: dict[bytes, Kept] = {}

    def add(self, found: Iterable[Kept]) -> None:
        """These do."""
        self._known.update((each.key, each) for each in found)

    def as_before(self, item: Unusable) -> bool:
        """Whether this is what is known of it already. It is asked once of each and forgotten then, so that nobody holds
        all that waits.
        """
        known = self._known.pop(self._key(item.record_id), None) if item.waiting else None
        return known is not None and (known.reasons, known.kept) == (item.reasons, item.kept)


def settle(session: Session, source_id: int, acts: Sequence[Names]) -> None:
    """These records are acts: neither they nor their pieces wait any longer."""
    if acts:
        keys = {names.by_aside for names in acts}
        aside.placed(session, source_id, keys.union(piece for names in acts for _, piece in names.pieces))


def settled(session: Session, vault: Vault, source_id: int, items: Sequence[Unusable]) -> frozenset[str]:
    """Which of these unusable pieces are part of an act already, by their record number."""
    if not items:
        return frozenset()
    numbers = [item.record_id for item in items]
    given = {
        "source": source_id,
        "keys": b"".join(map(record_key, numbers)),
        "aside": b"".join(aside.record_key(vault, source_id, number) for number in numbers),
    }
    return frozenset(numbers[place] for place in session.execute(SETTLED, given).scalars())


def lock_pieces(session: Session, source_id: int, *, joins: bool) -> None:
    """Whoever joins pieces to a record lands alone, beside nobody who lets pieces of that source wait, to the
    transaction's end: so of two who land one piece the later sees what the earlier made of it.
    """
    session.execute(_PATIENCE)
    lock = func.pg_advisory_xact_lock if joins else func.pg_advisory_xact_lock_shared
    session.execute(select(lock(PIECES_LOCK, source_id)))


def _record(told: Mapping[str, Any]) -> Record:
    times = {name: datetime.fromisoformat(told[name]) for name in ("occurred_from", "occurred_to")}
    return Record(**{**told, **times, "settles": tuple(told["settles"])})
