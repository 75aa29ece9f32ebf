"""Old appliances and electronics handed to a licensed dismantler.

What counts is the material recovered, not the new device that may not be bought: that belongs to second-hand goods. The
dismantler wipes data and recovers refrigerant; the refrigerant would be worth far more and is left unclaimed.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    e_waste_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What the materials of a device save, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, e_waste_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.e_waste",
    number=21,
    title=Text("回收废旧家电和电子产品", "Recycling appliances and electronics"),
    summary=Text(
        "废旧家电和电子产品交有资质的拆解企业回收材料。减排量等于重量乘以每千克减排量，再扣除收运排放；"
        "超过单次上限的重量不计。"
        "制冷剂回收的减排不计。",
        "Appliances and electronics dismantled by a licensed firm. The reduction is the mass times the "
        "saving per kilogram, "
        "less collection, up to a ceiling a drop-off. Recovered refrigerant is left unclaimed.",
    ),
    boundary=drop_off.replacing(Text("金属与塑料", "metals and plastics")),
    parameters=drop_off.parameters(
        factor("e_waste_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(100_000, "A refrigerator or a washing machine, hardly two."),
    ),
    formula=reduction,
    examples=(
        worked("一台 10 千克的旧电脑", "A computer of 10 kg", 8_800_000, mass_g=10_000, contamination_ppm=0),
        worked(
            "旧冰箱 60 千克，杂质 5%",
            "A refrigerator of 60 kg with 5 % contamination",
            50_100_000,
            mass_g=60_000,
            contamination_ppm=50_000,
        ),
        worked(
            "超过单次上限", "Above the ceiling of a drop-off", 88_000_000, mass_g=150_000, contamination_ppm=0
        ),
        worked("一根数据线", "A cable", 0, "mass_too_small", mass_g=40, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
