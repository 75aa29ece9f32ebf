"""Every no of redemption: its code, what it means and what to do next, for residents and for those at a till.

Whoever is refused learns nothing of anybody else: not who used a code, nor whose it was.
"""

from collections.abc import Mapping
from typing import Final

from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound, ProgrammeError
from carbon_credits.core.i18n import Text

_SAYS: Final[Mapping[str, tuple[type[ProgrammeError], Text]]] = {
    "offer_unknown": (
        NotFound,
        Text("没有该权益，请刷新列表", "There is no such offer: look at the list again"),
    ),
    "offer_ended": (
        Conflict,
        Text("该权益已结束，请选择其他权益", "The offer has ended: please choose another"),
    ),
    "offer_not_open": (
        Conflict,
        Text("该权益暂未开放，请稍后再来", "The offer is not open at the moment: please come back later"),
    ),
    "price_changed": (
        Conflict,
        Text("积分价格已变更，请刷新后确认新价格", "The price is another one now: look again and confirm it"),
    ),
    "sold_out": (Conflict, Text("已兑完，请选择其他权益", "There is none left: please choose another offer")),
    "per_person_reached": (
        Conflict,
        Text("您已达到该权益的兑换上限", "You have had this offer as often as one person may"),
    ),
    "not_your_street": (
        Conflict,
        Text(
            "该权益限指定镇街居民，可在个人资料中设置镇街",
            "The offer is for residents of certain streets: set yours in your profile",
        ),
    ),
    "merchant_suspended": (
        Conflict,
        Text("该商户已暂停服务，积分不会被扣除", "The merchant is suspended; no points are taken"),
    ),
    "insufficient_points": (
        Conflict,
        Text(
            "可用积分不足，完成低碳行为可获得更多积分",
            "There are not enough points: low-carbon acts earn more",
        ),
    ),
    "wallet_in_debt": (
        Conflict,
        Text(
            "您有待抵扣的积分，新获得的积分抵扣完后即可兑换",
            "Points are owed: once new points have repaid them, you can redeem again",
        ),
    ),
    "not_offline": (
        Conflict,
        Text(
            "该权益不支持离线核销，请申请普通券码",
            "The offer has no codes for offline tills: ask for a plain one",
        ),
    ),
    "gift_needed": (
        Conflict,
        Text("该权益为众筹礼物，请发起或加入一份礼物", "This is a gift of many: begin one or join one"),
    ),
    "not_a_gift": (Conflict, Text("该权益不是众筹礼物", "This offer is not a gift of many")),
    "gift_unknown": (
        NotFound,
        Text("没有该礼物，请核对邀请码", "There is no such gift: check the code of the invitation"),
    ),
    "gift_over": (Conflict, Text("该礼物已达成或已截止", "The gift is complete, or its time is up")),
    "deadline_not_fitting": (
        Invalid,
        Text("截止时间须在一小时至六十天之内", "The deadline must lie between an hour and sixty days ahead"),
    ),
    "redemption_unknown": (NotFound, Text("没有该兑换", "There is no such redemption")),
    "redemption_over": (
        Conflict,
        Text("该兑换已使用、已取消或已过期", "The redemption was used, cancelled or has lapsed"),
    ),
    "offline_not_cancelled": (
        Conflict,
        Text(
            "离线券码可能已被使用，不能取消；未使用的积分到期后自动退回",
            "An offline code may have been used already and cannot be cancelled; unused points come back by themselves",
        ),
    ),
    "code_unknown": (
        NotFound,
        Text(
            "没有该券码，请核对后重新扫码或输入",
            "There is no such code: check it, then scan or type it again",
        ),
    ),
    "code_expired": (
        Conflict,
        Text("该券码已失效，请顾客重新兑换", "The code is over: the customer can ask for a new one"),
    ),
    "code_used": (
        Conflict,
        Text("该券码已使用，请顾客出示其他券码", "The code has been used: the customer needs another one"),
    ),
    "code_of_another_merchant": (
        Conflict,
        Text(
            "该券码属于其他商户，请顾客核对门店",
            "The code is for another merchant: the customer should check which",
        ),
    ),
    "occurred_at_not_fitting": (
        Invalid,
        Text(
            "核销时间不在券码有效期内，或补传已超过三天",
            "The time lies outside the life of the code, or the code was sent more than three days late",
        ),
    ),
    "no_shift": (
        Conflict,
        Text("请先在本收银台上班打卡", "Nobody is on shift at this till: begin one first"),
    ),
    "manager_needed": (NotAllowed, Text("需要店长在班才能撤销", "A manager must be on shift to reverse")),
    "capture_unknown": (NotFound, Text("没有该核销记录", "There is no such capture")),
    "reversed_already": (Conflict, Text("该核销已撤销", "The capture has been reversed already")),
    "too_late_to_reverse": (
        Conflict,
        Text(
            "只能在核销当日撤销，请联系平台处理",
            "A capture can be reversed on its day alone: please write to the programme",
        ),
    ),
}
CODES: Final = tuple(_SAYS)


def refusal(code: str) -> ProgrammeError:
    """The error of one code, of the kind that the table gives it."""
    kind, words = _SAYS[code]
    return kind(code, words)
