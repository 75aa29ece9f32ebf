"""A year's evaluation on paper: the snapshot's sections, its digest at the foot of each page."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from carbon_credits.reporting import papers
from carbon_credits.reporting.evaluation_layout import UNSHOWN, Cell, Section, Snapshot, title
from carbon_credits.reporting.evaluation_sections import sections
from carbon_credits.reporting.indicators_models import EvaluationPack
from carbon_credits.reporting.papers import Styles

# points across a page that lies on its side, between its margins
_WIDE: Final = 739.0
# a column of words is as wide as three of numbers
_WORDS, _NUMBERS = 3.0, 1.0


def pdf(pack: EvaluationPack, font: Path, tell: Callable[[int, int], None] | None = None) -> bytes:
    """The PDF of a pack, the same bytes for the same pack; `tell` hears how many of its pieces are set.

    Raises Unavailable where there is no font.
    """
    style = papers.styles(font)
    snapshot: Snapshot = pack.snapshot
    called, state = title(snapshot), "定稿 final" if pack.state == "final" else "草稿 draft"
    of = (
        f"截至 through {snapshot['through']} · 第 {pack.version} 版 version {pack.version} · {state} · "
        f"制作 made on {snapshot['made_on']}"
    )
    pieces = [
        _said(called.zh, style.title),
        _said(called.en, style.text),
        _said(f"{snapshot['plan']['zh']} {snapshot['plan']['en']}", style.text),
        _said(of, style.text),
        _said(f"SHA-256 {pack.digest.hex()}", style.small),
    ]
    for section in sections(snapshot):
        pieces += _drawn(section, style)
    foot = f"{called.zh} · v{pack.version} · {state} · SHA-256 {pack.digest.hex()}"
    return papers.printed(pieces, called.zh, foot, lying=True, undated=True, tell=tell)


def _said(words: str, style: Any) -> Any:
    return papers.paragraph(papers.words(words).replace("\n", "<br/>"), style)


def _drawn(section: Section, style: Styles) -> list[Any]:
    told = [_said(f"{note.zh} {note.en}", style.small) for note in section.notes]
    header = [cell.zh if cell.zh == cell.en else f"{cell.zh}\n{cell.en}" for cell in section.header]
    rows = [[_told(cell) for cell in row] for row in section.rows] or [[UNSHOWN] * len(header)]
    shares = [_share(section, n) for n in range(len(header))]
    widths = [_WIDE * share / sum(shares) for share in shares]
    cell = partial(_said, style=_smaller(style.cell) if len(header) > 10 else style.cell)
    return [
        _said(f"{section.heading.zh} {section.heading.en}", style.heading),
        *told,
        papers.space(3),
        papers.grid([[cell(words) for words in row] for row in (header, *rows)], widths),
    ]


def _smaller(style: Any) -> Any:
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - half a second, for papers alone

    return ParagraphStyle("smaller", parent=style, fontSize=5.5, leading=8)


def _share(section: Section, column: int) -> float:
    words = any(len(_told(row[column])) > 24 for row in section.rows)
    return _WORDS if words or column == 0 else _NUMBERS


def _told(cell: Cell) -> str:
    if cell is None:
        return UNSHOWN
    return f"{cell:,}" if isinstance(cell, int) else cell
