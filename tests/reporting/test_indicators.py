"""What the plan wants, what a bureau says and what we counted stand apart; and what is of a few is nobody's to see."""

import random
from datetime import date
from typing import Any

import pytest
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.core.crypto import Vault
from carbon_credits.core.dominance import slack
from carbon_credits.core.errors import Invalid, NotFound
from carbon_credits.methodologies.catalogue import BY_CODE as METHODOLOGIES
from carbon_credits.reporting import indicators, indicators_figures, indicators_official, indicators_readings
from carbon_credits.reporting.cell_tables import FEWEST, TOTAL, Place
from carbon_credits.reporting.indicators_declared import Unit
from carbon_credits.reporting.indicators_figures import COLUMNS, ROWS, Figures
from carbon_credits.reporting.indicators_plan import BY_CODE, INDICATORS
from carbon_credits.reporting.indicators_query import AMOUNTS, APART, QUERY, parameters
from carbon_credits.reporting.indicators_strands import STRAND_OF, STRANDS
from carbon_credits.staff.service import Role, add
from tests.reporting.test_suppression import Equation, solved
from tests.reporting.years import Told, acts, people

YEAR = 2025
FIRST, LAST = date(YEAR, 1, 1), date(YEAR, 12, 31)
SETTLED = date(2026, 2, 5)


@pytest.fixture
def two(session: Session) -> Session:
    """Two people of the programme."""
    for name in ("提", "批"):
        add(session, name, [Role.PROGRAMME], by="tests")
    session.commit()
    return session


def stated(session: Session, **changes: Any) -> int:
    """A value that one entered and another approved; the number of its approval."""
    payload = {
        "indicator": "recycling.nine_materials",
        "street": None,
        "value": 912_345_000_000,
        "as_of": "2025-12-31",
        "source_title": "禅城区统计年鉴 2026",
        "source_address": "https://example.gov.cn/yearbook",
        "source_page": "第 87 页",
    }
    proposed = approving.propose(session, indicators_official.KIND, payload | changes, "年鉴公布", "提")
    approving.decide(session, proposed.approval_id, "批", approve=True)
    session.commit()
    return proposed.approval_id


def test_every_methodology_is_in_one_strand_and_every_indicator_says_what_it_is_not() -> None:
    assert {code for strand in STRANDS.values() for code in strand.methodologies} == set(METHODOLOGIES)
    assert len(BY_CODE) == len(INDICATORS)
    for indicator in INDICATORS:
        assert indicator.own.__doc__ or indicator.own.__name__.startswith("awards_of")
        assert indicator.method.zh
        assert indicator.not_this.en
        assert set(indicator.strands) <= {TOTAL, *STRANDS}
        assert indicator.is_basis or (indicator.says and indicator.targets)


def test_the_plans_own_numbers() -> None:
    """As its text has them: 75 %, 90 and 100 万吨, 50 %, 35 %, 75 %, 1 公里/万人, 45 %, 5 %, 10 万千瓦."""
    wanted = {
        "travel.green_share": [(2030, 750_000)],
        "recycling.nine_materials": [(2025, 900_000_000_000), (2030, 1_000_000_000_000)],
        "waste.rural_reduction": [(2025, 500_000)],
        "waste.rural_resource_use": [(2025, 350_000)],
        "waste.urban_resource_use": [(2025, 750_000)],
        "greenways.length": [(2030, 1_000)],
        "vehicles.electric_sales": [(2030, 450_000)],
        "power.peak_response": [(2030, 50_000)],
        "power.photovoltaics": [(2025, 100_000_000)],
    }
    for code, targets in wanted.items():
        assert [(target.year, target.at_least) for target in BY_CODE[code].targets] == targets


