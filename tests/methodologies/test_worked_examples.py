"""Published results and arithmetic on published factors: every row of the list, each with the module that meets it.

The letters and numbers are those of the programme's list of independent checks: A, inputs and result were published;
B, the factor was published and the arithmetic is ours. A row that no module can meet says why, and its own arithmetic is
still held. Where our factor is lower than the published one on purpose, the module's formula is given the published
factor, and its own must not be higher.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import pytest

from carbon_credits.methodologies import catalogue
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.quantification import explain, quantify
from carbon_credits.methodologies.readings import number
from carbon_credits.methodologies.releases import release_on

TODAY = date(2026, 11, 22)
SHORT_TON_KG = Decimal("907.18474")
LANDFILL = Decimal("0.020254519")  # t CO2e per short ton of anything inert, WARM v16
IDS = [f"A{n}" for n in range(1, 19)] + [f"B{n}" for n in range(1, 16)]


class Row(NamedTuple):
    """A row of the list: the modules that meet it, or why none can, and the check."""

    modules: tuple[str, ...]
    why_none: str
    check: Callable[[], None]


ROWS: dict[str, Row] = {}
Check = Callable[[], None]


def row(name: str, *modules: str, why_none: str = "") -> Callable[[Check], Check]:
    """Enter a check under its id."""

    def entered(check: Check) -> Check:
        assert name not in ROWS
        assert bool(modules) != bool(why_none)
        ROWS[name] = Row(modules, why_none, check)
        return check

    return entered


def test_every_row_is_listed_with_a_module_or_a_reason() -> None:
    assert sorted(ROWS) == sorted(IDS)
    for listed in ROWS.values():
        assert all(code in catalogue.BY_CODE for code in listed.modules)


@pytest.mark.parametrize("name", IDS)
def test_the_published_result_comes_out(name: str) -> None:
    ROWS[name].check()


def kg(code: str, **monitored: int) -> Decimal:
    """What the module credits today, in kilograms."""
    methodology = catalogue.on(code, TODAY)
    assert methodology is not None
    found = quantify(methodology, monitored, TODAY)
    assert found.reasons == ()
    return Decimal(found.reduction_mg) / 1_000_000


def by_formula(code: str, **values: int | str | Decimal) -> Decimal:
    """The module's formula with the published numbers in place of its own, in kilograms."""
    tree = catalogue.newest(code).tree
    return number(tree, {name: Decimal(value) for name, value in values.items()}) / 1_000_000


def used(name: str) -> Decimal:
    """A factor of the register, as it is today."""
    value = factor(name).on(TODAY)
    assert value is not None
    return value.amount


def places(value: Decimal, n: int) -> Decimal:
    return round(value, n)


def recycled(code: str, saving_name: str, per_short_ton: Decimal, grams: int = 1000) -> Decimal:
    """A drop-off's formula with a saving in t CO2e per short ton, nothing deducted; ours must be lower."""
    saving = round(per_short_ton * 1000 / SHORT_TON_KG, 20)
    assert used(saving_name) < saving
    values: dict[str, int | Decimal] = {
        "mass_g": grams,
        "contamination_ppm": 0,
        "most_credited_g": 1_000_000,
        "collection_kg_per_kg": 0,
        saving_name: saving,
    }
    return by_formula(code, **values)


@row("A1", "household.rooftop_pv")
def a_megawatt_in_shanghai_avoids_462_tonnes_a_year() -> None:
    """Far more than a household: the formula alone, with Shanghai's factor."""
    assert by_formula("household.rooftop_pv", energy_wh=1_100_000_000, grid_kg_per_kwh="0.42") == 462_000


@row("A2", "planting.tree", "planting.donation")
def a_half_width_of_15_percent_takes_off_a_quarter_of_it() -> None:
    monitored = {"biomass_gain_g": 60, "half_width_g": 9, "count": 1, "age_days": 365, "share_ppm": 500_000}
    for code in ROWS["A2"].modules:
        steps = quantify(catalogue.newest(code), monitored, TODAY).steps
        assert Decimal("57.75") in [step.value for step in steps]


@row("A3", "recycling.e_waste")
def ten_kilograms_of_desktop_computers() -> None:
    saved = recycled(
        "recycling.e_waste", "e_waste_saving_kg_per_kg", Decimal("0.02") + Decimal("1.49"), 10_000
    )
    assert places(saved, 6) == Decimal("16.644901")


@row("A4", "recycling.aluminium")
def a_kilogram_of_aluminium_cans_against_landfill() -> None:
    saved = recycled("recycling.aluminium", "aluminium_saving_kg_per_kg", LANDFILL + Decimal("9.127378162"))
    assert places(saved, 4) == Decimal("10.0835")


