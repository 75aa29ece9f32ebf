"""Why not, or why less: every reason a decision can carry that is not a methodology's own."""

from carbon_credits.activities.trips.trace import BROKEN
from carbon_credits.activities.trips.wording import REASONS as OF_TRIPS
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies import quantification
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.methodologies.releases import releases

REASONS: dict[str, Text] = {
    "monitored_missing": Text("缺少计算所需的数据", "A quantity the calculation needs is missing"),
    "out_of_range": Text("数据超出合理范围", "A quantity is outside its plausible range"),
    "not_in_force": Text("行为发生当日该方法学未生效", "The methodology was not in force on the day"),
    "no_reduction": Text("按方法学计算，本次没有减排量", "By the methodology this act avoided nothing"),
    "wallet_closed": Text("账户未开通或已关闭", "The account is not open"),
    "awaiting_partner_record": Text(
        "等待合作方（如地铁、公交）的记录核对", "Waiting for the partner's own record of it"
    ),
    "no_partner_record": Text(
        "合作方当日记录已齐，其中没有本次；如有记录补来，仍会计入",
        "The partner's records of that day are complete and hold none of it; one that comes later still counts",
    ),
    "replaced_by_partner_record": Text("已由合作方的正式记录替代", "Replaced by the partner's own record"),
    "ambiguous_match": Text(
        "合作方有两条相近的记录，需人工核对",
        "Two of the partner's records fit nearly alike: a person will look",
    ),
    "reallocated": Text(
        "有新记录到达或撤回，已按发生时间重新核算",
        "Decided again in order of time, as another act came or went",
    ),
    "overlaps_credited_trip": Text(
        "与已计入的出行时间重叠超过 70%", "Overlaps a credited trip by more than 70 %"
    ),
    "overlaps_another_trip": Text(
        "与另一次出行时间重叠 20%–70%，需人工核对",
        "Overlaps another trip by 20 to 70 %: a person will look",
    ),
    "vehicle_already_claimed": Text("该车辆在此时段已有记录", "The vehicle is already claimed for this time"),
    "item_already_claimed": Text("该物品已计入过", "This item has been counted already"),
    "transaction_already_claimed": Text(
        "该订单或投放已计入过", "This order or deposit has been counted already"
    ),
    "meter_already_claimed": Text("该表计在此时段已计入过", "The meter's period has been counted already"),
    "daily_count_cap": Text("已达当日次数上限", "The day's number of acts is used up"),
    "daily_quantity_cap": Text(
        "超出当日数量上限，超出部分不计", "Above the day's quantity; the rest is not counted"
    ),
    "monthly_count_cap": Text("已达当月次数上限", "The month's number of acts is used up"),
    "monthly_quantity_cap": Text(
        "超出当月数量上限，超出部分不计", "Above the month's quantity; the rest is not counted"
    ),
    "yearly_count_cap": Text("已达当年次数上限", "The year's number of acts is used up"),
    "yearly_quantity_cap": Text(
        "超出当年数量上限，超出部分不计", "Above the year's quantity; the rest is not counted"
    ),
    "daily_points_cap": Text(
        "已达当日积分上限，减排量照记", "The day's points are used up; the grams are kept"
    ),
    "no_earning_rate": Text(
        "当日没有适用的积分标准，减排量照记", "No earning rate applies; the grams are kept"
    ),
    "campaign_daily_cap": Text("已达本活动每人每日加赠上限", "The campaign's bonus of the day is used up"),
    "campaign_weekly_cap": Text("已达本活动每人每周加赠上限", "The campaign's bonus of the week is used up"),
    "campaign_total_cap": Text("已达本活动每人加赠总上限", "The campaign's bonus for one person is used up"),
    "campaign_exhausted": Text(
        "本活动预算已用完或已结清，基础积分照记",
        "The campaign's budget is spent or settled; base points are kept",
    ),
    "fund_exhausted": Text("积分资金池已用尽，减排量照记", "The fund is used up; the grams are kept"),
    "could_not_be_decided": Text(
        "系统无法自动判定，已转人工", "Could not be decided by machine: a person will look"
    ),
    "trace_being_verified": Text(
        "轨迹核验中，完成后作出决定", "The trace is being looked at; the decision follows"
    ),
    "trace_needs_consent": Text(
        "未授权使用轨迹，轨迹未保存，按自行申报处理。可在“我的授权”中开启",
        "No consent to the use of traces: it was not kept, and the trip counts as declared. "
        "You can agree under consents",
    ),
    "trace_not_needed": Text(
        "此类行为不需要轨迹，未保存", "This kind of act needs no trace: it was not kept"
    ),
    "trace_withdrawn": Text(
        "已撤回轨迹授权，轨迹已删除，按自行申报处理",
        "The consent was withdrawn and the trace deleted: treated as declared",
    ),
    "trace_expired": Text(
        "轨迹已过保存期，按自行申报处理", "The trace is past its time: treated as declared"
    ),
    "trace_cannot_be_opened": Text(
        "轨迹无法读取，按自行申报处理", "The trace cannot be opened: treated as declared"
    ),
    "trip_unverified": Text(
        "轨迹不足以核验，按自行申报处理", "The trace does not suffice: treated as declared"
    ),
    "trip_under_review": Text("轨迹有疑点，由工作人员核对", "The trace raises questions: a person will look"),
    "trip_not_credible": Text("轨迹与申报不符", "The trace does not fit the claim"),
    "trip_refused_by_staff": Text(
        "经人工核对，轨迹与申报不符", "A person looked: the trace does not fit the claim"
    ),
    "trip_accepted_by_staff": Text("经人工核对通过", "A person looked and accepted it"),
    "accepted_by_staff": Text("经人工核对，重新核算", "A person looked and let it be decided again"),
    "refused_evidence": Text(
        "经人工核对，证据与申报不符", "A person looked: the evidence does not fit the claim"
    ),
    "refused_double": Text(
        "经人工核对，与另一记录为同一行为", "A person looked: it is the same act as another"
    ),
    "refused_unshown": Text("经人工核对，证据不足以证明", "A person looked: the evidence does not suffice"),
    "refused_numbers": Text("经人工核对，申报数据有误", "A person looked: the numbers told are wrong"),
    "sampled": Text("抽样复核", "Drawn for a second look"),
    "reversed_by_staff": Text("经核查撤销", "Reversed after review"),
    "clawback_unopposed": Text(
        "经通知，期限内无异议，已撤回", "Taken back: announced, and nobody objected within the time given"
    ),
    "clawback_upheld": Text("经复核异议后撤回", "Taken back after the objection was looked at"),
    "clawback_fraud": Text(
        "经两名工作人员核定为虚假，已撤回", "Taken back: two members of staff found it false"
    ),
    "appeal_upheld": Text("申诉成立，重新核算", "The appeal was upheld: decided again"),
    # what keeps a partner's record from becoming an act
    "not_bound": Text("未绑定居民，未保留", "Of nobody who is bound here: not kept"),
    "unknown_subject": Text("尚未绑定居民", "Not bound to a resident yet"),
    "unknown_methodology": Text("没有这个方法学", "No such methodology"),
    "methodology_not_of_feed": Text("该数据源不提供此类行为", "This feed does not report such acts"),
    "monitored_unknown": Text("含有方法学未要求的数据", "A quantity the methodology does not know"),
    "in_the_future": Text("发生时间在未来", "It lies in the future"),
    "too_old": Text("超过可申报期限", "It is too long ago"),
    "ends_before_start": Text("结束早于开始", "It ends before it starts"),
    "too_long": Text("一次出行不应超过六小时", "A trip lasts six hours at most"),
    "content_differs": Text("同一编号的内容与先前不同", "The same record number with other content"),
    "reference_missing": Text("缺少必需的凭证编号", "A reference that is needed is missing"),
    "withdrawn_by_partner": Text("合作方已撤回该记录", "The partner took it back"),
    "corrected_by_partner": Text(
        "合作方已更正该记录，以更正后的为准", "The partner corrected it: the corrected one counts instead"
    ),
    "duplicate": Text("已收到过", "Received already"),
    "same_station": Text("进出为同一站点", "In and out at the same station"),
    "journey_not_sure": Text(
        "历时过长，其间可能还有未到的记录", "So long that taps in between may still be to come"
    ),
    "taps_alike": Text(
        "同一秒在两处刷卡，无法判断", "Two places tell of one card in one second: nobody can say which"
    ),
    "distance_unknown": Text("缺少两站间距离，待补充", "The distance between the stations is not known yet"),
    "exit_missing": Text("只有进站记录，等待出站记录", "An entry without its exit, so far"),
    "entry_missing": Text("只有出站记录，等待进站记录", "An exit without its entry, so far"),
    "bus_has_no_alighting": Text("公交只有上车记录，无法得知里程", "A bus tap has no alighting: no distance"),
    "unknown_transaction": Text("未知的交易类型", "An unknown kind of transaction"),
    "contradictory_duration": Text("时长与起止时间矛盾", "The duration contradicts the times"),
    "broken_row": Text("该行无法读取", "The row cannot be read"),
    # what a partner's own record shows
    "not_readable": Text("该记录无法读取", "The record cannot be read"),
    "subject_missing": Text("未注明用户", "It names no customer"),
    "correction_waits": Text("等待更正处理", "A correction that waits to be applied"),
    "coordinates_swapped": Text("经纬度写反", "Latitude and longitude are exchanged"),
    "coordinates_out_of_range": Text("坐标不在所述区域内", "The place lies outside the area it names"),
    "absurd_duration": Text("时长不合常理", "It lasts longer than such a thing can"),
    "done_before_start": Text("充满时间早于开始时间", "Charged before it started"),
    "done_after_unplug": Text("充满时间晚于拔枪时间", "Charged after it was unplugged"),
    "implausible_power": Text("充电功率不合常理", "More power than a charger gives"),
    "not_a_cdr": Text("不是充电结算记录", "Not a charge detail record"),
    "unknown_material": Text("未知的回收品类", "An unknown material"),
    "violation_flagged": Text("投放被标记为违规", "The deposit is marked as a violation"),
    "implausible_mass": Text("重量不合常理", "Heavier than a deposit can be"),
    "not_a_deposit": Text("不是投放记录", "Not a deposit"),
    # what the balance of a station's bags, or the recycler's purchases, say of a deposit
    "bag_does_not_balance": Text(
        "该箱投放总量与过磅净重相差超过 10%，核对前暂不计入",
        "What the machine says was put in and what the bag weighed differ by more than 10 %: held until that is settled",
    ),
    "beyond_recycler_purchases": Text(
        "超出回收商当月同品类采购量，核对前暂不计入",
        "More than the recycler bought of this material in the month: held until that is settled",
    ),
    "unknown_propulsion": Text("未知的车辆动力类型", "An unknown propulsion"),
    "alighting_missing": Text("只有上车记录，等待下车记录", "A boarding without its alighting, so far"),
    "boarding_missing": Text("只有下车记录，等待上车记录", "An alighting without its boarding, so far"),
    "not_a_bus_tap": Text("不是公交刷卡记录", "Not a tap on a bus"),
    "not_settled": Text("订单未完成支付", "The order is not paid"),
    "not_a_green_purchase": Text("不含低碳选项", "Nothing was left out or brought along"),
    "unknown_seats": Text("座位数有误", "No such number of seats"),
    "one_person_twice": Text("司机与乘客为同一人", "Driver and passenger are one person"),
    "contradictory_drive": Text("同一车次的记录互相矛盾", "The journeys of one drive contradict each other"),
    "survival_not_checked": Text("已种植，等待存活检查", "Planted; it waits for the survey of survival"),
    "more_survive_than_planted": Text("存活数多于种植数", "More survive than were planted"),
    "unknown_datum": Text("未知的坐标系", "An unknown datum"),
    "unknown_meter": Text("未知的表计类型", "An unknown kind of meter"),
    "unknown_unit": Text("未知的计量单位", "Not the unit of this meter"),
    # what a look at a trip's trace found
    **OF_TRIPS,
    **BROKEN,
}
# a methodology's own: conditions that were not met, and why an act comes to nothing
OF_METHODOLOGIES = {reason: versions[-1] for versions in BY_CODE.values() for reason in versions[-1].reasons}


def explain(code: str) -> Text:
    """The text for people of a reason code; a code without one is a KeyError, caught by a test."""
    if code in REASONS:
        return REASONS[code]
    methodology = OF_METHODOLOGIES[code]
    words = quantification.explain(methodology, code, releases(methodology)[-1])
    return Text(words.zh, words.en)
