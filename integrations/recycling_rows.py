"""The flat CSV twin of the recycling profile: one row for each stage of a session at a box."""

from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO, Final

from carbon_credits.partners.contract import ParseOptions
from integrations import delimited, readings
from integrations.recycling_deposits import Deposit, told_of
from integrations.telling import Told, correction, digest, refused, unreadable

COLUMNS: Final = (
    "session_id",
    "machine_code",
    "subject_token",
    "deposited_at",
    "category_code",
    "weight_kg",
    "status",
    "violation",
)
OPTIONAL: Final = "contamination_ppm"
# their words for a row's stage: put in, taken back; what comes after (collected, sorted, settled) is no deposit
DEPOSITED: Final = frozenset({"投放", "deposited"})
VOIDED: Final = frozenset({"撤销", "void"})
LATER: Final = frozenset({"回收", "分拣", "结算", "collected", "sorted", "settled"})
_NO_VIOLATION: Final = frozenset({"", "0", "false", "否"})


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every row of the file. Raises FileFault."""
    rows = delimited.rows(stream, options.encoding, [frozenset(COLUMNS)])
    _, header = next(rows)
    cells = itemgetter(*map(header.index, COLUMNS))
    subject_at = delimited.column(header, options.bind_column or "subject_token")
    dirt_at = header.index(OPTIONAL) if OPTIONAL in header else None
    for line, row in rows:
        subject = "" if subject_at is None else row[subject_at]
        try:
            yield told_of_row(cells(row), line, subject, "" if dirt_at is None else row[dirt_at])
        except ValueError:
            yield unreadable(row, line)


def told_of_row(cells: tuple[str, ...], line: int, subject: str, dirt: str) -> Told:
    """A row by its cells in the order of COLUMNS, whose it is, and its dirt (ppm) where told. Raises ValueError."""
    session, machine, _, told, category, weight, status, violation = cells
    at, mass_g = readings.zoned_or_local(told), readings.scaled(weight, 1000)
    number = digest(readings.named(session), readings.named(machine), category)
    if status in VOIDED:
        item = correction(digest(number, "void"), line, number, "void", at)
        return Told(item, {"voids": 1})
    if status not in DEPOSITED:
        reason = "not_a_deposit" if status in LATER else "unknown_transaction"
        return Told(refused(digest(number, status), line, reason), {"later_stages": 1})
    deposit = Deposit(
        record_id=number,
        line=line,
        machine=machine,
        subject_token=subject,
        material=readings.named(category),
        mass_g=mass_g,
        at=at,
        # one session may hold several materials, each an order of its own
        order_no=f"{session}:{category}",
        contamination_ppm=readings.whole(dirt) if dirt else None,
        is_flagged=violation.strip().lower() not in _NO_VIOLATION,
    )
    return told_of(deposit)
