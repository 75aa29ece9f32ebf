"""What grams lean on: every number of every published release, with its source and the grams credited by means of it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.crediting.releases import all_releases
from carbon_credits.methodologies.base import Confidence, Grade

# Releases as they were published, also those this catalogue has forgotten, with what is credited by them today.
# The decisions are summed before the join: one pass, however many releases there are.
CREDITED = text("""
select r.document, coalesce(d.credited_mg, 0)::bigint as credited_mg
from formula_release r
left join (
  select release_id, sum(credited_mg) as credited_mg from decision where state = 'credited' group by release_id
) d using (release_id)
""")
# the weakest first
GRADES = tuple(reversed(Grade))
CONFIDENCES = (Confidence.RECALLED, Confidence.PROPOSAL, Confidence.VERIFIED)

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Grams:
    """Milligrams of CO2e, avoided and removed: two accounts that are never added together."""

    avoided_mg: int = 0
    removal_mg: int = 0

    def __add__(self, other: "Grams") -> "Grams":
        return Grams(self.avoided_mg + other.avoided_mg, self.removal_mg + other.removal_mg)


@dataclass(frozen=True)
class NumberInUse:
    """One dated value, who uses it (`code/version/since`), and the grams that depend on it."""

    name: str
    value: str
    unit: str
    since: str
    uncertainty: str
    grade: Grade
    confidence: Confidence
    source: str
    address: str
    note: str
    used_by: tuple[str, ...]
    grams: Grams

    @property
    def weight(self) -> tuple[bool, int, int, int, str]:
        """Orders numbers: those that carry grams, weak grade, weak confidence, many grams, name."""
        most = max(self.grams.avoided_mg, self.grams.removal_mg)
        return most == 0, GRADES.index(self.grade), CONFIDENCES.index(self.confidence), -most, self.name


@dataclass(frozen=True)
class OfGrade:
    """How many numbers have a grade, and the grams that depend on one of them at least."""

    grade: Grade
    numbers: int
    grams: Grams


def numbers_in_use(session: Session) -> tuple[list[NumberInUse], list[OfGrade]]:
    """Every number in use (of those that carry grams the weakest first), and the totals of each grade."""
    credited = _credited(session)
    used_by: dict[tuple[str, ...], set[str]] = defaultdict(set)
    leaning: dict[tuple[str, ...], Grams] = defaultdict(Grams)
    of_grade = {grade: Grams() for grade in GRADES}
    for document, grams in credited.items():
        release = json.loads(document)
        values = {_identity(value) for value in release["parameters"]}
        for identity in values:
            used_by[identity].add(f"{release['code']}/{release['version']}/{release['since']}")
            leaning[identity] += grams
        for grade in {_grade(identity) for identity in values}:
            of_grade[grade] += grams
    numbers = [_number(identity, tuple(sorted(by)), leaning[identity]) for identity, by in used_by.items()]
    counted = {grade: sum(number.grade == grade for number in numbers) for grade in GRADES}
    return (
        sorted(numbers, key=lambda number: number.weight),
        [OfGrade(grade, counted[grade], grams) for grade, grams in of_grade.items()],
    )


def _credited(session: Session) -> dict[bytes, Grams]:
    """Grams by document: of the catalogue, which may not be published yet, and of the database."""
    grams = {release.document: Grams() for release in all_releases()}
    for document, credited_mg in session.execute(CREDITED):
        is_removal = json.loads(document)["pool"] == "removal"
        grams[bytes(document)] = Grams(*((0, credited_mg) if is_removal else (credited_mg, 0)))
    return grams


def _identity(value: Document) -> tuple[str, ...]:
    source = value["source"]
    told = (source[key] for key in ("grade", "confidence", "title", "address", "note"))
    return value["name"], value["value"], value["unit"], value["since"], value["uncertainty"], *told


def _grade(identity: tuple[str, ...]) -> Grade:
    return Grade(identity[5])


def _number(identity: tuple[str, ...], used_by: Iterable[str], grams: Grams) -> NumberInUse:
    name, value, unit, since, uncertainty, grade, confidence, title, address, note = identity
    return NumberInUse(
        name=name,
        value=value,
        unit=unit,
        since=since,
        uncertainty=uncertainty,
        grade=Grade(grade),
        confidence=Confidence(confidence),
        source=title,
        address=address,
        note=note,
        used_by=tuple(used_by),
        grams=grams,
    )
