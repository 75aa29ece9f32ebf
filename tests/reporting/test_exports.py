"""Exports: who may have what, harmless in a spreadsheet, nobody to be found in them, written again after a death."""

import csv
import io
import random
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.config import Settings
from carbon_credits.core import audit, clock
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.jobs import doorbell
from carbon_credits.jobs import exports as job
from carbon_credits.jobs.scheduler import sweep
from carbon_credits.jobs.surroundings import HANDLERS, SETTINGS
from carbon_credits.reporting import export_work, exports, sheets
from carbon_credits.reporting.export_kinds import EXPORTS
from carbon_credits.reporting.exports import Asker, Wish
from carbon_credits.staff.service import Role, add
from tests.crediting.test_oracle import World
from tests.reporting.killing import kill_at
from tests.reporting.test_rollups import people_of, roll

TODAY = clock.today()
# should midnight fall into the run, what is written is of tomorrow
WISH = Wish("audit", "csv", TODAY, TODAY + timedelta(days=1), {})


@pytest.fixture
def auditor(session: Session, bare_app: Flask, settings: Settings) -> Asker:
    """A member of staff who may see everything, and a job's surroundings."""
    bare_app.config[SETTINGS] = settings
    member = add(session, "陈审", list(Role), "tests", ["zumiao"])
    session.commit()
    return Asker(member.staff_id, frozenset(Role), None)


def written(session: Session, asker: Asker, wish: Wish) -> bytes:
    """Ask, let the job write, read."""
    number = exports.ask(session, asker, wish)
    session.commit()
    job.write(number)
    found = exports.read(session, asker, number)
    content = b"".join(exports.piece(session, number, no) for no in range(found.pieces))
    with pytest.raises(NotFound):
        exports.piece(session, number, found.pieces)
    session.commit()
    assert (len(content), sha256(content).digest()) == (found.size, found.digest)
    return content


def table(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf"), "spreadsheets guess the encoding otherwise"
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_formula_in_a_name_stays_a_text(session: Session, auditor: Asker) -> None:
    for word in (
        '=HYPERLINK("http://x.test")',
        "+1",
        "-1+1",
        "@SUM(1)",
        "\tx",
        "\rx",
        "<b>名</b>",
        "https://x.test",
    ):
        audit.record(session, word, "tests.said", "x", None, {"n": 5})
    session.commit()
    rows = table(written(session, auditor, WISH))
    said = [row[2] for row in rows if row[3] == "tests.said"]
    assert said[:6] == [
        "'" + w for w in ('=HYPERLINK("http://x.test")', "+1", "-1+1", "@SUM(1)", "\tx", "\rx")
    ]
    assert said[6:] == ["<b>名</b>", "https://x.test"]
    book = openpyxl.load_workbook(
        io.BytesIO(written(session, auditor, replace(WISH, format="xlsx", language="en")))
    )
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]][:3] == ["Entry", "At", "Actor"]
    cells = [row for row in sheet.iter_rows(min_row=2) if row[3].value == "tests.said"]
    assert [row[2].data_type for row in cells] == ["s"] * 8, "none of them is a formula"
    assert cells[0][2].value == '=HYPERLINK("http://x.test")'
    assert not any(row[2].hyperlink for row in cells)
    assert all(isinstance(row[0].value, int) for row in cells)


def test_nobody_can_be_found_in_an_export_and_few_people_are_not_told_of(
    session: Session, auditor: Asker
) -> None:
    world = World(session, random.Random(5), budget=10**9)
    people_of(world)
    world.claim_some(40)
    world.drain()
    roll(session)
    days = replace(WISH, first=TODAY - timedelta(days=9))
    acts = table(written(session, auditor, replace(days, kind="acts")))
    assert (
        len(acts) - 1
        == session.execute(text("select count(distinct activity_id) from decision")).scalar_one()
    )
    shown = {row[1] for row in acts[1:]}
    assert len(shown) == 6
    assert not shown & {str(resident) for resident in world.residents}
    decisions = table(
        written(session, auditor, replace(days, kind="decisions", filters={"methodology": "travel.metro"}))
    )
    assert {row[4] for row in decisions[1:]} == {"travel.metro"}
    assert {row[2] for row in decisions[1:]} <= shown, "the same person has the same name in every table"
    rollup = table(written(session, auditor, replace(days, kind="rollup")))
    assert {tuple(row[4:]) for row in rollup[1:]} == {("<10",) * 5}
    session.execute(text("update rollup_day set acts = acts + 10, people = people + 10"))
    session.commit()
    assert all(
        int(row[4]) >= 10 for row in table(written(session, auditor, replace(days, kind="rollup")))[1:]
    )
    postings = table(
        written(session, auditor, replace(days, kind="postings", filters={"fund": "base"}, last=TODAY))
    )
    points = text("select sum(points) from posting where contra_ref = :fund and contra_kind in (1, 6)")
    assert (
        sum(int(row[6]) for row in postings[1:]) == session.execute(points, {"fund": world.fund}).scalar_one()
    )


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_kind_is_written(session: Session, auditor: Asker, kind: str) -> None:
    filters = {"fund": "base"} if EXPORTS[kind].needs else {}
    rows = table(written(session, auditor, replace(WISH, kind=kind, filters=filters)))
    assert rows[0] == [heading.zh for heading in EXPORTS[kind].headings]


