"""What is written like an export and is no table of rows: a year's evaluation frozen, and its PDF and spreadsheet.

Each is made whole, in the transaction in which it is kept, and the same for whoever may read evaluations: one that is
there is not written twice. What freezing gives is the snapshot itself, whose SHA-256 is the evaluation's digest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from carbon_credits.core.errors import Conflict
from carbon_credits.core.i18n import Text
from carbon_credits.reporting import evaluation
from carbon_credits.reporting.indicators_readings import canonical
from carbon_credits.reporting.sheets import TYPES as SHEETS
from carbon_credits.staff.service import Role

FREEZING: Final = "freezing"
EVALUATION: Final = "evaluation"
TYPES: Final[Mapping[str, str]] = {**SHEETS, "pdf": "application/pdf", "json": "application/json"}


@dataclass(frozen=True)
class Making:
    """What a paper is made with: what it is of, for whom, the font, and who is told how far it is (done, parts)."""

    of: Mapping[str, Any]
    format: str
    by: int
    font: Path
    tell: Callable[[int, int], None]


@dataclass(frozen=True)
class Paper:
    """A kind of paper: who may have it written, who may have it, in which formats; `called` names its file."""

    name: Text
    asks: frozenset[Role]
    reads: frozenset[Role]
    formats: tuple[str, ...]
    called: str
    make: Callable[[Session, Making], bytes]


def _freezing(session: Session, making: Making) -> bytes:
    made = evaluation.freeze(session, making.of["year"], making.by, making.of["version"], making.tell)
    return canonical(made.snapshot)


def _evaluation(session: Session, making: Making) -> bytes:
    """Raises Conflict where it became final after it was asked for: the papers say which it is."""
    # either costs half a second to load, for papers alone
    from carbon_credits.reporting import evaluation_pdf, evaluation_xlsx  # noqa: PLC0415

    pack = evaluation.pack_of(session, making.of["pack"])
    if pack.state != making.of["state"]:
        raise Conflict("became_final", Text("生成前已定稿", "It became final before it was written"))
    if making.format == "pdf":
        return evaluation_pdf.pdf(pack, making.font, making.tell)
    return evaluation_xlsx.xlsx(pack, making.tell)


_READERS: Final = frozenset({Role.PROGRAMME, Role.METHODOLOGY, Role.AUDIT})
PAPERS: Final[Mapping[str, Paper]] = {
    FREEZING: Paper(
        Text("年度评估草稿", "Draft of an evaluation"),
        frozenset({Role.PROGRAMME}),
        _READERS,
        ("json",),
        "evaluation-{year}-v{version}",
        _freezing,
    ),
    EVALUATION: Paper(
        Text("年度评估", "Evaluation"),
        _READERS,
        _READERS,
        ("pdf", "xlsx"),
        "evaluation-{year}-v{version}-{state}",
        _evaluation,
    ),
}
