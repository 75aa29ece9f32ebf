"""Scrap lead, which for a household is the battery of an e-bike or a car.

Spent lead-acid batteries are hazardous waste in China: an ordinary drop-off must not accept them, and no value per
kilogram could be read in a source. Recycled lead is better than primary lead; how much is recalled only (2.1 less 0.6).
"""

from carbon_credits.methodologies.base import Boundary, Methodology, NoGrams, Text, worked
from carbon_credits.methodologies.recycling import drop_off

V1 = Methodology(
    code="recycling.lead",
    number=13,
    title=Text("交投废铅酸电池", "Handing in lead-acid batteries"),
    summary=Text(
        "废铅酸电池属于危险废物，普通回收点不得收取，应交有资质的单位；"
        "再生铅每千克减排量尚无可查证的来源。本项不产生减排量；是否奖励积分由政策决定。",
        "Spent lead-acid batteries are hazardous waste: they go to licensed collection, never to an "
        "ordinary drop-off, and no source gives a value per kilogram. It earns no grams; whether it "
        "earns points is a matter of policy.",
    ),
    boundary=Boundary(
        Text("原生铅生产", "Primary production of lead"), drop_off.COLLECTED, drop_off.NOT_COUNTED
    ),
    no_grams=NoGrams(
        "hazardous_waste",
        Text(
            "废铅酸电池属危险废物，须交有资质单位收集；暂无可查证的减排因子，减排量记为零",
            "Lead-acid batteries are hazardous waste for licensed collection; without a sourced factor "
            "they earn no grams",
        ),
    ),
    examples=(worked("一块电动车电池", "The battery of an e-bike", 0, "hazardous_waste", mass_g=12000),),
    **drop_off.WITHOUT_GRAMS,
)

VERSIONS = (V1,)
