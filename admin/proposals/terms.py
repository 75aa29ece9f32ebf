"""Proposals that hold a whole document of terms, in words: campaigns, and programmes of green finance."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from admin import words
from admin.proposals.shape import NONE, Line, Told, Value, points, yuan
from carbon_credits.core.i18n import Text
from carbon_credits.groups import service as groups
from carbon_credits.incentives import programmes
from carbon_credits.incentives.terms import UNITS
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.reporting.numbers import grams, grouped
from carbon_credits.residents.service import Street

CAPS: Final = ("cap_day", "cap_week", "cap_total")
AUDIENCES: Final[Mapping[str, Text]] = {
    "everyone": Text("所有居民", "everyone"),
    "streets": Text("按镇街", "some streets"),
    "group": Text("一个组", "a group"),
    "new": Text("新加入的居民", "newcomers"),
    "lapsed": Text("一段时间未参与的居民", "who had lapsed"),
}
STREETS: Final[Mapping[str, Text]] = {street.value: street.text for street in Street}


def campaign(session: Session, payload: Mapping[str, Any]) -> Told:
    """A campaign: the money first, then for whom and for what, then every word of it."""
    terms = payload["terms"]
    caps = " / ".join("—" if terms[name] is None else grouped(terms[name]) for name in CAPS)
    return Told(
        Text(f"活动“{terms['name_zh']}”", f"The campaign “{terms['name_en']}”"),
        (
            Line(Text("代码与主题", "Code and theme"), f"{terms['code']} · {terms['theme']}"),
            Line(
                Text("期间（含首尾）", "From and to, both included"),
                f"{terms['starts_on']} – {terms['ends_on']}",
            ),
            Line(Text("预算", "Budget"), points(terms["budget_points"])),
            Line(Text("来源资金池", "Out of the fund"), terms["source_fund"]),
            Line(Text("奖励", "It gives"), _reward(terms)),
            Line(Text("每人上限（日 / 周 / 总）", "The most a person gets: a day, a week, in all"), caps),
            Line(Text("对象", "For"), words.named(AUDIENCES, terms["audience"])),
            Line(Text("镇街", "Streets"), _all_of(STREETS, terms["streets"] or ())),
            Line(Text("组", "Group"), _group(session, terms["group_id"])),
            Line(Text("对象天数", "Days that count for whom it is"), _or_none(terms["audience_days"])),
            Line(Text("低碳行为", "Acts"), _methodologies(terms["methodologies"])),
            Line(Text("对照比例", "Held out"), f"{terms['holdout_ppm'] / 10_000:g} %"),
            Line(Text("说明", "Text"), f"{terms['text_zh']}\n{terms['text_en']}"),
            Line(Text("规则", "Rules"), f"{terms['rules_zh']}\n{terms['rules_en']}"),
        ),
    )


def incentive(session: Session, payload: Mapping[str, Any]) -> Told:
    """A version of a green-finance programme: every term beside that of the version in force."""
    terms = payload["terms"]
    found = programmes.versions(session, terms["code"])
    holding = [one for one in found if one.state in ("active", "paused")]
    before = dict(_terms(holding[-1].terms.as_document())) if holding else {}
    now = dict(_terms(terms))
    return Told(
        Text(
            f"金融激励方案“{terms['name']['zh']}”第 {payload['version']} 版",
            f"Version {payload['version']} of the incentive “{terms['name']['en']}”",
        ),
        [
            *(Line(said, value, before.get(said)) for said, value in now.items()),
            *(Line(said, NONE, value) for said, value in before.items() if said not in now),
            Line(Text("证明的受众", "Audience of its statements"), payload["audience"]),
        ],
        before=Text("现行版本", "In force"),
        page=("incentives.one", {"incentive": payload["incentive_id"]}),
    )


def _terms(terms: Mapping[str, Any]) -> Iterator[tuple[Text, Value]]:
    yield Text("名称", "Name"), _both(terms["name"])
    yield Text("代码", "Code"), terms["code"]
    yield Text("机构", "Bank"), terms["bank"]
    yield Text("优惠", "Benefit"), words.named(words.BENEFITS, terms["benefit"])
    yield Text("减排量", "Grams"), words.named(words.GRADES, terms["grade"])
    yield Text("计入类别", "Acts of"), _all_of(words.FAMILIES, terms["families"])
    yield Text("统计窗口（月）", "Window, months"), str(terms["window_months"])
    yield Text("证明有效期（天）", "A statement is valid for, days"), str(terms["valid_days"])
    is_money = UNITS[terms["benefit"]] == "fen"
    for place, tier in enumerate(terms["tiers"], 1):
        reached = grams(tier["from_g"] * 1_000)
        brings = yuan(tier["amount"]) if is_money else f"{grouped(tier['amount'])} bp"
        told = f"{tier['code']} · ≥ {reached.amount} {reached.unit.en} · {brings}\n{_both(tier['name'])}"
        yield Text(f"第 {place} 档", f"Tier {place}"), told
    yield Text("优惠说明", "What it says of the benefit"), _both(terms["benefit_text"])
    yield Text("同意书", "Consent"), _both(terms["consent"])
    yield Text("不得不利使用", "No adverse use"), _both(terms["no_adverse_use"])


def _both(told: Mapping[str, str]) -> str:
    """Both languages, for both are agreed to."""
    return f"{told['zh']}\n{told['en']}"


def _reward(terms: Mapping[str, Any]) -> Text:
    if terms["multiplier"] is not None:
        return Text(f"基础积分 × {terms['multiplier']}", f"base points × {terms['multiplier']}")
    return Text(f"每次 {terms['bonus_points']} 积分", f"{terms['bonus_points']} points an act")


def _group(session: Session, group_id: int | None) -> Value:
    if group_id is None:
        return NONE
    known = groups.group(session, group_id)
    return Text(f"#{group_id} {known.name_zh}", f"#{group_id} {known.name_en}")


def _methodologies(codes: list[str]) -> Text:
    told = [Text(*BY_CODE[code][-1].title) if code in BY_CODE else Text(code, code) for code in codes]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told))


def _all_of(known: Mapping[str, Text], codes: Any) -> Text:
    told = [words.named(known, code) for code in codes]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told)) if told else NONE


def _or_none(value: int | None) -> Value:
    return NONE if value is None else str(value)
