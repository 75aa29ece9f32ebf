"""What an operator sees of a file on its way in: how far it is, where its rows went, what its acts came to."""

import codecs
import csv
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import click
from redis import Redis

from carbon_credits.activities.fates import fates_of_records, undecided_records
from carbon_credits.activities.files import Delivery, Landed, Placed, Taken, is_taken_in, take_in_file
from carbon_credits.activities.intake import terms_of
from carbon_credits.cli import people, tables
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs import doorbell
from carbon_credits.jobs.surroundings import redis_of
from carbon_credits.partners import service
from carbon_credits.partners.contract import FileFault, Item, Record, Weighing

PATIENCE_S: Final = 120.0
STEP_S: Final = 0.25
HOUSED: Final = 50
MOST_HOUSED: Final = 1_000


def ring(landed: Landed) -> None:
    """Say that there is work; whatever is not heard the sweeper finds."""
    redis: Redis = redis_of()
    doorbell.ring(redis, landed.shards)
    redis.close()


def demonstrated(vault: Vault, delivery: Delivery) -> None:
    """Get the demonstration ready for a public file: its dates must fit, its bound subjects become residents.

    Raises ClickException when the dates do not fit, with the number of days that would.
    """
    with reading() as session:
        # known bytes change nothing, unless a table of distances comes with them
        if is_taken_in(session, delivery) and delivery.options.distances is None:
            return
    found = _survey(delivery)
    if found is None:
        return
    _require_dates(delivery, found)
    if delivery.options.bind_column is not None:
        _house(vault, delivery, _subjects(delivery, found, delivery.options.bind_column))


def take_in(vault: Vault, delivery: Delivery, *, waits: bool) -> bool:
    """Take a file in and print what became of it; whether every row of it is accounted for."""
    shown = tables.console()
    taken = _with_bar(vault, delivery)
    if taken.fault is not None:
        line = taken.fault["line"]
        where = "" if line is None else f"第 {line} 行 / line {line}: "
        detail = taken.fault["detail"]
        shown.print(f"[bold]整份文件未导入 / The whole file is refused[/]  {taken.fault['code']}")
        shown.print(f"{where}{detail['zh']} / {detail['en']}")
        return False
    if taken.known:
        shown.print("此文件此前已导入，不再重复导入 / These bytes were taken in before and do not land again")
    shown.print(tables.outcome_table(taken.rows, taken.records, taken.outcomes))
    report_placed(taken.placed)
    facts = delivery.feed.summary(delivery.stream, delivery.options)
    shown.print(tables.fact_table("文件核对数 / Control facts of the file", facts))
    numbers = [*record_ids(delivery), *taken.placed.record_ids]
    if waits:
        wait_until_decided(lambda: _undecided(delivery, numbers))
    with reading() as session:
        source = terms_of(session, delivery.feed.code)
        fates = fates_of_records(session, source.source_id, numbers)
    shown.print("[bold]该文件的低碳行为 / The file's acts[/]")
    for each in tables.fate_tables(fates):
        shown.print(each)
    told = next((facts[name] for name in ("rows", "trips", "taps") if name in facts), taken.rows)
    return taken.rows == told


def report_placed(placed: Placed) -> None:
    """Say what became of records that waited."""
    new = placed.outcomes.get("accepted", 0)
    still = sum(count for name, count in placed.outcomes.items() if name.startswith("waiting"))
    click.echo(f"此前等待的：新计入 {new} 行，仍在等待 {still} 行 / placed {new} rows, {still} wait on")


def wait_until_decided(undecided: Callable[[], int], patience_s: float = PATIENCE_S) -> bool:
    """Watch acts being decided; False when some are not when patience ends."""
    ends = time.monotonic() + patience_s
    left = most = undecided()
    if most == 0:
        return True
    with tables.bars(tables.console()) as bars:
        bar = bars.add_task("核算 crediting", total=most)
        while left and time.monotonic() < ends:
            time.sleep(STEP_S)
            left = undecided()
            bars.update(bar, completed=most - left)
    if left:
        click.echo(f"尚有 {left} 条未核算，后台会继续 / {left} are undecided; the workers go on")
    return left == 0


@dataclass
class _Survey:
    """What must be known of a public file before it is played as if it were today's."""

    subjects: dict[str, None] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None

    def see(self, item: Item) -> None:
        if isinstance(item, Record) and item.subject_token:
            self.subjects[item.subject_token] = None
        begins = _beginning(item)
        if begins is not None:
            self.first = begins if self.first is None else min(self.first, begins)
            self.last = begins if self.last is None else max(self.last, begins)


