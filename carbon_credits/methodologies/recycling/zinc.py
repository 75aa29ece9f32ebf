"""Scrap zinc.

Residents rarely hold any, and no source gives what recycling it saves: primary zinc is 3 to 4 kg/kg by the press, the
secondary share is recalled only. It is weighed and recorded until a source exists; then at most 1.5 kg/kg.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, NoGrams, Text, worked
from carbon_credits.methodologies.recycling import drop_off

V1 = Methodology(
    code="recycling.zinc",
    number=14,
    title=Text("回收废锌", "Recycling scrap zinc"),
    summary=Text(
        "居民很少持有废锌，再生锌的减排量尚无可查证的来源，先称重登记。本项不产生减排量；"
        "是否奖励积分由政策决定。",
        "Residents rarely hold zinc and no source gives what recycling it saves: it is weighed and "
        "recorded. It earns no grams; whether it earns points is a matter of policy.",
    ),
    boundary=Boundary(
        Text("原生锌生产", "Primary production of zinc"), drop_off.COLLECTED, drop_off.NOT_COUNTED
    ),
    no_grams=NoGrams(
        "factor_not_sourced",
        Text("尚无可查证的减排因子，减排量记为零", "No factor with a source exists yet; it earns no grams"),
    ),
    examples=(worked("一卷锌皮", "A roll of sheet zinc", 0, "factor_not_sourced", mass_g=2000),),
    **drop_off.WITHOUT_GRAMS,
)

VERSIONS = (V1,)