@row("A5", "recycling.steel", "recycling.copper", "recycling.glass", "recycling.plastics", "recycling.paper")
def a_kilogram_of_other_materials_against_landfill() -> None:
    published = [
        ("recycling.steel", "steel_saving_kg_per_kg", "1.832075", "2.0418"),
        ("recycling.copper", "copper_saving_kg_per_kg", "4.488828", "4.9704"),
        ("recycling.glass", "glass_saving_kg_per_kg", "0.276090", "0.3267"),
        ("recycling.plastics", "plastics_saving_kg_per_kg", "1.035721", "1.1640"),
        ("recycling.plastics", "plastics_saving_kg_per_kg", "0.758450", "0.8584"),
    ]
    for code, saving_name, recycling, result in published:
        assert places(recycled(code, saving_name, LANDFILL + Decimal(recycling)), 4) == Decimal(result)
    # Paper rots in a landfill, and what that emits is not printed in the row: the result implies 0.0823 kg/kg. Foshan
    # burns its waste, so no module counts it; the part of recycling comes out as printed elsewhere.
    paper = recycled("recycling.paper", "board_saving_kg_per_kg", Decimal("3.545524"))
    assert places(paper, 4) == Decimal("3.9083") == Decimal("3.9906") - Decimal("0.0823")


@row("A6", "recycling.food_waste")
def composting_is_worth_little_where_waste_is_burned() -> None:
    composting, burning, landfill = Decimal("-0.1677"), Decimal("-0.148"), Decimal("0.5528")
    assert landfill - composting == Decimal("0.7205")
    assert burning - composting == Decimal("0.0197")
    found = quantify(catalogue.newest("recycling.food_waste"), {"mass_g": 1000}, TODAY)
    assert (found.reduction_mg, found.reasons) == (0, ("waste_is_burned",))


@row("A7", "purchases.second_hand")
def a_large_telephone_sold_again() -> None:
    making = Decimal(73) * Decimal("0.79")
    whole = by_formula(
        "purchases.second_hand", count=1, device_kg_per_unit=making, replaced_share="0.90", side_share=1
    )
    assert whole == Decimal("51.903")
    assert 2 * kg("purchases.second_hand", count=1, sold_count=1) < whole


@row("A8", "travel.electric_car")
def forty_four_litres_of_petrol() -> None:
    """The petrol side of the formula, without electricity: 98 kg by Henan's factor, 95.9 by ours."""
    without_power = {"car_wh_per_km": 0, "charging_loss_share": 0, "grid_kg_per_kwh": 0}
    whole = {"distance_m": 1000, "most_credited_m": 1000, "petrol_l_per_km": 44, **without_power}
    assert places(by_formula("travel.electric_car", **whole, petrol_kg_per_l="2.227"), 0) == 98
    ours = by_formula("travel.electric_car", **whole, petrol_kg_per_l=used("petrol_kg_per_l"))
    assert places(ours, 1) == Decimal("95.9")


@row("A9", "travel.no_car_day")
def a_day_without_the_car_is_quoted_gross_and_credited_below() -> None:
    quoted = places(Decimal(98) / 12, 2)
    assert quoted == Decimal("8.17")
    gross = {"credited_elsewhere_m": 0, "replacement_g_per_km": 0, "most_credited_kg_per_day": 100}
    # 34 km at the car's factor; ours deducts the trips instead and ends at a ceiling
    assert places(by_formula("travel.no_car_day", distance_m=34_042, car_g_per_km=240, **gross), 2) == quoted
    day = {"credited_elsewhere_m": 0, "parked_s": 86_400, "odometer_days": 31}
    assert kg("travel.no_car_day", distance_m=34_042, **day) == 5 < quoted


@row("A10", "purchases.clean_plate")
def half_a_kilogram_of_rice() -> None:
    published = places(Decimal("0.18") * Decimal("2.6"), 2)
    assert published == Decimal("0.47")
    plate = by_formula(
        "purchases.clean_plate", count=1, clean_plate_g_per_meal=500 * published / Decimal("0.5")
    )
    assert plate == published
    assert kg("purchases.clean_plate", count=1) < Decimal("0.093") * published / Decimal("0.5")


@row("A11", why_none="No module credits what was not bought; recycling.textiles counts clothes handed in.")
def a_garment_not_bought() -> None:
    assert Decimal("2.5") * Decimal("2.56") == Decimal("6.4")


@row("A12", "purchases.led")
def a_lamp_of_11_watts_in_place_of_60() -> None:
    """68.6 kg by the obsolete factor of its brochure, 31.6 by Guangdong's of 2023."""
    lamp = {"base_w": 60, "lamp_w": 11, "count": 1}
    old = by_formula("purchases.led", **lamp, most_base_w=60, lit_h=4 * 365, grid_kg_per_kwh="0.959")
    assert places(old, 1) == Decimal("68.6")
    assert places(kg("purchases.led", **lamp, age_days=365), 1) == Decimal("31.6")


