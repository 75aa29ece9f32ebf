"""What papers are made with: a Chinese font that may be missing, styles, tables, a QR code.

The font is a TrueType file found by a setting; it is no part of the programme. U+2082 is not in it: CO2e is set with a
real subscript.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

from carbon_credits.core.errors import Unavailable
from carbon_credits.core.i18n import Text

CO2E: Final = "CO<sub>2</sub>e"
REGULAR, BOLD = "NotoSansSC", "NotoSansSC-Bold"
LATER_S: Final = 3_600
NO_FONT: Final = Text(
    "暂不能生成 PDF：未安装中文字体（见 CARBON_FONT）",
    "No PDF for now: the Chinese font is not installed (see CARBON_FONT)",
)
# fonts are counted out to documents by the library, one document at a time
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Styles:
    """How text is set."""

    title: Any
    heading: Any
    text: Any
    small: Any
    cell: Any
    number: Any


def words(said: str) -> str:
    """A text as the paper's markup: escaped, with a subscript that the font has."""
    return escape(said).replace("CO₂", "CO<sub>2</sub>").replace("₂", "<sub>2</sub>")


def styles(font: Path) -> Styles:
    """The styles under this font. Raises Unavailable where it is missing or is none."""
    try:
        changed = font.stat().st_mtime_ns
    except OSError as error:
        raise Unavailable("font_missing", NO_FONT, retry_after_s=LATER_S) from error
    return _styles(font, changed)


def paragraph(said: str, style: Any) -> Any:
    """A piece of text; `said` is markup already, see `words`."""
    from reportlab.platypus import Paragraph  # noqa: PLC0415 - half a second, for papers alone

    return Paragraph(said, style)


def space(height: float) -> Any:
    """Room between two pieces, in points."""
    from reportlab.platypus import Spacer  # noqa: PLC0415

    return Spacer(1, height)


def grid(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, headed: bool = True) -> Any:
    """A table that goes on over pages, its first row repeated."""
    from reportlab.lib import colors  # noqa: PLC0415
    from reportlab.platypus import LongTable, TableStyle  # noqa: PLC0415

    made = LongTable([list(row) for row in rows], colWidths=list(widths), repeatRows=int(headed))
    lines: list[Any] = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.HexColor("#c8d3cc")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
    ]
    if headed:
        lines.append(("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e8f1ec")))
    made.setStyle(TableStyle(lines))
    return made


def qr(content: str, side: float) -> Any:
    """A QR code with its quiet zone, `side` points wide."""
    import segno  # noqa: PLC0415
    from reportlab.platypus import Image  # noqa: PLC0415

    drawn = BytesIO()
    segno.make(content, error="m", micro=False).save(drawn, kind="png", scale=6, border=4)
    drawn.seek(0)
    return Image(drawn, width=side, height=side)


def printed(
    pieces: Sequence[Any],
    title: str,
    footer: str,
    *,
    lying: bool = False,
    undated: bool = False,
    tell: Callable[[int, int], None] | None = None,
) -> bytes:
    """The paper, A4, its pages numbered and lying on their side if need be; undated, the same is the same bytes.

    `tell` hears after each page how many of the pieces are set.
    """
    from reportlab.lib.pagesizes import A4, landscape  # noqa: PLC0415
    from reportlab.lib.units import mm  # noqa: PLC0415
    from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415

    size = landscape(A4) if lying else A4

    def number(canvas: Any, page: Any) -> None:
        canvas.setFont(REGULAR, 7)
        canvas.drawString(18 * mm, 10 * mm, footer)
        canvas.drawRightString(size[0] - 18 * mm, 10 * mm, str(page.page))

    into = BytesIO()
    margins: dict[str, Any] = {
        "leftMargin": 18 * mm,
        "rightMargin": 18 * mm,
        "topMargin": 16 * mm,
        "bottomMargin": 18 * mm,
    }
    paper = SimpleDocTemplate(
        into, pagesize=size, title=title, author=footer, invariant=int(undated), **margins
    )
    if tell:
        paper.setProgressCallBack(_heard(len(pieces), tell))
    with _ONE_AT_A_TIME:
        paper.build(list(pieces), onFirstPage=number, onLaterPages=number)
    return into.getvalue()


def _heard(parts: int, tell: Callable[[int, int], None]) -> Callable[[str, int], None]:
    """What the library says while it sets pieces, as `tell` is told it: once a page."""
    done = 0

    def heard(what: str, n: int) -> None:
        nonlocal done
        if what == "PROGRESS":
            # a table that goes on over pages is a piece more for as long
            done = min(max(n, done), parts)
        elif what == "PAGE":
            tell(done, parts)

    return heard


@cache
def _styles(font: Path, changed_ns: int) -> Styles:  # noqa: ARG001 - a font that was fetched anew is another
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415

    bold = font.with_name(font.name.replace("Regular", "Bold"))
    try:
        with _ONE_AT_A_TIME:
            pdfmetrics.registerFont(TTFont(REGULAR, str(font)))
            pdfmetrics.registerFont(TTFont(BOLD, str(bold if bold.exists() else font)))
            pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    except (TTFError, OSError) as error:
        raise Unavailable("font_missing", NO_FONT, retry_after_s=LATER_S) from error
    text = ParagraphStyle("text", fontName=REGULAR, fontSize=9.5, leading=14, wordWrap="CJK")
    small = ParagraphStyle("small", parent=text, fontSize=7.5, leading=11)
    return Styles(
        title=ParagraphStyle("title", parent=text, fontName=BOLD, fontSize=17, leading=24),
        heading=ParagraphStyle(
            "heading", parent=text, fontName=BOLD, fontSize=11.5, leading=18, spaceBefore=8
        ),
        text=text,
        small=small,
        cell=small,
        number=ParagraphStyle("number", parent=small, alignment=2),
    )
