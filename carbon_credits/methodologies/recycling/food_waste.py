"""Sorting food waste where waste is burned.

Composting instead of burning saves 0.02 kg/kg by WARM's figures, and a study of Qingdao found sorting with digestion
worse than burning by 68 kg a tonne. The well-known saving is of landfill methane, and Foshan burns its waste. Sorting
is civic behaviour, outside the account of carbon.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, NoGrams, Text, worked
from carbon_credits.methodologies.recycling import drop_off

V1 = Methodology(
    code="recycling.food_waste",
    number=20,
    title=Text("厨余垃圾分类", "Sorting food waste"),
    summary=Text(
        "佛山的生活垃圾以焚烧为主，厨余分类相对焚烧没有可确认的减排，青岛的研究甚至为净增。"
        "本项不产生减排量；是否奖励积分由政策决定。",
        "Foshan burns its waste. Against burning, sorting food waste has no proven saving; a study of "
        "Qingdao finds a net increase. It earns no grams; whether it earns points is a matter of policy.",
    ),
    boundary=Boundary(
        Text("生活垃圾焚烧", "Burning municipal waste"), drop_off.COLLECTED, drop_off.NOT_COUNTED
    ),
    no_grams=NoGrams(
        "waste_is_burned",
        Text(
            "本地垃圾以焚烧处理，厨余分类没有可确认的减排，减排量记为零",
            "Waste is burned here: sorting food waste has no proven saving and earns no grams",
        ),
    ),
    examples=(
        worked("一天的厨余", "A day's kitchen waste", 0, "waste_is_burned", mass_g=800),
        worked("聚餐之后", "After a feast", 0, "waste_is_burned", mass_g=6000),
    ),
    **drop_off.WITHOUT_GRAMS,
)

VERSIONS = (V1,)
