"""What was told apart and is one record by now: which piece belongs to which record, and pieces told again."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.ready import Names
from carbon_credits.core.inserting import ASKING, insert_new

# What took a piece back before it was part of a record (a void that came first) holds for the record too.
NOTE: Final = f"""
with piece as (
  insert into act_piece (source_id, piece_key, ext_key)
  select distinct %(source)s::smallint, substr(%(pieces)b, at, 16) as piece_key, substr(%(records)b, at, 16)
  from generate_series(1, length(%(pieces)b), 16) at
  order by 2, 3
  {ASKING}
  returning piece_key, ext_key
), carried as (
  insert into act_withdrawal (source_id, ext_key, by_key, version, cause, kind)
  select w.source_id, p.ext_key, w.by_key, w.version, w.cause, w.kind
  from piece p
  join act_withdrawal w on w.source_id = %(source)s and w.ext_key = p.piece_key
  where w.cause = 'record' and w.ended_at is null
  on conflict do nothing
  returning ext_key
)
select distinct ext_key from carried
"""  # noqa: S608 - made of constants
# A later version of a file tells a piece again that an earlier had left out: nothing is missing by it any more. Tells it
# a void again that had been left out, the void is in force again.
FOUND: Final = text("""
update act_withdrawal set ended_at = clock_timestamp()
where source_id = :source and by_key = any(cast(:keys as bytea[])) and cause = 'piece' and version < :version
  and ended_at is null
returning ext_key
""")
AGAIN: Final = text("""
insert into act_withdrawal (source_id, ext_key, by_key, version, cause, kind)
select distinct on (ext_key, by_key) source_id, ext_key, by_key, :version, cause, kind
from act_withdrawal w
where source_id = :source and by_key = any(cast(:keys as bytea[])) and cause = 'record' and version < :version
  and not exists (select from act_withdrawal o
                  where o.source_id = w.source_id and o.ext_key = w.ext_key and o.by_key = w.by_key
                    and o.ended_at is null)
order by ext_key, by_key, version desc
on conflict do nothing
returning ext_key
""")


def note_pieces(session: Session, source_id: int, acts: Sequence[Names]) -> set[bytes]:
    """Remember the pieces of records that are acts; returns the keys of those of which one was taken back before."""
    pairs = [(piece, names.ext_key) for names in acts for piece, _ in names.pieces]
    if not pairs:
        return set()
    # keys of sixteen bytes, one behind the other: an array of them costs more to write than to look up
    pieces, keys = (b"".join(column) for column in zip(*pairs, strict=True))
    noted = insert_new(session, NOTE, {"source": source_id, "pieces": pieces, "records": keys}, len(pairs))
    return {key for (key,) in noted if isinstance(key, bytes)}


def told_again(session: Session, source_id: int, pieces: Collection[bytes], version: int) -> set[bytes]:
    """A later version of a file tells these pieces and voids, by their keys; returns the keys of records for which that
    changes much.
    """
    if not pieces:
        return set()
    given = {"source": source_id, "version": version, "keys": sorted(pieces)}
    return {key for statement in (FOUND, AGAIN) for key in session.execute(statement, given).scalars()}
