"""Ten thousand random acts for each release: Python, PostgreSQL and a stranger with the document agree on all of them.

Edges are meant to be met: ends of ranges, thresholds and one beside them, ratios at which a comparison turns.
"""

import random
from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import psycopg
import pytest

from carbon_credits.methodologies.base import Methodology, Monitored
from carbon_credits.methodologies.batch import RANGE_BIT, batch_sql, unmet_reasons
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.formula import nodes
from carbon_credits.methodologies.quantification import OUT_OF_RANGE, quantify
from carbon_credits.methodologies.readings import exact, number
from carbon_credits.methodologies.releases import Release, releases
from carbon_credits.methodologies.replay import recompute

SEED = 440604
ACTS = 10_000
IN_FULL = 20  # every so many acts the whole quantification is asked too, not the trees alone

RELEASES = [(methodology, release) for methodology in METHODOLOGIES for release in releases(methodology)]
each_release = pytest.mark.parametrize(
    ("methodology", "release"), RELEASES, ids=[f"{r.methodology}-{r.version}-{r.since}" for _, r in RELEASES]
)
Row = tuple[int, ...]


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as open_one:
        yield open_one


class Chance:
    """Random acts of a release, drawn towards the places where something turns."""

    def __init__(self, methodology: Methodology, release: Release) -> None:
        self.random = random.Random(f"{SEED} {release.digest}")
        self.quantities = methodology.quantities
        trees = (methodology.tree, *methodology.tests)
        written = {Decimal(node.leaf) for tree in trees for node in nodes(tree) if node.op == "const"}
        self.thresholds = sorted(written | set(release.parameters.values()))
        speeds = [
            value / Decimal("3.6") for name, value in release.parameters.items() if name.endswith("_km_per_h")
        ]
        positive = [value for value in self.thresholds if value > 0]
        self.ratios = speeds + [a / b for a in positive for b in positive][:400] + [Decimal(1)]

    def row(self) -> Row:
        drawn = [self._draw(quantity) for quantity in self.quantities]
        if len(drawn) > 1 and self.random.random() < 0.3:
            a, b = self.random.sample(range(len(drawn)), 2)
            at = int(drawn[b] * self.random.choice(self.ratios)) + self.random.choice((-1, 0, 1))
            if self.quantities[a].least <= at <= self.quantities[a].most:
                drawn[a] = at
        return tuple(drawn)

    def _draw(self, quantity: Monitored) -> int:
        least, most = quantity.least, quantity.most
        kind = self.random.random()
        if kind < 0.02:
            return self.random.choice((least - 1, most + 1, -(10**9), 10**12))
        if kind < 0.15:
            return self.random.choice((least, most, min(least + 1, most), max(most - 1, least)))
        if kind < 0.35 and self.thresholds:
            return int(self.random.choice(self.thresholds)) + self.random.choice((-1, 0, 1))
        if kind < 0.65:  # small numbers as often as large ones
            return least + int((most - least) ** self.random.random())
        return self.random.randint(least, most)


def by_postgresql(
    connection: psycopg.Connection, methodology: Methodology, release: Release, rows: list[Row]
) -> list[tuple[int, int, Decimal | None, str | None]]:
    """Release, unmet conditions, the raw number before rounding, and the reason for nothing: one statement."""
    names = [quantity.name for quantity in methodology.quantities]
    connection.execute("drop table if exists told")
    connection.execute(
        f"create temp table told (k int, {', '.join(f'{name} bigint' for name in names)})".encode()
    )
    with connection.cursor().copy("copy told from stdin (format binary)") as copy:
        copy.set_types(["int4", *["int8"] * len(names)])
        for k, row in enumerate(rows):
            copy.write_row((k, *row))
    every = {one.digest: at for at, one in enumerate(releases(methodology))}
    asked = batch_sql((methodology,), every, lambda name: f"{name}::numeric")
    statement = (
        f"select {asked.release}, unmet, case when unmet = 0 then {asked.raw} end, {asked.nothing}"
        f" from (select *, {asked.unmet} as unmet from (select *, {methodology.number}::smallint as methodology,"
        f" date '{release.since}' as occurred_on from told offset 0) x offset 0) y order by k"
    )
    return connection.execute(statement.encode()).fetchall()


def by_python(
    methodology: Methodology, release: Release, told: dict[str, int]
) -> tuple[tuple[str, ...], Decimal | None]:
    """Unmet reasons, and the exact number where there are none."""
    if any(not q.least <= told[q.name] <= q.most for q in methodology.quantities):
        return (OUT_OF_RANGE,), None
    known: dict[str, Any] = {**told, **release.parameters}
    tests = zip(methodology.conditions, methodology.tests, strict=True)
    unmet = tuple(condition.reason for condition, test in tests if not exact(test, known))
    return unmet, None if unmet else number(methodology.tree, known)


@each_release
def test_every_reading_agrees_on_ten_thousand_random_acts(
    connection: psycopg.Connection, methodology: Methodology, release: Release
) -> None:
    chance = Chance(methodology, release)
    rows = [chance.row() for _ in range(ACTS)]
    names = [quantity.name for quantity in methodology.quantities]
    at = releases(methodology).index(release)
    seen: set[str] = set()
    for k, found in enumerate(by_postgresql(connection, methodology, release, rows)):
        told = dict(zip(names, rows[k], strict=True))
        unmet, value = by_python(methodology, release, told)
        mask = RANGE_BIT if unmet == (OUT_OF_RANGE,) else 0
        mask |= sum(1 << bit for bit, c in enumerate(methodology.conditions) if c.reason in unmet)
        nothing = methodology.no_grams.reason if methodology.no_grams else None
        place = f"seed {SEED}, act {k} of {release.digest}: {told}"
        assert found == (at, mask, value, nothing), place
        assert unmet_reasons(methodology, mask) == unmet, place
        raw_mg = 0 if value is None else int(value.to_integral_value(ROUND_FLOOR))
        own = (nothing,) if nothing and not unmet and raw_mg <= 0 else ()
        assert recompute(release.document, told) == (raw_mg, max(0, raw_mg), unmet or own), place
        if k % IN_FULL == 0:
            whole = quantify(methodology, told, release.since)
            assert (whole.raw_mg, whole.reduction_mg, whole.reasons) == (raw_mg, max(0, raw_mg), unmet or own)
        seen.update(unmet or own or ("credited" if raw_mg > 0 else "nothing",))
    # a test that never met a condition from both sides would prove little
    assert {*methodology.reasons, OUT_OF_RANGE} <= seen
    assert methodology.formula is None or "credited" in seen
