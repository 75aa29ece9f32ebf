"""What a later version of a file tells otherwise than the earlier: records changed or taken back.

Each applied file leaves keyed digests of its records beside the inbox: 48 bytes a record, nothing personal. Two versions
are compared in PostgreSQL, not in memory. Nothing is reversed here: what was credited waits for reconciliation; what
still waited for its resident is withdrawn at once.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import IO, Final

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.ready import Ready, record_key
from carbon_credits.activities.told import Told, ToldRecord
from carbon_credits.core.crypto import Blinder, Vault
from carbon_credits.core.db import raw_connection
from carbon_credits.partners import aside, stations
from carbon_credits.partners.contract import Item, Record, Scalar, Unusable, Weighing
from carbon_credits.partners.models import PartnerFile

_SIZE: Final = 16
_ENTRY: Final = 3 * _SIZE
_READ: Final = _ENTRY * 8_192
_CHUNK: Final = 2_000
_TOLD: Final = tuple(f.name for f in fields(Record) if f.name not in {"line", "settles", "version"})
_WHAT: Final = attrgetter(*_TOLD)
_JSON: Final = json.JSONEncoder(sort_keys=True, default=str, ensure_ascii=False).encode
_NOTHING: Final = bytes(_SIZE)

STAGE: Final = """
create temp table {name} (ext_key bytea not null, aside_key bytea not null, content bytea not null) on commit drop
"""
# Both sides hold each key once after this; a key that is only in the earlier version was taken back, one with other
# content was changed. Done again it changes nothing.
COMPARE: Final = """
insert into record_correction (file_id, source_id, ext_key, kind)
select %(file)s, %(source)s, b.ext_key, case when n.ext_key is null then 'void' else 'correct' end
from (select ext_key, max(content) as content from told_before group by ext_key) b
left join (select ext_key, max(content) as content from told_now group by ext_key) n using (ext_key)
where n.ext_key is null or n.content <> b.content
order by b.ext_key
on conflict do nothing
"""
COUNTED: Final = """
select count(*) filter (where kind = 'correct'), count(*) filter (where kind = 'void')
from record_correction where file_id = %(file)s
"""
WITHDRAWN: Final = """
select distinct b.aside_key from told_before b
where not exists (select from told_now n where n.ext_key = b.ext_key)
"""


def keys_of(vault: Vault, source_id: int, items: Sequence[Item], told: Told) -> bytes:
    """The digests of what is or may become an act, of items and what was made ready of them."""
    row = vault.blinder(f"row:{source_id}")
    entries: list[bytes] = []
    for record in told.records:
        entries += _of_record(row, items[record.place], record)
    for _, item in told.others:
        entries += _of_other(vault, source_id, item)
    return b"".join(entries)


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """Where the digests of a file's records are written; whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    with part.open("wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())
    part.rename(path)


def note_corrections(session: Session, row: PartnerFile, before: Path, now: Path) -> tuple[int, int]:
    """Compare two versions of a file by their digests; returns how many records were changed and how many taken back.

    Where the earlier one's digests are gone (they are kept sixty days) nothing can be told apart.
    """
    if not (before.exists() and now.exists()):
        return 0, 0
    raw = raw_connection(session)
    session.execute(text("set local statement_timeout = '10min'"))
    for name, path in (("told_before", before), ("told_now", now)):
        raw.execute(STAGE.format(name=name))
        _copy(raw, name, path)
        raw.execute(f"analyze {name}")
    given = {"file": row.file_id, "source": row.source_id}
    raw.execute(COMPARE, given)
    withdrawn = [key for (key,) in raw.execute(WITHDRAWN)]
    for start in range(0, len(withdrawn), _CHUNK):
        aside.withdraw(session, row.source_id, withdrawn[start : start + _CHUNK])
    stations.withdraw_voided(session, row.file_id, row.received_at)
    counted = raw.execute(COUNTED, given).fetchone()
    assert counted is not None
    return counted[0], counted[1]


def _of_record(row: Blinder, item: Item, record: ToldRecord) -> Iterator[bytes]:
    """A record by what it tells; a piece in it by its number alone, which is made of what it tells."""
    names = record.names
    yield names.ext_key + names.by_aside
    yield row(_what(item, record.ready))
    for ext_key, by_aside in names.pieces:
        yield ext_key + by_aside
        yield _NOTHING


def _what(item: Item, ready: Ready | tuple[str, ...]) -> bytes:
    """All that a record tells. Of a good one most is in the digests that it lands with."""
    if isinstance(ready, Ready) and isinstance(item, Record):
        rest = _JSON([dict(item.evidence), item.deposits]) if item.deposits else _evidence(item)
        return ready.told + ready.evidence_class.encode() + rest.encode()
    return _JSON(_told(item)).encode()


def _evidence(item: Record) -> str:
    """Written in one way: how distances were got, and between which stations, is told often."""
    return _evidence_of(tuple(item.evidence.items()), tuple(map(type, item.evidence.values())))


@lru_cache(maxsize=8_192)
def _evidence_of(told: tuple[tuple[str, Scalar], ...], _kinds: tuple[type, ...]) -> str:
    return _JSON(dict(told))


def _of_other(vault: Vault, source_id: int, item: Unusable | Weighing) -> Iterator[bytes]:
    """A weighing by what it tells; a piece that waits by its number; and what was no act but lay in a station's bag."""
    if isinstance(item, Weighing) or item.waiting or item.deposits:
        yield record_key(item.record_id) + aside.record_key(vault, source_id, item.record_id)
        yield vault.blind(f"row:{source_id}", _JSON(_told(item))) if isinstance(item, Weighing) else _NOTHING


def _told(item: Item) -> dict[str, object]:
    """What it tells; where in the file it stood is none of that."""
    if isinstance(item, Record):
        told = dict(zip(_TOLD, _WHAT(item), strict=True))
        # as `default` would write them, without being called for each
        told["occurred_from"], told["occurred_to"] = str(item.occurred_from), str(item.occurred_to)
        return told
    return {
        name: getattr(item, name) for name in ("record_id", "methodology", "emptied_at", "station", "net_g")
    }


def _copy(raw: "Connection[tuple[object, ...]]", name: str, path: Path) -> None:
    with (
        path.open("rb") as stream,
        raw.cursor() as cursor,
        cursor.copy(f"copy {name} from stdin (format binary)") as copy,
    ):
        copy.set_types(["bytea", "bytea", "bytea"])
        while entries := stream.read(_READ):
            for at in range(0, len(entries), _ENTRY):
                parts = (entries[at + n * _SIZE : at + (n + 1) * _SIZE] for n in range(3))
                copy.write_row(tuple(parts))
