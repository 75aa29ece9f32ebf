"""Paper and board handed in for recycling.

Clean fibre replaces primary production; collection costs a little for every kilogram on the scale, dirt
included. One code serves paper and board, at the lower factor of board: the scale at a drop-off cannot tell
them apart, and two codes would only teach people to declare the dearer one. Foshan burns its waste, so no
landfill methane is claimed.
"""

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.recycling import drop_off


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    board_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """What clean fibre saves, less collection; see `drop_off.saved`."""
    return drop_off.saved(
        mass_g, contamination_ppm, most_credited_g, board_saving_kg_per_kg, collection_kg_per_kg
    )


V1 = Methodology(
    code="recycling.paper",
    number=15,
    title=Text("回收废纸和纸板", "Recycling paper and board"),
    summary=Text(
        "交投的废纸经分拣后再生，替代原生纸浆生产。减排量等于清洁重量乘以每千克减排量，"
        "再扣除收运排放；超过单次上限的重量不计。"
        "纸与纸板统一按较低的纸板因子计算。",
        "Paper handed in is recycled in place of primary production. The reduction is the clean mass times "
        "the saving per kilogram, less collection, up to a ceiling a drop-off. Paper and board both "
        "count at "
        "the lower factor of board.",
    ),
    boundary=drop_off.replacing(Text("纸板", "board")),
    parameters=drop_off.parameters(
        factor("board_saving_kg_per_kg"),
        most_credited=drop_off.most_credited(30_000, "More than a household hands in at once."),
    ),
    formula=reduction,
    examples=(
        worked("1 千克清洁纸板", "1 kg of clean board", 80_000, mass_g=1000, contamination_ppm=0),
        worked(
            "3.5 千克，杂质 5%",
            "3.5 kg with 5 % contamination",
            262_500,
            mass_g=3500,
            contamination_ppm=50_000,
        ),
        worked(
            "毫克以下舍去", "Fractions of a milligram are dropped", 26_639, mass_g=333, contamination_ppm=1
        ),
        worked("45 千克只计 30 千克", "45 kg count as 30 kg", 2_400_000, mass_g=45_000, contamination_ppm=0),
        worked(
            "九成是杂质：收运得不偿失",
            "Nine tenths dirt: collecting it costs more than it saves",
            0,
            raw_mg=-10_000,
            mass_g=1000,
            contamination_ppm=900_000,
        ),
        worked("一张报纸", "One newspaper", 0, "mass_too_small", mass_g=199, contamination_ppm=0),
    ),
    **drop_off.credited(),
)

VERSIONS = (V1,)
