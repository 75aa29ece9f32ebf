"""Corrections and voids that partners send are applied to the acts they are about.

Two kinds arrive. A later version of a file leaves a record out or tells it otherwise: that was noted record by record
when the versions were compared (`record_correction`). And formats have records of their own that take another back: a
void of a tap, a credit of a charge, a declaration of error, a refund; they lie sealed aside until what they are about is
known. Both come to a row in `act_withdrawal`, and from there the acts follow (`activities.counting`). A step does a few
thousand in one transaction: whoever comes after a kill goes on where it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.counting import let_newest_count
from carbon_credits.activities.ready import record_key
from carbon_credits.activities.versions import MOST_FILE_VERSIONS, lock_source
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import raw_connection
from carbon_credits.partners import aside
from carbon_credits.partners.contract import Scalar

CHUNK: Final = 2_000
WAITS: Final = "correction_waits"

SOURCES: Final = text("""
select s.source_id, s.feed from source s
where exists (select from record_correction c where c.source_id = s.source_id and c.settled_at is null)
   or exists (select from record_set_aside a where a.source_id = s.source_id and a.state = 'waiting'
                and a.reasons = array['correction_waits'])
order by s.source_id
""")
# The next corrections by file and record, with the version that their file is of; each is settled by this transaction.
TAKE: Final = text("""
with next as (
  select file_id, ext_key from record_correction
  where source_id = :source and settled_at is null
  order by ext_key, file_id limit :most
), done as (
  update record_correction c set settled_at = clock_timestamp()
  from next where c.file_id = next.file_id and c.ext_key = next.ext_key
  returning c.file_id, c.ext_key, c.kind
)
select d.ext_key, d.kind, f.seq * :versions + f.version as version
from done d join partner_file f using (file_id)
order by d.ext_key, version
""")
_GIVEN: Final = """
  select * from unnest(cast(:keys as bytea[]), cast(:kinds as text[]), cast(:versions as bigint[]))
    as given (ext_key, kind, version)
"""
# What a version of a file left out or told otherwise: what was told of it before counts no longer, nor does a record of
# which it was a piece.
BY_VERSION: Final = text(f"""
with given as ({_GIVEN})
insert into act_withdrawal (source_id, ext_key, by_key, version, cause, kind)
select :source, ext_key, ext_key, version, 'version', kind from given
union all
select :source, p.ext_key, given.ext_key, given.version, 'piece', 'void'
from given join act_piece p on p.source_id = :source and p.piece_key = given.ext_key
where given.kind = 'void'
on conflict do nothing
returning ext_key
""")  # noqa: S608 - made of constants
# A void that is left out was taken back itself: what it had taken back may count again.
VOID_ENDS: Final = text(f"""
with given as ({_GIVEN})
update act_withdrawal w set ended_at = clock_timestamp()
from given
where w.source_id = :source and w.by_key = given.ext_key and w.cause = 'record' and given.kind = 'void'
  and w.version < given.version and w.ended_at is null
returning w.ext_key
""")  # noqa: S608 - made of constants
# Which of these are known: as an act, as a piece of one, or as something that waits or was refused. A piece that was
# spent before pieces were written down cannot be told from one of which nothing is known.
KNOWN: Final = text("""
select place
from unnest(cast(:keys as bytea[]), cast(:aside_keys as bytea[])) with ordinality as c (ext_key, aside_key, place)
where exists (select from act_key k where k.source_id = :source and k.ext_key = c.ext_key)
   or exists (select from act_piece p where p.source_id = :source and p.piece_key = c.ext_key)
   or exists (select from record_set_aside a where a.source_id = :source and a.ext_key = c.aside_key
                and a.state in ('waiting', 'refused'))
