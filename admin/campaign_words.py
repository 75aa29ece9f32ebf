"""A campaign's terms in words, the same on its page, before a second person, and beside what another changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy.orm import Session

from admin import words
from carbon_credits.core.i18n import Text
from carbon_credits.incentives.report import FEWEST
from carbon_credits.ledger import transfers
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme.campaign_themes import CALENDAR
from carbon_credits.reporting import campaign_desk
from carbon_credits.reporting.numbers import grouped, percent_of_ppm
from carbon_credits.residents.service import Street

Document = Mapping[str, Any]
THEMES: Final[Mapping[str, Text]] = {one.code: one.name for one in CALENDAR} | {
    "other": Text("其他", "Another")
}
REWARDS: Final[Mapping[str, Text]] = {
    "multiplier": Text("按倍数加赠", "a multiple of the base"),
    "bonus": Text("每次固定加赠", "so many points an act"),
}
AUDIENCES: Final[Mapping[str, Text]] = {
    "everyone": Text("全体居民", "everyone"),
    "streets": Text("所选镇街的居民", "residents of some streets"),
    "group": Text("一个组的成员", "members of a group"),
    "new": Text("新注册的居民", "newcomers"),
    "lapsed": Text("一段时间没有行为的居民", "residents who did nothing for a while"),
}
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}
NO_STREET: Final = Text("未填写镇街", "No street stated")
CUTS: Final[Mapping[str, Text]] = {
    "campaign_daily_cap": Text("每人每日上限", "the cap of a day"),
    "campaign_weekly_cap": Text("每人每周上限", "the cap of a week"),
    "campaign_total_cap": Text("每人总上限", "the cap in all"),
    "campaign_exhausted": Text("活动预算用完", "the end of the budget"),
}
CAUSES: Final[Mapping[str, Text]] = {
    "date": Text("到期", "its last day was over"),
    "exhausted": Text("预算用完", "the budget was spent"),
    "staff": Text("由工作人员提前结束", "ended by staff"),
}
FEW: Final = Text(f"不足 {FEWEST} 人", f"fewer than {FEWEST}")
NOT_SET: Final = Text("不设", "none")


@dataclass(frozen=True)
class Names:
    """What codes and numbers in terms are called."""

    funds: Mapping[str, Text]
    groups: Mapping[int, Text]


class TermLine(NamedTuple):
    """One field of the terms: its name in the document, what it is called, what it says."""

    name: str
    words: Text
    value: Text


def names(session: Session) -> Names:
    """The names of all funds and groups that terms may speak of."""
    return Names({one.code: one.name for one in transfers.sources(session)}, campaign_desk.groups(session))


def _points(many: int) -> Text:
    return Text(f"{grouped(many)} 积分", f"{grouped(many)} points")


def _days(many: int) -> Text:
    return Text(f"{many} 天", f"{many} days")


def _times(multiplier: str) -> Text:
    plain = f"{Decimal(str(multiplier)).normalize():f}"
    return Text(f"{plain} 倍", f"{plain} times")


def _plain(value: Any) -> Text:
    return Text(str(value), str(value))


def _joined(codes: Sequence[str], known: Callable[[str], Text]) -> Text:
    told = [known(code) for code in codes]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told))


def _methodology(code: str) -> Text:
    return Text(*BY_CODE[code][-1].title) if code in BY_CODE else Text(code, code)


def _held_out(ppm: int) -> Text:
    share = percent_of_ppm(ppm) or ""
    return Text(f"{share}（随机，不告知）", f"{share}, by lot, and not told") if ppm else NOT_SET


_SAID: Final[Mapping[str, tuple[Text, Callable[[Any], Text]]]] = {
    "code": (Text("代码", "Code"), _plain),
    "theme": (Text("主题", "Theme"), lambda code: words.named(THEMES, code)),
    "name_zh": (Text("名称（中文）", "Name in Chinese"), _plain),
    "name_en": (Text("名称（英文）", "Name in English"), _plain),
    "starts_on": (Text("开始日", "First day"), _plain),
    "ends_on": (Text("结束日", "Last day"), _plain),
    "audience": (Text("参与对象", "For whom"), lambda code: words.named(AUDIENCES, code)),
    "streets": (Text("镇街", "Streets"), lambda codes: _joined(codes, lambda one: words.named(STREETS, one))),
    "group_id": (Text("组", "Group"), lambda number: _plain(f"#{number}")),
    "audience_days": (Text("天数", "Days"), _days),
    "methodologies": (Text("适用行为", "Acts"), lambda codes: _joined(codes, _methodology)),
    "reward": (Text("奖励方式", "Reward"), lambda code: words.named(REWARDS, code)),
    "multiplier": (Text("倍数", "Multiplier"), _times),
    "bonus_points": (Text("每次加赠", "Points an act"), _points),
    "cap_day": (Text("每人每日上限", "Cap of a day"), _points),
    "cap_week": (Text("每人每周上限", "Cap of a week"), _points),
    "cap_total": (Text("每人总上限", "Cap in all"), _points),
    "source_fund": (Text("资金来源", "Paid from"), _plain),
    "budget_points": (Text("预算", "Budget"), _points),
    "holdout_ppm": (Text("对照组", "Held out"), _held_out),
    "text_zh": (Text("说明（中文）", "Text in Chinese"), _plain),
    "text_en": (Text("说明（英文）", "Text in English"), _plain),
    "rules_zh": (Text("规则（中文）", "Rules in Chinese"), _plain),
    "rules_en": (Text("规则（英文）", "Rules in English"), _plain),
}
# said even where there is none: that there is no cap is a term too
_ALWAYS: Final = frozenset({"cap_day", "cap_week", "cap_total"})
TEXTS: Final = frozenset({"text_zh", "text_en", "rules_zh", "rules_en"})


def fen(micro_fen: int) -> Text:
    """Millionths of a fen as fen with two places, what is less cut off."""
    whole, part = divmod(micro_fen // 10_000, 100)
    told = f"{grouped(whole)}.{part:02d}"
    return Text(f"{told} 分", f"{told} fen")


def people(many: int) -> Text:
    """How many people; a few are not counted, for with the streets beside them they could be told."""
    return FEW if 0 < many < FEWEST else Text(grouped(many), grouped(many))


def top_share(people_in_all: int, ppm: int) -> Text:
    """The share of the one in a hundred who gained most; not told of a few."""
    share = "—" if people_in_all < FEWEST else percent_of_ppm(ppm) or "—"
    return Text(share, share)


def label(name: str) -> Text:
    """What a field of the terms is called."""
    return _SAID[name][0]


def value(name: str, given: Any, known: Names) -> Text:
    """What a field of the terms says."""
    if given is None:
        return NOT_SET
    if name == "source_fund":
        return words.named(known.funds, given)
    if name == "group_id" and given in known.groups:
        return known.groups[given]
    return _SAID[name][1](given)


def lines(document: Document, known: Names) -> list[TermLine]:
    """The terms, field by field; what such terms do not have is left out."""
    return [
        TermLine(name, told, value(name, document.get(name), known))
        for name, (told, _) in _SAID.items()
        if document.get(name) is not None or name in _ALWAYS
    ]


def differing(one: Document, other: Document) -> list[str]:
    """Fields in which two terms differ."""
    return [name for name in _SAID if one.get(name) != other.get(name)]
