"""The terms of a programme: read from a document, checked whole, and written as one again.

Everything a resident or a bank relies on is here: who gives what for how many grams of which kind, for how long a
statement is valid, and the words that are agreed to.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.core.signing import STATEMENT_LIFE
from carbon_credits.methodologies.catalogue import BY_CODE

# what a tier's amount counts in
UNITS: Final[Mapping[str, str]] = {
    "rate_discount": "basis_points",
    "limit": "basis_points",
    "premium": "basis_points",
    "subsidy": "fen",
}
GRADES: Final = ("verified", "verified_and_claimed")
FAMILIES: Final = frozenset(versions[-1].family for versions in BY_CODE.values())
MOST_TIERS: Final = 10
# halves of characters, and NUL: no text of a database
UNWRITABLE: Final = re.compile(r"[\0\ud800-\udfff]")
# longest text in each language, and how each is named in the document
TEXTS: Final[Mapping[str, tuple[int, int]]] = {
    "name": (60, 100),
    "benefit_text": (2_000, 4_000),
    "consent": (2_000, 4_000),
    "no_adverse_use": (2_000, 4_000),
}
NUMBERS: Final[Mapping[str, int]] = {"window_months": 36, "valid_days": STATEMENT_LIFE.days}
MEMBERS: Final = {"code", "bank", "benefit", "grade", "families", "tiers", *TEXTS, *NUMBERS}
TIER_MEMBERS: Final = {"code", "from_g", "amount", "name"}


@dataclass(frozen=True)
class Tier:
    """Reached from `from_g` grams on; brings `amount` in the unit of the benefit."""

    code: str
    from_g: int
    amount: int
    name: Text


@dataclass(frozen=True)
class Terms:
    """A programme's terms. Grams are of `grade`, of acts of `families`, in the last `window_months` months."""

    code: str
    bank: str
    name: Text
    benefit: str
    benefit_text: Text
    grade: str
    families: tuple[str, ...]
    tiers: tuple[Tier, ...]
    window_months: int
    valid_days: int
    consent: Text
    no_adverse_use: Text

    @property
    def consent_version(self) -> str:
        """The number of the wording, which is its digest: other words are another number."""
        return sha256(f"{self.consent.zh}\n{self.consent.en}".encode()).hexdigest()[:16]

    @property
    def digest(self) -> str:
        """One number for all of it, so that who changes a draft can say which one they saw."""
        told = json.dumps(self.as_document(), sort_keys=True, ensure_ascii=True)
        return sha256(told.encode()).hexdigest()

    def as_document(self) -> dict[str, Any]:
        """The document these terms were read from, with the same members in one order."""
        both = {name: _both(getattr(self, name)) for name in TEXTS}
        tiers = [
            {"code": tier.code, "from_g": tier.from_g, "amount": tier.amount, "name": _both(tier.name)}
            for tier in self.tiers
        ]
        return {
            "code": self.code,
            "bank": self.bank,
            "benefit": self.benefit,
            "grade": self.grade,
            "families": list(self.families),
            "tiers": tiers,
            **{name: getattr(self, name) for name in NUMBERS},
            **both,
        }


def read(document: Mapping[str, Any]) -> Terms:
    """Terms from a document; raises Invalid with every fault, each at its place."""
    faults = [*_of_members(document, MEMBERS, ""), *_of_choices(document), *_of_texts(document)]
    for name, most in NUMBERS.items():
        faults += _of_number(document.get(name), 1, most, name)
    faults += _of_tiers(document.get("tiers"))
    if faults:
        raise Invalid("wrong_terms", Text("方案条款有误", "The terms are wrong"), faults=tuple(faults))
    tiers = sorted(document["tiers"], key=lambda tier: int(tier["from_g"]))
    return Terms(
        code=document["code"],
        bank=document["bank"],
        benefit=document["benefit"],
        grade=document["grade"],
        families=tuple(sorted(set(document["families"]))),
        tiers=tuple(
            Tier(tier["code"], tier["from_g"], tier["amount"], Text(**tier["name"])) for tier in tiers
        ),
        window_months=document["window_months"],
        valid_days=document["valid_days"],
        **{name: Text(**document[name]) for name in TEXTS},
    )


