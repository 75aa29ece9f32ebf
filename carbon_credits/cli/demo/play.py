"""One day of the district through the real doors, and what came of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

import click
import requests
from rich.progress import Progress

from carbon_credits.activities.fates import undecided_acts, undecided_records
from carbon_credits.activities.files import Delivery, Landed, Taken, take_in_file
from carbon_credits.activities.intake import terms_of
from carbon_credits.cli import tables
from carbon_credits.cli.demo import errands, papers, seed
from carbon_credits.cli.demo.district import Claimed, Day, Person, Pushed, day_of
from carbon_credits.cli.demo.doors import Doors, Texts
from carbon_credits.cli.demo.report import Played, show
from carbon_credits.cli.imports import record_ids, ring, wait_until_decided
from carbon_credits.cli.saying import plainly
from carbon_credits.core import clock
from carbon_credits.core.db import reading, transaction
from carbon_credits.jobs.surroundings import settings
from carbon_credits.partners import service
from carbon_credits.partners.contract import Feed, ParseOptions

THREADS: Final = 8
PUSHED_AT_ONCE: Final = 50
FURNISHED_AT_ONCE: Final = 50


@dataclass
class _Files:
    """What the files came to: the end of each, and their records by source."""

    taken: list[tuple[str, Taken]] = field(default_factory=list)
    record_ids: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


@click.command()
@click.option("--residents", type=click.IntRange(1, 10_000), default=300, show_default=True)
@click.option(
    "--seed", "number", type=int, default=1, show_default=True, help="the same seed plays the same day"
)
@click.option("--url", help="where the API is; else where the settings say")
@plainly
def play(residents: int, number: int, url: str | None) -> None:
    """Play one day of the district through the real doors; ends with 1 when an invariant is broken."""
    seed.require_demo()
    shown = tables.console()
    client_of = _clients()
    day = day_of(residents, number, clock.now(), _bicycle())
    shown.print(
        f"[bold]禅城碳普惠·演示日 / A day of the district[/]  居民 residents {residents}，种子 seed {number}"
    )
    doors = Doors(url or settings().public_url, Texts(settings().home / "outbox" / "sms.jsonl"), number)
    try:
        with tables.bars(shown) as bars:
            _furnish(bars, day.people)
            tokens = _through_http(bars, doors, day, client_of)
            files = _through_files(bars, day)
    except requests.ConnectionError as error:
        raise click.ClickException(
            f"接口未启动，请用 make demo / the API is not up, use make demo: {url or settings().public_url}"
        ) from error
    acts = doors.heard.acts
    wait_until_decided(lambda: _undecided(acts, files))
    done = [errand for merchant in seed.merchants()[:1] for errand in errands.run(doors, tokens, merchant)]
    with reading() as session:
        is_sound = show(shown, session, Played(doors.heard, files.taken, files.record_ids, done))
    if not is_sound:
        raise click.exceptions.Exit(1)


def _clients() -> dict[str, dict[str, Any]]:
    """The demonstration's clients by feed. Raises ClickException before the district is seeded."""
    listed = seed.credentials()
    if not listed:
        raise click.ClickException("请先运行 flask demo seed / run flask demo seed first")
    return {feed: client for client in listed for feed in client["feeds"]}


def _bicycle() -> str:
    """The methodology of the bike-share feed."""
    return next(feed.methodologies[0] for feed in seed.feeds() if feed.code == "bike_share")


def _furnish(bars: Progress, everybody: Sequence[Person]) -> None:
    """Accounts at the partners: bindings have no door yet, so the services are called."""
    bar = bars.add_task("居民 residents     ", total=len(everybody))
    vault, now = settings().vault, clock.now()
    for some in _chunked(everybody, FURNISHED_AT_ONCE):
        with transaction() as session:
            partners = service.partners(session)
            for person in some:
                seed.furnish(session, vault, person.number, person.street, partners, now)
        bars.advance(bar, len(some))


def _through_http(
    bars: Progress, doors: Doors, day: Day, client_of: dict[str, dict[str, Any]]
) -> dict[int, str]:
    """The residents' claims and the partners' pushes; returns the residents' tokens by their numbers."""
    tokens: dict[int, str] = {}
    claims = defaultdict(list)
    for claimed in day.claims:
        claims[claimed.person].append(claimed)
    phones = {person.number: person.phone for person in day.people}
    signing = bars.add_task("登录 sign-ins      ", total=len(claims))
    claiming = bars.add_task("申报 app           ", total=sum(claimed.times for claimed in day.claims))
    pushing = bars.add_task("推送 partners' API ", total=len(day.pushes))

    def live(number: int, told: Sequence[Claimed]) -> None:
        token = tokens[number] = doors.sign_in(phones[number])
        bars.advance(signing)
        for claimed in told:
            doors.claim(token, claimed)
            bars.advance(claiming, claimed.times)

    def push(feed: str, some: Sequence[Pushed]) -> None:
        doors.push(doors.client_token(client_of[feed]), feed, some)
        bars.advance(pushing, len(some))

    with ThreadPoolExecutor(THREADS) as threads:
        work = [threads.submit(live, number, told) for number, told in claims.items()]
        work += [threads.submit(push, feed, some) for feed, some in _pushes(day)]
        for done in as_completed(work):
            done.result()
    return tokens


def _pushes(day: Day) -> Iterator[tuple[str, Sequence[Pushed]]]:
    by_feed = defaultdict(list)
    for pushed in day.pushes:
        by_feed[pushed.feed].append(pushed)
    for feed, records in by_feed.items():
        for some in _chunked(records, PUSHED_AT_ONCE):
            yield feed, some


def _through_files(bars: Progress, day: Day) -> _Files:
    """The day's files, each taken in as an operator's would be."""
    found = _Files()
    rides, taps = _feed("bike_share"), _feed("metro_taps")
    bar = bars.add_task("文件 files         ", total=len(day.rides) + len(day.taps))
    with TemporaryDirectory() as folder:
        table, ridden, tapped = (Path(folder) / name for name in ("distances.csv", "rides.csv", "taps.csv"))
        papers.write_distances(table)
        papers.write_rides(ridden, day.rides)
        papers.write_taps(tapped, day.taps)
        for feed, path, options in (
            (rides, ridden, ParseOptions(bind_column=papers.RIDER)),
            (taps, tapped, ParseOptions(distances=table)),
        ):
            with _opened(path) as stream:
                _take_in(found, Delivery(feed, stream, path.name, options))
            bars.update(bar, completed=sum(taken.rows for _, taken in found.taken))
    return found


def _take_in(found: _Files, delivery: Delivery) -> None:
    def heard(landed: Landed) -> None:
        ring(landed)

    taken = take_in_file(settings().vault, delivery, clock.now(), heard)
    with reading() as session:
        source_id = terms_of(session, delivery.feed.code).source_id
    found.taken.append((delivery.feed.code, taken))
    found.record_ids[source_id] += [*record_ids(delivery), *taken.placed.record_ids]


def _feed(code: str) -> Feed:
    return next(feed for feed in seed.feeds() if feed.code == code)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as stream:
        yield stream


def _undecided(acts: set[str], files: _Files) -> int:
    with reading() as session:
        told = sum(
            undecided_records(session, source, numbers) for source, numbers in files.record_ids.items()
        )
        return undecided_acts(session, acts) + told


def _chunked(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
