"""Partners' feeds: how far each is complete, what is missing, how well it did."""

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request

from admin import pages, queue_words
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.reconciliation import feed_board, scorecard

A_DAY: Final = timedelta(days=1)
# what a scorecard shows here: where it stands in the rates, and its words
LINES: Final = (
    ("timeliness", "on_time_ppm", Text("按时率", "On time")),
    ("timeliness", "late_files", Text("迟到文件", "Late files")),
    ("timeliness", "late_records", Text("迟到记录", "Late records")),
    ("completeness", "records", Text("记录", "Records")),
    ("completeness", "of_usual_ppm", Text("占同星期中位", "Of the usual")),
    ("completeness", "missing_files", Text("缺号", "Missing numbers")),
    ("completeness", "totals_differed", Text("合计不符", "Totals differed")),
    ("completeness", "usable_ppm", Text("可用行", "Usable rows")),
    ("corrections", "changed_ppm", Text("更正撤回率", "Corrected or taken back")),
    ("fraud", "taken_back_ppm", Text("作假率", "Taken back for fraud")),
    ("fraud", "alarms", Text("文件警报", "Alarms")),
    ("disputes", "disputed_ppm", Text("申诉率", "Disputed")),
)

blueprint = Blueprint("feed", __name__, url_prefix="/feeds")


@blueprint.get("/")
def index() -> Response:
    """Every feed on a board."""
    now = clock.now()
    with reading() as session:
        lines = feed_board.board(session, now)
    return pages.render("feed/index.html", lines=lines, now=now, words=queue_words)


@blueprint.get("/<feed>")
def show(feed: str) -> Response:
    """One feed: its watermark, the numbers that are missing, its newest files; asked for, its scorecard."""
    now, wants_card = clock.now(), request.args.get("scorecard") == "yes"
    with reading() as session:
        line = feed_board.line_of(session, now, feed)
        gaps = feed_board.gaps(session, line.source_id)
        files = feed_board.files(session, "all", None, 10, feed=feed)
        cards = scorecard.scorecards(session, feed, clock.today() - A_DAY, now) if wants_card else []
    return pages.render(
        "feed/show.html",
        line=line,
        gaps=gaps,
        most=feed_board.MOST_GAPS,
        files=files,
        card=cards[0] if cards else None,
        lines=LINES,
        now=now,
        words=queue_words,
    )
