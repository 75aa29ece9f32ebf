"""Where one arrives: the dashboard; and what is said of an address that is not there."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NoReturn

from flask import Blueprint, Response

from admin import charts, pages
from admin.access import ACCESS
from admin.campaigns import themed_days
from admin.guard import member
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.errors import NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.reporting import campaign_desk
from carbon_credits.reporting.dashboard import Line, Sums
from carbon_credits.reporting.desk import MOST
from carbon_credits.reporting.numbers import grouped
from carbon_credits.reporting.overview import Overview, overview

NO_PAGE: Final = Text("没有这个页面，它可能已移走", "There is no such page; it may have moved")
LISTS: Final[Mapping[str, Text]] = {
    "queued_acts": Text("等待核算的行为", "Acts waiting for the batch"),
    "traces": Text("等待核验的轨迹", "Traces waiting to be looked at"),
    "outbox": Text("待发出的消息", "Messages waiting to be sent"),
    "outbox_dead": Text("发送失败的消息", "Messages that could not be sent"),
    "inbox": Text("待处理的通知", "Notices waiting to be worked on"),
    "inbox_dead": Text("处理失败的通知", "Notices that could not be worked on"),
    "partner_files": Text("待处理的合作方文件", "Partners' files waiting"),
    "exports": Text("待生成的导出", "Exports waiting to be written"),
    "hook_deliveries": Text("待送达商户的通知", "Calls to merchants waiting"),
}
# where the four lie to one another, in a drawing of two by two: column, row
PLACES: Final[Mapping[str, tuple[int, int]]] = {
    "zhangcha": (0, 0),
    "zumiao": (1, 0),
    "nanzhuang": (0, 1),
    "shiwan": (1, 1),
}
SHADES: Final = ("#eef4f0", "#cfe6da", "#9fcfb6", "#5fa583", "#1f5c45")

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def show() -> Response:
    """The dashboard."""
    every = {task.name: task.every for task in TASKS}
    with reading() as session:
        found = overview(session, clock.now(), every, member().streets)
        running = campaign_desk.running(session)
    reader = pages.language()
    themes = [(on, told.in_language(reader)) for on, told in themed_days(found.today.year)]
    drawn = {
        "trend": charts.trend(found.recent, reader),
        "composition": charts.composition(found.grams.methodologies, reader),
        "funnel": charts.funnel(found.come, reader),
        "calendar": charts.calendar(found.days, themes, found.today.year, reader),
    }
    return pages.render(
        "home.html",
        o=found,
        charts=drawn,
        rows=_rows(found, themes),
        streets=_map(found),
        lists=LISTS,
        most=MOST,
        running=running,
        may_open=bool(ACCESS["campaigns.one"].roles & member().roles),
    )


@blueprint.get("/<path:anything>")
def elsewhere(anything: str) -> NoReturn:  # noqa: ARG001 - what was typed is not repeated
    """Any other address under the console."""
    raise NotFound("no_page", NO_PAGE)


def _rows(found: Overview, themes: Sequence[tuple[date, str]]) -> Mapping[str, Sequence[Sequence[str]]]:
    """What each drawing shows, as text."""
    return {
        "trend": [(day.on.isoformat(), *_pools(day.sums), grouped(day.people)) for day in found.recent],
        "methodologies": _lines(found.grams.methodologies),
        "streets": _lines(found.grams.streets),
        "funnel": [(pages.told(words), grouped(count)) for words, count in charts.funnel_steps(found.come)],
        "year": _year(found, themes),
    }


def _year(found: Overview, themes: Sequence[tuple[date, str]]) -> Sequence[Sequence[str]]:
    """Days of the year on which somebody took part, and themed days, whoever took part."""
    people = {day.on: day.people for day in found.days if day.people and day.on.year == found.today.year}
    named: dict[date, list[str]] = {}
    for on, name in themes:
        named.setdefault(on, []).append(name)
    return [
        (on.isoformat(), grouped(people.get(on, 0)), " · ".join(named.get(on, ())))
        for on in sorted({*people, *named})
    ]


def _lines(lines: Sequence[Line]) -> Sequence[Sequence[str]]:
    return [
        (pages.told(line.name), *_pools(line.year), grouped(line.year.acts), grouped(line.today.acts))
        for line in lines
    ]


def _pools(sums: Sums) -> tuple[str, str, str]:
    return pages.grams(sums.verified_mg), pages.grams(sums.claimed_mg), pages.grams(sums.removal_mg)


def _map(found: Overview) -> Sequence[Mapping[str, Any]]:
    """The four streets as squares, the darker the more verified grams of the year; no boundaries are shown."""
    lines = {line.code: line for line in found.grams.streets if line.code in PLACES}
    most = max((line.year.verified_mg for line in lines.values()), default=0)
    return [
        {"line": line, "column": PLACES[code][0], "row": PLACES[code][1], "shade": shade, "ink": _ink(shade)}
        for code, line in sorted(lines.items())
        for shade in (_shade(line, most),)
    ]


def _shade(line: Line, most: int) -> str:
    return SHADES[0] if most == 0 else SHADES[line.year.verified_mg * (len(SHADES) - 1) // most]


def _ink(shade: str) -> str:
    return "#ffffff" if shade == SHADES[-1] else "#14312a"
