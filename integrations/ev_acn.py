"""Sessions of the Adaptive Charging Network (Caltech), the public research file: no person, local times, a CSV.

Its zone is the chargers' own; the feed reads it as its own zone, which moves all sessions alike.
"""

from collections.abc import Iterator
from operator import itemgetter
from typing import BinaryIO, Final

from carbon_credits.partners.contract import ParseOptions
from integrations import delimited, readings
from integrations.ev_sessions import Session, told_of
from integrations.telling import Told, unreadable

COLUMNS: Final = (
    "Charging_Id",
    "connectionTime",
    "disconnectTime",
    "doneChargingTime",
    "kWhDelivered",
    "stationID",
)


def read(stream: BinaryIO, options: ParseOptions) -> Iterator[Told]:
    """Every session of the file. Raises FileFault."""
    rows = delimited.rows(stream, options.encoding, [frozenset(COLUMNS)])
    _, header = next(rows)
    cells = itemgetter(*map(header.index, COLUMNS))
    subject_at = delimited.column(header, options.bind_column)
    for line, row in rows:
        subject = "" if subject_at is None else row[subject_at]
        try:
            session = _session(cells(row), line, subject)
        except ValueError:
            yield unreadable(row, line)
        else:
            yield told_of(session, {"sessions": 1})


def _session(cells: tuple[str, ...], line: int, subject: str) -> Session:
    number, start, stop, done, energy, station = cells
    return Session(
        record_id=readings.named(number),
        line=line,
        connector=readings.named(station),
        subject_token=subject,
        order_no=number,
        start=readings.local(start),
        stop=readings.local(stop),
        energy_wh=readings.scaled(energy, 1000),
        done=readings.local(done) if done else None,
    )