@row("A13", "travel.shared_bicycle", "travel.metro")
def a_ride_and_a_metro_leg_add_up() -> None:
    """The page gives no distances: these are the ones our factors need, and the grams add up as printed."""
    ride = kg("travel.shared_bicycle", distance_m=2100, duration_s=630)
    metro = kg("travel.metro", distance_m=17_752, duration_s=2400)
    assert (places(ride, 3), places(metro, 3)) == (Decimal("0.084"), Decimal("0.829"))
    assert places(ride + metro, 3) == Decimal("0.913")


@row("A14", "travel.carpool")
def a_carpool_is_the_sum_of_its_parts() -> None:
    assert Decimal("0.50") + Decimal("0.645") == Decimal("1.145")
    ride = {"distance_m": 12_000, "ridden_m": 20_000, "count": 3, "duration_s": 1500}
    driver, first, second = (
        kg("travel.carpool", share_ppm=share, **ride) for share in (375_000, 375_000, 250_000)
    )
    whole = kg("travel.carpool", share_ppm=1_000_000, **ride)
    assert whole - Decimal("0.000003") <= driver + first + second <= whole


@row(
    "A15",
    why_none="Per trip, without a distance, of 2015 and its dirtier grid; travel.metro counts by the kilometre.",
)
def guangzhous_metro_of_2015_is_consistent_in_itself() -> None:
    mean, substitution = Decimal("1.24e9") / Decimal("0.5155"), Decimal("1.30e9") / Decimal("0.5419")
    assert abs(mean - substitution) / mean < Decimal("0.003")


@row("A16", "recycling.food_waste")
def sorting_food_waste_makes_a_burning_city_worse() -> None:
    burned, digested, recyclables_too = Decimal("-130.12"), Decimal("-61.88"), Decimal("-230.17")
    assert digested - burned == Decimal("68.24") > 0
    assert recyclables_too - burned == Decimal("-100.05")
    assert quantify(catalogue.newest("recycling.food_waste"), {"mass_g": 800}, TODAY).reduction_mg == 0


@row("A17", why_none="A footprint of electricity is no factor for savings; every module uses the direct one.")
def the_footprint_of_the_grid_fell() -> None:
    change = (Decimal("0.5777") - Decimal("0.6205")) / Decimal("0.6205")
    assert places(change * 100, 1) == Decimal("-6.9")
    assert used("grid_kg_per_kwh") < Decimal("0.5777")


@row("A18", why_none="China's mean is not used: Guangdong's own factor is published and lower.")
def chinas_grid_fell() -> None:
    change = (Decimal("0.5306") - Decimal("0.5366")) / Decimal("0.5366")
    assert places(change * 100, 1) == Decimal("-1.1")
    assert used("grid_kg_per_kwh") < Decimal("0.5306")


@row("B1", "travel.metro")
def ten_kilometres_by_metro() -> None:
    assert kg("travel.metro", distance_m=10_000, duration_s=1500) == Decimal("0.467")


@row("B2", "travel.bus")
def five_kilometres_by_electric_bus() -> None:
    assert kg("travel.bus", distance_m=5000, duration_s=1200) == Decimal("0.1345")


@row("B3", "travel.shared_bicycle")
def a_shared_bicycle_over_3200_metres() -> None:
    assert kg("travel.shared_bicycle", distance_m=3200, duration_s=960) == Decimal("0.128")


@row("B4", "travel.e_bike")
def the_electricity_of_ten_kilometres_by_e_bike() -> None:
    gross = 10 * used("e_bike_g_per_km") / 1000
    emitted = gross - kg("travel.e_bike", distance_m=10_000, duration_s=2400)
    assert places(emitted, 4) == Decimal("0.0530")


@row("B5", "purchases.green_certificate")
def a_certificate_is_shown_for_information_and_earns_nothing() -> None:
    """441.9 kg: what 1,000 kWh are by the factor in force, said in the reason and added to nothing."""
    methodology = catalogue.newest("purchases.green_certificate")
    found = quantify(methodology, {"count": 1, "age_days": 100}, TODAY)
    assert (found.reduction_mg, found.reasons) == (0, ("attribute_purchase",))
    release = release_on(methodology, TODAY)
    assert release is not None
    assert release.parameters["grid_kg_per_kwh"] * 1000 == Decimal("441.9")
    assert "0.4419 t" in explain(methodology, "attribute_purchase", release).en


