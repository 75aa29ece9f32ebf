"""Campaigns for a resident: what runs, what is announced, by which rules, and how much of the budget is left."""

from typing import Any, Final

from flask import Response
from marshmallow import fields

from carbon_credits.api.access import Who
from carbon_credits.api.answers import answer
from carbon_credits.api.documents import Blueprint
from carbon_credits.api.fields import Body, Choice, Day, Whole, Words
from carbon_credits.api.house import principal
from carbon_credits.api.language import language
from carbon_credits.api.strict_json import GREATEST
from carbon_credits.core import clock
from carbon_credits.core.db import reading
from carbon_credits.core.i18n import Text
from carbon_credits.crediting import campaign_views
from carbon_credits.crediting.campaign_views import Listed
from carbon_credits.programme.campaign_terms import REWARDS, THEMES

EVALUATED: Final = Text(
    "为评估效果，本活动随机地不面向一部分居民。",
    "To find out what it brings about, this campaign leaves out some residents at random.",
)

blueprint = Blueprint(
    "campaigns", __name__, who=Who.RESIDENT, description="主题活动。\n\nCampaigns: bonus points for a time."
)


class CampaignReward(Body):
    """So many times the base points (a decimal as text), or a fixed number of points an act; the other is null."""

    kind = Choice(*REWARDS, required=True)
    multiplier = Words(1, 8, required=True, allow_none=True, example="1.5")
    points = Whole(1, GREATEST, required=True, allow_none=True)


class CampaignCaps(Body):
    """The most bonus points for one person: a day, a week (Monday to Sunday), in all; null where there is no cap."""

    day = Whole(1, GREATEST, required=True, allow_none=True, example=50)
    week = Whole(1, GREATEST, required=True, allow_none=True)
    total = Whole(1, GREATEST, required=True, allow_none=True, example=500)


class ACampaign(Body):
    """A campaign for this resident. Days are the programme's, both included; an act counts by the day it ends."""

    code = Words(3, 30, required=True, example="earth_day_2027")
    theme = Choice(*THEMES, required=True)
    name = Words(1, 100, required=True, example="世界地球日")
    text = Words(1, 4_000, required=True, example="绿色出行，积分加倍。")
    rules = Words(1, 8_000, required=True, example="每人每日至多加赠 50 积分。")
    early_end = Words(1, 400, required=True, example=campaign_views.EARLY_END.zh)
    evaluation = Words(1, 400, required=True, allow_none=True, example=EVALUATED.zh)
    state = Choice("announced", "running", "paused", required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    methodologies = fields.List(Words(3, 60, example="travel.metro"), required=True)
    reward = fields.Nested(CampaignReward, required=True)
    caps = fields.Nested(CampaignCaps, required=True)
    budget_left_ppm = Whole(0, 1_000_000, required=True, example=730_000)


class Campaigns(Body):
    """The earliest first."""

    items = fields.List(fields.Nested(ACampaign), required=True)


@blueprint.route("/v1/campaigns", methods=["GET"])
@blueprint.response(200, Campaigns)
def index() -> Response:
    """主题活动 / Campaigns

    面向我的、正在进行或已公布的活动，规则与预算余量。

    Those for me that run or are announced, their rules, and how much of the budget is left.
    """
    with reading() as session:
        found = campaign_views.offered_to(session, principal().id, clock.today())
    return answer({"items": [_view(campaign) for campaign in found]})


def _view(campaign: Listed) -> dict[str, Any]:
    tongue, times = language(), campaign.multiplier
    return {
        "code": campaign.code,
        "theme": campaign.theme,
        "name": campaign.name.in_language(tongue),
        "text": campaign.text.in_language(tongue),
        "rules": campaign.rules.in_language(tongue),
        "early_end": campaign_views.EARLY_END.in_language(tongue),
        "evaluation": EVALUATED.in_language(tongue) if campaign.evaluated else None,
        "state": campaign.state,
        "starts_on": campaign.starts_on,
        "ends_on": campaign.ends_on,
        "methodologies": campaign.methodologies,
        "reward": {
            "kind": campaign.reward,
            "multiplier": None if times is None else f"{times.normalize():f}",
            "points": campaign.bonus_points,
        },
        "caps": campaign.caps,
        "budget_left_ppm": campaign.left_ppm,
    }
