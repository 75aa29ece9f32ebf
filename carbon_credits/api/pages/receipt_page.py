"""What the page of a receipt says, from the receipt alone and the wording of its methodology: pure, and naming nobody.

A receipt also holds what is its owner's business (the balance after each posting): none of that is taken over.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from carbon_credits.api.pages.formulas import filled, lay_out, lines, pieces
from carbon_credits.api.pages.methodology_page import formula_view
from carbon_credits.api.pages.words import (
    CAP_UNITS,
    CLASSES,
    CONTRAS,
    EVERYTHING,
    FAMILIES,
    POOLS,
    STATES,
    TRIPS,
    badge,
    cited,
    known,
    say,
    unit_in,
)
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.base import Methodology
from carbon_credits.methodologies.catalogue import BY_CODE
from carbon_credits.methodologies.readings import text
from carbon_credits.methodologies.replay import evaluate
from carbon_credits.reporting import numbers

View = dict[str, Any]
Receipt = Mapping[str, Any]
UNDECIDED: Final = ("claimed", "held", "awaiting")
UNMET: Final = Text("未满足：", "This does not hold: ")
POOL_COLUMNS: Final = {"verified_mg": "verified", "claimed_mg": "claimed", "removal_mg": "removal"}


def receipt_view(receipt: Receipt, language: str) -> View:
    """The receipt in one language. `receipt` is the document that the API answers with."""
    methodology = _methodology(receipt)
    calculation, result = receipt["calculation"], receipt["result"]
    return {
        "activity": receipt["activity"],
        "code": methodology.code,
        "version": methodology.version,
        "title": say(methodology.title, language),
        "family": say(known(FAMILIES, methodology.family), language),
        "began": numbers.moment(receipt["occurred_from"]),
        "ended": numbers.moment(receipt["occurred_to"]),
        "state": {"key": receipt["status"], "word": say(known(STATES, receipt["status"]), language)},
        "decided": receipt["status"] not in UNDECIDED and result is not None,
        "status": badge(receipt["methodology_status"], language),
        "evidence": {
            "key": receipt["evidence_class"],
            "words": say(known(CLASSES, receipt["evidence_class"]), language),
        },
        "reasons": [_reason(reason, methodology, language) for reason in receipt["reasons"]],
        "monitored": _monitored(receipt, methodology, language),
        "result": None if result is None else _result(result, methodology, receipt, language),
        "calculation": None if calculation is None else _calculation(calculation, methodology, language),
        "record": None if receipt.get("record") is None else _record(receipt["record"]),
        "trip": None if receipt["trip"] is None else _trip(receipt["trip"], language),
        "terms": _terms(receipt, language),
        "postings": [_posting(posting, language) for posting in receipt["postings"]],
        "restatements": [_restatement(one, language) for one in receipt.get("restatements", ())],
    }


def _methodology(receipt: Receipt) -> Methodology:
    """The version that decided; versions are never taken out of the catalogue."""
    versions = BY_CODE[receipt["methodology"]]
    if receipt["calculation"] is None:
        return versions[-1]
    return next(v for v in versions if v.version == receipt["calculation"]["version"])


def _record(record: Receipt) -> View:
    """What the partner said of the same record otherwise; names of acts, which say nothing of a person."""
    withdrawn = record["withdrawn_at"]
    return {
        "version": record["version"],
        "corrects": record["corrects"],
        "corrected": record["corrected"],
        "corrected_by": record["corrected_by"],
        "withdrawn_at": None if withdrawn is None else numbers.moment(withdrawn),
    }


def _reason(reason: Receipt, methodology: Methodology, language: str) -> str:
    """A reason in words. A condition's text says what has to hold, so that it does not is put before it."""
    words = say((reason["text"]["zh"], reason["text"]["en"]), language)
    is_condition = any(condition.reason == reason["code"] for condition in methodology.conditions)
    return UNMET.in_language(language) + words if is_condition else words