def test_roles_and_territory_decide_who_may(session: Session, auditor: Asker) -> None:
    street = Asker(auditor.staff_id, frozenset({Role.STREET}), frozenset({"zumiao"}))
    assert set(exports.offered(street)) == {"rollup"}
    assert "acts" in exports.offered(replace(auditor, streets=frozenset({"zumiao"})))
    assert "audit" not in exports.offered(replace(auditor, streets=frozenset({"zumiao"})))
    for asker, kind in ((street, "acts"), (replace(auditor, roles=frozenset({Role.FINANCE})), "audit")):
        with pytest.raises(NotAllowed):
            exports.ask(session, asker, replace(WISH, kind=kind))
    session.execute(
        text("""insert into rollup_day (occurred_on, methodology, street, pool, acts, people)
                            select :on, 2, s, 'v', 20, 20 from unnest('{zumiao,shiwan}'::text[]) s"""),
        {"on": TODAY},
    )
    assert [row[2] for row in table(written(session, street, replace(WISH, kind="rollup")))[1:]] == ["zumiao"]
    number = exports.ask(session, auditor, WISH)
    with pytest.raises(NotFound):
        exports.read(session, replace(street, staff_id=auditor.staff_id + 1), number)
    with pytest.raises(Conflict):
        exports.read(session, auditor, number)
    for now in ({"roles": frozenset({Role.FINANCE})}, {"streets": frozenset({"zumiao"})}):
        with pytest.raises(NotFound):
            exports.read(session, replace(auditor, **now), number)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "everything"}, "/kind"),
        ({"format": "pdf"}, "/format"),
        ({"first": TODAY + timedelta(days=2)}, "/last"),
        ({"first": TODAY - timedelta(days=366)}, "/last"),
        ({"filters": {"fund": "base"}}, "/fund"),
        ({"kind": "postings"}, "/fund"),
        ({"kind": "acts", "filters": {"methodology": "travel.teleport"}}, "/methodology"),
    ],
)
def test_a_wrong_wish_is_explained_at_its_field(
    session: Session, auditor: Asker, changes: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Invalid) as refused:
        exports.ask(session, auditor, replace(WISH, **changes))
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


def test_it_is_audited_kept_a_week_and_erased(session: Session, auditor: Asker) -> None:
    written(session, auditor, WISH)
    done = text("select action from audit_entry where subject like 'export:%' order by audit_id")
    assert session.execute(done).scalars().all() == ["export.asked", "export.written", "export.read"]
    assert export_work.erase_due(session, clock.now(), 10) == 0
    assert export_work.erase_due(session, clock.now() + export_work.KEPT, 10) == 1
    session.commit()
    (row,) = exports.listed(session, auditor.staff_id)
    assert (row.state, session.execute(text("select count(*) from export_piece")).scalar_one()) == (
        "expired",
        0,
    )
    with pytest.raises(DBAPIError, match="cannot become"):
        session.execute(text("update export set state = 'done'"))


