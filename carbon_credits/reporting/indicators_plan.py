"""The district plan's figures that this programme touches, in one table, each as the plan has it.

The plan is 禅城区碳达峰实施方案; sections are its own numbers. Where it names no figure the target is None. The last
three are no figures of the plan: wholes that a bureau may state, so that it can be said what part of them we see.
"""

from collections.abc import Mapping
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.reporting import indicators_own as own
from carbon_credits.reporting.cell_tables import TOTAL
from carbon_credits.reporting.indicators_declared import Indicator, Target, Unit
from carbon_credits.reporting.indicators_strands import STRANDS

PLAN: Final = Text("《禅城区碳达峰实施方案》", "Chancheng District's plan for reaching the carbon peak")
_NO_RECORDS: Final = Text("本平台没有相关记录。", "There are no records of it here.")
_PARTICIPANTS: Final = Text(
    "仅反映参与居民，不是全区数据，也不是官方指标。",
    "It is of residents who take part alone: neither the district's figure nor the official indicator.",
)
_AWARDS: Final = Text(
    "当年创建行动名单中的集体数，名单经两人批准。",
    "Groups on the year's list of the creation drive, which two people approved.",
)
_TOWN_OR_VILLAGE: Final = Text("本平台记录不区分城乡。", "Our records do not tell village from town.")
_NO_SHARE: Final = Text(
    "名单数不是比例：全区总数与面积不在本平台。",
    "A list is no share: how many there are in the district, and how large, is not known here.",
)


def _unseen(code: str, title: Text, section: str, says: str, target: Target, not_this: Text) -> Indicator:
    """A share of which we have no records at all."""
    return Indicator(code, title, Unit.PPM, section, says, (target,), own.nothing, _NO_RECORDS, not_this)


def _public_bodies(code: str, title: Text, target: Target) -> Indicator:
    """Energy of public bodies, which is not recorded here; their creation drive is."""
    says = "到 2030 年，……公共机构单位建筑面积能耗和人均综合能耗分别比 2020 年降低 7%和 8%。"
    small_print = Text("能耗数据不在本平台。", "Public bodies' energy is not recorded here.")
    awards = own.awards_of("public_body")
    return Indicator(code, title, Unit.PPM, "二（五）18", says, (target,), awards, _AWARDS, small_print)


def _basis(code: str, title: Text, unit: Unit) -> Indicator:
    """A whole that others are held against."""
    small_print = Text("仅作覆盖率的分母。", "A denominator of coverage alone.")
    return Indicator(code, title, unit, "—", "", (), own.nothing, _NO_RECORDS, small_print, is_basis=True)


