"""What was counted at a hub's stations, with what part of the whole that can be, for the people who read its dossier."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.core.i18n import Text
from carbon_credits.groups import hubs
from carbon_credits.groups.dossiers import DossierLine
from carbon_credits.groups.figures import back
from carbon_credits.groups.hubs import CountedMonth
from carbon_credits.reporting.hub_counts import QUERY_SHA256
from carbon_credits.reporting.indicators_declared import Coverage, Unit, coverage
from carbon_credits.reporting.population import populations

MONTHS_SHOWN: Final = 13
METHOD: Final = Text(
    "合作方刷卡与行程记录中，起点或终点在本枢纽站点的已计入行为，每次出行计一次（在枢纽内两站之间往来也只计一次）；"
    "月末后 36 天各方迟报到齐方计数，此后不再变动。",
    "Credited acts that partners' taps and trips tell, which began or ended at one of the stations; a trip between two "
    "of them is one. Counted once, 36 days after the month, when late records are in, and never changed.",
)
NOT_THIS: Final = Text(
    "不是客流量：仅含绑定了相应账户的参与居民，是下限。",
    "Not how many pass there: of residents who take part and bound their account alone, so it is the least it can be.",
)


@dataclass(frozen=True)
class HubFigures:
    """The counted months, newest first, those by which people travelled, and what part of the whole they are of."""

    months: tuple[CountedMonth, ...]
    methodologies: tuple[int, ...]
    coverage: tuple[Coverage, ...]
    query_sha256: str


def of_hub(session: Session, group_id: int, lines: Sequence[DossierLine], today: date) -> HubFigures:
    """What may be shown of a hub; `lines` are its dossier's, whose stated figures are wholes of their year."""
    after = today.replace(day=1)
    months = hubs.months_of(session, group_id, back(after, MONTHS_SHOWN), after)
    travelled = sorted({number for month in months for number in month.parts})
    found = [part for line in lines if (part := _of_stated(session, group_id, line)) is not None]
    if months:
        found.insert(0, _of_population(session, months[0]))
    return HubFigures(tuple(months), tuple(travelled), tuple(found), QUERY_SHA256.hex())


def _of_population(session: Session, month: CountedMonth) -> Coverage:
    """Who could be seen at all: residents with an account at the feeds' partners, of those who live here."""
    ended = back(month.month, -1) - timedelta(days=1)
    of = Text(
        f"{month.month:%Y-%m} 末绑定相应账户的居民占常住人口",
        f"residents with an account bound at the end of {month.month:%Y-%m}, of the resident population",
    )
    return coverage(of, Unit.PEOPLE, month.bound, populations(session).of_district(ended).official)


def _of_stated(session: Session, group_id: int, line: DossierLine) -> Coverage | None:
    """The count of a year of what somebody stated of that year; None for a figure that is not counted."""
    stated = line.baseline
    if line.code not in hubs.COUNTED or line.unit != hubs.UNIT or stated is None:
        return None
    trips, months = hubs.of_year(session, group_id, stated.year).get(line.code, (None, 0))
    of = Text(
        f"{line.code}：{stated.year} 年已计数 {months} 个月占档案所载",
        f"{line.code}: {months} counted months of {stated.year}, of what the dossier states",
    )
    ppm = None if trips is None or stated.value <= 0 else trips * 1_000_000 // stated.value
    return Coverage(of, Unit.TRIPS, trips, stated.value, ppm, str(stated.year))
