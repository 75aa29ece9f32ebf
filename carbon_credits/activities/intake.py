"""Partners' records become acts: checked one by one, then landed as a set.

Landing is four statements whatever the number of records. A record lands once for its source and record number,
whatever its date or subject; the second arrival is a duplicate, or a contradiction when its content differs, unless it
says that it is a later version.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from psycopg import Connection
from sqlalchemy import select
from sqlalchemy.orm import Session

from carbon_credits.activities.counting import let_newest_count
from carbon_credits.activities.names import public_id
from carbon_credits.activities.ready import Ready, SourceTerms, make_ready
from carbon_credits.activities.staging import COPY, WRITE_ACTS, stage
from carbon_credits.activities.versions import land_versions, lock_source
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import raw_connection
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.core.inserting import ASKING, insert_new
from carbon_credits.partners.contract import Record
from carbon_credits.partners.models import Partner, Source


class RowResult(NamedTuple):
    """What became of the record at a place: accepted, duplicate, waiting or refused, and why. `id` names the act, where
    that was asked for.

    `corrects` says that it was accepted as another version of a record that was known.
    """

    place: int
    status: str
    id: str | None
    reasons: tuple[str, ...]
    shard_id: int | None = None
    corrects: bool = False


# Who each record belongs to: a binding in force, of a resident who is still with us. Behind the fence each subject is
# looked up by the index, in its order; joined, a delivery of some thousands would read every binding of the partner.
PLACE = """
insert into intake_placed (activity_id, resident_id, line, shard_id)
select nextval('activity_no'), b.resident_id, i.line, b.shard_id
from (select subject_index, occurred_on, line from intake order by subject_index offset 0) i
cross join lateral (
  select r.resident_id, r.shard_id
  from binding b join resident r using (resident_id)
  where b.partner_id = %(partner)s and b.subject_index = i.subject_index and b.ended_at is null
    and r.status = 'active'
  offset 0
) b
order by b.resident_id, i.occurred_on, i.line
"""

# The key first, in sorted order, so that two deliveries of the same records wait for one another and never in a ring;
# the act and its work-list row exist exactly when the key was new.
LAND = f"""
with key as (
  insert into act_key (source_id, ext_key, activity_id, resident_id, content_digest, occurred_on)
  select %(source)s, i.ext_key, p.activity_id, p.resident_id, i.content_digest, i.occurred_on
  from intake_placed p join intake i using (line)
  order by i.ext_key
  {ASKING}
  returning activity_id
{WRITE_ACTS}"""  # noqa: S608 - made of constants

# What became of each line: landed now, known before (with the same or other content), or nobody's.
OUTCOME = """
select i.line, p.activity_id as placed_as, k.activity_id as known_as, k.occurred_on, p.shard_id,
       k.content_digest = i.content_digest as same_content
from intake i
left join intake_placed p using (line)
left join act_key k on k.source_id = %(source)s and k.ext_key = i.ext_key
order by i.line
"""
# The same where every line landed now: what became of it needs no look at any key.
ALL_NEW = """
select i.line, p.activity_id, p.activity_id, i.occurred_on, p.shard_id, true
from intake i join intake_placed p using (line)
"""
# And where nobody asks for the names of the acts.
ALL_NEW_UNNAMED = "select shard_id, array_agg(line) from intake_placed group by shard_id"


def terms_of(session: Session, feed: str, partner_id: int | None = None) -> SourceTerms:
    """The terms of a partner's feed. Raises NotFound, also for a feed of another partner."""
    found = session.execute(
        select(Source, Partner.code).join(Partner).where(Source.feed == feed, Partner.status == "active")
    ).one_or_none()
    if found is None or partner_id not in (None, found.Source.partner_id):
        raise NotFound("feed_not_found", Text("没有这个数据源", "No such feed"))
    source = found.Source
    return SourceTerms(
        source.source_id,
        source.partner_id,
        found.code,
        source.feed,
        source.evidence_class,
        frozenset(source.methodologies),
        source.late_days,
    )


def take_in(
    session: Session, vault: Vault, source: SourceTerms, records: Sequence[Record], now: datetime
) -> list[RowResult]:
    """Check and land a partner's records in the caller's transaction; one result for each, in order.

    A record that is wrong is refused alone; one whose subject is not bound waits, and may be sent again. A version above
    1 tells a known record anew; the highest counts.
    """
    return take_in_ready(session, source, make_ready(vault, source, records, now))


def take_in_ready(
    session: Session, source: SourceTerms, told: Sequence[Ready | tuple[str, ...]], *, named: bool = True
) -> list[RowResult]:
    """As `take_in`, with what was made ready before the transaction; `named` asks for the names of the acts."""
    good: dict[int, Ready] = {}
    results: dict[int, RowResult] = {}
    for index, each in enumerate(told):
        if isinstance(each, Ready):
            good[index] = each
        else:
            results[index] = RowResult(index, "refused", None, each)
    lock_source(
        raw_connection(session),
        source.source_id,
        corrects=any(each.version > 1 for each in good.values()),
    )
    # records of one evidence class land together
    for letter in sorted({each.evidence_class for each in good.values()}):
        terms = replace(source, evidence_class=letter)
        alike = {index: each for index, each in good.items() if each.evidence_class == letter}
        connection = stage(session)
        with connection.cursor().copy(COPY) as copy:
            copy.write("".join(f"{index}\t{each.row}\n" for index, each in alike.items()))
        results.update((result.place, result) for result in land(session, terms, named=named))
        results.update((result.place, result) for result in _land_versions(connection, terms, alike, results))
    let_newest_count(session, source.source_id, [each.ext_key for each in good.values()])
    return [results[index] for index in range(len(told))]


def land(session: Session, source: SourceTerms, *, named: bool = True) -> list[RowResult]:
    """Turn what lies in the staging table into acts; one result for each line."""
    connection, landed = raw_connection(session), land_staged(session, source)
    all_new = connection.execute("select count(*) from intake").fetchone() == (landed,)
    if all_new and not named:
        shards: list[tuple[int, list[int]]] = connection.execute(ALL_NEW_UNNAMED).fetchall()
        return [RowResult(line, "accepted", None, (), shard) for shard, lines in shards for line in lines]
    asked = ALL_NEW if all_new else OUTCOME
    return [_result(row) for row in connection.execute(asked, {"source": source.source_id}).fetchall()]


def land_staged(session: Session, source: SourceTerms) -> int:
    """The set-based part alone, for deliveries too large to answer line by line. Returns how many are new acts."""
    given = {
        "partner": source.partner_id,
        "source": source.source_id,
        "evidence_class": source.evidence_class,
    }
    connection = raw_connection(session)
    # only what is joined or sorted by: looking at every column of a large delivery costs more than it tells
    connection.execute("analyze intake (line, subject_index, ext_key)")
    placed = connection.execute(PLACE, given).rowcount
    connection.execute("analyze intake_placed")
    return insert_new(session, LAND, given, placed).rowcount


def _land_versions(
    connection: Connection[tuple[object, ...]],
    source: SourceTerms,
    alike: Mapping[int, Ready],
    results: Mapping[int, RowResult],
) -> Iterator[RowResult]:
    """What first landing could not know: lines that tell a known record anew. Most deliveries have none."""
    versions = {index: each.version for index, each in alike.items() if each.version > 1}
    strange = {index for index in alike if results[index].reasons == ("content_differs",)}
    if not versions and not strange:
        return
    given = {"source": source.source_id, "evidence_class": source.evidence_class}
    for row in land_versions(connection, given, versions.items()):
        told = _result(row)
        # one that landed for the first time is told so already
        if results[told.place].status != "accepted":
            strange.discard(told.place)
            yield told._replace(corrects=told.status == "accepted")
    for index in sorted(strange & versions.keys()):
        # another content, and nobody it can belong to yet
        yield RowResult(index, "waiting", None, ("unknown_subject",))


def _result(row: tuple[object, ...]) -> RowResult:
    line, placed_as, known_as, occurred_on, shard, same_content = row
    assert isinstance(line, int)
    if known_as is None:
        return RowResult(line, "waiting", None, ("unknown_subject",))
    assert isinstance(known_as, int)
    assert isinstance(occurred_on, date)
    name = public_id(occurred_on, known_as)
    if known_as == placed_as:
        assert isinstance(shard, int)
        return RowResult(line, "accepted", name, (), shard)
    if same_content:
        return RowResult(line, "duplicate", name, ("duplicate",))
    return RowResult(line, "refused", name, ("content_differs",))
