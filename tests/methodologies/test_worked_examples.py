"""Published results and arithmetic on published factors, each with the module that meets it.

The letters and numbers are those of the programme's list of independent checks: A, inputs and result were published;
B, the factor was published and the arithmetic is ours.
"""

from datetime import date
from decimal import Decimal

import pytest

from carbon_credits.methodologies import catalogue
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.quantification import quantify
from carbon_credits.methodologies.readings import number

TODAY = date(2026, 11, 22)
Numbers = dict[str, int]

# (id, module, monitored, milligrams)
MET: list[tuple[str, str, Numbers, int]] = [
    ("B1 metro, 10 km: 0.467 kg", "travel.metro", {"distance_m": 10_000, "duration_s": 1500}, 467_000),
    ("B2 electric bus, 5 km: 0.1345 kg", "travel.bus", {"distance_m": 5000, "duration_s": 1200}, 134_500),
    (
        "B3 shared bicycle, 3.2 km: 0.128 kg",
        "travel.shared_bicycle",
        {"distance_m": 3200, "duration_s": 960},
        128_000,
    ),
    ("B7 bag of one's own: 21.0 g", "purchases.own_bag", {"count": 1}, 21_000),
    ("B8 order without cutlery: about 40 g", "purchases.no_cutlery", {"count": 1}, 40_000),
]


@pytest.mark.parametrize(
    ("name", "code", "monitored", "mg"), MET, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_module_gives_the_published_result(name: str, code: str, monitored: Numbers, mg: int) -> None:
    methodology = catalogue.on(code, TODAY)
    assert methodology is not None, name
    found = quantify(methodology, monitored, TODAY)
    assert (found.reduction_mg, found.reasons) == (mg, ()), name


def test_a1_a_megawatt_of_solar_in_shanghai_avoids_462_tonnes_a_year() -> None:
    """Far more than a household: the formula alone, with Shanghai's factor."""
    (methodology,) = catalogue.BY_CODE["household.rooftop_pv"]
    mg = number(methodology.tree, {"energy_wh": 1_100_000_000, "grid_kg_per_kwh": Decimal("0.42")})
    assert mg == 462_000 * 1_000_000


def test_b4_the_electricity_of_ten_kilometres_by_e_bike_emits_53_grams() -> None:
    methodology = catalogue.newest("travel.e_bike")
    ride = {"distance_m": 10_000, "duration_s": 2400}
    gross = factor("e_bike_g_per_km").on(TODAY)
    assert gross is not None
    emitted_mg = 10_000 * gross.amount - quantify(methodology, ride, TODAY).raw_mg
    assert emitted_mg == 53_028


def test_b12_paper_saves_what_the_lower_table_says_and_not_eighteen_times_as_much() -> None:
    mixed, board = (
        factor("mixed_paper_saving_kg_per_kg").on(TODAY),
        factor("board_saving_kg_per_kg").on(TODAY),
    )
    assert mixed is not None
    assert board is not None
    assert mixed.amount == Decimal("1.28850358") - Decimal("1.06877475") - Decimal("0.00002883")
    assert board.amount < mixed.amount < Decimal("0.22")


def test_b13_and_a4_aluminium_takes_the_lowest_of_three_sources() -> None:
    used = factor("aluminium_saving_kg_per_kg").on(TODAY)
    assert used is not None
    ingot = Decimal("7.203665") * 1000 / Decimal("907.18474")
    cans_displaced = Decimal("9.1159") - Decimal("0.9951")
    cans = (Decimal("0.020254519") + Decimal("9.127378162")) * 1000 / Decimal("907.18474")
    assert cans_displaced == Decimal("8.1208")
    assert round(cans, 4) == Decimal("10.0835")
    assert used.amount <= min(ingot, cans_displaced, cans)