@row("B6", "recycling.plastics")
def polypropylene_boxes() -> None:
    saved = by_formula(
        "recycling.plastics",
        mass_g=1000,
        contamination_ppm=0,
        most_credited_g=30_000,
        plastics_saving_kg_per_kg=round(Decimal(34_000) / 22_000, 20),
        collection_kg_per_kg=0,
    )
    assert places(saved, 3) == Decimal("1.545")
    earlier = Decimal(19_000) / 12_700
    assert places(earlier, 3) == Decimal("1.496")
    assert used("plastics_saving_kg_per_kg") < earlier


@row("B7", "purchases.own_bag")
def a_bag_of_ones_own() -> None:
    published = Decimal(15_000) * Decimal("17.9") / 12_770_000
    assert places(published, 4) == kg("purchases.own_bag", count=1) == Decimal("0.0210")


@row("B8", "purchases.no_cutlery")
def an_order_without_cutlery() -> None:
    published = Decimal(310_000) * 1000 / 7_700_000_000
    assert places(published, 3) == kg("purchases.no_cutlery", count=1) == Decimal("0.040")


@row("B9", "purchases.clean_plate")
def a_clean_plate_stays_below_its_upper_bound() -> None:
    bound = Decimal("0.093") * Decimal("0.94")
    assert places(bound, 3) == Decimal("0.087")
    assert kg("purchases.clean_plate", count=1) <= bound


def standing_tree(carbon_kg_per_kg: Decimal, biomass_g: int) -> Decimal:
    """The tree's formula over a stock: no interval, no ceiling, no buffer."""
    return by_formula(
        "planting.tree",
        biomass_gain_g=biomass_g,
        half_width_g=0,
        count=1,
        carbon_kg_per_kg=carbon_kg_per_kg,
        co2_kg_per_kg=used("co2_kg_per_kg"),
        yearly_ceiling_kg_per_tree=10_000,
        buffer_share=0,
    )


@row("B10", "planting.tree")
def a_street_tree_of_guangzhou() -> None:
    share = Decimal("0.153") / Decimal("0.308")
    assert places(share, 3) == Decimal("0.497")
    assert places(standing_tree(round(share, 20), 308_000) / 1000, 3) == Decimal("0.561")
    assert used("carbon_kg_per_kg") < share


@row("B11", "planting.tree", "planting.donation")
def a_planted_stand_of_south_china() -> None:
    stems = 1334
    low, middle = (Decimal(tonnes) * 1000 * 44 / 12 / stems for tonnes in (1, 5))
    assert (places(low, 2), places(middle, 2)) == (Decimal("2.75"), Decimal("13.74"))
    assert used("yearly_ceiling_kg_per_tree") <= low
    vigorous = {"biomass_gain_g": 8000, "half_width_g": 400, "count": 1, "age_days": 730}
    assert kg("planting.tree", **vigorous) <= low


@row("B12", "recycling.paper")
def mixed_paper_by_the_lower_table() -> None:
    mixed = Decimal("1.28850358") - Decimal("1.06877475")
    assert places(mixed, 4) == Decimal("0.2197") == used("mixed_paper_saving_kg_per_kg")
    clean = {"mass_g": 1000, "contamination_ppm": 0, "most_credited_g": 30_000, "collection_kg_per_kg": 0}
    assert places(by_formula("recycling.paper", **clean, board_saving_kg_per_kg=mixed), 4) == Decimal(
        "0.2197"
    )
    # board is lower still, and WARM's 3.9083 eighteen times as much
    assert used("board_saving_kg_per_kg") < mixed < Decimal("3.9083") / 17


@row("B13", "recycling.aluminium")
def aluminium_takes_the_lowest_of_three_sources() -> None:
    displaced = Decimal("9.1159") - Decimal("0.9951")
    assert displaced == Decimal("8.1208")
    ingot = Decimal("7.203665") * 1000 / SHORT_TON_KG
    cans = (LANDFILL + Decimal("9.127378162")) * 1000 / SHORT_TON_KG
    assert used("aluminium_saving_kg_per_kg") <= min(ingot, displaced, cans)


@row("B14", "household.water_saving")
def ten_tonnes_of_water() -> None:
    meter = {"base_l": 60_000, "mean_l": 60_000, "volume_l": 50_000}
    saved = kg("household.water_saving", **meter, energy_wh=500_000, period_days=60)
    assert saved == Decimal("1.68")


@row("B15", "household.gas_saving")
def ten_cubic_metres_of_gas() -> None:
    meter = {"base_l": 60_000, "mean_l": 60_000, "volume_l": 50_000, "added_wh": 0}
    saved = kg("household.gas_saving", **meter, energy_wh=500_000, period_days=60)
    assert saved == Decimal("21.6")
