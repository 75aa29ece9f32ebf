"""The form of a campaign: what is typed into it as the document that the programme reads, and the other way round."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from admin.forms import Form, faults_of, whole_or_word
from carbon_credits.core.errors import FieldFault, Invalid
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.programme.campaign_terms import STREETS

PER_CENT: Final = 10_000
# what a simulation can be told otherwise: all that decides who gets how much
TRIED: Final = (
    "starts_on", "ends_on", "audience", "streets", "group_id", "audience_days", "methodologies", "reward",
    "multiplier", "bonus_points", "cap_day", "cap_week", "cap_total", "source_fund", "budget_points", "holdout_percent",
)  # fmt: skip
FIELDS: Final = (
    "campaign_code", "theme", "name_zh", "name_en", "text_zh", "text_en", "rules_zh", "rules_en", *TRIED,
)  # fmt: skip
WHOLE: Final = frozenset(
    {"group_id", "audience_days", "bonus_points", "cap_day", "cap_week", "cap_total", "budget_points"}
)
MANY: Final = {"streets": STREETS, "methodologies": tuple(BY_CODE)}
# where a fault of the document is shown
# (`code` is the second factor's, in every form of the console: it is not kept for whoever has to sign in again)
PLACES: Final = {"holdout_ppm": "holdout_percent", "code": "campaign_code"}
# what a field of the form is called in the document
PLACED: Final = {field: name for name, field in PLACES.items()}
Typed = dict[str, str]


def read(form: Form) -> dict[str, Any]:
    """The document that was typed: what is no number stays a word, which is refused where it is read."""
    told: dict[str, Any] = {}
    for name in set(FIELDS) & set(form.typed):
        if name in MANY:
            ticked = form.chosen(name, MANY[name])
            form.typed[name] = ",".join(ticked)
            told |= {name: ticked} if ticked else {}
        elif form.typed[name]:
            told |= _member(name, form.typed[name])
    return told


def as_typed(document: Mapping[str, Any]) -> Typed:
    """The fields of the form as a document fills them."""
    typed = dict.fromkeys(FIELDS, "")
    for name in set(FIELDS) & set(document):
        if document[name] is not None:
            typed[name] = ",".join(document[name]) if name in MANY else str(document[name])
    typed["campaign_code"], ppm = document.get("code", ""), document.get("holdout_ppm")
    typed["holdout_percent"] = _plain(Decimal(ppm) / PER_CENT) if ppm else ""
    if typed["multiplier"]:
        typed["multiplier"] = _plain(Decimal(typed["multiplier"]))
    return typed


def placed(faults: Mapping[str, Text] | Invalid) -> dict[str, Text]:
    """Faults of a document by the field of the form at which they are shown."""
    found = faults_of(faults) if isinstance(faults, Invalid) else faults
    shown: dict[str, Text] = {}
    for name, told in found.items():
        first = name.partition("-")[0]
        shown.setdefault(PLACES.get(first, first), told)
    return {name if name in (*FIELDS, "weeks") else "": told for name, told in shown.items()}


def at_fields(faults: list[FieldFault]) -> dict[str, Text]:
    """Faults that were found and refused nothing yet, by field."""
    return placed(Invalid("found", Text("", ""), faults=tuple(faults))) if faults else {}


def _member(name: str, typed: str) -> Mapping[str, Any]:
    if name == "holdout_percent":
        return {"holdout_ppm": _ppm(typed)}
    return {PLACED.get(name, name): whole_or_word(typed) if name in WHOLE else typed}


def _ppm(typed: str) -> int | str:
    """Per cent with at most four places, in parts per million."""
    try:
        ppm = Decimal(typed.removesuffix("%").strip()) * PER_CENT
        return int(ppm) if ppm == ppm.to_integral_value() and abs(ppm) < 10**9 else typed
    except InvalidOperation:
        return typed


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