INDICATORS: Final = (
    Indicator(
        code="travel.green_share",
        title=Text("绿色出行比例", "Share of green travel"),
        unit=Unit.PPM,
        section="二（六）22",
        says="到 2030 年，绿色出行比例不低于 75%。",
        targets=(Target(2030, 750_000),),
        own=own.green_trips,
        method=Text(
            "步行、骑行、共享单车、共享电单车、公交、地铁和合乘的已计入行为人次之和。",
            "Credited trips on foot, by own, shared and shared electric bicycle, bus, metro and carpool, added up.",
        ),
        not_this=Text(
            "不是出行比例：本平台不记录高碳出行，且仅含参与居民。",
            "No share of travel: trips by car are not recorded here, and it is of residents who take part alone.",
        ),
        strands=own.GREEN_TRIPS,
    ),
    Indicator(
        code=own.NINE_MATERIALS,
        title=Text("九种主要再生资源回收量", "The nine main recyclables recovered"),
        unit=Unit.GRAM,
        section="二（八）26",
        says="到 2025 年，……9 种主要再生资源回收量达到 90 万吨。到 2030 年……达到 100 万吨。",
        targets=(Target(2025, 900_000 * 1_000_000), Target(2030, 1_000_000 * 1_000_000)),
        own=own.nine_materials,
        method=Text(
            "居民在站点交投并称重的废钢铁、铜、铝、铅、锌、纸、塑料、橡胶、玻璃的重量之和，含杂质。",
            "The mass on the scale of steel, copper, aluminium, lead, zinc, paper, plastics, rubber and glass that "
            "residents handed in at stations, dirt included.",
        ),
        not_this=Text(
            "不含企业与拆解来源，后者占绝大部分；不是全区回收量。",
            "Not what firms and dismantlers recover, which is by far the most; not the district's amount.",
        ),
        strands=("nine_materials",),
    ),
    Indicator(
        code="waste.urban_resource_use",
        title=Text("城市生活垃圾资源化利用比例", "Urban household waste put to use"),
        unit=Unit.PPM,
        section="二（八）27",
        says="到 2025 年，城市生活垃圾资源化利用比例不低于 75%。",
        targets=(Target(2025, 750_000),),
        own=own.sorted_waste,
        method=Text(
            "居民交投并称重的可回收物与厨余垃圾重量之和。",
            "The mass on the scale of recyclables and food waste that residents handed in.",
        ),
        not_this=Text(
            "交投不等于资源化利用；不含末端处理环节，也不区分城乡。",
            "Handed in is not yet put to use; what plants do with it is not in it, nor is town told from village.",
        ),
        strands=("nine_materials", "kitchen_waste", "other_recycling"),
    ),
    _unseen(
        "waste.rural_reduction",
        Text("农村生活垃圾分类减量比例", "Rural household waste avoided by sorting"),
        "二（八）27",
        "到 2025 年，农村生活垃圾分类减量比例达 50%。",
        Target(2025, 500_000),
        _TOWN_OR_VILLAGE,
    ),
    _unseen(
        "waste.rural_resource_use",
        Text("农村生活垃圾资源化利用比例", "Rural household waste put to use"),
        "二（八）27",
        "到 2025 年，农村生活垃圾……资源化利用比例达 35%。",
        Target(2025, 350_000),
        _TOWN_OR_VILLAGE,
    ),
    Indicator(
        code="greenways.length",
        title=Text("每万人拥有绿道长度", "Greenways for every 10,000 people"),
        unit=Unit.METRES_PER_10000,
        section="二（五）15",
        says="到 2030 年，……拥有绿道长度达到 1 公里/万人以上。",
        targets=(Target(2030, 1_000),),
        own=own.metres_on_foot_or_bicycle,
        method=Text("已计入的步行与骑行里程之和。", "Metres walked and cycled in credited trips, added up."),
        not_this=Text(
            "是行走与骑行的里程，不是绿道长度；无法区分是否在绿道上。",
            "Metres travelled, not metres built; whether on a greenway is not known.",
        ),
        strands=("walking_cycling",),
    ),
    Indicator(
        code="life.participation",
        title=Text("绿色低碳生活方式参与", "Taking part in a low-carbon way of life"),
        unit=Unit.PEOPLE,
        section="一（二）",
        says="“十四五”……绿色低碳生产生活方式得到广泛推行；“十五五”……绿色低碳的生产生活方式全面普及。",
        targets=(Target(2025, None), Target(2030, None)),
        own=own.active_residents,
        method=Text(
            "当年至少有一次已计入行为的居民人数，每人计一次。",
            "Residents with at least one credited act in the year, each counted once.",
        ),
        not_this=_PARTICIPANTS,
        strands=(TOTAL, *STRANDS),
    ),
    Indicator(
        code="drives.awarded",
        title=Text("七类绿色生活创建行动", "The seven creation drives"),
        unit=Unit.GROUPS,
        section="二（十一）35",
        says="推进节约型机关、绿色家庭、绿色学校、绿色社区、绿色出行、绿色商场、绿色建筑等创建行动，评选宣传一批绿色生活优秀典型。",
        targets=(Target(2030, None),),
        own=own.all_awards,
        method=_AWARDS,
        not_this=Text("仅含在本平台申请的集体。", "Groups that applied here, and no others."),
    ),
    Indicator(
        code="communities.complete",
        title=Text("完整居住社区覆盖率", "Complete residential communities"),
        unit=Unit.PPM,
        section="二（五）15",
        says="到 2030 年，完整居住社区覆盖率提高到 60%以上。",
        targets=(Target(2030, 600_000),),
        own=own.awards_of("community"),
        method=_AWARDS,
        not_this=Text(
            "绿色社区不等于完整居住社区；名单数不是覆盖率。",
            "A green community is not yet a complete one, and a list is no coverage.",
        ),
    ),
    Indicator(
        code="malls.green_share",
        title=Text("大型商场达到绿色商场要求的比例", "Large malls that are green malls"),
        unit=Unit.PPM,
        section="二（五）18",
        says="到 2030 年，……建筑面积 10 万平方米（含）以上的大型商场 50%达到绿色商场创建要求。",
        targets=(Target(2030, 500_000),),
        own=own.awards_of("mall"),
        method=_AWARDS,
        not_this=_NO_SHARE,
    ),
    _public_bodies(
        "public_bodies.energy_per_area",
        Text(
            "公共机构单位建筑面积能耗降幅（比 2020 年）", "Public bodies' energy for each m², down since 2020"
        ),
        Target(2030, 70_000),
    ),
    _public_bodies(
        "public_bodies.energy_per_head",
        Text("公共机构人均综合能耗降幅（比 2020 年）", "Public bodies' energy a head, down since 2020"),
        Target(2030, 80_000),
    ),
    Indicator(
        code="vehicles.electric_sales",
        title=Text("电动乘用车占新车销售比例", "Electric cars among cars sold"),
        unit=Unit.PPM,
        section="二（六）20",
        says="到 2030 年，……电动乘用车销售量力争达到乘用车新车销售量的 45%以上。",
        targets=(Target(2030, 450_000),),
        own=own.vehicles_bought,
        method=Text(
            "居民凭票据计入的新能源车购买数。", "New-energy vehicles bought, by residents' credited bills."
        ),
        not_this=Text(
            "不是销售比例：不含未参与者，也不含燃油车。",
            "No share: neither other buyers nor other cars.",
        ),
        strands=("new_vehicles",),
    ),
    _unseen(
        "vehicles.clean_new",
        Text("当年新增新能源、清洁能源交通工具比例", "New and clean energy among vehicles added in the year"),
        "二（六）20",
        "到 2030 年，……当年新增新能源、清洁能源动力的交通工具比例达到 40%左右。",
        Target(2030, 400_000),
        Text("以登记部门数据为准。", "The registry's figure alone."),
    ),
    _unseen(
        "vehicles.public_fleet",
        Text("公交、出租车新能源化比例", "Buses and taxis on new energy"),
        "二（六）20",
        "到 2030 年，公交车辆、出租车（含网约车）100%实现新能源化。",
        Target(2030, 1_000_000),
        Text(
            "公交因子按线路车型选取，不构成车队统计。",
            "A factor of bus lines, no fleet census.",
        ),
    ),
    Indicator(
        code="power.photovoltaics",
        title=Text("光伏发电装机容量", "Photovoltaic capacity"),
        unit=Unit.WATT,
        section="二（二）4",
        says="到 2025 年，光伏发电装机容量达 10 万千瓦。",
        targets=(Target(2025, 100_000_000),),
        own=own.made_by_the_sun,
        method=Text(
            "参与居民屋顶光伏的已计入发电量。",
            "Energy made on roofs of residents who take part, as credited.",
        ),
        not_this=Text("是发电量，不是装机容量；仅含户用。", "Energy, not capacity; of households alone."),
        strands=("photovoltaics",),
    ),
    Indicator(
        code="power.peak_response",
        title=Text("尖峰负荷响应能力", "Response at peak load"),
        unit=Unit.PPM,
        section="二（二）6",
        says="到 2030 年，电网基本具备 5%以上的尖峰负荷响应能力。",
        targets=(Target(2030, 50_000),),
        own=own.not_drawn,
        method=Text(
            "居民需求响应时段少用的已计入电量。",
            "Energy that residents did not draw when asked, as credited.",
        ),
        not_this=Text("是电量，不是负荷能力。", "Energy, not capacity."),
        strands=("demand_response",),
    ),
    Indicator(
        code="forest.cover",
        title=Text("森林覆盖率", "Forest cover"),
        unit=Unit.PPM,
        section="二（十）32",
        says="到 2030 年，全区森林覆盖率和森林蓄积量完成市下达指标。",
        targets=(Target(2030, None),),
        own=own.trees,
        method=Text(
            "居民植树经当年核查存活的株数之和。", "Residents' trees found alive in the year, added up."
        ),
        not_this=Text(
            "株数不是覆盖率；同一株每年计一次。", "Trees are no cover; one tree is in each year once."
        ),
        strands=("planting",),
    ),
    Indicator(
        code="pilots.selected",
        title=Text("绿色低碳试点示范单位", "Low-carbon pilots"),
        unit=Unit.GROUPS,
        section="二（十二）39",
        says="“十四五”期间，选取 1—2 个单位开展绿色低碳试点示范。",
        targets=(Target(2025, 1),),
        own=own.pilots,
        method=Text("本平台建档的试点集体数。", "Groups that are followed here as pilots, with a dossier."),
        not_this=Text("建档不等于获批试点。", "A dossier is no appointment."),
    ),
    _basis(own.POPULATION, Text("常住人口", "Resident population"), Unit.PEOPLE),
    _basis(own.TRIPS, Text("全区全年出行总人次", "All trips of the district in a year"), Unit.TRIPS),
    _basis(own.HOUSEHOLD_WASTE, Text("全区生活垃圾产生量", "Household waste of the district"), Unit.GRAM),
)
BY_CODE: Final[Mapping[str, Indicator]] = {indicator.code: indicator for indicator in INDICATORS}
