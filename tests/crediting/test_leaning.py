"""Which numbers the grams lean on: every number of the catalogue once, the weakest and heaviest first."""

import json
from datetime import UTC, datetime, timedelta

from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.cli.factors import factors
from carbon_credits.core import clock
from carbon_credits.core.ids import resident_id, shard_of
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.crediting.leaning import CONFIDENCES, GRADES, Grams, NumberInUse, numbers_in_use
from carbon_credits.methodologies.base import Grade
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.programme import a_fund, a_rate, two_staff

ACTS = {
    "travel.metro": ({"distance_m": 10_000}, 467_000),
    "recycling.paper": ({"mass_g": 1000, "contamination_ppm": 0}, 80_000),
    "recycling.lead": ({"mass_g": 12_000}, 0),
    "planting.tree": (
        {"biomass_gain_g": 1000, "half_width_g": 50, "count": 1, "age_days": 365},
        1_378_641,
    ),
}


def credit_all(session: Session) -> None:
    """One partner's record of each kind of act, decided by the batch."""
    people = two_staff(session)
    fund = a_fund(session, people, 10**9)
    a_rate(session, people, fund, "A", "0.001", 0, "*")
    a_partner_source(session)
    resident, today = resident_id(1), clock.today()
    session.execute(
        text("insert into wallet (resident_id, shard_id, status) values (:r, :s, 1)"),
        {"r": resident, "s": shard_of(resident)},
    )
    noon = datetime(today.year, today.month, today.day, 4, tzinfo=UTC) - timedelta(days=1)
    for number, (code, (monitored, _)) in enumerate(ACTS.items()):
        ends = noon + timedelta(minutes=25)
        a_claimed_act(session, resident, code, noon, ends, monitored, evidence_class="A", number=number)
    session.commit()
    credit_batch(session, shard_of(resident), today, 100)
    session.commit()


def by_name(numbers: list[NumberInUse], name: str) -> NumberInUse:
    (found,) = [number for number in numbers if number.name == name]
    return found


def test_every_number_of_the_catalogue_is_listed_once_and_empty_books_lean_on_none(session: Session) -> None:
    numbers, totals = numbers_in_use(session)
    listed = {(number.name, number.value, number.since) for number in numbers}
    declared = {
        (parameter.name, format(value.amount, "f"), value.since.isoformat())
        for methodology in METHODOLOGIES
        for parameter in methodology.parameters
        for value in parameter.values
        if parameter.on(methodology.in_force) == value or value.since > methodology.in_force
    }
    assert {(name, since) for name, _, since in listed} == {(name, since) for name, _, since in declared}
    assert len(set(numbers)) == len(numbers) >= len(listed)
    assert all(number.grams == Grams() and number.used_by and number.address for number in numbers)
    assert sum(total.numbers for total in totals) == len(numbers)
    assert [total.grade for total in totals] == list(GRADES)


def test_the_weakest_number_that_carries_most_comes_first(session: Session) -> None:
    credit_all(session)
    numbers, totals = numbers_in_use(session)
    weights = [(n.grams == Grams(), GRADES.index(n.grade), CONFIDENCES.index(n.confidence)) for n in numbers]
    assert weights == sorted(weights)
    assert (numbers[0].grade, numbers[0].grams) == ("D", Grams(0, ACTS["planting.tree"][1]))
    proposals = [n for n in numbers if (n.grade, n.confidence) == ("D", "PROPOSAL")]
    most = [max(n.grams.avoided_mg, n.grams.removal_mg) for n in proposals]
    assert most == sorted(most, reverse=True)
    assert most[0] == ACTS["planting.tree"][1]
    assert by_name(numbers, "metro_g_per_km").grams == Grams(ACTS["travel.metro"][1], 0)
    assert by_name(numbers, "board_saving_kg_per_kg").grams == Grams(ACTS["recycling.paper"][1], 0)
    assert by_name(numbers, "co2_kg_per_kg").grams == Grams(0, ACTS["planting.tree"][1])
    assert by_name(numbers, "co2_kg_per_kg").used_by == (
        "planting.donation/1/2025-01-01",
        "planting.tree/1/2025-01-01",
    )
    of_grade = {total.grade: total.grams for total in totals}
    # each of the three leans on some proposal of grade D; the metro alone on a number of grade B
    avoided = ACTS["travel.metro"][1] + ACTS["recycling.paper"][1]
    assert of_grade[Grade.D] == Grams(avoided, ACTS["planting.tree"][1])
    assert of_grade[Grade.B] == Grams(ACTS["travel.metro"][1], 0)


def test_an_act_without_grams_is_credited_with_its_own_reason(session: Session) -> None:
    credit_all(session)
    row = session.execute(
        text("select state, raw_mg, credited_mg, points, reasons from decision where methodology = 13")
    ).one()
    assert tuple(row) == ("credited", 0, 0, 0, ["hazardous_waste"])


def test_the_command_prints_one_object_a_line_or_tables(session: Session) -> None:
    credit_all(session)
    told = CliRunner().invoke(factors, ["report", "--json"], catch_exceptions=False)
    shown = CliRunner().invoke(factors, ["report"], catch_exceptions=False)
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [row["kind"] for row in rows].count("grade") == len(GRADES)
    (metro,) = [row for row in rows if row.get("name") == "metro_g_per_km"]
    assert (metro["avoided_mg"], metro["grade"], metro["value"]) == (467_000, "B", "46.7")
    assert metro["used_by"] == ["travel.metro/1/2025-01-01"]
    assert "metro_g_per_km = 46.7" in shown.stdout
    assert "1,378.641" in shown.stdout