def test_an_official_value_is_entered_by_one_and_approved_by_another_and_never_changed(two: Session) -> None:
    first = stated(two)
    stated(two, value=912_300_000_000, source_page="第 88 页")
    stated(two, value=1, as_of="2025-06-30")
    value = indicators_official.of_year(two, YEAR)["recycling.nine_materials"]
    assert (value.value, value.unit, value.as_of) == (912_300_000_000, Unit.GRAM, "2025-12-31")
    assert (value.entered_by, value.approved_by, value.source_page) == ("提", "批", "第 88 页")
    everything = [
        official.value for _, official in indicators_official.history(two, "recycling.nine_materials")
    ]
    assert everything == [912_300_000_000, 912_345_000_000, 1]
    assert indicators_official.of_year(two, 2024) == {}
    for statement in ("update indicator_value set value = 0", "delete from indicator_value"):
        with pytest.raises(DBAPIError):
            two.execute(text(statement))
        two.rollback()
    # an approval states one value
    with pytest.raises(DBAPIError):
        two.execute(
            text("""insert into indicator_value (indicator, value, unit, as_of, source_title, approval_id)
                    values ('travel.green_share', 1, 'ppm', '2025-12-31', 'x', :one)"""),
            {"one": first},
        )
    two.rollback()


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"indicator": "steel.output"}, "/indicator"),
        ({"value": 1.5}, "/value"),
        ({"value": True}, "/value"),
        ({"as_of": "2999-01-01"}, "/as_of"),
        ({"as_of": "31.12.2025"}, "/as_of"),
        ({"source_title": " "}, "/source_title"),
        ({"source_address": "javascript:alert(1)"}, "/source_address"),
        ({"street": "zumiao"}, "/street"),
    ],
)
def test_a_wrong_value_is_explained_at_its_field(two: Session, changes: dict[str, Any], at: str) -> None:
    with pytest.raises(Invalid) as no:
        stated(two, **changes)
    assert [fault.pointer for fault in no.value.faults] == [at]
    two.rollback()


def a_year(session: Session, vault: Vault) -> dict[str, list[int]]:
    """A district of three streets: many who travel, four of each who plant, paper and one car battery."""
    streets = {
        name: people(session, vault, n, name)
        for name, n in (("zumiao", 24), ("shiwan", 15), ("zhangcha", 12))
    }
    told = []
    for residents in streets.values():
        for n, resident in enumerate(residents):
            month = n % 2 + 1
            told.append(
                Told(resident, "travel.metro", date(YEAR, month, 3), 467_000, "v", '{"distance_m": 10000}')
            )
            told.append(
                Told(resident, "travel.walking", date(YEAR, month, 4), 100_000, "c", '{"distance_m": 2000}')
            )
            if n < 11:
                told.append(
                    Told(resident, "recycling.paper", date(YEAR, 7, 5), 90_000, "v", '{"mass_g": 2500}')
                )
        told += [
            Told(resident, "planting.tree", date(YEAR, 3, 12), 1, "r", '{"count": 1}')
            for resident in residents[:4]
        ]
    told.append(Told(streets["zumiao"][0], "recycling.lead", date(YEAR, 8, 1), 0, "v", '{"mass_g": 15000}'))
    # neither of the year, nor of what stands
    told.append(Told(streets["zumiao"][0], "travel.metro", date(YEAR - 1, 12, 31)))
    undone = acts(session, [*told, Told(streets["shiwan"][0], "travel.metro", date(YEAR, 5, 5))])[-1]
    session.execute(
        text("update decision set state = 'reversed', reasons = '{test}' where activity_id = :one"),
        {"one": undone},
    )
    session.commit()
    return streets


