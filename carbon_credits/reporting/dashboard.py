"""What the console shows at a glance: grams, their trend, who is active. Read from rollups alone, a statement each.

`streets` narrows to a territory; None is the whole district, with those who named no street.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_NUMBER
from carbon_credits.reporting.population import Population, Populations, populations
from carbon_credits.reporting.rollups import STREETS, UNSTATED
from carbon_credits.residents.service import Street

Streets = Collection[str] | None
TREND_DAYS: Final = 90
MONTHS: Final = 12
NO_STREET: Final = Text("未填写镇街", "No street stated")
_WHERE: Final = "(cast(:streets as text[]) is null or street = any(cast(:streets as text[])))"
_SUMS: Final = """
  coalesce(sum(acts) {when}, 0)::bigint as {name}acts,
  coalesce(sum(mg) {when_pool} pool = 'v'), 0)::bigint as {name}verified_mg,
  coalesce(sum(mg) {when_pool} pool = 'c'), 0)::bigint as {name}claimed_mg,
  coalesce(sum(mg) {when_pool} pool = 'r'), 0)::bigint as {name}removal_mg,
  coalesce(sum(points) {when}, 0)::bigint as {name}points, coalesce(sum(reversals) {when}, 0)::bigint as {name}reversals
"""
_YEAR: Final = _SUMS.format(name="year_", when="", when_pool="filter (where")
_TODAY: Final = _SUMS.format(
    name="today_",
    when="filter (where occurred_on = :today)",
    when_pool="filter (where occurred_on = :today and",
)
_GRAMS = text(f"""
select case when grouping(methodology) = 0 then methodology end as methodology,
       case when grouping(street) = 0 then street end as street, {_TODAY}, {_YEAR}
from rollup_day
where occurred_on between :first and :today and {_WHERE}
group by grouping sets ((), (methodology), (street))
order by sum(mg) desc, methodology, street
""")  # noqa: S608 - made of constants
_TREND = text(f"""
select d.day::date as on, coalesce(r.acts, 0)::bigint as acts, coalesce(r.verified_mg, 0)::bigint as verified_mg,
       coalesce(r.claimed_mg, 0)::bigint as claimed_mg, coalesce(r.removal_mg, 0)::bigint as removal_mg,
       coalesce(r.points, 0)::bigint as points, coalesce(r.reversals, 0)::bigint as reversals,
       coalesce(p.people, 0)::int as people
from generate_series(cast(:first as timestamp), cast(:today as timestamp), interval '1 day') as d (day)
left join (
  select occurred_on, sum(acts) as acts, sum(mg) filter (where pool = 'v') as verified_mg,
         sum(mg) filter (where pool = 'c') as claimed_mg, sum(mg) filter (where pool = 'r') as removal_mg,
         sum(points) as points, sum(reversals) as reversals
  from rollup_day where occurred_on between :first and :today and {_WHERE} group by occurred_on
) r on r.occurred_on = d.day
left join (
  select starts_on, sum(people) as people from rollup_people
  where period = 'day' and starts_on between :first and :today and {_WHERE} group by starts_on
) p on p.starts_on = d.day
order by d.day
""")  # noqa: S608 - made of constants
_ACTIVE = text(f"""
select m.month::date as month, s.street, coalesce(p.people, 0) as active, coalesce(r.residents, 0)::int as registered
from generate_series(cast(:first as timestamp), cast(:last as timestamp), interval '1 month') as m (month)
cross join (select street from unnest(cast(:all as text[])) as s (street) where {_WHERE}) s
left join rollup_people p on p.period = 'month' and p.starts_on = m.month and p.street = s.street
left join (select street, sum(residents) as residents from rollup_registered group by street) r on r.street = s.street
order by m.month, s.street
""")  # noqa: S608 - made of constants


@dataclass(frozen=True)
class Sums:
    """Credited acts and what they came to; milligrams by pool are never added up. `reversals` were taken back."""

    acts: int
    verified_mg: int
    claimed_mg: int
    removal_mg: int
    points: int
    reversals: int


@dataclass(frozen=True)
class Line:
    """Today and this year of one methodology or one street; `code` is what it is called in addresses."""

    code: str
    name: Text
    today: Sums
    year: Sums


@dataclass(frozen=True)
class Grams:
    """Today and this year: the whole, by methodology and by street, the most grams first."""

    today: Sums
    year: Sums
    methodologies: tuple[Line, ...]
    streets: tuple[Line, ...]


@dataclass(frozen=True)
class TrendDay:
    """One day's sums, and its distinct residents."""

    on: date
    people: int
    sums: Sums