def test_one_is_erased_by_hand_by_whoever_asked_or_audits_the_district(
    session: Session, auditor: Asker
) -> None:
    other = replace(auditor, staff_id=add(session, "李财", [Role.FINANCE], "tests").staff_id)
    written(session, auditor, WISH)
    (row,) = exports.listed(session, auditor.staff_id)
    for stranger in (
        replace(other, roles=frozenset({Role.PROGRAMME})),
        replace(other, streets=frozenset({"zumiao"})),
    ):
        with pytest.raises(NotFound):
            exports.erase(session, stranger, row.export_id, clock.now())
    # who asked may, also without a role for it by now
    exports.erase(session, replace(auditor, roles=frozenset()), row.export_id, clock.now())
    session.commit()
    (row,) = exports.listed(session, auditor.staff_id)
    assert (row.state, row.erased_by) == ("expired", auditor.staff_id)
    assert session.execute(text("select count(*) from export_piece")).scalar_one() == 0
    with pytest.raises(Conflict):
        exports.erase(session, other, row.export_id, clock.now())
    told = text("select actor, before ->> 'sha256' from audit_entry where action = 'export.erased'")
    assert row.sha256 is not None
    assert session.execute(told).all() == [(auditor.actor, row.sha256.hex())]
    waiting = exports.ask(session, auditor, WISH)
    with pytest.raises(Conflict):
        exports.erase(session, auditor, waiting, clock.now())
    with pytest.raises(DBAPIError, match="export_erased_by_check"):
        session.execute(
            text("update export set erased_by = :by where state = 'asked'"), {"by": auditor.staff_id}
        )


def test_what_fails_says_so_and_a_fourth_death_is_the_last(
    session: Session, auditor: Asker, bare_app: Flask, settings: Settings
) -> None:
    first, second = exports.ask(session, auditor, WISH), exports.ask(session, auditor, WISH)
    gone = text("""insert into export (asked_by, kind, format, language, filters)
                   values (:by, 'gone', 'csv', 'zh', '{}') returning export_id""")
    third = session.execute(gone, {"by": auditor.staff_id}).scalar_one()
    session.execute(text("update export set attempts = 3 where export_id = :second"), {"second": second})
    session.commit()
    bare_app.config[SETTINGS] = replace(settings, home=Path(__file__))
    for number in (first, second, third):
        job.write(number)
    found = {row.export_id: (row.state, row.fault) for row in exports.listed(session, auditor.staff_id)}
    assert found == {
        first: ("failed", "NotADirectoryError"),
        second: ("failed", "never_came_back"),
        third: ("failed", "unknown_kind"),
    }


def test_one_that_was_killed_is_written_again(
    session: Session, auditor: Asker, database_url: str, owner_url: str, tmp_path: Path
) -> None:
    """While it lives nobody else begins; killed at its rows, it is written from the first one on."""
    session.execute(
        text("""insert into rollup_day (occurred_on, methodology, street, pool, acts, people)
                            values (:on, 2, 'zumiao', 'v', 20, 20)"""),
        {"on": TODAY},
    )
    number = exports.ask(session, auditor, replace(WISH, kind="rollup"))
    session.commit()
    kill_at(session, number, "rollup_day", (database_url, owner_url, tmp_path))
    (row,) = exports.listed(session, auditor.staff_id)
    assert (row.state, row.attempts) == ("running", 1)
    session.commit()
    job.write(number)
    (row,) = exports.listed(session, auditor.staff_id)
    assert (row.state, row.attempts, row.rows_done) == ("done", 2, 1)


def test_a_long_table_is_never_held_whole(tmp_path: Path) -> None:
    """Twenty thousand rows of either format."""
    rows = [[f"行 {n}", n, None, 10**15 + n] for n in range(1_000)]
    for file_format in ("csv", "xlsx"):
        sheet = sheets.opened(file_format, tmp_path, "长表", ["a", "b", "c", "d"])
        for _ in range(20):
            sheet.write(rows)
        content = b"".join(sheet.pieces())
        if file_format == "csv":
            assert len(table(content)) == 20_001
        else:
            last = openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0]
            values = list(last.iter_rows(min_row=20_001, values_only=True))
            assert values == [("行 999", 999, None, str(10**15 + 999))], (
                "what a spreadsheet would round is a text"
            )


def test_it_is_rung_for_until_it_is_written(
    session: Session, auditor: Asker, bare_app: Flask, redis_url: str
) -> None:
    bare_app.config[HANDLERS] = {}
    redis = doorbell.connect(redis_url, patience_s=30)
    redis.flushdb()
    number = exports.ask(session, auditor, WISH)
    session.commit()
    sweep(redis)
    waiting = doorbell.queue(redis, doorbell.FILES)
    assert [one.func_name for one in waiting.jobs] == [doorbell.EXPORTS.job]
    job.write_all()
    (row,) = exports.listed(session, auditor.staff_id)
    assert (row.export_id, row.state) == (number, "done")
    redis.flushdb()
    sweep(redis)
    assert len(waiting) == 0
