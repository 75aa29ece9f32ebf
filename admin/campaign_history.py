"""What became of a campaign, in words: each deed with who did it, and a change with what it said before and since."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from admin import audit_words, campaign_words, words
from admin.campaign_words import Names
from carbon_credits.core.i18n import Text
from carbon_credits.reporting.deeds import Deed
from carbon_credits.reporting.numbers import grouped

BY_ITSELF: Final = Text("自动", "by itself")


class Entry(NamedTuple):
    """One deed, as it is told."""

    at: datetime
    who: Text
    what: Text
    details: Sequence[Text]


def told(deeds: Sequence[Deed], known: Names) -> list[Entry]:
    """Deeds of a campaign as its page tells them."""
    return [
        Entry(deed.at, _who(deed), audit_words.words(deed.action), list(_details(deed, known)))
        for deed in deeds
    ]


def _who(deed: Deed) -> Text:
    if deed.actor == "periodic":
        return BY_ITSELF
    name = deed.name or deed.actor
    return Text(name, name)


def _details(deed: Deed, known: Names) -> Iterator[Text]:
    before, after = deed.before or {}, deed.after or {}
    if deed.action == "campaign.changed":
        for name in campaign_words.differing(before, after):
            yield _changed(name, before.get(name), after.get(name), known)
        return
    if "points" in after:
        many = grouped(after["points"])
        yield Text(f"{many} 积分", f"{many} points")
    if "cause" in after:
        yield words.named(campaign_words.CAUSES, after["cause"])
    if "reason" in after and after.get("cause", "staff") == "staff":
        yield Text(after["reason"], after["reason"])


def _changed(name: str, old: object, new: object, known: Names) -> Text:
    label = campaign_words.label(name)
    if name in campaign_words.TEXTS:
        return Text(f"{label.zh}：已改写", f"{label.en}: written anew")
    one, other = (campaign_words.value(name, given, known) for given in (old, new))
    return Text(f"{label.zh}：{one.zh} → {other.zh}", f"{label.en}: {one.en} → {other.en}")