""")
# A record that says so takes back what it names, and every record of which that is a piece.
BY_RECORD: Final = text("""
with given as (
  select * from unnest(cast(:keys as bytea[]), cast(:by_keys as bytea[]), cast(:kinds as text[]))
    as given (ext_key, by_key, kind)
)
insert into act_withdrawal (source_id, ext_key, by_key, version, cause, kind)
select :source, ext_key, by_key, 1, 'record', kind from given
union all
select :source, p.ext_key, given.by_key, 1, 'record', given.kind
from given join act_piece p on p.source_id = :source and p.piece_key = given.ext_key
on conflict do nothing
returning ext_key
""")


@dataclass(frozen=True)
class FeedDue:
    """A feed of which corrections are not settled yet; some of them may wait for what has not come."""

    source_id: int
    feed: str


@dataclass(frozen=True)
class Step:
    """How many corrections a step looked at and settled, how many acts it put back, and where the next step begins."""

    seen: int = 0
    settled: int = 0
    put_back: int = 0
    ends_at: bytes | None = None


class _Told(NamedTuple):
    """A record that corrects another: its keys here, those of what it is about, and what it does to it, if anything."""

    by_key: bytes
    by_aside: bytes
    ext_key: bytes
    aside_key: bytes
    kind: str | None


def feeds_due(session: Session) -> list[FeedDue]:
    """Feeds with unsettled corrections, by number."""
    return [FeedDue(row.source_id, row.feed) for row in session.execute(SOURCES)]


def settle_versions(session: Session, source_id: int, most: int = CHUNK) -> Step:
    """Settle the next corrections that versions of a feed's files brought; `seen` is 0 when there are none.

    Holds the feed's and the acts' locks until the transaction ends.
    """
    lock_source(raw_connection(session), source_id, corrects=True)
    rows = session.execute(TAKE, {"source": source_id, "most": most, "versions": MOST_FILE_VERSIONS}).all()
    if not rows:
        return Step()
    keys, kinds, versions = zip(*rows, strict=True)
    given = {"source": source_id, "keys": list(keys), "kinds": list(kinds), "versions": list(versions)}
    touched = set(keys)
    for statement in (BY_VERSION, VOID_ENDS):
        touched |= set(session.execute(statement, given).scalars())
    return Step(len(rows), len(rows), let_newest_count(session, source_id, touched))


def settle_records(
    session: Session, vault: Vault, source_id: int, after: bytes = b"", most: int = CHUNK
) -> Step:
    """Settle the next records that take others back, in the order of their keys after one; what refers to something
    unknown goes on waiting. `ends_at` is None after the last.
    """
    lock_source(raw_connection(session), source_id, corrects=True)
    found = list(aside.waiting(session, vault, source_id, after, most, reason=WAITS))
    told = [each for key, _, kept in found if (each := _told(vault, source_id, key, kept)) is not None]
    known = {
        told[place - 1]
        for place in session.execute(
            KNOWN,
            {
                "source": source_id,
                "keys": [each.ext_key for each in told],
                "aside_keys": [each.aside_key for each in told],
            },
        ).scalars()
    }
    moved = _apply(session, source_id, sorted(each for each in known if each.kind is not None))
    # a fare adjusted is money alone: done with, whatever it is about
    done = known | {each for each in told if each.kind is None}
    if done:
        aside.placed(session, source_id, [each.by_aside for each in done])
    ends_at = found[-1][0] if len(found) == most else None
    return Step(len(found), len(done), moved, ends_at)


def withdraw(session: Session, source_id: int, versions: Mapping[str, int]) -> int:
    """A partner takes records back by their numbers, each as of a version: what earlier versions told counts no longer.

    Records that are not known yet are remembered. Returns how many acts were put back.
    """
    lock_source(raw_connection(session), source_id, corrects=True)
    keys = {record_key(record_id): version for record_id, version in versions.items()}
    given = {
        "source": source_id,
        "keys": list(keys),
        "kinds": ["void"] * len(keys),
        "versions": list(keys.values()),
    }
    touched = set(session.execute(BY_VERSION, given).scalars())
    return let_newest_count(session, source_id, touched | keys.keys())


def _apply(session: Session, source_id: int, told: list[_Told]) -> int:
    if not told:
        return 0
    given = {
        "source": source_id,
        "keys": [each.ext_key for each in told],
        "by_keys": [each.by_key for each in told],
        "kinds": [each.kind for each in told],
    }
    touched = set(session.execute(BY_RECORD, given).scalars())
    # what only waited waits no longer
    aside.withdraw(session, source_id, [each.aside_key for each in told])
    return let_newest_count(session, source_id, touched)


def _told(vault: Vault, source_id: int, key: bytes, kept: Mapping[str, Scalar]) -> _Told | None:
    """What a kept correction does. None where it tells another content that its feed has not read: that waits."""
    if "told" in kept and kept["action"] != "void":
        return None
    corrects = str(kept["corrects"])
    kind = "void" if kept["action"] == "void" else "correct" if kept.get("corrected_by") else None
    return _Told(
        record_key(str(kept["record_id"])),
        key,
        record_key(corrects),
        aside.record_key(vault, source_id, corrects),
        kind,
    )