def _of_members(given: Mapping[str, Any], known: set[str], at: str) -> list[FieldFault]:
    missing = [_fault(f"{at}{name}", "required", "必填", "required") for name in sorted(known - set(given))]
    unknown = sorted(set(given) - known)
    return missing + [
        _fault(f"{at}{name}", "unknown_field", "没有这个字段", "no such field") for name in unknown
    ]


def _of_choices(document: Mapping[str, Any]) -> list[FieldFault]:
    faults = []
    for name in ("code", "bank"):
        faults += _of_word(document.get(name), name, 40)
    if document.get("benefit") not in tuple(UNITS):
        faults.append(_choice("benefit", UNITS))
    if document.get("grade") not in GRADES:
        faults.append(_choice("grade", GRADES))
    families = document.get("families")
    if not isinstance(families, list) or not families or not set(map(str, families)) <= FAMILIES:
        faults.append(_choice("families", sorted(FAMILIES)))
    return faults


def _of_texts(document: Mapping[str, Any]) -> list[FieldFault]:
    return [fault for name, most in TEXTS.items() for fault in _of_text(document.get(name), most, name)]


def _of_tiers(tiers: Any) -> list[FieldFault]:
    if not isinstance(tiers, list) or not 1 <= len(tiers) <= MOST_TIERS:
        return [_fault("tiers", "wrong_length", f"1–{MOST_TIERS} 档", f"1 to {MOST_TIERS} tiers")]
    faults: list[FieldFault] = []
    for place, tier in enumerate(tiers):
        at = f"tiers/{place}/"
        if not isinstance(tier, Mapping):
            return [_fault(f"tiers/{place}", "not_an_object", "应为对象", "an object")]
        faults += _of_members(tier, TIER_MEMBERS, at)
        faults += _of_word(tier.get("code"), at + "code", 20)
        faults += _of_number(tier.get("from_g"), 1, 1_000_000_000, at + "from_g")
        faults += _of_number(tier.get("amount"), 1, 100_000_000, at + "amount")
        faults += _of_text(tier.get("name"), (40, 60), at + "name")
    return faults or _of_order(tiers)


def _of_order(tiers: Sequence[Mapping[str, Any]]) -> list[FieldFault]:
    """Two tiers of one name or one threshold, and a higher one that brings less."""
    for name in ("code", "from_g"):
        if len({tier[name] for tier in tiers}) < len(tiers):
            return [_fault("tiers", "not_distinct", f"各档 {name} 须不同", f"tiers differ in {name}")]
    amounts = [tier["amount"] for tier in sorted(tiers, key=lambda tier: int(tier["from_g"]))]
    if amounts != sorted(amounts):
        return [_fault("tiers", "not_rising", "更高档不得更少", "a higher tier does not bring less")]
    return []


def _of_word(value: Any, at: str, most: int) -> list[FieldFault]:
    fits = isinstance(value, str) and value.isascii() and value.replace("_", "a").isalnum()
    if fits and value == value.lower() and value[0].isalpha() and 1 <= len(value) <= most:
        return []
    return [_fault(at, "wrong_format", "小写字母、数字、下划线", "letters a-z, digits, _; a letter first")]


def _of_number(value: Any, least: int, most: int, at: str) -> list[FieldFault]:
    if type(value) is int and least <= value <= most:
        return []
    return [_fault(at, "out_of_range", f"{least} 至 {most} 的整数", f"a whole number, {least} to {most}")]


def _of_text(value: Any, most: tuple[int, int], at: str) -> list[FieldFault]:
    if not isinstance(value, Mapping) or set(value) != {"zh", "en"}:
        return [_fault(at, "not_both", "须有 zh 与 en", "zh and en")]
    return [
        _fault(f"{at}/{tongue}", "wrong_length", f"1–{longest} 字", f"1 to {longest} characters")
        for tongue, longest in zip(("zh", "en"), most, strict=True)
        if not isinstance(value[tongue], str)
        or not 1 <= len(value[tongue]) <= longest
        or UNWRITABLE.search(value[tongue])
    ]


def _choice(at: str, choices: Sequence[str] | Mapping[str, str]) -> FieldFault:
    listed = ", ".join(choices)
    return _fault(at, "not_one_of", f"应为其一：{listed}", f"one of {listed}")


def _both(words: Text) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en}


def _fault(at: str, code: str, zh: str, en: str) -> FieldFault:
    return FieldFault("/" + at, code, Text(zh, en))
