"""Recyclables handed in unsorted.

A mean over a mix (WARM: 3.09 kg/kg) rests on paper and its forests, and what is in the bag is unknown. Sorted at
home, each material has its own methodology.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, NoGrams, Text, worked
from carbon_credits.methodologies.recycling import drop_off

V1 = Methodology(
    code="recycling.mixed",
    number=22,
    title=Text("混合可回收物", "Unsorted recyclables"),
    summary=Text(
        "未分类的可回收物成分不明，无法确定减排量；分类后可按各材料的方法学计算。本项不产生减排量；"
        "是否奖励积分由政策决定。",
        "What an unsorted bag holds is unknown; sorted, each material counts under its own methodology. "
        "It earns no grams; whether it earns points is a matter of policy.",
    ),
    boundary=Boundary(Text("原生材料生产", "Primary production"), drop_off.COLLECTED, drop_off.NOT_COUNTED),
    no_grams=NoGrams(
        "not_sorted",
        Text(
            "混合未分类，成分不明，减排量记为零；分类后可按材料计算",
            "Unsorted, so its content is unknown: it earns no grams; sorted, each material counts",
        ),
    ),
    examples=(worked("一袋混合可回收物", "A bag of this and that", 0, "not_sorted", mass_g=3500),),
    **drop_off.WITHOUT_GRAMS,
)

VERSIONS = (V1,)
