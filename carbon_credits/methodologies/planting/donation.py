"""A gift to a collective planting: a share of what its trees remove, year by year.

Planting is supported, nothing is avoided: removals have an account of their own. The share is what the donor gave of
the whole cost of the batch, floored once at intake, so that shares cannot exceed the whole. Nothing at the gift;
after each growth year the batch's surviving trees and measured gain decide, as for a tree of one's own (`tree.py`):
the same deduction for a wide interval, ceiling, buffer and twenty years, and trees that died count no more. Its
number lies above those of the reference (1 to 39), which knows giving as a rule of M23; here the proof, the share and
the owner differ.
"""

from decimal import Decimal

from carbon_credits.methodologies.base import (
    Methodology,
    Monitored,
    Pool,
    Reference,
    Status,
    Text,
    worked,
)
from carbon_credits.methodologies.formula import Number
from carbon_credits.methodologies.planting import tree

PPM = Decimal("0.000001")


def removal(
    biomass_gain_g: Number,
    half_width_g: Number,
    count: Number,
    share_ppm: Number,
    carbon_kg_per_kg: Number,
    co2_kg_per_kg: Number,
    yearly_ceiling_kg_per_tree: Number,
    buffer_share: Number,
) -> Number:
    """The donor's share of what the batch's surviving trees removed in the year; see `tree.removal`."""
    whole = tree.removal(
        biomass_gain_g,
        half_width_g,
        count,
        carbon_kg_per_kg,
        co2_kg_per_kg,
        yearly_ceiling_kg_per_tree,
        buffer_share,
    )
    return whole * share_ppm * PPM


V1 = Methodology(
    code="planting.donation",
    number=40,
    version=1,
    title=Text("捐资集体植树", "Giving to a collective planting"),
    summary=Text(
        "捐资支持集体植树。捐资当时不计；满一个生长年后，"
        "按整批存活树木实测的移除量乘以捐资占总成本的比例计算，误差扣减、上限与缓冲同“植树”。"
        "这是对植树的支持，移除量单独记账，不与减排量相加。",
        "A gift that supports a collective planting. Nothing when it is given; after each growth year "
        "the removal measured "
        "over the batch's surviving trees counts, by the share the gift had in the cost, with the "
        "deduction, ceiling and "
        "buffer of a tree. Planting is supported: removals are kept apart from avoided emissions.",
    ),
    status=Status.TRIAL,
    in_force=tree.SINCE,
    boundary=tree.BOUNDARY,
    monitored=(
        *(
            # a batch holds more trees than a person plants
            Monitored("count", q.description, q.unit, q.least, 1_000_000) if q.name == "count" else q
            for q in tree.MONITORED
        ),
        Monitored(
            "share_ppm",
            Text("捐资占整批总成本的比例", "Share of the gift in the cost of the batch"),
            "ppm",
            0,
            1_000_000,
        ),
    ),
    parameters=tree.PARAMETERS,
    conditions=tree.CONDITIONS,
    formula=removal,
    bases=("item",),
    # the batch, a stroke, the gift and the growth year: one share, one year, once
    references=(Reference("item", "item", required=True),),
    needs_partner=True,
    verifiable=True,
    pool=Pool.REMOVAL,
    examples=(
        worked(
            "百棵林捐了百分之一，增量 1 千克",
            "One per cent of a hundred trees that gained 1 kg",
            1_378_641,
            biomass_gain_g=1000,
            half_width_g=50,
            count=100,
            share_ppm=10_000,
            age_days=365,
        ),
        worked(
            "两成枯死，只计存活的",
            "A fifth died: the survivors count",
            1_102_913,
            biomass_gain_g=1000,
            half_width_g=50,
            count=80,
            share_ppm=10_000,
            age_days=365,
        ),
        worked(
            "误差 20%：扣半宽的 50%",
            "Error of 20 %: half of the half-width",
            1_240_777,
            biomass_gain_g=1000,
            half_width_g=200,
            count=100,
            share_ppm=10_000,
            age_days=365,
        ),
        worked(
            "刚捐的款",
            "Just given",
            0,
            "planted_too_recently",
            biomass_gain_g=0,
            half_width_g=0,
            count=100,
            share_ppm=10_000,
            age_days=30,
        ),
        worked(
            "二十年零一天",
            "Twenty years and a day",
            0,
            "past_crediting_period",
            biomass_gain_g=1000,
            half_width_g=50,
            count=100,
            share_ppm=10_000,
            age_days=7306,
        ),
    ),
)

VERSIONS = (V1,)
