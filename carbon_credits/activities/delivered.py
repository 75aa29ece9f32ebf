"""A delivered file on its way to acts: seen → verified → staged → applied, or quarantined whole with its reason.

Each step writes down that it is done, so that whoever comes after a kill goes on from there: the file is unpacked and
held against its manifest; read to its end by its feed, without doing anything; then its rows land in chunks.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Final

from sqlalchemy.orm import Session

from carbon_credits.activities import strangers
from carbon_credits.activities.corrections import note_corrections, written
from carbon_credits.activities.files import FileTold, Heard, Opened, land_all, place
from carbon_credits.activities.intake import terms_of
from carbon_credits.activities.landing import RECORDS, ROWS, outcomes, said_of
from carbon_credits.activities.made import Made, Part, made_beside, made_of_parts
from carbon_credits.activities.spool import Spool, spooled
from carbon_credits.activities.told import Intake, chunks_of
from carbon_credits.activities.versions import version_of_file
from carbon_credits.core.crypto import Vault
from carbon_credits.core.cycles import seldom_collected
from carbon_credits.core.i18n import Text
from carbon_credits.partners import contents, progress
from carbon_credits.partners.contract import Feed, FileFault, Item, ParseOptions
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.manifest import Manifest, canonical_bytes, read_manifest
from carbon_credits.partners.models import PartnerFile

log = logging.getLogger(__name__)

OPTIONS: Final = ParseOptions()
NOT_BOUND: Final = "dropped:not_bound"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
# of more than this many and this share a file is not what it says
FEW_UNREADABLE: Final = 10
UNREADABLE_SHARE: Final = Decimal("0.005")
# bytes; below this a file is read faster than processes are begun
MUCH: Final = 1 << 20
# what an integration may trip over in a file that nobody foresaw; the file waits for a person and the feed goes on
_STUMBLES: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Ground:
    """What the work on a feed's files stands on; `now` gives the instant, `options` what is said of every file."""

    vault: Vault
    inbox: Inbox
    feed: Feed
    heard: Heard
    opened: Opened
    now: Callable[[], datetime]
    options: ParseOptions = OPTIONS

    @property
    def of_file(self) -> ParseOptions:
        """What is said of the content as it was left after unpacking, while other files may still be to come."""
        return replace(self.options, numbered=bool(self.feed.tells_of_all_by), complete_through=_NEVER)


def advance(ground: Ground, row: PartnerFile) -> str:
    """Take a file as far as it goes and return the state it ends in. Raises Conflict while another is at it."""
    with spooled(ground.inbox.folder) as spool, seldom_collected():
        return _advance(_Work(ground, row, read_manifest(canonical_bytes(row.manifest or {})), spool))


@dataclass(frozen=True)
class _Work:
    """The work on one file; `spool` holds what is ready to land once it was staged here."""

    ground: Ground
    row: PartnerFile
    manifest: Manifest
    spool: Spool

    @cached_property
    def intake(self) -> Intake:
        """Whose items land; judged by the instant the file came, whenever it is worked on and however often."""
        ground, row = self.ground, self.row
        terms = ground.opened(lambda session: terms_of(session, ground.feed.code))
        version = version_of_file(row.seq, row.version)
        return Intake(ground.vault, terms, row.received_at, row.file_id, version, ground.of_file.numbered)

    @property
    def plain(self) -> list[Path]:
        """Where the file lies unpacked, in the order of its parts."""
        parts = strangers.parts_of(self.ground.feed, self.manifest.rows)
        return [self.ground.inbox.plain(self.row.file_id, part) for part in range(parts)]

    @property
    def parts(self) -> list[Part]:
        """What the feed reads in each of them."""
        return [partial(_items, self.ground, path) for path in self.plain]

    def items(self) -> Iterator[Item]:
        """All items of the file, in the order of its parts."""
        return chain.from_iterable(part() for part in self.parts)

    def made(self) -> Iterator[Made]:
        """All of the file made ready. A process for each part is worth its while where there is much to read."""
        if len(self.plain) > 1 and sum(path.stat().st_size for path in self.plain) > MUCH:
            return made_of_parts(self.intake, self.parts)
        return made_beside(self.intake, chunks_of(self.items()))


def _items(ground: Ground, path: Path) -> Iterator[Item]:
    with path.open("rb") as stream:
        yield from ground.feed.parse_file(stream, ground.of_file)


def _advance(work: _Work) -> str:
    ground, row = work.ground, work.row
    steps = {"seen": _verify, "verified": _stage, "staged": _apply}
    state = row.state
    while state in steps:
        try:
            faults = steps[state](work)
        except FileFault as fault:
            faults = [fault]
        if faults:
            ground.opened(partial(progress.quarantine, file_id=row.file_id, faults=faults))
            log.error("file quarantined", extra={"file": row.file_id, "fault": faults[0].code})
            return "quarantined"
        state = ground.opened(lambda session: progress.file_of(session, row.file_id).state)
    return state