def _beginning(item: Item) -> datetime | None:
    """When an item began; of what waits, as far as its feed kept that."""
    if isinstance(item, Record):
        return item.occurred_from
    if isinstance(item, Weighing):
        return item.emptied_at
    at = (item.kept or {}).get("at")
    return None if at is None else datetime.fromisoformat(str(at))


def _survey(delivery: Delivery) -> _Survey | None:
    """None for a file that will be refused."""
    found = _Survey()
    delivery.stream.seek(0)
    try:
        for item in delivery.feed.parse_file(delivery.stream, delivery.options):
            found.see(item)
    except FileFault:
        return None
    return found


def _subjects(delivery: Delivery, found: _Survey, column: str) -> list[str]:
    """Everybody in the column, also of rows that are no act; where they are too many, those who have an act."""
    everybody = {**found.subjects, **dict.fromkeys(_values(delivery, column))}
    if len(everybody) <= MOST_HOUSED:
        return list(everybody)
    words = f"{len(everybody):,} 个不同取值，仅为有行为的 {len(found.subjects):,} 个建立居民"
    click.echo(f"{words} / that many values: residents for those {len(found.subjects):,} with an act alone")
    return list(found.subjects)


def _values(delivery: Delivery, column: str) -> Iterator[str]:
    """What stands in a column of a file that is known to be readable; nothing when it has no columns."""
    raw = delivery.stream
    raw.seek(0)
    is_packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    plain = gzip.GzipFile(fileobj=raw) if is_packed else raw
    first = next(csv.reader([plain.readline().decode("utf-8-sig", "replace")]), [])
    if column not in first:
        return  # a document of JSON, or a table behind a preamble: who is in it, its records say
    plain.seek(0)
    for row in csv.DictReader(codecs.iterdecode(plain, "utf-8", "replace")):
        if row.get(column):
            yield row[column]


def _require_dates(delivery: Delivery, found: _Survey) -> None:
    if found.first is None or found.last is None:
        return
    today, late_days = clock.today(), delivery.feed.late_days
    first, last = clock.day_of(found.first), clock.day_of(found.last)
    oldest = today - timedelta(days=late_days)
    fits = oldest <= first and last <= today
    is_all_outside = last < oldest or first > today
    if fits or not (delivery.options.shift_days or is_all_outside):
        return
    wanted = delivery.options.shift_days + (today - timedelta(days=1) - last).days
    span = (last - first).days
    if span >= late_days and not is_all_outside and last <= today:
        words = (
            f"文件跨 {span} 天，较早的行将因超期被拒 / the file spans {span} days: earlier rows are too old"
        )
        click.echo(words)
        return
    advice = f"请用 --shift-days {wanted} / use --shift-days {wanted}"
    raise click.ClickException(
        f"文件日期为 {first} 至 {last}，须在 {oldest} 至 {today} 之内 / "
        f"the file's dates are {first} to {last} and must lie within {oldest} to {today}.\n{advice}"
    )


def _house(vault: Vault, delivery: Delivery, subjects: list[str]) -> None:
    now = clock.now()
    with tables.bars(tables.console()) as bars:
        bar = bars.add_task("演示居民 residents", total=len(subjects))
        for start in range(0, len(subjects), HOUSED):
            some = subjects[start : start + HOUSED]
            with transaction() as session:
                partner = service.partner_by_code(session, delivery.feed.partner)
                people.house(session, vault, partner, some, now)
            bars.advance(bar, len(some))


def _with_bar(vault: Vault, delivery: Delivery) -> Taken:
    with tables.bars(tables.console()) as bars:
        bar = bars.add_task("导入 rows", total=None)

        def heard(landed: Landed) -> None:
            ring(landed)
            if landed.items:
                bars.update(bar, completed=landed.items)

        taken = take_in_file(vault, delivery, clock.now(), heard)
        bars.update(bar, total=taken.rows, completed=taken.rows)
    return taken


def record_ids(delivery: Delivery) -> list[str]:
    """The numbers of the records that a file holds."""
    delivery.stream.seek(0)
    items = delivery.feed.parse_file(delivery.stream, delivery.options)
    return [item.record_id for item in items if isinstance(item, Record)]


def _undecided(delivery: Delivery, numbers: list[str]) -> int:
    with reading() as session:
        source = terms_of(session, delivery.feed.code)
        return undecided_records(session, source.source_id, numbers)
