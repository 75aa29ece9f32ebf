"""What the demonstration's merchants are and offer; made up, with licences that pass their check."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.residents.service import Street
from carbon_credits.rewards.accounts import Bank, Settlement
from carbon_credits.rewards.licence import check_character
from carbon_credits.rewards.merchants import Application, Category
from carbon_credits.rewards.offers import Draft, OfferKind

# in place of the days on which an offer is open: those are the seed's
_SOME_DAY: Final = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stall:
    """A merchant and its offers, each with fen a piece on top and out of which purse."""

    application: Application
    offers: tuple[tuple[Draft, int, str | None], ...]


def _application(
    number: int, code: str, names: Text, category: Category, street: Street, address: str
) -> Application:
    first = f"91440604MA0DEM{number:03}"
    return Application(
        code=f"demo_{code}",
        names=names,
        category=category,
        street=street,
        address=address,
        licence_no=first + check_character(first),
        contact_name="演示联系人",
        contact_phone=f"1380000{number:04}",
        settlement=Settlement("bank", Bank(names.zh, f"44000000000000{number:02}", "105588000011")),
    )


LUNCH: Final = Draft(
    kind=OfferKind.VOUCHER,
    title=Text("工作日午餐抵 10 元", "10 yuan off a weekday lunch"),
    text=Text("周一至周五 11:00–14:00，每桌限用一张。", "Monday to Friday, 11 to 2, one a table."),
    category=Category.FOOD,
    points=1_500,
    face_fen=1_000,
    stock=500,
    from_at=_SOME_DAY,
    to_at=_SOME_DAY,
)
BREAKFAST: Final = replace(
    LUNCH,
    title=Text("早点抵 1 元", "1 yuan off breakfast"),
    text=Text("每日 7:00–9:30。", "Every day, 7 to half past 9."),
    points=100,
    face_fen=100,
)
_POTTERY: Final = replace(
    LUNCH,
    title=Text("陶艺体验抵 20 元", "20 yuan off an hour of pottery"),
    text=Text("需提前预约；网络中断时也可核销。", "Book beforehand; can be taken while offline too."),
    category=Category.CULTURE,
    points=2_000,
    face_fen=2_000,
    per_person=2,
    offline=True,
)
_VEGETABLES: Final = replace(
    LUNCH,
    title=Text("蔬菜抵 5 元", "5 yuan off vegetables"),
    text=Text("限张槎居民。", "For residents of Zhangcha."),
    category=Category.GROCERIES,
    points=600,
    face_fen=500,
    streets=(Street.ZHANGCHA,),
)
SEEDLING: Final = replace(
    LUNCH,
    kind=OfferKind.DONATION,
    title=Text("捐一株红树苗的十分之一", "A tenth of a mangrove seedling"),
    text=Text("积分捐给植树项目。", "The points go to a planting project."),
    category=Category.PLANTING,
    points=300,
    face_fen=100,
)
_GROVE: Final = replace(
    SEEDLING,
    kind=OfferKind.GROUP_GIFT,
    title=Text("众人合种一棵樟树", "A camphor tree by many"),
    # the price is of one piece: whoever begins a gift says how many pieces it takes
    text=Text(
        "每人认一份，每份 100 积分，两百份种一棵；到期未满全部退还。",
        "A piece each, 100 points a piece, two hundred a tree; all is given back if it is not met in time.",
    ),
    points=100,
    face_fen=50,
    stock=4_000,
)
_SANYOU: Final = Text("演示三友饭店", "Demo Three Friends")
_TAOFANG: Final = Text("演示石湾陶坊", "Demo Shiwan Pottery")
_XIANSHENG: Final = Text("演示张槎鲜生", "Demo Zhangcha Fresh")
_LVHUA: Final = Text("演示绿化机构", "Demo Planting Body")

STALLS: Final = (
    Stall(
        _application(1, "sanyou", _SANYOU, Category.FOOD, Street.ZUMIAO, "禅城区祖庙路 1 号"),
        ((LUNCH, 200, "demo_programme"), (BREAKFAST, 50, "demo_programme")),
    ),
    Stall(
        _application(2, "taofang", _TAOFANG, Category.CULTURE, Street.SHIWAN, "禅城区石湾 2 号"),
        ((_POTTERY, 500, "demo_sponsor"),),
    ),
    Stall(
        _application(3, "xiansheng", _XIANSHENG, Category.GROCERIES, Street.ZHANGCHA, "禅城区张槎 3 号"),
        ((_VEGETABLES, 0, None),),
    ),
    Stall(
        _application(4, "lvhua", _LVHUA, Category.PLANTING, Street.NANZHUANG, "禅城区南庄 4 号"),
        ((SEEDLING, 97, "demo_sponsor"), (_GROVE, 49, "demo_sponsor")),
    ),
)
