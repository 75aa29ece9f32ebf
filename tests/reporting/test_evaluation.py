"""A year's evaluation: frozen, made final by two, and the same papers for the same snapshot, byte for byte."""

from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.config import Settings
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, Unavailable
from carbon_credits.reporting import evaluation, evaluation_pdf, evaluation_xlsx, indicators_readings
from carbon_credits.reporting.evaluation_layout import quantity
from carbon_credits.reporting.evaluation_sections import sections
from carbon_credits.reporting.indicators_models import EvaluationPack
from carbon_credits.staff.service import by_name
from tests.reporting.test_indicators import LAST, SETTLED, YEAR, a_year, stated, two

__all__ = ("two",)
WRONG = '=HYPERLINK("https://evil.test")<b>&'


@pytest.fixture
def draft(two: Session, vault: Vault) -> EvaluationPack:
    """A draft of a settled year, with an official value whose source looks like a formula."""
    a_year(two, vault)
    stated(two, source_title=WRONG)
    indicators_readings.read_due(two, SETTLED)
    pack = evaluation.freeze(two, YEAR, by_name(two, "提").staff_id)
    two.commit()
    return pack


def finalise(session: Session, pack: EvaluationPack, **changes: Any) -> None:
    payload = evaluation.payload_of(session, pack.pack_id) | changes
    proposed = approving.propose(session, evaluation.KIND, payload, "领导小组审定", "提")
    approving.decide(session, proposed.approval_id, "批", approve=True)
    session.commit()


def test_a_draft_becomes_final_by_two_people_and_stays(two: Session, draft: EvaluationPack) -> None:
    payload = evaluation.payload_of(two, draft.pack_id)
    proposed = approving.propose(two, evaluation.KIND, payload, "审定", "提")
    with pytest.raises(NotAllowed):
        approving.decide(two, proposed.approval_id, "提", approve=True)
    two.rollback()
    with pytest.raises(Conflict) as no:
        finalise(two, draft, digest="00" * 32)
    assert no.value.code == "pack_changed"
    two.rollback()
    finalise(two, draft)
    assert evaluation.pack_of(two, draft.pack_id).state == "final"
    with pytest.raises(Conflict) as no:
        evaluation.payload_of(two, draft.pack_id)
    assert no.value.code == "already_final"
    for statement in (
        "update evaluation_pack set state = 'draft', approval_id = null",
        "update evaluation_pack set snapshot = '{}'",
        "delete from evaluation_pack",
    ):
        with pytest.raises(DBAPIError):
            two.execute(text(statement))
        two.rollback()
    with pytest.raises(Invalid):
        evaluation.check({**payload, "pack_id": "1"})


def test_a_newer_draft_takes_the_place_of_an_older_one(two: Session, draft: EvaluationPack) -> None:
    older = evaluation.payload_of(two, draft.pack_id)
    newer = evaluation.freeze(two, YEAR, draft.made_by)
    two.commit()
    assert (newer.version, newer.digest) == (2, draft.digest)
    proposed = approving.propose(two, evaluation.KIND, older, "审定", "提")
    with pytest.raises(Conflict) as no:
        approving.decide(two, proposed.approval_id, "批", approve=True)
    assert no.value.code == "newer_draft"


def test_of_a_year_that_is_not_settled_there_is_a_draft_alone(two: Session, vault: Vault) -> None:
    with pytest.raises(Conflict):
        evaluation.freeze(two, YEAR, 1)
    a_year(two, vault)
    while indicators_readings.read_due(two, date(YEAR, 10, 2)):
        pass
    pack = evaluation.freeze(two, YEAR, by_name(two, "提").staff_id)
    with pytest.raises(Conflict) as no:
        evaluation.payload_of(two, pack.pack_id)
    assert no.value.code == "not_settled"
    assert {section.name for section in sections(pack.snapshot)} & {"Streets", "Months"} == set()


def test_the_digest_is_of_what_the_database_has(two: Session, draft: EvaluationPack) -> None:
    two.expire_all()
    again = evaluation.pack_of(two, draft.pack_id)
    assert evaluation.digest_of(again.snapshot) == again.digest == draft.digest
    assert again.snapshot["whole_year"] is True
    assert again.snapshot["through"] == LAST.isoformat()
    told = again.snapshot["programme"]
    assert told["residents"] == {"enrolled": 51, "enrolled_in_year": 0}
    assert {drive["drive"] for drive in again.snapshot["awards"]} == {
        "public_body", "family", "school", "community", "travel", "mall", "building",
    }  # fmt: skip


def test_the_spreadsheet_is_the_same_twice_and_runs_nothing(two: Session, draft: EvaluationPack) -> None:
    first = evaluation_xlsx.xlsx(draft)
    two.expire_all()
    assert evaluation_xlsx.xlsx(evaluation.pack_of(two, draft.pack_id)) == first
    book = load_workbook(BytesIO(first))
    assert book.sheetnames == [section.name for section in sections(draft.snapshot)]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert [cell for cell in cells if cell.data_type == "f"] == []
    assert WRONG in {cell.value for cell in cells}
    for sheet in book:
        assert sheet.oddFooter is not None
        assert draft.digest.hex() in str(sheet.oddFooter.left.text)
    assert book.properties.created == datetime.fromisoformat(draft.snapshot["made_on"])
    streets = {row[0].value: [cell.value for cell in row[1:]] for row in book["Streets"].iter_rows(min_row=6)}
    assert streets["植树 Trees"] == ["—", "—", "—", 0, 0, 12]


def test_the_paper_is_the_same_twice_with_its_digest_on_each_page(
    two: Session, draft: EvaluationPack, settings: Settings, tmp_path: Path
) -> None:
    first = evaluation_pdf.pdf(draft, settings.font)
    two.expire_all()
    assert evaluation_pdf.pdf(evaluation.pack_of(two, draft.pack_id), settings.font) == first
    with pytest.raises(Unavailable):
        evaluation_pdf.pdf(draft, tmp_path / "none.ttf")
    pages = [page.extract_text() for page in PdfReader(BytesIO(first)).pages]
    assert len(pages) > 3
    assert all(draft.digest.hex() in page for page in pages)
    whole = "".join(pages)
    assert "绿色出行比例" in whole
    assert "\N{SUBSCRIPT TWO}" not in whole
    assert WRONG[:20] in whole.replace("\n", "")


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (750_000, "ppm", "75 %"),
        (38, "ppm", "0.0038 %"),
        (900_000_000_000, "g", "900,000 t"),
        (97_500, "g", "97.5 kg"),
        (999, "g", "999 g"),
        (-1_500, "g", "-1.5 kg"),
        (1_000, "m/10000", "1,000 m/10000"),
        (None, "g", "—"),
    ],
)
def test_a_quantity_reads_exactly(value: int | None, unit: str, told: str) -> None:
    assert quantity(value, unit) == told
