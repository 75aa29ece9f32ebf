"""An efficient air conditioner in place of an old one.

Guangdong filed a method for it in 2022, whose text was not read; the label's yearly energy is the common ground. The
base is the minimum grade the market allows for the same size, which the partner reads from the register of labels.
"""

from datetime import date

from carbon_credits.methodologies.base import Methodology, Text, worked
from carbon_credits.methodologies.purchases import device

V1 = Methodology(
    code="purchases.air_conditioner",
    number=24,
    title=Text("高效空调", "Efficient air conditioner"),
    summary=Text(
        "以能效 1 级空调替换旧机，旧机交有资质企业拆解。使用每满一年，"
        "按标识年耗电量与市场准入等级之差乘以电网因子计算，每年有上限，最多计五年。购买当时不计；"
        "与家庭节电不可重复。",
        "A grade 1 air conditioner in place of an old one, which is dismantled. After each year in use "
        "the label's energy below that of the market's minimum grade counts at the factor of the grid, "
        "up to a ceiling a year, for five years at most. Buying it earns nothing, and what is saved is "
        "not a household's saving as well.",
    ),
    examples=(
        worked(
            "年耗电 640 千瓦时，准入等级 800 千瓦时",
            "640 kWh a year where the minimum grade uses 800",
            70_704_000,
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=1,
            age_days=365,
        ),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            70_448_000,
            on=date(2025, 12, 31),
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=1,
            age_days=365,
        ),
        worked(
            "节电量止于上限",
            "The saving meets its ceiling",
            132_570_000,
            base_wh=1_200_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=1,
            age_days=365,
        ),
        worked(
            "能效 2 级",
            "Grade 2",
            0,
            "not_best_grade",
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=2,
            handed_in_count=1,
            age_days=365,
        ),
        worked(
            "旧机还在客厅",
            "The old one stays in the house",
            0,
            "old_device_kept",
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=0,
            age_days=365,
        ),
        worked(
            "刚买三个月",
            "Bought three months ago",
            0,
            "year_not_over",
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=1,
            age_days=90,
        ),
        worked(
            "第六年",
            "The sixth year",
            0,
            "past_five_years",
            base_wh=800_000,
            energy_wh=640_000,
            label_grade=1,
            handed_in_count=1,
            age_days=2190,
        ),
    ),
    **device.labelled(300_000, "A household's unit saves about half of that; above it is an office's."),
)

VERSIONS = (V1,)