def _monitored(receipt: Receipt, methodology: Methodology, language: str) -> list[View]:
    calculation = receipt["calculation"]
    told = receipt["monitored"] if calculation is None else calculation["quantities"]
    described = {quantity.name: quantity for quantity in methodology.quantities}
    return [
        {
            "name": name,
            "title": say(described[name].description, language) if name in described else name,
            "unit": unit_in(described[name].unit, language) if name in described else "",
            "amount": numbers.grouped(amount),
        }
        for name, amount in told.items()
    ]


def _result(result: Receipt, methodology: Methodology, receipt: Receipt, language: str) -> View:
    return {
        "grams": numbers.grams(result["reduction_mg"]),
        "pool": say(POOLS[result["pool"]], language) if result["pool"] else "",
        "points": numbers.grouped(result["points"]),
        "bonus": numbers.grouped(result["bonus_points"]) if result["bonus_points"] else None,
        "campaign": _campaign(result["bonus"], language),
        "matures_on": result["matures_on"],
        "decided_at": numbers.moment(result["decided_at"]) if result["decided_at"] else None,
        "generation": result["generation"],
        "counted": _counted(result, methodology, receipt, language),
    }


def _campaign(given: Receipt | None, language: str) -> View | None:
    """What a campaign gave, how it came about, and why less than that."""
    if given is None:
        return None
    return {
        "name": say((given["name"]["zh"], given["name"]["en"]), language),
        "how": say((given["how"]["zh"], given["how"]["en"]), language),
        "entitled": numbers.grouped(given["entitled"]),
        "points": numbers.grouped(given["points"]),
        "reasons": [say((one["text"]["zh"], one["text"]["en"]), language) for one in given["reasons"]],
    }


def _trip(trip: Receipt, language: str) -> View:
    """What the look at the trace came to, and what spoke against it."""
    return {
        "decision": say(TRIPS[trip["decision"]], language),
        "by_a_person": trip["by_a_person"],
        "judged_at": numbers.moment(trip["judged_at"]),
        "rules_version": trip["rules_version"],
        "reasons": [say((one["text"]["zh"], one["text"]["en"]), language) for one in trip["reasons"]],
    }


def _terms(receipt: Receipt, language: str) -> View | None:
    """How grams became points: the rate, the whole product before caps and the fund, and the caps of the day."""
    result, terms = receipt["result"], receipt["terms"]
    if receipt["status"] != "credited" or result is None or terms["rate"] is None:
        return None
    rate = terms["rate"]
    earned = int(Fraction(rate["points_per_mg"]) * result["reduction_mg"])
    return {
        "rate": rate["points_per_mg"],
        "in_force": rate["in_force"],
        "mg": numbers.grouped(result["reduction_mg"]),
        "earned": numbers.grouped(earned),
        "cut": numbers.grouped(earned - result["points"]) if earned > result["points"] else None,
        "caps": [_cap(cap, language) for cap in terms["caps"]],
    }


def _cap(cap: Receipt, language: str) -> View:
    scope = cap["scope"]
    return {
        "scope": say(EVERYTHING, language) if scope == "*" else scope,
        "unit": say(CAP_UNITS[cap["unit"]], language),
        "most": numbers.grouped(cap["most"]),
    }


def _counted(result: Receipt, methodology: Methodology, receipt: Receipt, language: str) -> View | None:
    """How much of the capped quantity was counted, where a cap cut it."""
    name = methodology.cap_quantity
    told = None if name is None else receipt["monitored"].get(name)
    counted = result["counted_quantity"]
    if receipt["status"] != "credited" or told is None or counted is None or counted >= told:
        return None
    quantity = next(q for q in methodology.quantities if q.name == name)
    return {
        "title": say(quantity.description, language),
        "told": numbers.grouped(told),
        "counted": numbers.grouped(counted),
        "unit": unit_in(quantity.unit, language),
    }


