"""How a station's deposits were told, where that stands out: made-up weights, sessions at night, customers of it alone.

A flag has figures and opens a case; it never rejects. The tests and their rates of false alarm are in
`station_statistics`; what each looks at is a set-based question over sixty days.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.reconciliation.station_alarms import Finding
from carbon_credits.reconciliation.station_statistics import Share, outliers, uneven_digits

WINDOW: Final = timedelta(days=60)
# boxes in compounds stand open all day; at night few people bring anything (our choice, decision 0022)
OPENS, CLOSES = 6, 22
FEWEST_WEIGHTS: Final = 200
FEWEST_DEPOSITS: Final = 100
FEWEST_CUSTOMERS: Final = 20
LEAST_PART: Final = 10
# a customer who came once or twice was seen at one station by nature
FEWEST_VISITS: Final = 5

# Last digits in the scale's own steps: the largest step that divides all of a station's weights. Light deposits are left
# out, for their digits are not even by nature.
DIGITS = text("""
with told as (
  select source_id, station, mass_g from station_deposit
  where withdrawn_at is null and station is not null and mass_g > 0 and at >= :first and at < :until
), scale as (
  select source_id, station,
         case when bool_and(mass_g % 100 = 0) then 100 when bool_and(mass_g % 50 = 0) then 50
              when bool_and(mass_g % 20 = 0) then 20 when bool_and(mass_g % 10 = 0) then 10
              when bool_and(mass_g % 5 = 0) then 5 when bool_and(mass_g % 2 = 0) then 2 else 1 end as step
  from told group by 1, 2
)
select source_id, station, step, mass_g / step % 10 as digit, count(*) as n
from told join scale using (source_id, station)
where mass_g >= 30 * step
group by 1, 2, 3, 4
""")
HOURS = text("""
select source_id, station, count(*) as whole,
       count(*) filter (where extract(hour from at at time zone 'Asia/Shanghai') < :opens
                           or extract(hour from at at time zone 'Asia/Shanghai') >= :closes) as part
from station_deposit
where withdrawn_at is null and station is not null and at >= :first and at < :until
group by 1, 2
""")
# Customers who came often, by station, and how many of them were seen nowhere else.
ONE_STATION = text("""
with visit as (
  select d.source_id, d.station, k.resident_id, count(*) as times
  from station_deposit d join act_key k using (source_id, ext_key)
  where d.withdrawn_at is null and d.station is not null and d.at >= :first and d.at < :until
  group by 1, 2, 3
), customer as (
  select source_id, resident_id, count(*) as stations, sum(times) as times from visit group by 1, 2
)
select v.source_id, v.station, count(*) as whole, count(*) filter (where c.stations = 1) as part
from visit v join customer c using (source_id, resident_id)
where c.times >= :visits
group by 1, 2
""")


def flagged(session: Session, now: datetime) -> list[Finding]:
    """Stations whose last sixty days stand out, with the figures that say so."""
    given = {"first": now - WINDOW, "until": now}
    found = [*_digits(session, given), *_shares(session, "hours", HOURS, given, FEWEST_DEPOSITS)]
    return found + _shares(session, "one_station", ONE_STATION, given, FEWEST_CUSTOMERS)


def _digits(session: Session, given: dict[str, Any]) -> list[Finding]:
    counts: dict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0] * 10)
    for row in session.execute(DIGITS, given):
        counts[row.source_id, row.station, row.step][row.digit] = row.n
    found = []
    for (source_id, station, step), digits in sorted(counts.items()):
        squared = uneven_digits(digits) if sum(digits) >= FEWEST_WEIGHTS else None
        if squared is not None:
            figures = {"chi_squared_milli": squared, "weights": sum(digits), "step_g": step}
            figures |= {f"digit_{digit}": n for digit, n in enumerate(digits)}
            found.append(Finding(source_id, station, None, "digits", given["first"], figures))
    return found


def _shares(session: Session, kind: str, question: Any, given: dict[str, Any], fewest: int) -> list[Finding]:
    """Stations of each feed whose share stands out among that feed's."""
    of_feed: dict[int, list[Share]] = defaultdict(list)
    asked = {**given, "opens": OPENS, "closes": CLOSES, "visits": FEWEST_VISITS}
    for row in session.execute(question, asked):
        of_feed[row.source_id].append(Share(row.station, row.part, row.whole))
    return [
        Finding(
            source_id,
            each.station,
            None,
            kind,
            given["first"],
            {"part": each.part, "whole": each.whole, "usual_pm": each.usual_pm, "z_milli": each.z_milli},
        )
        for source_id, shares in sorted(of_feed.items())
        for each in outliers(shares, fewest, LEAST_PART)
    ]
