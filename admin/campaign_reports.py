"""What became of a campaign: the newest report that the night made, read as a page and printed."""

from typing import Final

from flask import Blueprint, Response

from admin import campaign_charts, campaign_words, pages, words
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import campaign_desk, kept_effects
from carbon_credits.reporting.campaigns import StreetLine
from carbon_credits.reporting.intervals import FEWEST
from carbon_credits.reporting.numbers import grouped

HIDDEN: Final = Text("不显示", "not shown")

blueprint = Blueprint("campaign_reports", __name__, url_prefix="/campaigns")


@blueprint.get("/<int:campaign>/report")
def told(campaign: int) -> Response:
    """What was added, at what price, for how long; or why nothing can be said yet."""
    with reading() as session:
        row = campaign_desk.one(session, campaign)
        kept = kept_effects.newest(session, row.code)
    if kept is None:
        return pages.render("campaigns/report.html", row=row, kept=None, today=clock.today(), words=words)
    found = kept.report
    return pages.render(
        "campaigns/report.html",
        row=row,
        kept=kept,
        r=found,
        drawn=campaign_charts.intervals(found.effect),
        chart=campaign_charts.given(found.bonuses.days, pages.language()),
        days=[(one.day.isoformat(), grouped(one.acts), grouped(one.points)) for one in found.bonuses.days],
        streets=[_street(line) for line in found.streets],
        width=campaign_charts.WIDTH,
        fewest=FEWEST,
        own=campaign_words,
        today=clock.today(),
        words=words,
    )


def _street(line: StreetLine) -> tuple[str, ...]:
    name = campaign_words.STREETS.get(line.street, campaign_words.NO_STREET)
    figures = (line.offered, line.gained, line.points)
    return (pages.told(name), *(pages.told(HIDDEN) if one is None else grouped(one) for one in figures))
