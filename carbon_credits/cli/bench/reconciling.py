"""A whole day of a city's metro: from the operator's signed files to matched claims and balances, beside bare SQL.

One process works on the files as the files worker does, two drain the lanes as crediting workers do; the floor has the
same machine, the same files and the same server, one after the other. Redelivery is the same bytes once more.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Final

from carbon_credits.activities.delivered import Ground as FeedGround
from carbon_credits.activities.delivered import advance
from carbon_credits.cli.bench import (
    cityday,
    cityday_floor,
    cityday_ground,
    cityday_same,
    claims,
    clients,
    web,
)
from carbon_credits.cli.bench.cityday import CityDay
from carbon_credits.cli.bench.cityday_files import Operator, SignedFile, by_hours
from carbon_credits.cli.bench.cityday_given import given_of
from carbon_credits.cli.bench.figures import Figure, at_most, percentile
from carbon_credits.cli.bench.ground import Ground, fresh
from carbon_credits.core import clock
from carbon_credits.core.db import in_transaction
from carbon_credits.jobs.crediting import drain_lane
from carbon_credits.jobs.doorbell import LANES
from carbon_credits.partners import arrivals, keys, progress, service
from carbon_credits.partners.arrivals import Arriving
from carbon_credits.partners.contract import Feed, ParseOptions
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register

NAMES: Final = ("reconcile_vs_floor", "redelivery", "live_claims_meanwhile")
GOAL, AGAIN_GOAL, P95_GOAL_S = 1.5, 0.01, 1.0
SEED: Final = 7
LIVE_RATE, LIVE_LEAST_S = 20.0, 20.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Day:
    """What is measured with: the day, its files, the feed that reads them, and the database to copy."""

    city: CityDay
    files: Sequence[SignedFile]
    feed: Feed
    template: Ground
    folder: Path

    @property
    def table(self) -> Path:
        """The table of station distances."""
        return self.folder / "distances.csv"


def prepare(template: Ground, feed: Feed, folder: Path, size: cityday.Size, today: date) -> Day:
    """Make the day in a database that has policy: people bound, claims decided, what the floor knows beforehand."""
    city = cityday.make(today - timedelta(days=1), size, SEED)
    operator = Operator(feed.partner, feed.code)
    day = Day(city, operator.day(city.day, by_hours(city, 1, SEED)), feed, template, folder)
    with template.at_work():
        in_transaction(lambda session: service.install(session, [feed]))
        partner = in_transaction(lambda session: service.partner_by_code(session, feed.partner).partner_id)
        in_transaction(lambda session: keys.add_key(session, partner, operator.public_key, clock.now()))
    cityday_ground.write_distances(day.table)
    with template.owner() as owner:
        cityday_ground.bind(owner, template.settings.vault, (partner, feed.partner), size.residents)
        cityday_ground.tell(owner, template.settings.vault, city)
        cityday_floor.prepare(owner, cityday.distances(), size.residents)
    with template.at_work():
        for lane in range(LANES):
            drain_lane(lane)
    with template.owner() as owner:
        owner.execute("vacuum (analyze)")
    return day


def figures(day: Day, owner_url: str, rounds: int, wanted: frozenset[str], say: Say) -> Iterator[Figure]:
    """`reconcile_vs_floor` and `redelivery` (medians of the rounds), then `live_claims_meanwhile`."""
    # a worker does not hold a city in its memory, and does not look for garbage there
    gc.freeze()
    taken: dict[str, list[float]] = {"product": [], "floor": [], "again": []}
    for turn in range(1, rounds + 1):
        with fresh(owner_url, day.template.settings, day.template) as ground:
            inbox = Inbox(day.folder / f"{turn}")
            taken["product"].append(play(day, ground, inbox))
            with ground.at_work():
                began = time.perf_counter()
                bring(day, inbox)
                taken["again"].append(time.perf_counter() - began)
            product = _checked(day, ground)
        with fresh(owner_url, day.template.settings, day.template) as ground:
            given = given_of(ground, day.feed, day.city, clock.today())
            steps = cityday_floor.write(ground, [sent.packed for sent in day.files], given)
            taken["floor"].append(sum(steps.values()))
            if differs := cityday_same.differences(product, cityday_same.books(ground)):
                raise RuntimeError("the floor is not the same day: " + "; ".join(differs))
        said = ", ".join(f"{name} {values[-1]:,.2f} s" for name, values in taken.items())
        say(f"{turn}/{rounds} {day.city.size.taps:,} taps, {day.city.size.claims:,} claims: {said}")
    medians = {name: median(values) for name, values in taken.items()}
    if "reconcile_vs_floor" in wanted:
        yield at_most("reconcile_vs_floor", medians["product"], "s", GOAL, floor=medians["floor"])
    if "redelivery" in wanted:
        yield at_most("redelivery", medians["again"], "s", AGAIN_GOAL, floor=medians["product"])
    if "live_claims_meanwhile" in wanted:
        with fresh(owner_url, day.template.settings, day.template) as ground:
            yield from _live(day, ground, max(LIVE_LEAST_S, medians["product"]), say)


def play(day: Day, ground: Ground, inbox: Inbox) -> float:
    """The day, from its first byte to its last balance; its seconds. The workers are there before it begins."""
    with _draining(ground) as settled, ground.at_work():
        began = time.perf_counter()
        bring(day, inbox)
        options = ParseOptions(distances=day.table)
        stands = FeedGround(
            ground.settings.vault, inbox, day.feed, lambda _: None, in_transaction, clock.now, options
        )
        source = in_transaction(lambda s: service.source_by_feed(s, day.feed.code).source_id)
        while (row := in_transaction(lambda s: progress.next_file(s, source))) is not None:
            state = advance(stands, row)
            if state != "applied":
                raise RuntimeError(f"a file ended {state}")
        settled()
        return time.perf_counter() - began


def bring(day: Day, inbox: Inbox) -> None:
    """The files come to the door, whose first look needs no worker."""
    partner = in_transaction(lambda s: service.partner_by_code(s, day.feed.partner).partner_id)
    for sent in day.files:
        stored = inbox.store([sent.packed])
        came = Arriving(partner, "door", read_manifest(sent.manifest), read_signature(sent.signature), stored)
        in_transaction(
            partial(arrivals.arrive, inbox=inbox, register=Register([day.feed]), came=came, now=clock.now())
        )
        stored.discard()


def _live(day: Day, ground: Ground, lasts_s: float, say: Say) -> Iterator[Figure]:
    """Phones at their own pace over HTTP from the moment the day begins to load, for as long as it takes without them."""
    folder = day.folder / "web"
    folder.mkdir()
    with web.serving(ground, folder) as (served, _):
        tokens = claims.sign_in(ground, min(claims.RESIDENTS, day.city.size.residents))
        since = clock.now() - timedelta(days=6)
        headers = web.host_header(ground.settings)
        load = clients.Load(served.port, claims.CLAIM, tokens, headers, since, 0, lasts_s, LIVE_RATE)
        heard: list[clients.Heard] = []
        phones = threading.Thread(target=lambda: heard.append(clients.drive(load)))
        phones.start()
        seconds = play(day, ground, Inbox(day.folder / "live"))
        phones.join()
    answered = heard[0]
    waits = answered.waits
    say(
        f"{len(waits):,} claims at {answered.rate:,.0f}/s for {lasts_s:,.0f} s of a day that took {seconds:,.0f} s"
    )
    yield at_most("live_claims_meanwhile", percentile(waits, 95), "s", P95_GOAL_S)


def _checked(day: Day, ground: Ground) -> cityday_same.Books:
    """What the product's day came to; a day that was not done right took no time worth telling."""
    sure = len(day.city.pairs())
    with ground.owner() as owner:
        row = owner.execute("select count(*) from record_match where ended_at is null").fetchone()
        left = owner.execute("select count(*) from activity_queue").fetchone()
    if row is None or left != (0,) or row[0] < sure:
        raise RuntimeError(f"{row} claims matched, at least {sure} should be; {left} acts undecided")
    return cityday_same.books(ground)


@contextmanager
def _draining(ground: Ground) -> Iterator[Callable[[], None]]:
    """A crediting worker for each lane; what is given waits until both have found nothing left."""
    context = get_context("spawn")
    workers = []
    for lane in range(LANES):
        ours, theirs = context.Pipe()
        process = context.Process(target=_drain, args=(theirs, ground, lane), daemon=True)
        process.start()
        workers.append((ours, process))
    try:
        for pipe, _ in workers:
            pipe.recv()
        yield lambda: _dismiss([pipe for pipe, _ in workers])
    finally:
        for _, process in workers:
            process.join(timeout=1)
            process.kill()


def _dismiss(pipes: Sequence[Connection]) -> None:
    for pipe in pipes:
        pipe.send("no more")
    for pipe in pipes:
        pipe.recv()


def _drain(pipe: Connection, ground: Ground, lane: int) -> None:
    """A worker's life: decide what there is, listen a moment, and once more when nothing else comes."""
    with ground.at_work():
        pipe.send("ready")
        while not pipe.poll(0.2):
            drain_lane(lane)
        drain_lane(lane)
        pipe.send("done")
