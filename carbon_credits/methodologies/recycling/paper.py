"""Paper and board handed in for recycling.

Clean fibre replaces primary production; collection costs a little for every kilogram on the scale, dirt
included. One code serves paper and board, at the lower factor of board: the scale at a drop-off cannot tell
them apart, and two codes would only teach people to declare the dearer one. Foshan burns its waste, so no
landfill methane is claimed.
"""

from datetime import date
from decimal import Decimal

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Example,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal

PPM = Decimal("0.000001")


def reduction(
    mass_g: Number,
    contamination_ppm: Number,
    most_credited_g: Number,
    board_saving_kg_per_kg: Number,
    collection_kg_per_kg: Number,
) -> Number:
    """Grams times kg/kg times 1000 are milligrams. Too much dirt makes it negative: statistics keep that."""
    credited_g = least(mass_g, most_credited_g)
    clean_g = credited_g * (1_000_000 - contamination_ppm) * PPM
    return (clean_g * board_saving_kg_per_kg - credited_g * collection_kg_per_kg) * 1000


def heavy_enough(mass_g: Number, lightest_g: Number) -> Truth:
    return mass_g >= lightest_g


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="recycling.paper",
    number=15,
    version=1,
    title=Text("回收废纸和纸板", "Recycling paper and board"),
    summary=Text(
        "交投的废纸经分拣后再生，替代原生纸浆生产。减排量等于清洁重量乘以每千克减排量，"
        "再扣除收运排放；超过单次上限的重量不计。"
        "纸与纸板统一按较低的纸板因子计算。",
        "Paper handed in is recycled in place of primary production. The reduction is the clean mass times "
        "the saving per kilogram, less collection, up to a ceiling a drop-off. Paper and board both count at "
        "the lower factor of board.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text(
            "原生纸板生产；垃圾焚烧的差异不计",
            "Primary production of board; differences in burning are not counted",
        ),
        project=Text("再生生产与收运", "Closed-loop production and collection"),
        leakage=Text("分拣剩余物按杂质率扣除", "Rejects are deducted through contamination"),
    ),
    monitored=(
        Monitored("mass_g", Text("称重重量", "Mass on the scale"), "g", least=0, most=200_000),
        Monitored(
            "contamination_ppm",
            Text("杂质率（百万分之一）", "Contamination, parts per million"),
            "ppm",
            0,
            1_000_000,
        ),
    ),
    parameters=(
        factor("board_saving_kg_per_kg"),
        factor("collection_kg_per_kg"),
        proposal(
            "most_credited_g",
            "g",
            SINCE,
            30_000,
            Text("单次可计的最大重量", "Most mass credited for one drop-off"),
            "More than a household hands in at once.",
        ),
        proposal(
            "lightest_g",
            "g",
            SINCE,
            200,
            Text("最小交投重量", "Least mass"),
            "Below it the scale's own error is too large.",
        ),
    ),
    conditions=(
        Condition(
            "mass_too_small",
            Text("每次交投不少于 {lightest_g} 克", "A drop-off is at least {lightest_g} g"),
            heavy_enough,
        ),
    ),
    formula=reduction,
    bases=("transaction",),
    references=(Reference("transaction", "order_no", required=True),),
    needs_partner=True,
    verifiable=True,
    cap_quantity="mass_g",
    examples=(
        Example(
            Text("1 千克清洁纸板", "1 kg of clean board"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 0},
            reduction_mg=80_000,
        ),
        Example(
            Text("3.5 千克，杂质 5%", "3.5 kg with 5 % contamination"),
            date(2026, 3, 2),
            {"mass_g": 3500, "contamination_ppm": 50_000},
            reduction_mg=262_500,
        ),
        Example(
            Text("毫克以下舍去", "Fractions of a milligram are dropped"),
            date(2026, 3, 2),
            {"mass_g": 333, "contamination_ppm": 1},
            reduction_mg=26_639,
        ),
        Example(
            Text("45 千克只计 30 千克", "45 kg count as 30 kg"),
            date(2026, 3, 2),
            {"mass_g": 45_000, "contamination_ppm": 0},
            reduction_mg=2_400_000,
        ),
        Example(
            Text("九成是杂质：收运得不偿失", "Nine tenths dirt: collecting it costs more than it saves"),
            date(2026, 3, 2),
            {"mass_g": 1000, "contamination_ppm": 900_000},
            reduction_mg=0,
            raw_mg=-10_000,
        ),
        Example(
            Text("一张报纸", "One newspaper"),
            date(2026, 3, 2),
            {"mass_g": 199, "contamination_ppm": 0},
            reduction_mg=0,
            reasons=("mass_too_small",),
        ),
    ),
)

VERSIONS = (V1,)