def _calculation(calculation: Receipt, methodology: Methodology, language: str) -> View:
    layout = lay_out(methodology.tree)
    fixed = {parameter["name"]: parameter["value"] for parameter in calculation["parameters"]}
    given = {**calculation["quantities"], **fixed}
    steps = [(step["text"], step["value"]) for step in calculation["steps"]]
    whole = text(methodology.tree)
    raw_mg = calculation["raw_mg"]
    return {
        "formula": formula_view(layout),
        "steps": lines(layout, steps, given),
        "unrounded": next((numbers.grouped(value) for shown, value in steps if shown == whole), None),
        "raw_mg": None if raw_mg is None else numbers.grouped(raw_mg),
        "negative": raw_mg is not None and raw_mg < 0,
        "conditions": _conditions(calculation, methodology, language),
        "parameters": [_parameter(one, methodology, language) for one in calculation["parameters"]],
        "agrees": calculation["agrees"],
        "recomputed_mg": None
        if calculation["recomputed_mg"] is None
        else numbers.grouped(calculation["recomputed_mg"]),
        "release": calculation["release_digest"],
        "release_name": calculation["release_digest"].removeprefix("sha256:"),
        "formula_digest": calculation["formula_digest"],
        "parameters_digest": calculation["parameters_digest"],
        "try_with": dict(calculation["quantities"]),
    }


def _conditions(calculation: Receipt, methodology: Methodology, language: str) -> list[View]:
    """Each condition with this act's numbers, asked of the document, not of the module."""
    document = calculation["document"]
    values = {name: Fraction(amount) for name, amount in calculation["quantities"].items()}
    values |= {parameter["name"]: Fraction(parameter["value"]) for parameter in document["parameters"]}
    complete = all(quantity["name"] in values for quantity in document["monitored"])
    fixed = {parameter["name"]: parameter["value"] for parameter in document["parameters"]}
    words = {condition.reason: condition.text for condition in methodology.conditions}
    tests = {
        condition.reason: text(test)
        for condition, test in zip(methodology.conditions, methodology.tests, strict=True)
    }
    return [
        {
            "text": say(words[one["reason"]], language).format_map(fixed),
            "test": filled(pieces(tests[one["reason"]]), {**calculation["quantities"], **fixed}),
            "holds": bool(evaluate(one["holds"], values)) if complete else None,
        }
        for one in document["conditions"]
    ]


def _parameter(parameter: Receipt, methodology: Methodology, language: str) -> View:
    described = {one.name: one.description for one in methodology.parameters}
    return {
        "name": parameter["name"],
        "title": say(described[parameter["name"]], language),
        "unit": unit_in(parameter["unit"], language),
        "amount": numbers.grouped(parameter["value"]),
        "since": parameter["since"],
        "source": cited(parameter["source"], language),
    }


def _posting(posting: Receipt, language: str) -> View:
    moved = [(column, posting[column]) for column in POOL_COLUMNS if posting[column]]
    return {
        "booked_on": posting["booked_on"],
        "what": say(known(CONTRAS, posting["contra"]), language),
        "points": _signed(posting["points"]),
        "grams": [
            {"amount": _signed(amount), "pool": say(POOLS[POOL_COLUMNS[column]], language)}
            for column, amount in moved
        ],
        "usable_until": posting["usable_until"],
        "journal": posting["journal"],
        "journal_hash": posting["journal_hash"],
        "seal": posting["seal"],
        "seal_hash": posting["seal_hash"],
    }


def _restatement(one: Receipt, language: str) -> View:
    why = one["reason"]
    reason = say((why["zh"], why["en"]), language) if isinstance(why, Mapping) else why
    return {
        "at": numbers.moment(one["at"]) if "T" in str(one["at"]) else numbers.day(one["at"]),
        "from": one["from_release"],
        "to": one["to_release"],
        "old": numbers.grams(one["old_mg"]),
        "new": numbers.grams(one["new_mg"]),
        "reason": reason,
        "journal": one["journal"],
    }


def _signed(amount: int) -> str:
    return ("+" if amount > 0 else "") + numbers.grouped(amount)
