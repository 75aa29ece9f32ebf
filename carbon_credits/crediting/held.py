"""The queue of acts that a person must look at: those that are held, and accepted trips drawn for a second look.

What to do about a hold follows from its reasons: most are decided here, a doubtful match in its case, and what a mass
balance holds lets go by itself when the balance is right.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping, TextClause, text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.methodologies.catalogue import BY_CODE, BY_NUMBER

HELD: Final = "held"
SAMPLE: Final = "sample"
KINDS: Final = (HELD, SAMPLE)
# more than these are not counted: the page says "and more"
MOST_COUNTED: Final = 2_000

# decided elsewhere: in the case that was opened about it, or by the balance itself
IN_ITS_CASE: Final = frozenset({"ambiguous_match"})
BY_ITSELF: Final = frozenset({"bag_does_not_balance", "beyond_recycler_purchases"})
# a person may refuse these and may not credit them: two trips at a time never both count, and a wallet must be open
NEVER_CREDITED: Final = frozenset({"overlaps_another_trip", "wallet_closed"})

# What a list looks at is narrow and in its order; the rest is looked up for the rows that are shown, one by one. A fence
# (`offset 0`) keeps the planner from joining everything first, for it takes the newest of many decisions to be rare.
_RANGE: Final = """
    and (cast(:reason as text) is null or :reason = any(reasons))
    and (cast(:before as timestamptz) is null or {since} <= :before)
    and (cast(:after as timestamptz) is null or ({since}, activity_id) > (:after, :number))
  order by {since}, activity_id
  offset 0"""
_OF_STREET: Final = """
cross join lateral (select street from resident where resident_id = w.resident_id offset 0) r
where (cast(:street as text) is null or coalesce(r.street, '-') = :street)
  and (cast(:territory as text[]) is null or r.street = any(cast(:territory as text[])))"""
# The newest passage of an act is held and nobody has put it back since; the one held longest first.
_HELD: Final = f"""
select w.*, r.street, false as is_sample
from (
  select resident_id, occurred_on, activity_id, shard_id, generation, decided_at as since, methodology, reasons
  from decision d
  where state = 'held' and (cast(:methodology as smallint) is null or methodology = :methodology)
    {_RANGE.format(since="decided_at")}
) w {_OF_STREET}
  and (select true from decision later
       where later.resident_id = w.resident_id and later.occurred_on = w.occurred_on
         and later.activity_id = w.activity_id and later.generation > w.generation limit 1) is null
  and (select true from activity_queue q
       where q.shard_id = w.shard_id and q.resident_id = w.resident_id and q.occurred_on = w.occurred_on
         and q.activity_id = w.activity_id limit 1) is null
order by w.since, w.activity_id
"""  # noqa: S608 - made of constants
# Accepted trips whose newest look says that a person shall look too.
_SAMPLE: Final = f"""
select w.*, r.street, true as is_sample
from (
  select v.resident_id, v.occurred_on, v.activity_id, v.shard_id, v.round, v.judged_at as since, a.methodology, v.reasons
  from (
    select * from trip_verdict where (decision = 'review' or 'sampled' = any(reasons)) and decision = 'accept'
      {_RANGE.format(since="judged_at")}
  ) v
  cross join lateral (
    select methodology from activity a
    where a.resident_id = v.resident_id and a.occurred_on = v.occurred_on and a.activity_id = v.activity_id offset 0
  ) a
  where (cast(:methodology as smallint) is null or a.methodology = :methodology)
) w {_OF_STREET}
  and (select true from trip_verdict later
       where later.resident_id = w.resident_id and later.activity_id = w.activity_id and later.round > w.round
       limit 1) is null
