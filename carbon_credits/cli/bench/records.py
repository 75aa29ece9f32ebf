"""A million partner records that might be a district's: half metro, then bicycles, paper and orders.

Every resident has an act a day; about one record in ten is too short, doubles another trip, repeats a transaction
or goes over a cap. The numbers are invented for measuring and describe nobody.
"""

from pathlib import Path
from typing import Any, Final

from psycopg import ClientCursor

from carbon_credits.activities.staging import COLUMNS
from carbon_credits.cli.bench.district import FEEDS
from carbon_credits.jobs.doorbell import LANES
from carbon_credits.methodologies.catalogue import BY_CODE

CHUNK: Final = 40_000

# `die(no, side)` falls the same way in every run.
TABLE: Final = """
create function bench.die(no bigint, side int, faces int) returns int immutable language sql
  return abs(hashint8extended(no, side) %% faces);

create unlogged table bench.record as
with told as (
  select t.no, p.no as person, p.shard_id, (t.no - 1) / %(residents)s as day,
         (array[1, 1, 1, 1, 1, 2, 2, 3, 3, 4])[1 + bench.die(t.no, 1, 10)] as feed, bench.die(t.no, 2, 100) as fault
  from generate_series(1::bigint, %(records)s) as t (no)
  join bench.person p on p.no = 1 + (t.no - 1) %% %(residents)s
), timed as (
  select *,
         -- an overlapping trip begins when the resident's act of the day before began
         case when is_double then no - %(residents)s else no end as like_no,
         case when is_double then day - 1 else day end as on_day,
         case when fault < 3 and feed < 4 then (array[200, 200, 100])[feed]
              when fault in (8, 9) and feed <> 2 then (array[70000, null, 45000, 5])[feed]
              else (array[2000, 800, 500, 1])[feed] + bench.die(no, 4, (array[28000, 4200, 4500, 2])[feed])
         end as quantity
  from (select *, fault in (3, 4, 5) and day > 0 and feed in (1, 2) as is_double from told) t
), lasting as (
  select *, ((%(today)s::date - 5 + on_day::int)::timestamp at time zone 'Asia/Shanghai')
              + make_interval(secs => 21600 + bench.die(like_no, 3, 54000)) as occurred_from,
         case feed when 1 then 120 + quantity / 9 when 2 then quantity * 2 / 7 else 0 end as seconds
  from timed
)
select no::int as line, bench.some('record ', no) as ext_key, bench.some('content ', no) as content_digest,
       bench.subject((%(partners)s::smallint[])[feed], person) as subject_index, occurred_from,
       occurred_from + make_interval(secs => seconds) as occurred_to,
       ((occurred_from + make_interval(secs => seconds)) at time zone 'Asia/Shanghai')::date as occurred_on,
       (%(numbers)s::smallint[])[feed] as methodology,
       case when feed in (1, 2) then jsonb_build_object('distance_m', quantity)
            when feed = 3 then jsonb_build_object('mass_g', quantity, 'contamination_ppm', 10000 * bench.die(no, 5, 10))
            else jsonb_build_object('count', quantity) end as monitored,
       case feed when 1 then '{"distance": "station table"}'::jsonb
                 when 2 then '{"distance": "great circle", "datum": "WGS-84"}'::jsonb end as evidence,
       case feed when 2 then bench.some('bicycle ', bench.die(no, 6, %(residents)s / 4 + 1)) end as vehicle_key,
       null::bytea as item_key,
       case when feed <> 2
            then bench.some('transaction ', case when fault in (6, 7) then no - 1 else no end) end as transaction_key,
       null::bytea as meter_key, case when feed <> 2 then bench.some('match ', no) end as match_key, feed,
       shard_id %% %(lanes)s as lane
from lasting;
"""
PARTS: Final = """
create unlogged table bench.part as
select *, (row_number() over (partition by lane, feed order by occurred_to, line) - 1) / %(chunk)s as part
from bench.record;
create index on bench.part (lane, feed, part);
"""


def write(owner: Any, folder: Path, residents: int, records: int, today: Any) -> None:
    """Make the records and leave them as COPY files, one for a lane, a feed and a chunk, each in order of time."""
    numbers = [BY_CODE[methodology][-1].number for _, _, methodology in FEEDS]
    given = {"residents": residents, "records": records, "today": today, "lanes": LANES}
    given |= {"numbers": numbers, "partners": [partner for _, partner, _ in FEEDS]}
    _client_side(owner, TABLE, given)
    _client_side(owner, PARTS, {"chunk": CHUNK})
    parts = owner.execute("select distinct lane, feed, part from bench.part").fetchall()
    for lane, feed, part in parts:
        path = folder / f"{lane}-{feed}-{part:04}.copy"
        asked = (
            f"copy (select {COLUMNS} from bench.part where lane = {lane} and feed = {feed} and part = {part}"
            " order by occurred_to, line) to stdout"
        )
        with path.open("wb") as file, owner.cursor().copy(asked) as copy:
            for block in copy:
                file.write(block)
    owner.execute("drop table bench.record, bench.part")


def files(folder: Path, lanes: tuple[int, ...]) -> list[tuple[int, Path]]:
    """(feed, file) of the lanes, feeds in turn as partners' files come in."""
    found = [(path.stem.split("-"), path) for path in folder.glob("*.copy")]
    return [
        (int(feed), path)
        for (lane, feed, part), path in sorted(found, key=lambda item: (item[0][2], item[0][1], item[0][0]))
        if int(lane) in lanes
    ]


def _client_side(owner: Any, statement: str, given: dict[str, Any]) -> None:
    """DDL takes no parameters from the server's side."""
    ClientCursor(owner).execute(statement, given)