def test_what_is_counted_is_what_was_credited_and_what_is_hidden_stays_so(
    session: Session, vault: Vault
) -> None:
    streets = a_year(session, vault)
    residents = sum(len(of) for of in streets.values())
    found = indicators_figures.figures(session, FIRST, LAST, tables=True)
    assert found.whole.people == residents == 51
    metro = found.strand("shared_travel")
    assert (metro.people, metro.of("acts"), metro.of("verified_mg")) == (51, 51, 51 * 467_000)
    assert (metro.of("distance_m"), metro.of("claimed_mg")) == (51 * 10_000, 0)
    nine = found.strand("nine_materials")
    assert (nine.people, nine.of("mass_g")) == (33, 33 * 2_500 + 15_000)
    # twelve planted, four of each street; the battery was one person's
    assert (found.strand("planting").people, found.strand("planting").of("items")) == (12, 12)
    assert found.streets["zumiao", "planting"].people is None
    assert found.methodologies["nine_materials", "recycling.lead"].people is None
    assert found.methodologies["nine_materials", "recycling.paper"].people is None
    # verified grams of so few strands take two more cells of two streets with them
    assert found.streets["zumiao", TOTAL].people == 24
    assert found.streets["zumiao", "walking_cycling"].people == 24
    assert ("nanzhuang", "shared_travel") not in found.streets
    assert found.months[f"{YEAR}-01", "shared_travel"].people == 26
    assert (found.whole.of("acts"), found.whole.of("mass_g")) == (148, None)
    assert_nothing_leaks(session, found)


def assert_nothing_leaks(session: Session, found: Figures) -> None:
    """All tables of a year together, against the truth: no equation gives away what is hidden, of any amount."""
    rows = session.execute(text(QUERY), parameters(found.first, found.through)).mappings().all()
    for n, amount in enumerate(AMOUNTS):
        true: dict[Place, int] = {}
        one_persons: set[Place] = set()
        for row in rows:
            place = _place_of(row)
            true[place] = row[amount]
            if slack(row[amount], row[f"{amount}_two"] or ()) < 0:
                one_persons.add(place)
        shown = {Place(f"street {k[0]}" if k[0] else TOTAL, k[1]): cell for k, cell in found.streets.items()}
        shown |= {Place(f"month {k[0]}" if k[0] else TOTAL, k[1]): cell for k, cell in found.months.items()}
        shown |= {Place(f"methodology {k[1]}", k[0]): cell for k, cell in found.methodologies.items()}
        for place, cell in shown.items():
            assert cell.people is None or (cell.of(amount) in (true[place], None) and cell.people >= FEWEST)
        told_over_strands = n < len(AMOUNTS) - APART
        assert {place for place in one_persons if shown[place].of(amount) is not None} == set()
        told = {place for place in true if told_over_strands or place.column != TOTAL}
        concealed = {place for place in told if shown[place].of(amount) is None}
        true = {place: true[place] for place in told}
        # what is 0 and known to be 0 tells nobody anything
        equations = _equations(true, concealed, told_over_strands=told_over_strands)
        assert not {place for place in solved(equations) if true[place]}


def _place_of(row: RowMapping) -> Place:
    """Where a counted row stands, in all tables at once."""
    strand = row["strand"] or TOTAL
    if row["which"] in (3, 7):
        return Place("street " + row["street"], strand)
    if row["which"] in (10, 14):
        return Place("month " + row["month"], strand)
    if row["which"] == 9:
        code = next(code for code, of in METHODOLOGIES.items() if of[-1].number == row["methodology"])
        return Place("methodology " + code, strand)
    return Place(TOTAL, strand)


def _equations(true: dict[Place, int], concealed: set[Place], *, told_over_strands: bool) -> list[Equation]:
    """Everything adds up somewhere: streets, months and methodologies of a strand, and strands of a street or month."""
    lines = []
    for strand in (TOTAL, *COLUMNS) if told_over_strands else COLUMNS:
        for kind in ("street", "month", "methodology"):
            parts = [place for place in true if place.row.startswith(kind) and place.column == strand]
            if parts:
                lines.append((Place(TOTAL, strand), parts))
    rows = {place.row for place in true if not place.row.startswith("methodology")}
    for row in rows if told_over_strands else ():
        parts = [place for place in true if place.row == row and place.column != TOTAL]
        lines.append((Place(row, TOTAL), parts))
    told: list[Equation] = []
    for total, parts in lines:
        left = {part: 1 for part in parts if part in concealed}
        right = sum(true[part] for part in parts if part in concealed)
        if total in concealed:
            left[total], right = -1, right - true[total]
        if left:
            told.append((left, right))
    return told


