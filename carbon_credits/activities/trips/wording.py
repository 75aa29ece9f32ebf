"""What each reason of a trip's verdict says to people, Chinese first."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from carbon_credits.core.i18n import Text

REASONS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "enough_points": Text("轨迹点数足够", "The trace has enough points"),
        "well_covered": Text("轨迹覆盖了大部分出行时间", "The trace covers most of the claimed time"),
        "too_few_points": Text("轨迹有效点太少，无法核验", "Too few usable points to verify the trip"),
        "too_short": Text(
            "移动不足两分钟或 300 米，无法核验", "Less than two minutes or 300 m: too short to verify"
        ),
        "too_thin": Text(
            "轨迹点间隔太长，无法核验", "The points are too far apart in time to verify the trip"
        ),
        "claim_not_covered": Text(
            "轨迹未覆盖申报时间的一半", "The trace covers less than half of the claimed time"
        ),
        "partner_record": Text("与合作方记录核对一致", "It matches a partner's record"),
        "partner_record_needed": Text("此类出行须有合作方记录", "Such a trip needs a partner's record"),
        "not_a_trip": Text("此类行为不能以轨迹证明", "A trace proves nothing about such an act"),
        "ends_before_start": Text("结束早于开始", "It ends before it starts"),
        "trace_outside_claim": Text("轨迹时间与申报时间不符", "The trace lies outside the claimed time"),
        "overlaps_credited_trip": Text(
            "与已计入的出行时间重叠超过 70%", "Overlaps a credited trip by more than 70 %"
        ),
        "overlaps_another_trip": Text(
            "与另一次出行时间重叠 20%–70%，需人工核对",
            "Overlaps another trip by 20 to 70 %: a person will look",
        ),
        "points_seen_before": Text("轨迹坐标与已有轨迹相同", "Its points were seen in an earlier trace"),
        "movement_seen_before": Text(
            "移动过程与已有轨迹一致，需人工核对", "It moves like an earlier trace: a person will look"
        ),
        "mock_location": Text("手机报告使用了模拟定位", "The phone reported a mock location"),
        "attested": Text("设备证明有效", "The device's attestation is valid"),
        "attestation_failed": Text("设备证明无效", "The device's attestation failed"),
        "constant_speed": Text("速度恒定，不像真实移动", "The speed is constant as no real trip's is"),
        "straight_line": Text("路线过直，不像真实道路", "The way is straighter than any street"),
        "jump": Text("轨迹中有不可能的跳跃，需人工核对", "The trace jumps: a person will look"),
        "new_account": Text("账户注册不满七天", "The account is less than seven days old"),
        "steps_fit": Text("步数与距离相符", "The steps fit the distance"),
        "steps_do_not_fit": Text("步数与距离不符", "The steps do not fit the distance"),
        "distance_above_trace": Text(
            "申报距离大于轨迹所示，需人工核对", "More distance than the trace shows: a person will look"
        ),
        "distance_far_above_trace": Text("申报距离远大于轨迹所示", "Far more distance than the trace shows"),
        "pace_fits": Text("最快一分钟的速度相符", "The fastest minute fits"),
        "pace_narrow": Text("最快一分钟的速度偏快", "The fastest minute is rather fast"),
        "pace_too_fast": Text("最快一分钟的速度过快", "The fastest minute is too fast"),
        "speed_fits": Text("通常速度相符", "The usual speed fits"),
        "speed_narrow": Text("通常速度偏快", "The usual speed is rather high"),
        "speed_too_fast": Text("通常速度过快", "The usual speed is too high"),
        "surge_fits": Text("加速程度相符", "It gathers speed as it should"),
        "surge_strong": Text("加速偏强", "It gathers speed rather strongly"),
        "surge_too_strong": Text("加速过强，像机动车", "It gathers speed like a motor"),
        "faster_than_a_walk": Text("速度快于步行", "It is faster than a walk"),
        "slow_as_a_walk": Text("大部分路程慢如步行", "Most of the way was as slow as a walk"),
        "too_slow_for_a_ride": Text("速度与步行无异，不像骑行", "It is no faster than a walk: no ride"),
        "progress_fits": Text("多数时间在行进", "It gets on most of the time"),
        "progress_small": Text("近半时间几乎不动", "It hardly moves for almost half of the time"),
        "progress_too_small": Text("半数以上时间不动", "It stands still for more than half of the time"),
        "effort_fits": Text("速度起伏与蹬踏相符", "Its speed rises and falls as with pedalling"),
        "effort_small": Text("速度起伏偏小", "Its speed rises and falls rather little"),
        "effort_too_small": Text(
            "速度起伏过小，不像人力骑行", "Its speed rises and falls too little for pedalling"
        ),
        "even_speed": Text("移动速度均匀", "It moves at an even speed"),
        "uneven_speed": Text("移动速度不太均匀", "Its speed is rather uneven"),
        "too_uneven_speed": Text("移动速度忽快忽慢，像机动车", "Its speed varies like that of traffic"),
        "swing_fits": Text("短时速度变化自然", "Its speed changes from moment to moment as it should"),
        "swing_small": Text("短时速度变化偏小", "Its speed changes rather little from moment to moment"),
        "swing_too_small": Text(
            "短时速度变化过小，像被拉长的轨迹", "Its speed changes as slowly as in a stretched trace"
        ),
        "turns_many": Text("转弯次数相符", "It turns as often as it should"),
        "turns_few": Text("转弯偏少", "It turns rather seldom"),
        "turns_too_few": Text("转弯过少", "It turns too seldom"),
        "corners_fit": Text("转弯时速度相符", "It takes corners as it should"),
        "corners_slow": Text("转弯时减速偏多", "It slows rather much in corners"),
        "corners_too_slow": Text("转弯时减速过多，像机动车", "It slows in corners like a car"),
    }
)