order by w.since, w.activity_id
"""  # noqa: S608 - made of constants
_WAITING: Final[Mapping[str, str]] = {HELD: _HELD, SAMPLE: _SAMPLE}
_LIST: Final[Mapping[str, TextClause]] = {
    kind: text(f"""
        select w.*, a.monitored, a.occurred_from, a.occurred_to, a.source_id, v.score, v.scores, v.found
        from ({found} limit :most) w
        join activity a using (resident_id, occurred_on, activity_id, shard_id)
        left join lateral (
          select score, scores, reasons as found from trip_verdict v
          where v.resident_id = w.resident_id and v.activity_id = w.activity_id order by round desc limit 1
        ) v on true
        order by w.since, w.activity_id""")  # noqa: S608 - made of constants
    for kind, found in _WAITING.items()
}
_TALLY: Final[Mapping[str, TextClause]] = {
    kind: text(f"""
        with waiting as materialized (select * from ({found} limit :most) w)
        select 'reason' as of, reason as name, count(*) as n from waiting, unnest(reasons) as reason group by 2
        union all
        select 'methodology', methodology::text, count(*) from waiting group by 2
        union all
        select 'street', coalesce(street, '-'), count(*) from waiting group by 2
        union all
        select 'all', '', count(*) from waiting
        order by 1, 3 desc, 2""")  # noqa: S608 - made of constants
    for kind, found in _WAITING.items()
}
_OLDEST: Final = text(f"select since from ({_HELD} limit 1) w")  # noqa: S608 - made of constants


class Place(NamedTuple):
    """How far one has read: the instant and the number of the last act seen."""

    since: datetime
    number: int


@dataclass(frozen=True)
class Wanted:
    """Which acts are looked for; nothing said is all. `territory` is that of who asks, `days` the least age."""

    kind: str = HELD
    methodology: str | None = None
    street: str | None = None
    reason: str | None = None
    days: int | None = None
    territory: Collection[str] | None = None


@dataclass(frozen=True)
class HeldAct:
    """An act that waits for a person: what was told, what was found, and since when."""

    resident_id: int
    activity: str
    methodology: str
    street: str | None
    monitored: Mapping[str, int]
    occurred_from: datetime
    occurred_to: datetime
    by_partner: bool
    reasons: tuple[str, ...]
    score: int | None
    since: datetime
    place: Place

    @property
    def is_decided_here(self) -> bool:
        """Whether a person's word decides it, rather than a case or a balance."""
        return not set(self.reasons) & (IN_ITS_CASE | BY_ITSELF)


@dataclass(frozen=True)
class Tally:
    """How many wait, in all and by reason, methodology and street; `is_more` when there are more than were counted."""

    n: int
    is_more: bool
    reasons: Mapping[str, int]
    methodologies: Mapping[str, int]
    streets: Mapping[str, int]


def listed(session: Session, wanted: Wanted, now: datetime, after: Place | None, most: int) -> list[HeldAct]:
    """Acts that wait, the one waiting longest first, `after` the one seen last."""
    given = {**_given(wanted, now), "most": most}
    if after is not None:
        given |= {"after": after.since, "number": after.number}
    return [_act(row) for row in session.execute(_LIST[wanted.kind], given).mappings()]


def tally(session: Session, wanted: Wanted, now: datetime) -> Tally:
    """How many of these wait; the first MOST_COUNTED are counted."""
    rows = session.execute(_TALLY[wanted.kind], {**_given(wanted, now), "most": MOST_COUNTED}).all()
    of = {part: {row.name: row.n for row in rows if row.of == part} for part in ("reason", "street")}
    codes = {BY_NUMBER[int(row.name)][-1].code: row.n for row in rows if row.of == "methodology"}
    n = next((row.n for row in rows if row.of == "all"), 0)
    return Tally(n, n >= MOST_COUNTED, of["reason"], codes, of["street"])


def oldest(session: Session, territory: Collection[str] | None, now: datetime) -> datetime | None:
    """Since when the act waits that waits longest."""
    found: datetime | None = session.execute(_OLDEST, _given(Wanted(territory=territory), now)).scalar()
    return found


def _given(wanted: Wanted, now: datetime) -> dict[str, Any]:
    known = BY_CODE.get(wanted.methodology or "")
    return {
        "methodology": known[-1].number if known else None,
        "street": wanted.street,
        "territory": None if wanted.territory is None else sorted(wanted.territory),
        "reason": wanted.reason,
        "before": None if wanted.days is None else now - timedelta(days=wanted.days),
        "after": None,
        "number": None,
    }


def _act(row: RowMapping) -> HeldAct:
    return HeldAct(
        resident_id=row["resident_id"],
        activity=public_id(row["occurred_on"], row["activity_id"]),
        methodology=BY_NUMBER[row["methodology"]][-1].code,
        street=row["street"],
        monitored=row["monitored"],
        occurred_from=row["occurred_from"],
        occurred_to=row["occurred_to"],
        by_partner=row["source_id"] != 0,
        reasons=_reasons(row),
        score=row["score"],
        since=row["since"],
        place=Place(row["since"], row["activity_id"]),
    )


def _reasons(row: RowMapping) -> tuple[str, ...]:
    """Of a held act, why it is held; of a sampled one, that it was drawn and what spoke against it."""
    if not row["is_sample"]:
        return tuple(row["reasons"])
    pairs = zip(row["found"], row["scores"], strict=True)
    return tuple(code for code, score in pairs if score < 0 or code == "sampled")
