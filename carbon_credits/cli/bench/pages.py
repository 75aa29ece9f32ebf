"""The console with a million acts behind it: every page that a link leads to, opened as a member of staff opens it.

The acts are credited by the product, everything periodic has run once, and pages are followed from the dashboard on: two
of each kind. What is measured is the server's time for the whole answer; the floor is the lightest page of all.
"""

import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from html import unescape
from secrets import token_urlsafe
from statistics import median
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.exceptions import HTTPException

from carbon_credits.api import assembly
from carbon_credits.cli.bench.bulk import LANES, Load, credit
from carbon_credits.cli.bench.figures import Figure
from carbon_credits.cli.bench.ground import Ground, fresh
from carbon_credits.core import clock
from carbon_credits.core.db import connect, database, transaction
from carbon_credits.jobs import periodic, surroundings
from carbon_credits.jobs.deliveries import OWN_HANDLERS
from carbon_credits.jobs.surroundings import Console
from carbon_credits.staff import credentials, passwords, second_factor, service, sessions
from carbon_credits.staff.service import Role

GOAL_MS: Final = 300.0
OF_A_KIND: Final = 2
VISITS: Final = 5
NOWHERE: Final = "/admin/nowhere"
COOKIE: Final = "carbon-staff"
LINK: Final = re.compile(r'href="(/admin/[^"#]*)"')
# what only an outside service can do, or what takes the night
NOT_HERE: Final = frozenset({"replay", "pay", "read_rails", "collect"})


def figures(load: Load, owner_url: str, console: Console, say: Callable[[str], None]) -> Iterator[Figure]:
    """`console_pages`: milliseconds of the slowest page, beside the lightest. Raises RuntimeError where one fails."""
    with fresh(owner_url, load.template.settings, load.template) as ground:
        done = credit(ground, load.folder, LANES[0] + LANES[1])
        with ground.owner() as owner:
            owner.execute("vacuum (analyze)")
        app = _app(ground, console)
        with app.app_context():
            _let_time_pass()
            client = _signed_in(app, ground)
            taken = {path: _milliseconds(client, path) for path in (NOWHERE, *_reachable(app, client))}
            asked = {path: _statements(client, path) for path in taken}
            database.session.remove()
            database.engine.dispose()
    floor = taken.pop(NOWHERE)
    slowest = sorted(taken, key=taken.__getitem__, reverse=True)
    for path in slowest[:5]:
        say(f"{taken[path]:6.1f} ms {path}")
    chattiest = max(asked, key=asked.__getitem__)
    say(f"{len(taken)} pages over {done:,} acts; most statements: {asked[chattiest]}, of {chattiest}")
    value = taken[slowest[0]]
    yield Figure("console_pages", value, "ms", floor, value / floor, GOAL_MS, value <= GOAL_MS)


def _app(ground: Ground, console: Console) -> Flask:
    # where processes that serve count together; beside the servers alone there is no such folder yet
    (ground.settings.home / "run" / "prometheus").mkdir(parents=True, exist_ok=True)
    # a line for each page would drown what is measured
    logging.getLogger("carbon_credits.access").setLevel(logging.WARNING)
    app = Flask("carbon_credits", static_folder=None, template_folder=None)
    connect(app, ground.settings.database_url)
    app.config[surroundings.SETTINGS] = ground.settings
    app.config[surroundings.FEEDS] = surroundings.feeds()
    app.config[surroundings.HANDLERS] = OWN_HANDLERS
    assembly.register(app, ground.settings, console)
    return app


def _let_time_pass() -> None:
    """Everything periodic once, so that what pages read has been worked out."""
    for name, slot in periodic.due_now():
        if name not in NOT_HERE:
            periodic.run_task(name, slot.isoformat())


def _signed_in(app: Flask, ground: Ground) -> FlaskClient:
    """A browser of somebody who may open everything and has just shown a code."""
    vault, now = ground.settings.vault, clock.now()
    with transaction() as session:
        roles = [role for role in Role if role is not Role.STREET]
        member = service.add(session, "测速员", roles, "bench")
        credentials.set_up(
            session,
            vault,
            member.staff_id,
            passwords.hash_of(token_urlsafe(24)),
            second_factor.new_secret(),
            0,
            now,
        )
        token = sessions.begin(session, vault, member.staff_id, now, address="127.0.0.1", agent="bench")
        known = sessions.current(session, vault, token, now)
        assert known is not None
        sessions.step_up(session, known.session_id, now)
    client = app.test_client()
    client.set_cookie(COOKIE, token)
    return client


def _reachable(app: Flask, client: FlaskClient) -> Iterator[str]:
    """Addresses that links lead to, from the dashboard on, so many of each endpoint."""
    seen: Counter[str] = Counter()
    known = {"/admin/"}
    waiting = ["/admin/"]
    addresses = app.url_map.bind("localhost")
    while waiting:
        path = waiting.pop(0)
        try:
            endpoint, _ = addresses.match(path.partition("?")[0], method="GET")
        except HTTPException:
            continue
        if seen[endpoint] == OF_A_KIND or endpoint.endswith("assets.show"):
            continue
        seen[endpoint] += 1
        told = client.get(path)
        if told.status_code >= 400:
            raise RuntimeError(f"{path} answered {told.status_code}")
        yield path
        if told.mimetype == "text/html":
            found = {unescape(link) for link in LINK.findall(told.get_data(as_text=True))} - known
            known |= found
            waiting += sorted(found)


def _statements(client: FlaskClient, path: str) -> int:
    """What a page asks of the database; one for each row of a list would show here."""
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(database.engine, "before_cursor_execute", note)
    client.get(path)
    event.remove(database.engine, "before_cursor_execute", note)
    return len(asked)


def _milliseconds(client: FlaskClient, path: str) -> float:
    taken = []
    for _ in range(VISITS):
        began = time.perf_counter()
        client.get(path)
        taken.append((time.perf_counter() - began) * 1000)
    return median(taken)
