"""A record told anew: a version of it is an act of its own, for acts never change.

What is told first stands under the record's key. A later version that tells it otherwise (other numbers, another
subject, a better class) becomes an act whose key is made of the record's and of all that it tells; `act_version`
remembers which version told which act. Which of them counts is decided by `counting`, in any order of arrival.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from psycopg import Connection

from carbon_credits.activities.staging import WRITE_ACTS

# the first key of the lock between those who land records of a source and those who correct or take back
VERSIONS_LOCK: Final = 440_612
MOST_FILE_VERSIONS: Final = 1_000

_SAME: Final = """
  k.content_digest = i.content_digest and k.resident_id = p.resident_id
  and (v.version is null or (a.evidence_class = %(evidence_class)s and a.evidence is not distinct from i.evidence))"""
# all that a telling says, so that the same said again is the same act
_VERSION_KEY: Final = """
  substr(sha256(convert_to('record-version', 'UTF8') || i.ext_key || i.content_digest || int8send(p.resident_id)
    || convert_to(%(evidence_class)s || coalesce(i.evidence::text, ''), 'UTF8')), 1, 16)"""

# The lines that tell a version of a record that is known by now. A first telling that comes after a later version is one
# too; where only first tellings are known, a second one that differs is none: it is a contradiction.
TOLD: Final = f"""
insert into intake_told
select i.line, i.ext_key, coalesce(v.version, 1), p.activity_id, k.activity_id, k.occurred_on, {_SAME}, {_VERSION_KEY}
from intake i
join intake_placed p using (line)
join act_key k on k.source_id = %(source)s and k.ext_key = i.ext_key
join activity a
  on a.resident_id = k.resident_id and a.occurred_on = k.occurred_on and a.activity_id = k.activity_id
left join intake_version v using (line)
where v.version is not null
   or k.content_digest <> i.content_digest
      and exists (select from act_version t where t.source_id = %(source)s and t.ext_key = i.ext_key
                    and t.activity_id = k.activity_id)
"""  # noqa: S608 - made of constants
_FIRST: Final = "select distinct on (ext_key, version) * from intake_told order by ext_key, version, line"
# As in the first landing the key decides: it is new exactly when nobody told this of the record before. The act itself
# bears the key of its record, whichever version it is.
LAND: Final = f"""
with key as (
  insert into act_key (source_id, ext_key, activity_id, resident_id, content_digest, occurred_on)
  select distinct on (t.version_key) %(source)s, t.version_key, p.activity_id, p.resident_id, i.content_digest,
         i.occurred_on
  from ({_FIRST}) t join intake i using (line) join intake_placed p using (line)
  where not t.is_same
    and not exists (select from act_version v
                    where v.source_id = %(source)s and v.ext_key = t.ext_key and v.version = t.version)
  order by t.version_key, t.version
  on conflict do nothing
  returning activity_id
{WRITE_ACTS}"""  # noqa: S608 - made of constants
NOTE: Final = f"""
insert into act_version (source_id, ext_key, version, activity_id, resident_id, occurred_on)
select %(source)s, t.ext_key, t.version, k.activity_id, k.resident_id, k.occurred_on
from ({_FIRST}) t
join act_key k on k.source_id = %(source)s and k.ext_key = case when t.is_same then t.ext_key else t.version_key end
order by t.ext_key, t.version
on conflict do nothing
"""  # noqa: S608 - made of constants
# A line is good when its version tells what the line tells; another content under the same version is a contradiction.
OUTCOME: Final = """
select t.line, t.activity_id, coalesce(k.activity_id, t.first_id), coalesce(k.occurred_on, t.first_on),
       (k.resident_id - 1) / 16384, coalesce(v.activity_id = k.activity_id, false)
from intake_told t
left join act_key k
  on k.source_id = %(source)s and k.ext_key = case when t.is_same then t.ext_key else t.version_key end
left join act_version v on v.source_id = %(source)s and v.ext_key = t.ext_key and v.version = t.version
"""


def version_of_file(seq: int | None, version: int | None) -> int:
    """The version of what a file tells: 1 for the first of its number and for one without, otherwise by its number.

    A later number is above an earlier one's corrections, and any correction above any first telling.
    """
    if seq is None or version is None or version == 1:
        return 1
    return seq * MOST_FILE_VERSIONS + version


def lock_source(connection: Connection[tuple[object, ...]], source_id: int, *, corrects: bool) -> None:
    """First tellings of a source land side by side; whoever corrects or takes back does so alone, to the transaction's
    end. So a record that lands while it is taken back is seen by one of the two.
    """
    lock = "pg_advisory_xact_lock" if corrects else "pg_advisory_xact_lock_shared"
    connection.execute(f"select {lock}(%s, %s)", (VERSIONS_LOCK, source_id))


def land_versions(
    connection: Connection[tuple[object, ...]],
    given: Mapping[str, object],
    versions: Iterable[tuple[int, int]],
) -> list[tuple[object, ...]]:
    """Land what lies in the staging tables as versions of records that are known.

    `versions` are (line, version) of the lines above version 1; `given` is `source` and `evidence_class`. Returns for
    each such line: line, act placed, act known, its day, its shard, whether its version tells the same.
    """
    connection.execute("delete from intake_version")
    connection.execute("delete from intake_told")
    with connection.cursor() as cursor:
        cursor.executemany("insert into intake_version values (%s, %s)", list(versions))
    for statement in (TOLD, LAND, NOTE):
        connection.execute(statement, given)
    return connection.execute(OUTCOME, given).fetchall()
