"""A year's evaluation on paper: the snapshot's sections, its digest at the foot of each page."""

from pathlib import Path

from reportlab.platypus import Flowable

from carbon_credits.reporting import evaluation_paper as papers
from carbon_credits.reporting.evaluation_layout import UNSHOWN, Cell, Section, Snapshot, title
from carbon_credits.reporting.evaluation_sections import sections
from carbon_credits.reporting.indicators_models import EvaluationPack

# a column of words is as wide as three of numbers
_WORDS, _NUMBERS = 3.0, 1.0


def pdf(pack: EvaluationPack, font: Path) -> bytes:
    """The PDF of a pack, the same bytes for the same pack. Raises FileNotFoundError where there is no font."""
    papers.begin(font)
    snapshot: Snapshot = pack.snapshot
    called, state = title(snapshot), "定稿 final" if pack.state == "final" else "草稿 draft"
    story: list[Flowable] = [
        papers.said(called.zh, 18),
        papers.said(called.en, 11),
        papers.said(f"{snapshot['plan']['zh']} {snapshot['plan']['en']}"),
        papers.said(
            f"截至 through {snapshot['through']} · 第 {pack.version} 版 version {pack.version} · {state} · "
            f"制作 made on {snapshot['made_on']}"
        ),
        papers.said(f"SHA-256 {pack.digest.hex()}", 7),
        papers.gap(),
    ]
    for section in sections(snapshot):
        story += _drawn(section)
    foot = f"{called.zh} · v{pack.version} · {state} · SHA-256 {pack.digest.hex()}"
    return papers.write(papers.Paper(called.zh, foot, lying=True), story)


def _drawn(section: Section) -> list[Flowable]:
    drawn: list[Flowable] = [papers.gap(), papers.said(f"{section.heading.zh} {section.heading.en}", 12)]
    for note in section.notes:
        drawn.append(papers.said(f"{note.zh} {note.en}", 7.5))
    rows = [[_told(cell) for cell in row] for row in section.rows]
    widths = [_width(section, n) for n in range(len(section.header))]
    points = 5.5 if len(section.header) > 10 else 7
    header = [cell.zh if cell.zh == cell.en else f"{cell.zh} {cell.en}" for cell in section.header]
    return [*drawn, papers.gap(3), papers.table(header, rows or [[UNSHOWN] * len(header)], widths, points)]


def _width(section: Section, column: int) -> float:
    words = any(isinstance(row[column], str) and len(row[column]) > 24 for row in section.rows)  # type: ignore[arg-type]
    return _WORDS if words or column == 0 else _NUMBERS


def _told(cell: Cell) -> str:
    if cell is None:
        return UNSHOWN
    return f"{cell:,}" if isinstance(cell, int) else cell
