"""One SELECT over a batch says exactly what the exact reading and the replay say of each act."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg
import pytest
from psycopg.types.json import Jsonb

from carbon_credits.methodologies.base import Methodology, Parameter, Source, Value, derive
from carbon_credits.methodologies.batch import (
    MISSING_BIT,
    NOT_IN_FORCE_BIT,
    RANGE_BIT,
    batch_sql,
    monitored_column,
    unmet_reasons,
)
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.methodologies.releases import release_on, releases
from carbon_credits.methodologies.replay import recompute
from carbon_credits.methodologies.travel import cycling

SEED = 440604
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)


class Act(NamedTuple):
    """A row as the crediting batch sees it."""

    methodology: Methodology
    day: date
    monitored: dict[str, int]
    duration_s: int

    @property
    def known(self) -> dict[str, int]:
        return self.monitored | {"duration_s": self.duration_s}


@pytest.fixture(scope="module")
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        database_url.replace("postgresql+psycopg", "postgresql"), autocommit=True
    ) as open_one:
        open_one.execute(
            "create temp table act(k int, methodology smallint, occurred_on date, occurred_from timestamptz,"
            " occurred_to timestamptz, monitored jsonb)"
        )
        yield open_one


def read_batch(
    connection: psycopg.Connection, catalogue: Sequence[Methodology], acts: Sequence[Act]
) -> list[tuple[Any, ...]]:
    connection.execute("truncate act")
    with connection.cursor().copy("copy act from stdin (format binary)") as copy:
        copy.set_types(["int4", "int2", "date", "timestamptz", "timestamptz", "jsonb"])
        for k, act in enumerate(acts):
            ends = NOON + timedelta(seconds=act.duration_s)
            copy.write_row((k, act.methodology.number, act.day, NOON, ends, Jsonb(act.monitored)))
    every = [release for methodology in catalogue for release in releases(methodology)]
    expressions = batch_sql(catalogue, {release.digest: k for k, release in enumerate(every)})
    statement = (
        f"select release, unmet, {expressions.reasons}, case when unmet = 0 then floor(raw)::bigint end,"
        f" {expressions.nothing} from (select k, methodology, occurred_on, {expressions.release} release,"
        f" {expressions.unmet} unmet, {expressions.raw} raw"
        f" from act offset 0) x"
        f" order by k"
    )
    return connection.execute(statement.encode()).fetchall()


def expected(catalogue: Sequence[Methodology], act: Act) -> tuple[Any, ...]:
    """What the exact reading says, as a row of the statement; the replay must say the same on the way."""
    every = [release for methodology in catalogue for release in releases(methodology)]
    found = quantify(act.methodology, act.known, act.day)
    if found.release is None:
        return None, NOT_IN_FORCE_BIT, ["not_in_force"], None, None
    assert recompute(found.release.document, act.known) == (found.raw_mg, found.reduction_mg, found.reasons)
    bits = {"monitored_missing": MISSING_BIT, "out_of_range": RANGE_BIT}
    bits |= {condition.reason: 1 << k for k, condition in enumerate(act.methodology.conditions)}
    nothing = act.methodology.no_grams.reason if act.methodology.no_grams else None
    refused = tuple(reason for reason in found.reasons if reason != nothing)
    unmet = sum(bits[reason] for reason in refused)
    assert unmet_reasons(act.methodology, unmet) == refused
    if unmet == 0 and found.reduction_mg == 0:
        assert found.reasons == (() if nothing is None else (nothing,))
    return every.index(found.release), unmet, list(refused), None if unmet else found.raw_mg, nothing


def random_act(chance: random.Random, catalogue: Sequence[Methodology], days: Sequence[date]) -> Act:
    """Anything a door lets through and some that it should not: absent, absurd, at the edge, long ago."""
    day = chance.choice(days)
    methodology = chance.choice(catalogue)
    same = [m for m in catalogue if m.code == methodology.code]
    methodology = next((m for m in same if release_on(m, day) is not None), methodology)
    monitored = {}
    for quantity in methodology.monitored:
        edges = (
            quantity.least,
            quantity.most,
            quantity.least - 1,
            quantity.most + 1,
            10**15,
            -1,
            499,
            500,
            10_000,
        )
        value = chance.choice(
            [chance.randint(quantity.least, quantity.most), chance.randint(0, 12_000), *edges]
        )
        if chance.random() > 0.04:
            monitored[quantity.name] = value
    return Act(
        methodology, day, monitored, chance.choice([0, 1, 960, 21_600, 21_601, chance.randint(1, 9000)])
    )


def test_the_catalogue_quantifies_five_thousand_random_acts_in_one_statement(
    connection: psycopg.Connection,
) -> None:
    chance = random.Random(SEED)
    days = (date(2024, 12, 31), date(2025, 1, 1), date(2026, 3, 2), date(2031, 7, 1))
    acts = [random_act(chance, METHODOLOGIES, days) for _ in range(5000)]
    found = read_batch(connection, METHODOLOGIES, acts)
    assert found == [expected(METHODOLOGIES, act) for act in acts]
    credited = [raw for _, unmet, _, raw, _ in found if unmet == 0]
    assert len(credited) > 300
    assert any(raw < 0 for raw in credited)


def test_every_example_of_the_catalogue_comes_out_of_the_statement(connection: psycopg.Connection) -> None:
    acts = [
        Act(methodology, example.on, dict(example.monitored), example.monitored.get("duration_s", 60))
        for methodology in METHODOLOGIES
        for example in methodology.examples
    ]
    assert read_batch(connection, METHODOLOGIES, acts) == [expected(METHODOLOGIES, act) for act in acts]


def amended(parameter: Parameter, since: date, amount: str) -> Parameter:
    source: Source = parameter.values[-1].source
    return replace(parameter, values=(*parameter.values, Value(since, Decimal(amount), source)))


def test_versions_and_dated_values_each_decide_their_own_days(connection: psycopg.Connection) -> None:
    factor, *rest = cycling.V1.parameters
    first = replace(
        cycling.V1, parameters=(amended(factor, date(2025, 7, 1), "39.5"), *rest), until=date(2026, 1, 1)
    )
    second = replace(
        cycling.V1,
        version=2,
        in_force=date(2026, 2, 1),
        parameters=(amended(factor, date(2026, 6, 1), "38.123"), *rest[1:]),
        conditions=cycling.V1.conditions[1:],
    )
    catalogue = (first, second)
    chance = random.Random(SEED)
    days = [date(2024, 12, 31), date(2025, 6, 30), date(2025, 7, 1), date(2025, 12, 31), date(2026, 1, 1)]
    days += [date(2026, 1, 31), date(2026, 2, 1), date(2026, 5, 31), date(2026, 6, 1)]
    acts = [random_act(chance, catalogue, days) for _ in range(2000)]
    found = read_batch(connection, catalogue, acts)
    assert found == [expected(catalogue, act) for act in acts]
    assert {release for release, *_ in found} == {None, 0, 1, 2, 3}


def test_an_unknown_number_is_not_in_force(connection: psycopg.Connection) -> None:
    stranger = Act(replace(cycling.V1, number=999), date(2026, 3, 2), {"distance_m": 3200}, 960)
    assert read_batch(connection, METHODOLOGIES, [stranger]) == [
        (None, NOT_IN_FORCE_BIT, ["not_in_force"], None, None)
    ]


def test_a_duration_in_the_claim_is_never_read(connection: psycopg.Connection) -> None:
    forged = Act(cycling.V1, date(2026, 3, 2), {"distance_m": 9000, "duration_s": 1800}, 60)
    ((_, _, reasons, *_),) = read_batch(connection, METHODOLOGIES, [forged])
    assert reasons == ["ride_too_fast"]
    assert "monitored" not in monitored_column("duration_s")


@pytest.mark.parametrize(
    ("lasted", "whole"), [("959.999999", 959), ("0", 0), ("-0.5", -1), ("21600.5", 21_600)]
)
def test_a_duration_is_whole_seconds_rounded_down_in_both_readings(
    connection: psycopg.Connection, lasted: str, whole: int
) -> None:
    ends = NOON + timedelta(microseconds=int(Decimal(lasted) * 1_000_000))
    assert derive(cycling.V1, NOON, ends) == {"duration_s": whole}
    statement = (
        f"select {monitored_column('duration_s')}"
        f" from (values (%s::timestamptz, %s::timestamptz)) v(occurred_from, occurred_to)"
    )
    assert connection.execute(statement.encode(), (NOON, ends)).fetchone() == (whole,)


def test_a_duration_over_the_end_of_summer_time_is_the_time_that_passed() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    begins = datetime(2026, 10, 25, 1, 30, tzinfo=berlin)
    ends = datetime(2026, 10, 25, 3, 30, tzinfo=berlin)
    assert derive(cycling.V1, begins, ends) == {"duration_s": 3 * 3600}


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        derive(cycling.V1, datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 9))  # noqa: DTZ001


def test_a_release_without_a_number_is_refused() -> None:
    with pytest.raises(KeyError):
        batch_sql(METHODOLOGIES, {})
