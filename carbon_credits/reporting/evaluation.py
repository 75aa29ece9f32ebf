"""The yearly evaluation pack: a year frozen as it stood, made final by two people, from which its papers are written.

The snapshot holds everything that is in the papers, names and wording included, so that the same papers can be written
again from it alone; its digest is on every page. A draft may be made at any time; a year becomes final once it is
settled, and what is found wrong afterwards is another version.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session, defer

from carbon_credits.core import audit, clock
from carbon_credits.core.errors import Conflict, FieldFault, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.methodologies.catalogue import BY_CODE as METHODOLOGIES
from carbon_credits.reporting import evaluation_programme, indicators, indicators_readings
from carbon_credits.reporting.cell_tables import FEWEST, TOTAL
from carbon_credits.reporting.indicators import Lineage
from carbon_credits.reporting.indicators_declared import Own
from carbon_credits.reporting.indicators_figures import COLUMNS, ROWS
from carbon_credits.reporting.indicators_models import EvaluationPack, IndicatorReading
from carbon_credits.reporting.indicators_official import STREETS
from carbon_credits.reporting.indicators_plan import PLAN
from carbon_credits.reporting.indicators_query import QUERY
from carbon_credits.reporting.population import populations

KIND: Final = "evaluation.finalise"
NAMES: Final = frozenset({"pack_id", "year", "digest"})
_LOCK: Final = 440633


def freeze(
    session: Session,
    year: int,
    by: int,
    version: int | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> EvaluationPack:
    """Make a draft of a year out of its newest reading; `tell` hears how many of its parts are counted.

    Raises Conflict while there is no reading, and where a `version` is meant and the next is another. A year's postings
    are read: the limits of doors do not apply, and one is made at a time.
    """
    session.execute(text("select set_config('statement_timeout', '0', true)"))
    session.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    reading = indicators_readings.newest_of_year(session, year)
    if reading is None:
        raise not_read(year)
    following = next_version(session, year)
    if version not in (None, following):
        raise newer_draft()
    snapshot = _snapshot(session, year, reading, tell)
    row = {
        "year": year,
        "version": following,
        "snapshot": snapshot,
        "digest": digest_of(snapshot),
        "made_by": by,
    }
    made = session.execute(insert(EvaluationPack).values(row).returning(EvaluationPack)).scalar_one()
    told = {"year": year, "version": made.version, "digest": made.digest.hex()}
    audit.record(session, f"staff:{by}", "evaluation.frozen", f"evaluation:{made.pack_id}", None, told)
    return made


def next_version(session: Session, year: int, seen: int | None = None) -> int:
    """Which version of a year is made next; packs beyond `seen`, of which whoever asks knew nothing, are not counted."""
    last = select(func.max(EvaluationPack.version)).where(EvaluationPack.year == year)
    if seen is not None:
        last = last.where(EvaluationPack.pack_id <= seen)
    return (session.execute(last).scalar() or 0) + 1


def not_read(year: int) -> Conflict:
    """That there is nothing to freeze."""
    return Conflict("not_read", Text(f"{year} 年尚无读数", f"Nothing of {year} has been read yet"))


def newer_draft() -> Conflict:
    """That somebody was faster."""
    return Conflict("newer_draft", Text("已有更新的草稿", "There is a newer draft of that year"))


def payload_of(session: Session, pack_id: int) -> dict[str, Any]:
    """What is put before the second person: the pack by its digest. Raises NotFound, Conflict as `enact` does."""
    pack = _finalisable(session, pack_id)
    return {"pack_id": pack.pack_id, "year": pack.year, "digest": pack.digest.hex()}


def check(payload: Mapping[str, Any]) -> None:
    """Raise Invalid unless a proposal has the form that `payload_of` gives."""
    numbers = all(type(payload.get(name)) is int for name in ("pack_id", "year"))
    if set(payload) != NAMES or not numbers or not isinstance(payload["digest"], str):
        fault = FieldFault(
            "", "wrong_form", Text("应由 evaluation propose 生成", "as evaluation propose makes it")
        )
        raise Invalid("wrong_proposal", Text("提案有误", "The proposal is wrong"), faults=(fault,))


def enact(session: Session, approval_id: int, payload: Mapping[str, Any]) -> None:
    """Make a pack final. Raises NotFound, and Conflict: not_settled, already_final, newer_draft, pack_changed."""
    pack = _finalisable(session, payload["pack_id"])
    if pack.digest.hex() != payload["digest"] or digest_of(pack.snapshot) != pack.digest:
        raise Conflict("pack_changed", Text("快照与提案不符", "The snapshot is not what was proposed"))
    made = update(EvaluationPack).where(
        EvaluationPack.pack_id == pack.pack_id, EvaluationPack.state == "draft"
    )
    session.execute(made.values(state="final", approval_id=approval_id))
    session.refresh(pack)
    subject = f"evaluation:{pack.pack_id}"
    audit.record(
        session, f"approval:{approval_id}", "evaluation.final", subject, None, {"digest": payload["digest"]}
    )


def pack_of(session: Session, pack_id: int) -> EvaluationPack:
    """One pack; raises NotFound."""
    found = session.get(EvaluationPack, pack_id, populate_existing=True)
    if found is None:
        raise NotFound(
            "pack_unknown", Text(f"没有评估包 {pack_id}", f"There is no evaluation pack {pack_id}")
        )
    return found


def packs(session: Session, most: int = 50) -> Sequence[EvaluationPack]:
    """The newest packs by year and version; a snapshot is read when somebody asks for it."""
    order = (EvaluationPack.year.desc(), EvaluationPack.version.desc())
    asked = select(EvaluationPack).options(defer(EvaluationPack.snapshot)).order_by(*order)
    return session.scalars(asked.limit(most)).all()


def digest_of(snapshot: Mapping[str, Any]) -> bytes:
    """SHA-256 over the one form of a snapshot."""
    return sha256(indicators_readings.canonical(snapshot)).digest()


def _finalisable(session: Session, pack_id: int) -> EvaluationPack:
    pack = pack_of(session, pack_id)
    if pack.state != "draft":
        raise Conflict("already_final", Text("该评估包已定稿", "This pack is final already"))
    if not pack.snapshot["whole_year"]:
        raise indicators_readings.not_settled(pack.year)
    newer = select(func.max(EvaluationPack.version)).where(EvaluationPack.year == pack.year)
    if session.execute(newer).scalar_one() != pack.version:
        raise newer_draft()
    return pack


def _snapshot(
    session: Session, year: int, reading: IndicatorReading, tell: Callable[[int, int], None] | None
) -> dict[str, Any]:
    first, after = date(year, 1, 1), date.fromordinal(reading.through.toordinal() + 1)
    counted: dict[str, Callable[[], Any]] = {
        "indicators": lambda: [_indicator(lineage) for lineage in indicators.page(session, year)],
        "population": lambda: _population(session, reading.through),
        "programme": lambda: evaluation_programme.programme(session, first, after),
        "awards": lambda: evaluation_programme.awards(session, year),
        "campaigns": lambda: evaluation_programme.campaigns(session, first, after),
    }
    told = _told(year, reading)
    for done, (name, count) in enumerate(counted.items()):
        if tell:
            tell(done, len(counted))
        told[name] = count()
    return told


def _told(year: int, reading: IndicatorReading) -> dict[str, Any]:
    """What is known without counting."""
    return {
        "format": 1,
        "year": year,
        "through": reading.through.isoformat(),
        "whole_year": reading.with_tables,
        "made_on": clock.today().isoformat(),
        "fewest": FEWEST,
        "hides_one": True,
        "plan": PLAN.both(),
        "reading": {
            "reading_id": reading.reading_id,
            "version": reading.version,
            "digest": reading.digest.hex(),
            "query": QUERY,
            "figures": reading.figures,
        },
        "names": _names(),
    }


def _names() -> dict[str, Any]:
    """Lists of pairs: the database keeps no order of names."""
    return {
        "streets": [[street, indicators.street_name(street).both()] for street in (*ROWS, TOTAL)],
        "strands": [[strand, indicators.strand_name(strand).both()] for strand in (*COLUMNS, TOTAL)],
        "methodologies": [
            [code, {"zh": versions[-1].title.zh, "en": versions[-1].title.en}]
            for code, versions in METHODOLOGIES.items()
        ],
    }


def _indicator(lineage: Lineage) -> dict[str, Any]:
    declared, own = lineage.indicator, lineage.own
    return {
        "code": declared.code,
        "title": declared.title.both(),
        "unit": declared.unit.value,
        "unit_name": declared.unit.text.both(),
        "is_basis": declared.is_basis,
        "section": declared.section,
        "says": declared.says,
        "targets": [asdict(target) for target in declared.targets],
        "official": None if lineage.official is None else asdict(lineage.official),
        "own": None if own is None else _own(own),
        "function": declared.own.__name__,
        "method": declared.method.both(),
        "not_this": declared.not_this.both(),
        "strands": list(declared.strands),
    }


def _own(own: Own) -> dict[str, Any]:
    return {
        "value": own.value,
        "unit": None if own.unit is None else own.unit.value,
        "unit_name": None if own.unit is None else own.unit.text.both(),
        "coverage": [
            {
                "of": part.of.both(),
                "seen": part.seen,
                "whole": part.whole,
                "as_of": part.as_of,
                "ppm": part.ppm,
            }
            for part in own.coverage
        ],
    }


def _population(session: Session, through: date) -> dict[str, Any]:
    """What a bureau says of each street's population on the last day, by street."""
    living = populations(session)
    found = {street: living.on(through, street) for street in sorted(STREETS)}
    return {
        street: asdict(one.official)
        for street, one in found.items()
        if one is not None and one.official is not None
    }
