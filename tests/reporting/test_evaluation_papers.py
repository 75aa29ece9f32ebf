"""A year is frozen and its papers are written by a job: once, with how far it is, and again after a death."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.jobs import exports as job
from carbon_credits.jobs.surroundings import SETTINGS
from carbon_credits.reporting import evaluation, evaluation_papers, evaluation_pdf, evaluation_xlsx, exports
from carbon_credits.reporting.evaluation_papers import ask_freezing, ask_paper, freezings, papers_of
from carbon_credits.reporting.export_models import ExportAsked
from carbon_credits.reporting.exports import Asker
from carbon_credits.reporting.indicators_models import EvaluationPack
from carbon_credits.staff.service import Role, by_name
from tests.reporting.killing import kill_at
from tests.reporting.test_evaluation import draft, finalise
from tests.reporting.test_indicators import YEAR, two

__all__ = ("draft", "two")


@pytest.fixture
def one(two: Session, draft: EvaluationPack, bare_app: Flask, settings: Settings) -> Asker:
    """A member of staff for the programme, of a district whose year was frozen once; a job's surroundings."""
    bare_app.config[SETTINGS] = settings
    return Asker(by_name(two, "提").staff_id, frozenset({Role.PROGRAMME}), None)


def content(session: Session, asker: Asker, number: int) -> bytes:
    """What was written, as somebody is handed it."""
    found = exports.read(session, asker, number)
    whole = b"".join(exports.piece(session, number, no) for no in range(found.pieces))
    session.commit()
    return whole


def row_of(session: Session, number: int) -> ExportAsked:
    """An export as it is now."""
    row = session.get(ExportAsked, number, populate_existing=True)
    assert row is not None
    return row


def test_a_paper_is_the_packs_own_asked_for_twice_and_written_once(
    two: Session, draft: EvaluationPack, one: Asker, settings: Settings
) -> None:
    reader = Asker(by_name(two, "批").staff_id, frozenset({Role.AUDIT}), None)
    made = {}
    for written in evaluation_papers.FORMATS:
        made[written] = ask_paper(two, one, draft.pack_id, written)
        assert ask_paper(two, reader, draft.pack_id, written) == made[written]
        two.commit()
        job.write(made[written])
        assert ask_paper(two, reader, draft.pack_id, written) == made[written]
        row = row_of(two, made[written])
        assert (row.state, row.parts is not None and row.rows_done <= row.parts) == ("done", True)
        assert exports.read(two, one, made[written]).name == f"evaluation-{YEAR}-v1-draft.{written}"
    # the same bytes as anybody else makes of the snapshot, for whoever may read evaluations
    assert content(two, one, made["pdf"]) == evaluation_pdf.pdf(draft, settings.font)
    assert content(two, reader, made["xlsx"]) == evaluation_xlsx.xlsx(draft)
    assert set(papers_of(two, [draft])[draft.pack_id]) == {"pdf", "xlsx"}
    with pytest.raises(NotFound):
        exports.read(two, replace(reader, roles=frozenset({Role.FINANCE})), made["pdf"])
    with pytest.raises(NotAllowed):
        ask_paper(two, replace(one, roles=frozenset({Role.FINANCE})), draft.pack_id, "pdf")
    with pytest.raises(Invalid):
        ask_paper(two, one, draft.pack_id, "csv")
    with pytest.raises(DBAPIError, match="export_once"):
        two.execute(
            text("""insert into export (asked_by, kind, format, language, filters, once)
                    select asked_by, kind, format, language, filters, once from export""")
        )
    two.rollback()
    # erased, it is written anew
    exports.erase(two, one, made["pdf"], clock.now())
    assert ask_paper(two, one, draft.pack_id, "pdf") > made["pdf"]


def test_a_paper_says_why_it_came_to_nothing_and_may_be_asked_for_again(
    two: Session, draft: EvaluationPack, one: Asker, bare_app: Flask, settings: Settings, tmp_path: Path
) -> None:
    early = ask_paper(two, one, draft.pack_id, "pdf")
    finalise(two, draft)
    job.write(early)
    bare_app.config[SETTINGS] = replace(settings, font=tmp_path / "none.ttf")
    final = ask_paper(two, one, draft.pack_id, "pdf")
    two.commit()
    job.write(final)
    assert [(row_of(two, n).state, row_of(two, n).fault) for n in (early, final)] == [
        ("failed", "became_final"),
        ("failed", "font_missing"),
    ]
    pack = evaluation.pack_of(two, draft.pack_id)
    assert papers_of(two, [pack])[pack.pack_id]["pdf"].export_id == final
    assert ask_paper(two, one, draft.pack_id, "pdf") > final


def test_a_draft_is_made_once_for_a_page_and_its_file_is_the_snapshot(
    two: Session, draft: EvaluationPack, one: Asker
) -> None:
    with pytest.raises(NotAllowed):
        ask_freezing(two, replace(one, roles=frozenset({Role.AUDIT})), YEAR, draft.pack_id)
    with pytest.raises(Conflict, match="not_read"):
        ask_freezing(two, one, YEAR - 3, draft.pack_id)
    number = ask_freezing(two, one, YEAR, draft.pack_id)
    assert ask_freezing(two, one, YEAR, draft.pack_id) == number
    two.commit()
    assert [row.export_id for row in freezings(two)] == [number]
    job.write(number)
    # sent again from the same page, it is the one that was made
    assert ask_freezing(two, one, YEAR, draft.pack_id) == number
    newest, older = evaluation.packs(two)
    assert (newest.version, newest.made_by, older.pack_id) == (2, one.staff_id, draft.pack_id)
    assert sha256(content(two, one, number)).digest() == newest.digest
    assert freezings(two) == []
    again = ask_freezing(two, one, YEAR, newest.pack_id)
    # somebody made that version meanwhile by another way
    evaluation.freeze(two, YEAR, one.staff_id)
    two.commit()
    job.write(again)
    assert (row_of(two, again).state, row_of(two, again).fault) == ("failed", "newer_draft")
    assert [pack.version for pack in evaluation.packs(two)] == [3, 2, 1]


def test_a_job_killed_while_it_freezes_leaves_nothing_and_the_next_makes_one(
    two: Session, draft: EvaluationPack, one: Asker, database_url: str, owner_url: str, tmp_path: Path
) -> None:
    number = ask_freezing(two, one, YEAR, draft.pack_id)
    two.commit()
    kill_at(two, number, "drive", (database_url, owner_url, tmp_path))
    row = row_of(two, number)
    # it had come as far as the awards, the fourth of five
    assert (row.state, row.attempts, row.rows_done, row.parts) == ("running", 1, 3, 5)
    assert len(evaluation.packs(two)) == 1
    two.commit()
    job.write(number)
    row = row_of(two, number)
    assert (row.state, row.attempts, len(evaluation.packs(two))) == ("done", 2, 2)