@dataclass(frozen=True)
class Active:
    """Distinct residents active in a month, of how many. `per_100_000` is floored: 12,345 is 123.45 per 1,000.

    `living` is the population that `of` is; None where they are held against those registered.
    """

    month: date
    street: str | None
    active: int
    of: int
    living: Population | None

    @property
    def per_100_000(self) -> int | None:
        """Active per 100,000, floored; None over nobody."""
        return self.active * 100_000 // self.of if self.of else None


@dataclass(frozen=True)
class ActiveMonths:
    """The district of its population; a street of its own where one is approved, else of those registered there now.

    Oldest month first.
    """

    district: tuple[Active, ...]
    streets: tuple[Active, ...]

    @property
    def populations(self) -> tuple[Population, ...]:
        """Each population that something is held against, the newest of the district first."""
        used = {
            one.living: None for one in reversed((*self.streets, *self.district)) if one.living is not None
        }
        return tuple(used)


def grams(session: Session, today: date, streets: Streets = None) -> Grams:
    """Acts of today and of this calendar year, by the day they happened."""
    asked = {"first": date(today.year, 1, 1), "today": today, "streets": _asked(streets)}
    rows = session.execute(_GRAMS, asked).mappings().all()
    whole = next(row for row in rows if row["methodology"] is None and row["street"] is None)
    return Grams(
        _sums(whole, "today_"),
        _sums(whole, "year_"),
        tuple(
            _line(row, *_methodology(row["methodology"])) for row in rows if row["methodology"] is not None
        ),
        tuple(
            _line(row, row["street"], street_name(row["street"])) for row in rows if row["street"] is not None
        ),
    )


def trend(
    session: Session, today: date, streets: Streets = None, days: int = TREND_DAYS
) -> tuple[TrendDay, ...]:
    """The last days up to today, oldest first, those without acts too."""
    asked = {"first": today - timedelta(days=days - 1), "today": today, "streets": _asked(streets)}
    rows = session.execute(_TREND, asked).mappings()
    return tuple(TrendDay(row["on"], row["people"], _sums(row)) for row in rows)


def active_months(
    session: Session, today: date, streets: Streets = None, months: int = MONTHS
) -> ActiveMonths:
    """Residents active in each of the last months, this one included, of how many there are."""
    last = today.replace(day=1)
    count = last.year * 12 + last.month - months
    asked = {
        "first": date(count // 12, count % 12 + 1, 1),
        "last": last,
        "all": list(STREETS),
        "streets": _asked(streets),
    }
    rows = session.execute(_ACTIVE, asked).mappings().all()
    living = populations(session)
    by_street = tuple(_active(row, living) for row in rows)
    people: dict[date, int] = {}
    for one in by_street:
        people[one.month] = people.get(one.month, 0) + one.active
    of = {month: living.of_district(month) for month in people}
    district = tuple(Active(month, None, n, of[month].people, of[month]) for month, n in people.items())
    return ActiveMonths(district if streets is None else (), by_street)


def street_name(street: str) -> Text:
    """A street's name, or that none was stated."""
    return NO_STREET if street == UNSTATED else Street(street).text


def _asked(streets: Streets) -> list[str] | None:
    return None if streets is None else sorted(streets)


def _active(row: RowMapping, living: Populations) -> Active:
    of = living.on(row["month"], row["street"])
    return Active(
        row["month"], row["street"], row["active"], row["registered"] if of is None else of.people, of
    )


def _methodology(number: int) -> tuple[str, Text]:
    newest = BY_NUMBER[number][-1]
    return newest.code, Text(*newest.title)


def _line(row: RowMapping, code: str, name: Text) -> Line:
    return Line(code, name, _sums(row, "today_"), _sums(row, "year_"))


def _sums(row: RowMapping, of: str = "") -> Sums:
    names = ("acts", "verified_mg", "claimed_mg", "removal_mg", "points", "reversals")
    values: dict[str, Any] = {name: int(row[of + name]) for name in names}
    return Sums(**values)
