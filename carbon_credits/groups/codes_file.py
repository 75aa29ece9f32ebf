"""Codes that a firm or an estate office gives out itself, brought as CSV: `group,code,expires_on,most`.

All of a file counts or none of it: every line that is wrong is named, and nothing is written. Spreadsheets save UTF-8
with a mark at its beginning, or GB18030; both are read. A cell that a spreadsheet would take for a formula is refused,
for what is let in once is exported again.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from carbon_credits.core.clock import PROGRAMME_ZONE, day_of
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.groups.membership import CODE_FORM, LONGEST_LIFE, mac_of, plain
from carbon_credits.groups.models import Group, JoinCode
from carbon_credits.groups.service import GroupState

COLUMNS: Final = ("group", "code", "expires_on", "most")
MOST_LINES: Final = 20_000
MOST_BYTES: Final = 4_000_000
FORMULA: Final = ("=", "+", "-", "@", "\t")
FEW_LETTERS: Final = 5


class _Wrong(Exception):
    """One line cannot be taken; the text says why."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.code, self.said = code, Text(zh, en)


@dataclass(frozen=True)
class Line:
    """One code with its terms: of which group, through which day, for how many people."""

    number: int
    group_id: int
    code: str
    expires_on: date
    most: int


def read(content: bytes, now: datetime) -> list[Line]:
    """The lines of a file; raises Invalid with every line that is wrong (`/lines/N`, the header is line 1)."""
    rows = _rows(content)
    header, *rest = rows or [[]]
    if tuple(cell.strip().lower() for cell in header) not in {COLUMNS, COLUMNS[:3]}:
        raise _refused([_fault(1, "wrong_header", f"表头应为 {','.join(COLUMNS)}", "the header is wrong")])
    if not 0 < len(rest) <= MOST_LINES:
        raise _refused([_fault(1, "wrong_length", f"应有 1–{MOST_LINES} 行", f"1 to {MOST_LINES} lines")])
    lines, faults, seen = [], [], dict[str, int]()
    for number, cells in enumerate(rest, 2):
        if not any(cell.strip() for cell in cells):
            continue
        try:
            line = _line(number, cells, len(header), day_of(now))
            _once(line, seen)
        except _Wrong as wrong:
            faults.append(FieldFault(f"/lines/{number}", wrong.code, wrong.said))
        else:
            lines.append(line)
    if faults:
        raise _refused(faults)
    return lines


def take_in(session: Session, vault: Vault, lines: Sequence[Line], by: str, now: datetime) -> int:
    """Write the codes down; returns how many. Raises Invalid with every line whose group or code will not do."""
    active = set(session.scalars(select(Group.group_id).where(Group.state == GroupState.ACTIVE)))
    rows = {mac_of(vault, line.code): line for line in lines}
    written = (
        session.execute(
            insert(JoinCode)
            .values(
                [
                    {
                        "code_mac": mac,
                        "group_id": line.group_id,
                        "made_by": by,
                        "made_at": now,
                        "expires_at": _end_of(line.expires_on),
                        "most": line.most,
                    }
                    for mac, line in sorted(rows.items())
                    if line.group_id in active
                ]
            )
            .on_conflict_do_nothing(index_elements=[JoinCode.code_mac])
            .returning(JoinCode.code_mac)
        )
        if any(line.group_id in active for line in lines)
        else None
    )
    new = set() if written is None else {bytes(mac) for mac in written.scalars()}
    faults = [
        _fault(line.number, "group_unknown", "没有此组或未启用", "there is no such active group")
        if line.group_id not in active
        else _fault(line.number, "code_known", "该邀请码已登记", "this code is known already")
        for mac, line in rows.items()
        if mac not in new
    ]
    if faults:
        raise _refused(sorted(faults, key=lambda fault: int(fault.pointer.rsplit("/", 1)[1])))
    return len(new)


def _rows(content: bytes) -> list[list[str]]:
    if len(content) > MOST_BYTES:
        raise _refused([_fault(1, "too_large", "文件超过 4 MB", "larger than 4 MB")])
    try:
        told = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            told = content.decode("gb18030")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            wrong = _fault(line, "bad_encoding", "应为 UTF-8 或 GB18030", "neither UTF-8 nor GB18030")
            raise _refused([wrong]) from error
    if "\0" in told:
        line = told[: told.index("\0")].count("\n") + 1
        raise _refused([_fault(line, "nul_character", "含有空字符", "a NUL character")])
    try:
        return list(csv.reader(io.StringIO(told, newline=""), strict=True))
    except csv.Error as error:
        raise _refused([_fault(1, "not_csv", f"不是合法的 CSV：{error}", f"not CSV: {error}")]) from error


def _line(number: int, cells: Sequence[str], width: int, today: date) -> Line:
    if len(cells) != width:
        raise _Wrong("wrong_width", f"应有 {width} 列", f"{width} columns")
    if any(cell.startswith(FORMULA) for cell in cells):
        raise _Wrong("formula", "单元格不得以 = + - @ 开头", "a cell begins like a formula")
    group, code, expires, most = (*(cell.strip() for cell in cells), "1")[:4]
    shown = plain(code)
    if CODE_FORM.fullmatch(shown) is None or len(set(shown)) < FEW_LETTERS:
        raise _Wrong(
            "weak_code",
            "邀请码应为 10–40 位字母数字，且不单调",
            "10 to 40 letters or digits, of five sorts at least",
        )
    return Line(
        number,
        _whole(group, "/group", 2**31 - 1),
        shown,
        _day(expires, today),
        _whole(most or "1", "/most", 100_000),
    )


def _whole(cell: str, name: str, most: int) -> int:
    if not (cell.isascii() and cell.isdigit() and len(cell) <= 10 and 1 <= int(cell) <= most):
        raise _Wrong(
            "not_a_number", f"{name} 应为 1–{most} 的整数", f"{name}: a whole number from 1 to {most}"
        )
    return int(cell)


def _day(cell: str, today: date) -> date:
    try:
        found = date.fromisoformat(cell.replace("/", "-"))
    except ValueError as error:
        raise _Wrong("not_a_day", "日期应如 2026-12-31", "a day such as 2026-12-31") from error
    if not today <= found < today + LONGEST_LIFE:
        raise _Wrong("out_of_range", "到期日应在今日起 400 天内", "from today on, within 400 days")
    return found


def _once(line: Line, seen: dict[str, int]) -> None:
    first = seen.setdefault(line.code, line.number)
    if first != line.number:
        raise _Wrong("duplicate", f"与第 {first} 行重复", f"the same code as in line {first}")


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), PROGRAMME_ZONE)


def _fault(number: int, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault(f"/lines/{number}", code, Text(zh, en))


def _refused(faults: Sequence[FieldFault]) -> Invalid:
    said = Text(
        f"文件有 {len(faults)} 行有误，未写入任何内容", f"{len(faults)} lines are wrong; nothing was written"
    )
    return Invalid("wrong_file", said, faults=tuple(faults))