@pytest.mark.parametrize("tables", [True, False])
def test_of_the_district_too_a_few_are_hidden_with_the_next_to_them(
    session: Session, vault: Vault, tables: bool
) -> None:
    many = people(session, vault, 30, "shiwan")
    acts(session, [Told(one, "travel.metro", date(YEAR, 4, 2)) for one in many])
    acts(session, [Told(one, "recycling.paper", date(YEAR, 4, 2)) for one in many[:12]])
    acts(session, [Told(one, "household.rooftop_pv", date(YEAR, 4, 2)) for one in many[:9]])
    found = indicators_figures.figures(session, FIRST, LAST, tables=tables)
    assert (found.whole.people, found.verified_people) == (30, 30)
    assert [found.strand(name).people for name in ("shared_travel", "nine_materials", "photovoltaics")] == [
        30,
        None,
        None,
    ]
    if tables:
        assert_nothing_leaks(session, found)
    acts(
        session,
        [Told(one, "travel.walking", date(YEAR, 4, 3), 5, "c") for one in people(session, vault, 9, None)],
    )
    # nine who only said so could be had by subtraction
    assert indicators_figures.figures(session, FIRST, LAST, tables=tables).verified_people is None


def test_what_one_person_nearly_did_alone_is_hidden_and_the_people_are_not(
    session: Session, vault: Vault
) -> None:
    streets = {street: people(session, vault, 30, street) for street in ("zumiao", "shiwan", "zhangcha")}
    told = []
    for residents in streets.values():
        told += [
            Told(
                one,
                code,
                date(YEAR, 5, 1 + place % 28),
                10_000,
                monitored='{"mass_g": 100, "distance_m": 900}',
            )
            for place, one in enumerate(residents)
            for code in ("recycling.paper", "travel.metro")
        ]
    # a flat that was cleared: two tonnes among three kilograms
    told.append(
        Told(streets["shiwan"][0], "recycling.paper", date(YEAR, 5, 9), 1, monitored='{"mass_g": 2000000}')
    )
    acts(session, told)
    session.commit()
    for tables in (True, False):
        found = indicators_figures.figures(session, FIRST, LAST, tables=tables)
        paper = found.strand("nine_materials")
        assert (paper.people, paper.of("acts"), paper.of("verified_mg"), paper.of("mass_g")) == (
            90,
            91,
            900_001,
            None,
        )
        assert found.strand("shared_travel").of("distance_m") == 90 * 900
    found = indicators_figures.figures(session, FIRST, LAST, tables=True)
    assert found.streets["shiwan", "nine_materials"].people == 30
    assert found.streets["shiwan", "nine_materials"].of("mass_g") is None
    assert found.methodologies["nine_materials", "recycling.paper"].of("mass_g") is None
    assert found.methodologies["nine_materials", "recycling.paper"].of("verified_mg") == 900_001
    assert_nothing_leaks(session, found)


@pytest.mark.parametrize("seed", range(3))
def test_random_districts_give_nobody_away_whatever_tables_are_held_together(
    session: Session, vault: Vault, seed: int
) -> None:
    chance = random.Random(seed)
    codes = list(STRAND_OF)
    told = []
    for street in (*ROWS[:4], None):
        for resident in people(session, vault, chance.choice([3, 11, 25]), street):
            for _ in range(chance.randint(0, 4)):
                day = date(YEAR, chance.choice([1, 2, 3, 7]), chance.randint(1, 28))
                code = codes[min(int(chance.expovariate(0.25)), len(codes) - 1)]
                monitored = (
                    f'{{"distance_m": {chance.randint(1, 9_000)}, "mass_g": {chance.randint(1, 9_000)}}}'
                )
                told.append(
                    Told(resident, code, day, chance.randint(0, 10**6), chance.choice("vc"), monitored)
                )
    acts(session, told)
    session.commit()
    assert_nothing_leaks(session, indicators_figures.figures(session, FIRST, LAST, tables=True))


