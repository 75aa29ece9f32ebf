"""The flat CSV twin of the recycling profile: one row for each stage of a session at a box."""

from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from typing import BinaryIO, Final

from carbon_credits.partners.contract import ParseOptions
from integrations import delimited, readings, recycling_weighings
from integrations.recycling_deposits import Deposit, in_bag_of, told_of
from integrations.recycling_weighings import Ticket
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
# of a box, not of a session: `session_id` is the ticket's number, `deposited_at` when the box was emptied
EMPTIED: Final = frozenset({"清运", "emptied"})
WEIGHED: Final = frozenset({"过磅", "weighed"})
WEIGHING_VOIDED: Final = frozenset({"过磅撤销", "weighing_void"})
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
    if status in EMPTIED | WEIGHED | WEIGHING_VOIDED:
        return recycling_weighings.told_of(_ticket(cells, line))
    at, mass_g = readings.zoned_or_local(told), readings.scaled(weight, 1000)
    number = digest(readings.named(session), readings.named(machine), category)
    if status not in DEPOSITED | VOIDED:
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
    if status in DEPOSITED:
        return told_of(deposit)
    void = correction(digest(number, "void"), line, number, "void", at)
    return Told(replace(void, deposits=in_bag_of(deposit, is_withdrawn=True)), {"voids": 1})


def _ticket(cells: tuple[str, ...], line: int) -> Ticket:
    number, machine, _, told, category, weight, status, _ = cells
    return Ticket(
        # a ticket may list several boxes and materials, each a bag of its own
        record_id=digest("ticket", readings.named(number), readings.named(machine), category),
        line=line,
        machine=machine,
        material=readings.named(category),
        emptied_at=readings.zoned_or_local(told),
        net_g=None if status in EMPTIED else readings.scaled(weight, 1000),
        is_withdrawn=status in WEIGHING_VOIDED,
    )
