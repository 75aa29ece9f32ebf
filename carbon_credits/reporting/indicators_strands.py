"""How acts are grouped where people are counted: each methodology belongs to one strand, and no other grouping is shown.

Tables by street are of strands and of nothing else, so that two groupings of the same acts can never be held against
each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE


@dataclass(frozen=True)
class Strand:
    """Methodologies that an indicator of the plan is about, together."""

    title: Text
    methodologies: tuple[str, ...]


STRANDS: Final[Mapping[str, Strand]] = {
    "walking_cycling": Strand(
        Text("步行和自行车", "Walking and cycling"), ("travel.walking", "travel.cycling")
    ),
    "shared_travel": Strand(
        Text("公共交通和共享出行", "Public and shared transport"),
        ("travel.shared_bicycle", "travel.e_bike", "travel.bus", "travel.metro", "travel.carpool"),
    ),
    "cars": Strand(
        Text("停驶和电动车行驶", "Cars left at home, electric cars driven"),
        ("travel.no_car_day", "travel.electric_car"),
    ),
    "new_vehicles": Strand(
        Text("购买新能源车", "New-energy vehicles bought"), ("purchases.new_energy_vehicle",)
    ),
    "nine_materials": Strand(
        Text("九种主要再生资源", "The nine main recyclables"),
        tuple(
            f"recycling.{material}"
            for material in (
                "steel",
                "copper",
                "aluminium",
                "lead",
                "zinc",
                "paper",
                "plastics",
                "rubber",
                "glass",
            )
        ),
    ),
    "kitchen_waste": Strand(Text("厨余垃圾分类", "Food waste sorted"), ("recycling.food_waste",)),
    "other_recycling": Strand(
        Text("其他回收", "Other recycling"), ("recycling.textiles", "recycling.e_waste", "recycling.mixed")
    ),
    "planting": Strand(Text("植树", "Trees"), ("planting.tree", "planting.donation")),
    "purchases": Strand(
        Text("低碳消费", "Low-carbon purchases"),
        tuple(
            f"purchases.{name}"
            for name in (
                "air_conditioner",
                "refrigerator",
                "led",
                "heat_pump_water_heater",
                "second_hand",
                "no_cutlery",
                "own_bag",
                "own_cup",
                "clean_plate",
                "e_invoice",
                "green_certificate",
            )
        ),
    ),
    "photovoltaics": Strand(Text("户用光伏", "Household photovoltaics"), ("household.rooftop_pv",)),
    "demand_response": Strand(Text("需求响应", "Demand response"), ("household.demand_response",)),
    "household_saving": Strand(
        Text("家庭节能节水", "Savings at home"),
        ("household.electricity_saving", "household.gas_saving", "household.water_saving"),
    ),
}
STRAND_OF: Final[Mapping[str, str]] = {
    code: name for name, strand in STRANDS.items() for code in strand.methodologies
}

_COUNTED = sum(len(strand.methodologies) for strand in STRANDS.values())
if set(STRAND_OF) != set(BY_CODE) or len(STRAND_OF) != _COUNTED:
    raise ValueError(f"not in one strand each: {set(STRAND_OF) ^ set(BY_CODE)}")
