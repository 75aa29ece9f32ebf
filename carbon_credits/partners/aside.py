"""Records set aside: what could not become an act, why, and whether it waits for something.

A waiting record keeps, sealed, what its feed needs to place it later; a refused one keeps nothing personal.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ARRAY, LargeBinary, any_, cast, func, select, text, update
from sqlalchemy.orm import Session

from carbon_credits.core.crypto import Blinder, Vault
from carbon_credits.partners.contract import Scalar, Unusable
from carbon_credits.partners.models import RecordSetAside

_CHUNK = 2_000
WITHDRAWN: Final = "withdrawn_by_partner"


def record_key(vault: Vault, source_id: int, record_id: str) -> bytes:
    """The 16 bytes by which a partner's record is known here; the partner's own number stays outside."""
    return keys_of(vault, source_id)(record_id)


def keys_of(vault: Vault, source_id: int) -> Blinder:
    """What makes the keys of a source's records."""
    return vault.blinder(f"record:{source_id}")


class Kept(NamedTuple):
    """A record that waits: its key, what for, and what was kept of it."""

    key: bytes
    reasons: tuple[str, ...]
    kept: Mapping[str, Scalar]


# Many keys are handed over as one value, sixteen bytes each: an array of them costs more to write than to look up.
# In the order of keys, so that two who land the same records wait for one another and never in a ring.
SET_ASIDE = text("""
insert into record_set_aside (source_id, ext_key, state, reasons, file_id, line, sealed, received_at)
select :source, k.ext_key, k.state, string_to_array(k.reasons, '+'), :file, k.line, k.sealed, :now
from unnest(cast(:keys as bytea[]), cast(:states as text[]), cast(:reasons as text[]), cast(:lines as int[]),
            cast(:sealed as bytea[])) as k (ext_key, state, reasons, line, sealed)
order by k.ext_key
on conflict (source_id, ext_key) do update
set state = excluded.state, reasons = excluded.reasons, sealed = excluded.sealed
where record_set_aside.state = 'waiting' or record_set_aside.reasons = array[cast(:withdrawn as text)]
""")


PLACED = text("""
update record_set_aside r set state = 'placed', sealed = null
from (select substr(cast(:keys as bytea), at, 16) as ext_key
      from generate_series(1, length(cast(:keys as bytea)), 16) at) k
where r.source_id = :source and r.ext_key = k.ext_key and r.state = 'waiting'
returning r.ext_key
""")


def set_aside(
    session: Session,
    vault: Vault,
    source_id: int,
    rows: Sequence[Unusable],
    file_id: int | None,
    now: datetime,
) -> None:
    """Write down what could not become an act.

    Said again, a waiting record takes the newest reasons, and one that was taken back waits again; a refused or placed
    one stays as it is. So it is with one that is said twice at once.
    """
    by_key: dict[bytes, Unusable] = {}
    for row in rows:
        key = record_key(vault, source_id, row.record_id)
        if key not in by_key or by_key[key].waiting:
            by_key[key] = row
    given = {
        "keys": list(by_key),
        "states": ["waiting" if row.waiting else "refused" for row in by_key.values()],
        "reasons": ["+".join(row.reasons) for row in by_key.values()],
        "lines": [row.line for row in by_key.values()],
        "sealed": _sealed(vault, source_id, by_key),
    }
    session.execute(
        SET_ASIDE, {"source": source_id, "file": file_id, "now": now, "withdrawn": WITHDRAWN, **given}
    )


def waiting(
    session: Session,
    vault: Vault,
    source_id: int,
    after: bytes = b"",
    most: int | None = None,
    *,
    reason: str | None = None,
) -> Iterator[Kept]:
    """Each waiting record of a source, in the order of the keys, `most` of them after a key, only those that wait for one
    reason where that is told; read as it is needed.
    """
    asked = (
        select(RecordSetAside.ext_key, RecordSetAside.reasons, RecordSetAside.sealed)
        .where(
            RecordSetAside.source_id == source_id,
            RecordSetAside.state == "waiting",
            RecordSetAside.sealed.is_not(None),
            RecordSetAside.ext_key > after,
        )
        .order_by(RecordSetAside.ext_key)
        .limit(most)
        .execution_options(yield_per=_CHUNK)
    )
    if reason is not None:
        asked = asked.where(RecordSetAside.reasons == [reason])
    for row in session.execute(asked):
        plain = vault.unseal("set-aside", row.sealed or b"", _place(source_id, row.ext_key))
        yield Kept(row.ext_key, tuple(row.reasons), json.loads(plain))


def placed(session: Session, source_id: int, keys: Collection[bytes]) -> int:
    """These became acts: what was kept of them goes. Returns how many were waiting."""
    return len(session.execute(PLACED, {"source": source_id, "keys": b"".join(keys)}).all())


def withdraw(session: Session, source_id: int, keys: Collection[bytes]) -> int:
    """The partner took these back: what waits of them waits no longer. Returns how many did."""
    done = (
        update(RecordSetAside)
        .where(
            RecordSetAside.source_id == source_id,
            RecordSetAside.ext_key == any_(cast(sorted(keys), ARRAY(LargeBinary))),
            RecordSetAside.state == "waiting",
        )
        .values(state="refused", sealed=None, reasons=[WITHDRAWN])
        .returning(RecordSetAside.ext_key)
        .execution_options(synchronize_session=False)
    )
    return len(session.execute(done).all())


def counts(session: Session, source_id: int, file_id: int | None = None) -> Mapping[tuple[str, str], int]:
    """How many records stand aside by (state, reason), of one file or of all."""
    reason = func.unnest(RecordSetAside.reasons).label("reason")
    asked = select(RecordSetAside.state, reason, func.count().label("n"))
    asked = asked.where(RecordSetAside.source_id == source_id)
    if file_id is not None:
        asked = asked.where(RecordSetAside.file_id == file_id)
    found = session.execute(asked.group_by(RecordSetAside.state, reason))
    return {(row.state, row.reason): row.n for row in found}


def _sealed(vault: Vault, source_id: int, by_key: Mapping[bytes, Unusable]) -> list[bytes | None]:
    """What is kept of each, sealed; None where nothing is."""
    kept = {
        key: json.dumps(dict(row.kept), ensure_ascii=False).encode()
        for key, row in by_key.items()
        if row.waiting and row.kept is not None
    }
    told = [(plain, _place(source_id, key)) for key, plain in kept.items()]
    sealed = dict(zip(kept, vault.seal_all("set-aside", told), strict=True))
    return [sealed.get(key) for key in by_key]


def _place(source_id: int, key: bytes) -> str:
    return f"record_set_aside|sealed|{source_id}:{key.hex()}"
