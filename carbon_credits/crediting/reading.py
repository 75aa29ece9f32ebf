"""The catalogue read as SQL: picking acts and quantifying them is one statement, however many there are."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial

from carbon_credits.crediting.reopening import AGAIN
from carbon_credits.methodologies.base import DERIVED, Methodology, Pool
from carbon_credits.methodologies.batch import batch_sql, monitored_column
from carbon_credits.methodologies.catalogue import BY_NUMBER, METHODOLOGIES

# Acts that begin together are told apart by who told of them and by their own keys, whoever came first.
ACT_ORDER = "int2send(source_id) || coalesce(ext_key, int8send(activity_id))"
# Three levels, each behind a fence: every monitored number is read once, then judged once, then put into the formula.
PICK = """
insert into batch_act
select queue_row, activity_id, resident_id, occurred_from, occurred_to,
       case when unmet = 0 then floor({raw})::bigint end, {quantity}, null, occurred_on, release_id, unmet,
       methodology, generation, shard_id, {motion}, evidence_class,
       case when unmet <> 0 then 'rejected'
            when verdict is not null then verdict
            when awaits then 'awaiting'
            when not is_open then 'held' end,
       case when unmet = 0 and verdict is null then
         case when awaits then 'awaiting_partner_record' when not is_open then 'wallet_closed' end end,
       found, vehicle_key, item_key, transaction_key, meter_key, source_id,
       {act_order}, match_key, is_open
from (
  select *, {release} as release_id, {unmet} as unmet,
         {needs_partner} and evidence_class in ('C', 'D') as awaits
  from (
    select q.queue_row, q.generation, a.activity_id, a.resident_id, a.occurred_from, a.occurred_to, a.occurred_on,
           a.methodology, a.shard_id, coalesce(q.evidence_class, a.evidence_class) as evidence_class, q.verdict,
           q.reasons as found, q.is_open, a.vehicle_key, a.item_key, a.transaction_key, a.meter_key, a.source_id,
           a.ext_key, a.match_key, {numbers}
    from (
      {which}
    ) q
    cross join lateral (
      select * from activity a
      where a.resident_id = q.r and a.occurred_on = q.d and a.activity_id = q.i and a.shard_id = %(shard)s
      offset 0
    ) a
    offset 0
  ) told
  offset 0
) judged
"""

# An act of a resident whose wallet is not open is held, not lost. The scalar subquery makes the planner look each wallet
# up; joined, it would read the whole shard.
QUEUED = """
select ctid as queue_row, resident_id as r, occurred_on as d, activity_id as i, generation, evidence_class,
       verdict, reasons,
       coalesce((select status from wallet w where w.resident_id = q.resident_id and w.shard_id = %(shard)s) = 1, false)
         as is_open
from activity_queue q
where shard_id = %(shard)s
order by resident_id, occurred_on, activity_id
limit %(most)s
"""


# Methodologies among what was picked that the text does not know: it would take their acts for out of force.
UNREAD = """
select coalesce(array_agg(distinct methodology), '{}') from batch_act where methodology <> all(%(read)s::smallint[])
"""


class Reading:
    """Everything the batch needs to know of the catalogue, as SQL text; of some methodologies, by number, or of all.

    The text of all takes the database longer to plan than a small batch of one methodology to decide.
    """

    def __init__(self, numbers: Mapping[str, int], only: Collection[int]) -> None:
        read = [m for m in METHODOLOGIES if m.number in only]
        science = batch_sql(read, numbers, _column)
        pick = partial(
            PICK.format,
            release=science.release,
            unmet=science.unmet,
            raw=science.raw,
            numbers=_numbers(read),
            quantity=_by_number(only, _quantity, "0::bigint"),
            motion=_by_number(only, lambda m: str("person_motion" in m.bases).lower(), "false"),
            act_order=ACT_ORDER,
            needs_partner=_by_number(only, lambda m: str(m.needs_partner).lower(), "false"),
        )
        self.pick, self.pick_again = pick(which=QUEUED), pick(which=AGAIN)
        self.terms = terms()
        self.unmet_codes = science.reasons
        self.nothing = science.nothing


@lru_cache(maxsize=32)
def _cached(numbers: tuple[tuple[str, int], ...], only: frozenset[int]) -> Reading:
    return Reading(dict(numbers), only)


def reading_of(numbers: Mapping[str, int], only: frozenset[int] | None = None) -> Reading:
    """The reading for a numbering of releases, of some methodologies or of all; made once for a process."""
    return _cached(tuple(sorted(numbers.items())), frozenset(BY_NUMBER) if only is None else only)


def terms() -> str:
    """What the programme's terms hang on, a row of SQL values for each methodology."""
    return ",\n    ".join(_terms(versions[-1]) for versions in BY_NUMBER.values())


def _by_number(only: Collection[int], render: Callable[[Methodology], str], otherwise: str) -> str:
    arms = " ".join(
        f"when {number} then {render(versions[-1])}"
        for number, versions in BY_NUMBER.items()
        if number in only
    )
    return f"(case methodology {arms} else {otherwise} end)" if arms else otherwise


def _column(name: str) -> str:
    return f"q_{name}"


def _numbers(methodologies: Iterable[Methodology]) -> str:
    """Each monitored or derived number as a column, read only where the methodology has it."""
    users: dict[str, set[int]] = {}
    for methodology in methodologies:
        for quantity in methodology.quantities:
            users.setdefault(quantity.name, set()).add(methodology.number)
    read = ", ".join(
        f"case when methodology in ({', '.join(map(str, sorted(by)))}) then {_read(name)} end as {_column(name)}"
        for name, by in users.items()
    )
    return read or "null as nothing"


def _read(name: str) -> str:
    # a JSON number is cast as it stands: no detour through its text
    return monitored_column(name) if name in DERIVED else f"(monitored->'{name}')::numeric"


def _quantity(methodology: Methodology) -> str:
    name = methodology.cap_quantity
    return "0::bigint" if name is None else f"coalesce({_column(name)}::bigint, 0)"


def _terms(methodology: Methodology) -> str:
    """(number, code, family, is a removal, can be verified, days its points wait at least)."""
    removal = str(methodology.pool is Pool.REMOVAL).lower()
    verifiable = str(methodology.verifiable).lower()
    return (
        f"({methodology.number}::smallint, '{methodology.code}', '{methodology.family}', {removal}, {verifiable},"
        f" {methodology.mature_days or 0})"
    )
