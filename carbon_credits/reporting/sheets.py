"""Tables as files: CSV and XLSX, row by row, without anything a spreadsheet would run.

A text that begins like a formula is given a leading apostrophe in CSV and is written as a text in XLSX; nothing becomes a
link. Whole numbers stay numbers, but for those a spreadsheet would round.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, Protocol

Cell = str | int | None
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# a spreadsheet counts in floats of 53 bits and shows 15 digits
EXACT: Final = 10**15
SHEET_ROWS: Final = 1_000_000
LONGEST_TEXT: Final = 32_767
PIECE: Final = 1 << 20
TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Sheet(Protocol):
    """A file being written: rows go in, then its bytes come out in pieces."""

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows."""

    def pieces(self) -> Iterator[bytes]:
        """Close the file and read it, a piece at a time."""


def opened(file_format: str, folder: Path, title: str, header: Sequence[str]) -> Sheet:
    """A file of this format in a folder that is the writer's own; its first row is the header."""
    return Xlsx(folder, title, header) if file_format == "xlsx" else Csv(folder, header)


class Csv:
    """UTF-8 with a byte order mark, for spreadsheets that would guess otherwise."""

    def __init__(self, folder: Path, header: Sequence[str]) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open for longer than a block
        self._text = io.TextIOWrapper(self._file, encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow([harmless(name) for name in header])

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows."""
        self._writer.writerows([harmless(cell) for cell in row] for row in rows)

    def pieces(self) -> Iterator[bytes]:
        """Close the file and read it, a piece at a time."""
        self._text.flush()
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece
        self._text.close()


class Xlsx:
    """A workbook written to disk as it grows; another sheet when one is full."""

    def __init__(self, folder: Path, title: str, header: Sequence[str]) -> None:
        # a cold start costs half a second, which nobody else should pay
        from xlsxwriter import Workbook  # noqa: PLC0415

        self._path = folder / "export.xlsx"
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": str(folder),
        }
        self._book = Workbook(self._path, options)
        self._bold = self._book.add_format({"bold": True})
        self._title, self._header = title[:24], header
        self._sheets = 0
        self._begin_sheet()

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Add rows."""
        for row in rows:
            if self._row > SHEET_ROWS:
                self._begin_sheet()
            for column, cell in enumerate(row):
                if isinstance(cell, int) and abs(cell) < EXACT:
                    self._sheet.write_number(self._row, column, cell)
                elif cell is not None:
                    self._sheet.write_string(self._row, column, str(cell)[:LONGEST_TEXT])
            self._row += 1

    def pieces(self) -> Iterator[bytes]:
        """Close the file and read it, a piece at a time."""
        self._book.close()
        with self._path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def _begin_sheet(self) -> None:
        self._sheets += 1
        self._sheet = self._book.add_worksheet(
            f"{self._title} {self._sheets}" if self._sheets > 1 else self._title
        )
        self._sheet.freeze_panes(1, 0)
        for column, name in enumerate(self._header):
            self._sheet.set_column(column, column, max(10, min(40, 2 * len(name))))
            self._sheet.write_string(0, column, name, self._bold)
        self._row = 1


def harmless(cell: Cell) -> Cell:
    """A text as a spreadsheet may open it: one that begins like a formula gets a leading apostrophe."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(FORMULA) else cell
