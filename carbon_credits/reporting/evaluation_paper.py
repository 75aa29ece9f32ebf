"""The paper an evaluation is on: one font, A4, the same bytes for the same content.

What a paper says is given as text: it is escaped here, so a name with markup in it is a name. CO2 is written with a
lowered 2, since the font has no such character.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

FONT: Final = "NotoSansSC"
_MARGIN: Final = 14 * mm


@dataclass(frozen=True)
class Paper:
    """A paper's title, what stands at the foot of each page, and whether its pages lie on their side."""

    title: str
    foot: str
    lying: bool = False


def begin(font: Path) -> None:
    """Have the font, before anything is laid out in it. Raises FileNotFoundError where it is not there."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        if not font.is_file():
            raise FileNotFoundError(font)
        pdfmetrics.registerFont(TTFont(FONT, str(font)))
        pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=FONT, italic=FONT, boldItalic=FONT)


def write(paper: Paper, story: Sequence[Flowable]) -> bytes:
    """The PDF of what was made after `begin`; what cannot be laid out is an error, not a gap."""
    held = BytesIO()
    size = landscape(A4) if paper.lying else A4
    document = SimpleDocTemplate(
        held,
        pagesize=size,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 6 * mm,
        title=paper.title,
        author="",
        # no times and no random numbers in the file
        invariant=1,
    )

    def foot(canvas: Canvas, _: Any) -> None:
        canvas.setFont(FONT, 6.5)
        canvas.setFillGray(0.35)
        canvas.drawString(_MARGIN, _MARGIN, paper.foot)
        canvas.drawRightString(size[0] - _MARGIN, _MARGIN, str(canvas.getPageNumber()))

    document.build(list(story), onFirstPage=foot, onLaterPages=foot)
    return held.getvalue()


def said(words: str, points: float = 9, *, space: float = 2) -> Paragraph:
    """A paragraph of plain text in a size of so many points."""
    style = ParagraphStyle(
        f"said {points}",
        fontName=FONT,
        fontSize=points,
        leading=points * 1.45,
        spaceAfter=space,
        wordWrap="CJK",
    )
    return Paragraph(_marked(words), style)


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], points: float = 7
) -> Table:
    """A table whose header is on each page; `widths` are shares of the text's width."""
    lines = [[said(cell, points, space=0) for cell in row] for row in (header, *rows)]
    made = Table(lines, colWidths=[f"{100 * width / sum(widths):.4f}%" for width in widths], repeatRows=1)
    made.setStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.25, colors.Color(0.75, 0.78, 0.8)),
            ("BACKGROUND", (0, 0), (-1, 0), colors.Color(0.92, 0.95, 0.93)),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2.5),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2.5),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    return made


def gap(points: float = 8) -> Spacer:
    """Empty space."""
    return Spacer(1, points)


def _marked(words: str) -> str:
    return escape(words, quote=False).replace("CO2", "CO<sub>2</sub>").replace("\n", "<br/>")
