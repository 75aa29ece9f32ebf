"""Partners' records made ready to land: checked, keyed, and written as the staging table reads them.

Needs no database and does in memory all that can be done there, so that it may run beside a transaction. Every key is
made once.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from carbon_credits.activities.claims import Claim, exclusive_keys, faults_of, match_key
from carbon_credits.activities.service import content_digest
from carbon_credits.core.crypto import Vault, digest
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.partners import aside
from carbon_credits.partners.contract import Record
from carbon_credits.residents.bindings import subject_index

_NULL: Final = "\\N"


@dataclass(frozen=True)
class SourceTerms:
    """A feed as intake needs to know it."""

    source_id: int
    partner_id: int
    partner: str
    feed: str
    evidence_class: str
    methodologies: frozenset[str]
    late_days: int


class Ready(NamedTuple):
    """A good record: its key within its source, its version, the class it lands with, its row for COPY, all but the
    number, and what it tells of whom, by digests.
    """

    ext_key: bytes
    version: int
    evidence_class: str
    row: str
    told: bytes


class Names(NamedTuple):
    """The keys by which a record is known: among the acts, aside, and for each piece of it (among the acts, aside)."""

    ext_key: bytes
    by_aside: bytes
    pieces: tuple[tuple[bytes, bytes], ...]


def record_key(record_id: str) -> bytes:
    """The key of a partner's record within its source; no date and no subject in it, so both may be corrected."""
    return digest("partner-record", record_id.encode())[:16]


def make_ready(
    vault: Vault, source: SourceTerms, records: Sequence[Record], now: datetime
) -> list[Ready | tuple[str, ...]]:
    """For each record what lands of it, or the reasons why it is refused."""
    return [_ready(vault, source, record, now, record_key(record.record_id)) for record in records]


def make_ready_named(
    vault: Vault, source: SourceTerms, records: Sequence[Record], now: datetime
) -> Iterator[tuple[Ready | tuple[str, ...], Names]]:
    """As `make_ready`, each with the keys of the record and its pieces; every key is made once."""
    by_aside = aside.keys_of(vault, source.source_id)
    for record in records:
        pieces = tuple((record_key(piece), by_aside(piece)) for piece in record.settles)
        names = Names(record_key(record.record_id), by_aside(record.record_id), pieces)
        yield _ready(vault, source, record, now, names.ext_key), names


def _ready(
    vault: Vault, source: SourceTerms, record: Record, now: datetime, ext_key: bytes
) -> Ready | tuple[str, ...]:
    claim = Claim(
        record.methodology,
        record.occurred_from,
        record.occurred_to,
        record.monitored,
        record.references,
        record.evidence or None,
    )
    if record.methodology in BY_CODE and record.methodology not in source.methodologies:
        return ("methodology_not_of_feed",)
    faults = faults_of(claim, now, source.late_days)
    if faults:
        return tuple(dict.fromkeys(fault.code for fault in faults))
    # the feed's class, unless the record says that it proves less
    letter = max(record.evidence_class or source.evidence_class, source.evidence_class)
    content, subject = content_digest(claim), subject_index(vault, source.partner, record.subject_token)
    row = _row(vault, source, claim, (ext_key, content, subject))
    return Ready(ext_key, record.version, letter, row, content + subject)


def _row(vault: Vault, source: SourceTerms, claim: Claim, digests: tuple[bytes, bytes, bytes]) -> str:
    """The columns of `staging.COLUMNS` after the first, in PostgreSQL's text format."""
    keys = exclusive_keys(vault, claim, namespace=source.partner)
    return "\t".join(
        (
            *map(_bytes, digests),
            *claim.times,
            claim.occurred_on.isoformat(),
            str(BY_CODE[claim.methodology][-1].number),
            _json(claim.monitored),
            _NULL if claim.evidence is None else _json(claim.evidence),
            _bytes(keys["vehicle_key"]),
            _bytes(keys["item_key"]),
            _bytes(keys["transaction_key"]),
            _bytes(keys["meter_key"]),
            _bytes(match_key(vault, claim)),
        )
    )


def _bytes(value: bytes | None) -> str:
    return _NULL if value is None else "\\\\x" + value.hex()


def _json(told: Mapping[str, Any]) -> str:
    try:
        # 1 and true are equal and are written differently
        return _json_of(tuple(told.items()), tuple(map(type, told.values())))
    except TypeError:
        return _written(dict(told))


@lru_cache(maxsize=8_192)
def _json_of(told: tuple[tuple[str, Any], ...], _kinds: tuple[type, ...]) -> str:
    """Distances and pairs of stations are few and told often."""
    return _written(dict(told))


def _written(told: dict[str, Any]) -> str:
    # JSON has no bare tab or newline; its backslashes are COPY's too
    return json.dumps(told).replace("\\", "\\\\")