def _verify(work: _Work) -> list[FileFault]:
    ground, row, manifest = work.ground, work.row, work.manifest
    sent = ground.inbox.sent(row.file_id)
    if not sent.exists():
        return [
            FileFault("bytes_lost", Text("文件内容已丢失，请重新发送", "Its bytes are gone: send it again"))
        ]
    ours = strangers.ours(ground.feed, ground.vault, ground.opened, row, len(work.plain))
    parts = [path.with_suffix(".plain.part") for path in work.plain]
    with sent.open("rb") as stream, ExitStack() as opened:
        outs = [opened.enter_context(part.open("wb")) for part in parts]
        found = contents.unpack(stream, outs, manifest, ours=ours)
    faults = _not_waived(row, contents.faults_of(manifest, found))
    for part, path in zip(parts, work.plain, strict=True):
        if faults:
            part.unlink()
        else:
            part.rename(path)
    if not faults:
        verified = partial(progress.pass_on, file_id=row.file_id, follows="seen", state="verified")
        ground.opened(partial(verified, left_out=found.strangers))
    return faults


def _stage(work: _Work) -> list[FileFault]:
    """Read the file to its end by its feed's own eyes before its first row counts, and make ready what will land."""
    ground, row = work.ground, work.row
    tally: Counter[str] = Counter()
    try:
        with written(ground.inbox.keys(row.file_id)) as out:
            for made in work.made():
                tally.update({ROWS: made.rows, "unreadable": made.unreadable})
                out.write(made.keys)
                work.spool.put(made.chunk)
        faults = _control_faults(ground, row, work.manifest, tally)
    except _STUMBLES:
        log.exception("a feed stumbled over a file", extra={"file": row.file_id, "feed": ground.feed.code})
        return [
            FileFault(
                "not_understood",
                Text("内容无法识别，已转人工", "It cannot be understood: a person will look"),
            )
        ]
    if not _not_waived(row, faults):
        work.spool.is_whole = True
        ground.opened(lambda session: progress.pass_on(session, row.file_id, "verified", "staged"))
    return _not_waived(row, faults)


def _control_faults(
    ground: Ground, row: PartnerFile, manifest: Manifest, tally: Counter[str]
) -> list[FileFault]:
    faults = []
    many = max(Decimal(FEW_UNREADABLE), UNREADABLE_SHARE * tally[ROWS])
    if tally["unreadable"] > many:
        n = tally["unreadable"]
        detail = Text(f"{n} 行无法读取，整份文件未导入", f"{n} rows cannot be read: the whole file waits")
        faults.append(FileFault("too_many_unreadable", detail))
    if manifest.is_table:
        return faults
    # what is no table has no columns to add up: its feed's own control facts stand in for them
    faults += contents.rows_fault(manifest, tally[ROWS])
    if manifest.totals or manifest.by_type:
        with ground.inbox.plain(row.file_id).open("rb") as stream:
            facts = ground.feed.summary(stream, ground.options)
        declared = {**manifest.totals, **{name: Decimal(n) for name, n in manifest.by_type.items()}}
        for name, amount in declared.items():
            faults += contents.total_fault(name, amount, facts.get(name))
    return faults


def _apply(work: _Work) -> list[FileFault]:
    ground, row = work.ground, work.row
    told = FileTold(row.file_id, said_of(ground.of_file), work.items)
    made_ready = work.spool.chunks() if work.spool.is_whole else None
    tally = land_all(work.intake, told, ground.heard, ground.opened, made_ready)
    if dropped := ground.opened(lambda session: progress.file_of(session, row.file_id).left_out):
        tally = tally + Counter({ROWS: dropped, NOT_BOUND: dropped})
    counts = {ROWS: tally[ROWS], RECORDS: tally[RECORDS], "outcomes": outcomes(tally)}

    def done(session: Session) -> None:
        before, told = progress.applied_before(session, row), (0, 0)
        if before is not None:
            inbox = ground.inbox
            told = note_corrections(session, row, inbox.keys(before), inbox.keys(row.file_id))
        progress.finish(session, row, counts, told, ground.now())

    ground.opened(done)
    mark = ground.opened(lambda session: progress.watermark_of(session, row.source_id))
    options = replace(ground.options, complete_through=_NEVER if mark is None else mark.complete_through)
    place(ground.vault, ground.feed, options, ground.now(), ground.heard, ground.opened)
    ground.inbox.forget(row.file_id)
    return []


def _not_waived(row: PartnerFile, faults: list[FileFault]) -> list[FileFault]:
    return [fault for fault in faults if fault.code not in row.waived]
