"""Household meters: electricity, gas, water, and solar power from the roof, a row for each meter's period.

The utility tells the use of the period, the household's own baseline (the same period a year before, corrected for
degree-days) and the city's mean. Use is rounded up and baselines down, so that rounding never saves anything.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import BinaryIO, Final, NamedTuple

from carbon_credits.core.i18n import Text
from carbon_credits.partners.contract import Feed, ParseOptions, Record
from integrations import delimited, readings
from integrations.telling import (
    Told,
    parsing,
    refused,
    still_waiting,
    summing,
    takes_back,
    told_anew,
    unreadable,
)

COLUMNS: Final = (
    "reading_id",
    "meter_id",
    "subject_token",
    "kind",
    "period_from",
    "period_to",
    "used",
    "unit",
    "baseline",
    "city_mean",
    "electricity_kwh",
    "added_kwh",
)
LONGEST_DAYS: Final = 100
Row = Mapping[str, str]


class Kind(NamedTuple):
    """What a meter measures: its methodology, its unit, and how a row becomes monitored numbers."""

    methodology: str
    unit: str
    monitored: Callable[[Row, int], Mapping[str, int]]


def _down(told: str) -> int:
    return readings.scaled(told, 1000)


def _up(told: str) -> int:
    return int((Decimal(readings.decimal(told)) * 1000).to_integral_value(ROUND_CEILING))


def _electricity(row: Row, days: int) -> Mapping[str, int]:
    baselines = {"base_wh": _down(row["baseline"]), "mean_wh": _down(row["city_mean"])}
    return {**baselines, "energy_wh": _up(row["used"]), "period_days": days}


def _water(row: Row, days: int) -> Mapping[str, int]:
    baselines = {"base_l": _down(row["baseline"]), "mean_l": _down(row["city_mean"])}
    # electricity shows that somebody lives there, so it is rounded against the household: down
    lived_in = {"energy_wh": _down(row["electricity_kwh"]), "period_days": days}
    return {**baselines, "volume_l": _up(row["used"]), **lived_in}


def _gas(row: Row, days: int) -> Mapping[str, int]:
    return {**_water(row, days), "added_wh": _up(row["added_kwh"])}


def _solar(row: Row, days: int) -> Mapping[str, int]:  # noqa: ARG001
    return {"energy_wh": _down(row["used"])}


# their words for a meter, mapped to ours
KINDS: Final[Mapping[str, Kind]] = {
    "electricity": Kind("household.electricity_saving", "kWh", _electricity),
    "gas": Kind("household.gas_saving", "m3", _gas),
    "water": Kind("household.water_saving", "m3", _water),
    "solar": Kind("household.rooftop_pv", "kWh", _solar),
}


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every row of the file. Raises FileFault."""
    rows = delimited.rows(stream, options.encoding, [frozenset(COLUMNS)])
    _, header = next(rows)
    subject_at = delimited.column(header, options.bind_column or "subject_token")
    for line, row in rows:
        named = dict(zip(header, row, strict=True))
        try:
            yield _told(named, "" if subject_at is None else row[subject_at], line)
        except ValueError:
            yield unreadable(row, line)


def _told(row: Row, subject: str, line: int) -> Told:
    number, meter = readings.named(row["reading_id"]), readings.named(row["meter_id"])
    number, version = told_anew(row, number)
    back = takes_back(row, number, line)
    if back is not None and version == 1:
        return Told(back, {"corrections": 1})
    first, last = date.fromisoformat(row["period_from"]), date.fromisoformat(row["period_to"])
    days = (last - first).days + 1
    kind = KINDS.get(row["kind"])
    facts = {"readings": 1, f"thousandths:{row['kind']}": _down(row["used"])}
    flaws = {
        "unknown_meter": kind is None,
        "unknown_unit": kind is not None and row["unit"] != kind.unit,
        "ends_before_start": days < 1,
        "absurd_duration": days > LONGEST_DAYS,
        "subject_missing": not subject,
    }
    reasons = [reason for reason, is_found in flaws.items() if is_found]
    if reasons or kind is None:
        return Told(refused(number, line, *reasons), facts)
    start, after = _midnight(first), _midnight(last + timedelta(days=1))
    record = Record(
        record_id=number,
        subject_token=subject,
        methodology=kind.methodology,
        occurred_from=start,
        # the last second of the last day: the next period begins after it
        occurred_to=after - timedelta(seconds=1),
        monitored=kind.monitored(row, days),
        references={"meter": f"{row['kind']}:{meter}"},
        line=line,
        version=version,
    )
    return Told(record, facts, (f"{row['kind']}:{meter}", start, after))


def _midnight(day: date) -> datetime:
    return datetime.fromisoformat(f"{datetime.combine(day, time()).isoformat()}{readings.ZONE}").astimezone(
        UTC
    )


FEED: Final = Feed(
    code="household_meters",
    partner="utility",
    partner_names=Text("供电、供气、供水企业", "Utility"),
    names=Text("家庭表计读数", "Household meter readings"),
    evidence_class="A",
    methodologies=tuple(kind.methodology for kind in KINDS.values()),
    late_days=35,
    parse_file=parsing(read),
    summary=summing(read, "readings"),
    place=still_waiting,
)
