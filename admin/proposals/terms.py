"""Programmes of green finance before their second person, in words: every term of a version."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.orm import Session

from admin import words
from admin.proposals.shape import NONE, Line, Told, Value, yuan
from carbon_credits.core.i18n import Text
from carbon_credits.incentives import programmes
from carbon_credits.incentives.terms import UNITS
from carbon_credits.reporting.numbers import grams, grouped


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


def _all_of(known: Mapping[str, Text], codes: Any) -> Text:
    told = [words.named(known, code) for code in codes]
    return Text("、".join(one.zh for one in told), ", ".join(one.en for one in told)) if told else NONE
