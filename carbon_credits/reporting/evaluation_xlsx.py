"""A year's evaluation as a spreadsheet: a sheet for each section. Text is text, whatever it begins with."""

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from carbon_credits.reporting.evaluation_layout import UNSHOWN, Cell, Section, Snapshot, title
from carbon_credits.reporting.evaluation_sections import sections
from carbon_credits.reporting.indicators_models import EvaluationPack

# a spreadsheet keeps fifteen digits of a number; more are text
_MOST: Final = 10**15
_AS_TEXT: Final = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def xlsx(pack: EvaluationPack, tell: Callable[[int, int], None] | None = None) -> bytes:
    """The spreadsheet of a pack, the same bytes for the same pack; `tell` hears how many sheets are written."""
    snapshot: Snapshot = pack.snapshot
    held = BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True, **_AS_TEXT})
    book.set_properties({"title": title(snapshot).zh, "created": datetime.fromisoformat(snapshot["made_on"])})
    style = {
        "heading": book.add_format({"bold": True, "font_size": 14}),
        "header": book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#EBF2ED"}),
        "text": book.add_format({"text_wrap": True, "valign": "top", "border": 1}),
        "number": book.add_format({"num_format": "#,##0", "valign": "top", "border": 1}),
    }
    state = "定稿 final" if pack.state == "final" else "草稿 draft"
    foot = f"v{pack.version} {state}, through {snapshot['through']}, SHA-256 {pack.digest.hex()}"
    every = sections(snapshot)
    for done, section in enumerate(every):
        if tell:
            tell(done, len(every))
        _write(book.add_worksheet(section.name), section, foot, style)
    book.close()
    return held.getvalue()


def _write(sheet: Any, section: Section, foot: str, style: dict[str, Any]) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&7" + foot.replace("&", "&&") + "&R&7&P")
    sheet.write_string(0, 0, f"{section.heading.zh} {section.heading.en}", style["heading"])
    sheet.write_string(1, 0, foot)
    line = 2
    for note in section.notes:
        sheet.write_string(line, 0, f"{note.zh} {note.en}")
        line += 1
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, max(len(section.header) - 1, 1), 18)
    for column, cell in enumerate(section.header):
        sheet.write_string(
            line, column, cell.zh if cell.zh == cell.en else f"{cell.zh}\n{cell.en}", style["header"]
        )
    sheet.freeze_panes(line + 1, 1)
    for n, row in enumerate(section.rows, line + 1):
        for column, value in enumerate(row):
            _put(sheet, n, column, value, style)


def _put(sheet: Any, row: int, column: int, value: Cell, style: dict[str, Any]) -> None:
    if isinstance(value, int) and abs(value) < _MOST:
        sheet.write_number(row, column, value, style["number"])
    else:
        told = UNSHOWN if value is None else f"{value:,}" if isinstance(value, int) else value
        sheet.write_string(row, column, told, style["text"])