def test_a_year_is_read_when_it_is_settled_and_once(two: Session, vault: Vault) -> None:
    a_year(two, vault)
    assert indicators_readings.due(date(2026, 2, 4)) == [date(2026, 1, 31)]
    assert indicators_readings.due(SETTLED) == [LAST, date(2026, 1, 31)]
    assert indicators_readings.due(date(2026, 1, 10)) == []
    # the year before, which is settled, and the months of this one that are over
    assert [indicators_readings.read_due(two, date(YEAR, 9, 10)) for _ in range(3)] == [1, 1, 0]
    interim = indicators_readings.newest_of_year(two, YEAR)
    assert interim is not None
    assert (interim.through, interim.with_tables) == (date(YEAR, 8, 31), False)
    assert {row[0] for row in interim.figures["months"]} == {""}
    assert interim.figures["streets"] == interim.figures["methodologies"] == []
    while indicators_readings.read_due(two, SETTLED):
        pass
    two.commit()
    whole = indicators_readings.newest_of_year(two, YEAR)
    assert whole is not None
    assert (whole.through, whole.with_tables, whole.version) == (LAST, True, 1)
    # a late act changes nothing that was read: who asks again gets the same, and cannot subtract
    acts(two, [Told(people(two, vault, 1, "zumiao")[0], "travel.metro", date(YEAR, 12, 30))])
    assert indicators_readings.read_due(two, SETTLED) == 0
    again = indicators_readings.read_again(two, LAST, "因子更正后重读", 1)
    assert (again.version, again.digest != whole.digest) == (2, True)
    assert indicators_readings.figures_of(again).whole.people == 52
    with pytest.raises(NotFound):
        indicators_readings.read_again(two, date(2020, 12, 31), "x", 1)
    for statement in ("update indicator_reading set figures = '{}'", "delete from indicator_reading"):
        with pytest.raises(DBAPIError):
            two.execute(text(statement))
        two.rollback()


def test_official_and_own_stand_apart_with_coverage_between(two: Session, vault: Vault) -> None:
    assert all(line.own is None and line.official is None for line in indicators.page(two, YEAR))
    a_year(two, vault)
    stated(two)
    stated(two, indicator="basis.population", value=1_330_000, source_page=None)
    stated(two, indicator="basis.population", value=400_000, street="zumiao")
    indicators_readings.read_due(two, SETTLED)
    page = {line.indicator.code: line for line in indicators.page(two, YEAR)}
    nine = page["recycling.nine_materials"]
    assert nine.official is not None
    assert nine.own is not None
    assert (nine.official.value, nine.own.value, nine.own.unit) == (912_345_000_000, 97_500, Unit.GRAM)
    (part,) = nine.own.coverage
    assert (part.seen, part.whole, part.ppm) == (
        97_500,
        912_345_000_000,
        97_500 * 1_000_000 // 912_345_000_000,
    )
    green = page["travel.green_share"]
    assert green.own is not None
    assert (green.own.value, green.own.unit, green.official) == (102, Unit.TRIPS, None)
    assert [(part.whole, part.ppm) for part in green.own.coverage] == [(None, None), (1_330_000, 38)]
    planted = page["forest.cover"].own
    assert planted is not None
    assert (planted.value, planted.unit) == (12, Unit.ITEMS)
    nothing = page["waste.rural_reduction"].own
    assert nothing is not None
    assert (nothing.value, nothing.unit) == (None, None)
    rows = indicators.drill_down(two, "recycling.nine_materials", YEAR)
    assert {row.kind for row in rows} == {"street", "month", "methodology"}
    assert [row.cell.people for row in rows if row.kind == "methodology"] == [None, None]
    assert len(page["life.participation"].query_sha256) == 64
    with pytest.raises(NotFound):
        indicators.drill_down(two, "nobody.knows", YEAR)
