"""Tree planting in two parts: a row when trees are planted, and a row when it is seen how many live.

Nothing is earned by planting: the first row waits. The survey's row names the same activity and says how many
survive, the mean gain of dry biomass in the growth year and the half-width of its 90 % interval, in grams a tree.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import BinaryIO, Final

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
    waiting,
)

METHODOLOGY: Final = "planting.tree"
COLUMNS: Final = (
    "activity_id",
    "subject_token",
    "species_code",
    "count",
    "lat",
    "lon",
    "crs",
    "planted_at",
    "organiser_id",
    "survival_check_at",
    "survival_count",
    "biomass_gain_g",
    "half_width_g",
)
# their words for the datum, mapped to ours
DATUMS: Final[Mapping[str, str]] = {"WGS84": "WGS-84", "CGCS2000": "CGCS2000", "GCJ02": "GCJ-02"}
YEAR: Final = timedelta(days=365)


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


def _told(row: Mapping[str, str], subject: str, line: int) -> Told:
    activity, planted = readings.named(row["activity_id"]), readings.zoned_or_local(row["planted_at"])
    count, is_survey = readings.whole(row["count"]), bool(row["survival_check_at"])
    number = f"{activity}/{row['survival_check_at']}" if is_survey else activity
    number, version = told_anew(row, number) if is_survey else (number, 1)
    back = takes_back(row, number, line)
    if back is not None and version == 1:
        return Told(back, {"corrections": 1})
    facts = {"surveys": 1} if is_survey else {"plantings": 1, "planted": count}
    reasons = _flaws(row, subject)
    if reasons:
        return Told(refused(number, line, *reasons), facts)
    if not is_survey:
        item = waiting(activity, line, "survival_not_checked", planted, count=count, subject=subject)
        return Told(item, facts)
    told = _surveyed(row, number, subject, planted, line)
    return told._replace(item=replace(told.item, version=version)) if isinstance(told.item, Record) else told


def _surveyed(row: Mapping[str, str], number: str, subject: str, planted: datetime, line: int) -> Told:
    """The survivors of a planting as an act."""
    checked, alive = readings.zoned_or_local(row["survival_check_at"]), readings.whole(row["survival_count"])
    if checked < planted or alive > readings.whole(row["count"]):
        reason = "ends_before_start" if checked < planted else "more_survive_than_planted"
        return Told(refused(number, line, reason), {"surveys": 1})
    record = Record(
        record_id=number,
        subject_token=subject,
        methodology=METHODOLOGY,
        occurred_from=checked,
        occurred_to=checked,
        monitored={
            "biomass_gain_g": readings.whole(row["biomass_gain_g"]),
            "half_width_g": readings.whole(row["half_width_g"]),
            "count": alive,
            "age_days": (checked - planted).days,
        },
        # a growth year of these trees counts once
        references={"item": f"{row['activity_id']}/{(checked - planted) // YEAR}"},
        evidence={
            "datum": DATUMS[row["crs"]],
            "species": readings.named(row["species_code"]),
            "organiser": readings.named(row["organiser_id"]),
        },
        line=line,
        settles=(row["activity_id"],),
    )
    return Told(record, {"surveys": 1, "alive": alive})


def _flaws(row: Mapping[str, str], subject: str) -> list[str]:
    area = readings.AREAS["CHN"]
    place = readings.misplaced(readings.degrees(row["lat"]), readings.degrees(row["lon"]), area)
    flaws = {"unknown_datum": row["crs"] not in DATUMS, "subject_missing": not subject}
    return [reason for reason, is_found in flaws.items() if is_found] + ([place] if place else [])


FEED: Final = Feed(
    code="tree_planting",
    partner="planting",
    partner_names=Text("绿化机构", "Planting body"),
    names=Text("植树与存活检查", "Plantings and surveys of survival"),
    evidence_class="A",
    methodologies=(METHODOLOGY,),
    late_days=35,
    parse_file=parsing(read),
    summary=summing(read, "plantings", "surveys"),
    place=still_waiting,
)
