"""Old clothes and household textiles.

Clothes worn again save more than fibre and rags, so the sorter's record of where they went decides: the share worn
again is floored once at intake. Not every garment worn again replaces a new one; tables that suppose so give seven
times as much and are not used.
"""

from carbon_credits.methodologies.base import Methodology, Monitored, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    reused_ppm: Number,
    most_credited_g: Number,
    textiles_recycled_saving_kg_per_kg: Number,
    textiles_reused_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """The mean saving of what is worn again and what becomes fibre, less collection; see `drop_off.saved`."""
    gained_by_reuse = textiles_reused_saving_kg_per_kg - textiles_recycled_saving_kg_per_kg
    saving_kg_per_kg = textiles_recycled_saving_kg_per_kg + reused_ppm * drop_off.PPM * gained_by_reuse
    return drop_off.saved(mass_g, contamination_ppm, most_credited_g, saving_kg_per_kg, collection_kg_per_kg)


V1 = Methodology(
    code="recycling.textiles",
    number=19,
    title=Text("回收废旧衣物", "Recycling clothes and textiles"),
    summary=Text(
        "交投的旧衣物经分拣，一部分再次穿用，其余制成再生纤维或抹布。"
        "减排量按两种去向的比例和清洁重量计算，再扣除收运排放；"
        "超过单次上限的重量不计。",
        "Clothes handed in are sorted: some are worn again, the rest becomes fibre or rags. The "
        "reduction follows the two "
        "shares and the clean mass, less collection, up to a ceiling a drop-off.",
    ),
    boundary=drop_off.replacing(Text("纺织品", "textiles")),
    parameters=drop_off.parameters(
        factor("textiles_recycled_saving_kg_per_kg"),
        factor("textiles_reused_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(20_000, "A wardrobe emptied at once."),
    ),
    formula=reduction,
    examples=(
        worked(
            "1 千克全部再生",
            "1 kg, all made into fibre",
            980_000,
            mass_g=1000,
            contamination_ppm=0,
            reused_ppm=0,
        ),
        worked(
            "5 千克，四成再次穿用，杂质 5%",
            "5 kg, two fifths worn again, 5 % contamination",
            8_450_000,
            mass_g=5000,
            contamination_ppm=50_000,
            reused_ppm=400_000,
        ),
        worked(
            "超过单次上限",
            "Above the ceiling of a drop-off",
            19_600_000,
            mass_g=25_000,
            contamination_ppm=0,
            reused_ppm=0,
        ),
        worked(
            "不足 200 克",
            "Less than 200 g",
            0,
            "mass_too_small",
            mass_g=199,
            contamination_ppm=0,
            reused_ppm=0,
        ),
    ),
    **drop_off.credited(
        Monitored("reused_ppm", Text("再次穿用的比例", "Share that is worn again"), "ppm", 0, 1_000_000)
    ),
)

VERSIONS = (V1,)
