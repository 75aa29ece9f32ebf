"""The ledger hash: what everybody has in the end, whatever order, chunks and repetitions brought it there.

Net figures of each act alone: its generations and their reversals add up, and an act that came to nothing is not in it.
The act is named by its feed and the key of its record, which a correction bears too, the fund by its code: numbers given
on arrival, days of booking and journals are not in it. While no fund was exhausted, the same facts give the same hash.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core.db import raw_connection

# One line for each record and fund of which anything is left, in the order of whose it is and what it is called. Grants,
# bonuses, clawbacks, lapses and write-offs name a fund; the lot's date is that of the points as they were given last.
NET: Final = """
copy (
  select p.resident_id, s.feed, encode(a.ext_key, 'hex'), f.code, sum(p.verified_mg), sum(p.claimed_mg),
         sum(p.removal_mg), sum(p.points), case when sum(p.points) <> 0 then max(p.lot_on) end
  from posting p
  join activity a
    on a.resident_id = p.resident_id and a.occurred_on = p.effective_on and a.activity_id = p.activity_id
  join source s using (source_id)
  left join fund f on f.fund_id = p.contra_ref
  where p.contra_kind in (1, 2, 4, 5, 6, 7)
  group by p.resident_id, s.feed, a.ext_key, f.code
  having (sum(p.verified_mg), sum(p.claimed_mg), sum(p.removal_mg), sum(p.points)) <> (0, 0, 0, 0)
  order by p.resident_id, s.feed collate "C", a.ext_key, f.code collate "C"
) to stdout
"""


def ledger_hash(session: Session) -> str:
    """SHA-256 over all net figures, in hexadecimal: milligrams by column and points by fund of each act."""
    found = sha256(b"cc/ledger/v1\n")
    for block in net_figures(session):
        found.update(block)
    return found.hexdigest()


def net_figures(session: Session) -> Iterator[bytes]:
    """The lines that are hashed, tab-separated: resident, feed, key, fund, three columns of mg, points, lot date."""
    raw = raw_connection(session)
    raw.execute("set local statement_timeout = '30min'")
    with raw.cursor() as cursor, cursor.copy(NET) as copy:
        for block in copy:
            yield bytes(block)
