"""Who belongs, by which code, since when: promises of the tables, held against those who come at once."""

import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.groups import codes_file, group_list, membership, service
from carbon_credits.groups.service import GroupKind, NewGroup
from tests.factories.groups import a_group, admitted, some_residents
from tests.factories.residents import a_resident
from tests.factories.staff import a_member

NOW = clock.now()
TODAY = clock.day_of(NOW)
LATER = (TODAY + timedelta(days=30)).isoformat()


def test_a_part_is_of_its_wholes_kind_and_there_is_no_third_level(session: Session) -> None:
    school = a_group(session, NOW, GroupKind.SCHOOL)
    grade = a_group(session, NOW, GroupKind.SCHOOL, parent_id=school)
    for kind, parent in ((GroupKind.SCHOOL, grade), (GroupKind.ESTATE, school)):
        with pytest.raises(Invalid, match="wrong_group"):
            a_group(session, NOW, kind, parent_id=parent)
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(
                text("""insert into resident_group
                          (kind, name_zh, name_en, parent_id, made_by, made_on, state, decided_by)
                        select :kind, '班', 'Class', :parent, made_by, made_on, 'active', made_by
                        from resident_group where group_id = :parent"""),
                {"kind": kind.value, "parent": parent},
            )
    with pytest.raises(Conflict, match="parts_active"):
        service.close(session, school, a_member(session), "…", NOW)


def test_a_code_lets_in_so_many_until_it_ends_and_says_the_same_no_to_all(
    session: Session, vault: Vault
) -> None:
    estate = a_group(session, NOW)
    first, second, third = some_residents(session, vault, 3, NOW)
    made = membership.new_code(session, vault, estate, "tests", NOW, NOW + timedelta(days=1), most=2)
    spelt = f"{made.code[:4]}-{made.code[4:8]} {made.code[8:]}".lower()
    for person in (first, second):
        assert membership.join(session, vault, spelt, person, NOW).group_id == estate
    late = membership.new_code(session, vault, estate, "tests", NOW, NOW + timedelta(days=1))
    for code, at in ((made.code, NOW), (late.code, NOW + timedelta(days=2)), ("NOSUCHCODE23", NOW)):
        with pytest.raises(NotFound, match="join_code_refused"):
            membership.join(session, vault, code, third, at)
    assert membership.end_codes(session, estate, NOW) == 2
    with pytest.raises(NotFound, match="join_code_refused"):
        membership.join(session, vault, late.code, third, NOW)
    kept = session.execute(text("select code_mac from join_code")).scalars()
    assert all(len(mac) == 16 and bytes(mac) not in made.code.encode() for mac in kept)


def test_of_two_who_show_a_one_time_code_at_once_one_gets_in(
    session: Session, bare_app: Flask, vault: Vault
) -> None:
    estate = a_group(session, NOW)
    people = some_residents(session, vault, 2, NOW)
    code = membership.new_code(session, vault, estate, "tests", NOW, NOW + timedelta(days=1)).code
    session.commit()
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def come(person: int) -> None:
        with bare_app.app_context():
            together.wait()
            try:
                in_transaction(lambda s: membership.join(s, vault, code, person, NOW))
                outcomes.append("in")
            except NotFound as no:
                outcomes.append(no.code)

    threads = [threading.Thread(target=come, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "join_code_refused"]


def test_somebody_is_in_one_group_of_a_kind_and_what_was_stays(session: Session, vault: Vault) -> None:
    home, other = (a_group(session, NOW, GroupKind.HOUSEHOLD) for _ in range(2))
    estate = a_group(session, NOW)
    (person,) = some_residents(session, vault, 1, NOW)
    admitted(session, home, [person], NOW - timedelta(days=9))
    admitted(session, estate, [person], NOW)
    with pytest.raises(Conflict, match="member_already"):
        membership.admit(session, other, person, "code", NOW)
    membership.leave(session, home, person, NOW)
    membership.admit(session, other, person, "code", NOW)
    membership.leave(session, other, person, NOW)
    membership.admit(session, home, person, "code", NOW)
    rows = session.execute(
        text("""select group_id, :today - from_on as began, to_on - :today as ended from membership
                where resident_id = :person and kind = 'household' order by membership_id"""),
        {"today": TODAY, "person": person},
    )
    assert [tuple(row) for row in rows] == [(home, 9, 0), (other, 0, 0), (home, 0, None)]
    with pytest.raises(DBAPIError, match="history"), session.begin_nested():
        session.execute(text("update membership set to_on = to_on + 1 where to_on is not null"))
    assert membership.leave_all(session, person, NOW) == 2
    with pytest.raises(NotFound):
        membership.leave(session, home, person, NOW)


def test_one_asks_once_and_is_let_in_by_a_person(session: Session, vault: Vault) -> None:
    firm, home = a_group(session, NOW, GroupKind.FIRM), a_group(session, NOW, GroupKind.HOUSEHOLD)
    (person,) = some_residents(session, vault, 1, NOW)
    number = membership.ask(session, firm, person, NOW)
    assert membership.ask(session, firm, person, NOW) == number
    with pytest.raises(NotFound):
        membership.ask(session, home, person, NOW)
    staff = a_member(session)
    membership.answer(session, number, staff, NOW, take_in=True)
    assert membership.membership_in(session, firm, person) is not None
    with pytest.raises(Conflict, match="answered_already"):
        membership.answer(session, number, staff, NOW, take_in=False)


def test_who_asks_to_be_let_in_is_counted_for_the_streets_of_who_answers(
    session: Session, vault: Vault
) -> None:
    here, elsewhere = a_group(session, NOW, street="shiwan"), a_group(session, NOW, street="zumiao")
    first, second, third = some_residents(session, vault, 3, NOW)
    assert group_list.waiting(session).joining == 0
    request = membership.ask(session, here, first, NOW - timedelta(hours=2))
    membership.ask(session, here, second, NOW)
    membership.ask(session, elsewhere, third, NOW)
    waits = group_list.waiting(session, {"shiwan"})
    assert (waits.joining, waits.joining_since) == (2, NOW - timedelta(hours=2))
    assert [group_list.waiting(session, streets).joining for streets in (None, {"zumiao"}, set())] == [
        3,
        1,
        0,
    ]
    membership.answer(session, request, a_member(session), NOW, take_in=False)
    assert group_list.waiting(session, {"shiwan"}).joining == 1


def test_a_household_has_no_name_and_a_school_names_nobody(session: Session, vault: Vault) -> None:
    person = a_resident(session, vault)
    for kind, names in ((GroupKind.HOUSEHOLD, Text("张三一家", "The Zhangs")), (GroupKind.FIRM, None)):
        with pytest.raises(Invalid) as no:
            service.apply_for(session, NewGroup(kind, names), person, NOW)
        assert [fault.pointer for fault in no.value.faults] == ["/name"]
    told = NewGroup(GroupKind.HOUSEHOLD)
    assert service.apply_for(session, told, person, NOW).name_zh == "家庭"
    with pytest.raises(Conflict, match="applied_already"):
        service.apply_for(session, told, person, NOW)
    school = a_group(session, NOW, GroupKind.SCHOOL)
    admitted(session, school, [person], NOW)
    with pytest.raises(Invalid, match="no_names_in_schools"):
        membership.share_name(session, school, person, b"sealed")
    with pytest.raises(DBAPIError, match="membership_check"), session.begin_nested():
        session.execute(text("update membership set sealed_name = 'x'"))


def test_every_wrong_line_of_a_file_of_codes_is_named_and_nothing_is_written(
    session: Session, vault: Vault
) -> None:
    estate = a_group(session, NOW)
    lines = [
        "group,code,expires_on,most",
        f"{estate},LVJING-2026-01,{LATER},3",
        f"{estate},=1+1ABCDEFGH,{LATER},1",
        f"{estate},lvjing 2026 01,{LATER},1",
        f"{estate},AAAAAAAAAAAA,{LATER},1",
        f"{estate},LVJING-2026-02,2020-01-01,1",
        f"{estate},LVJING-2026-03,{LATER}",
        "",
        f"x,LVJING-2026-04,{LATER},1",
    ]
    with pytest.raises(Invalid) as no:
        codes_file.read("\n".join(lines).encode("utf-8-sig"), NOW)
    assert [(fault.pointer, fault.code) for fault in no.value.faults] == [
        ("/lines/3", "formula"),
        ("/lines/4", "duplicate"),
        ("/lines/5", "weak_code"),
        ("/lines/6", "out_of_range"),
        ("/lines/7", "wrong_width"),
        ("/lines/9", "not_a_number"),
    ]
    for wrong, code in ((b"\xff\xff\xff", "bad_encoding"), (b"code\n", "wrong_header"), (b'a,"b', "not_csv")):
        with pytest.raises(Invalid) as no:
            codes_file.read(wrong, NOW)
        assert no.value.faults[0].code == code
    good = "\n".join([lines[0], lines[1], f"999999,GUICHENG2026,{LATER},"])
    with pytest.raises(Invalid, match="wrong_file") as no, session.begin_nested():
        codes_file.take_in(session, vault, codes_file.read(good.encode("gb18030"), NOW), "tests", NOW)
    assert [(fault.pointer, fault.code) for fault in no.value.faults] == [("/lines/3", "group_unknown")]
    assert session.execute(text("select count(*) from join_code")).scalar_one() == 0
    read = codes_file.read("\r\n".join(lines[:2]).encode("gb18030"), NOW)
    assert codes_file.take_in(session, vault, read, "tests", NOW) == 1
    with pytest.raises(Invalid) as no, session.begin_nested():
        codes_file.take_in(session, vault, read, "tests", NOW)
    assert no.value.faults[0].code == "code_known"
    (person,) = some_residents(session, vault, 1, NOW)
    assert membership.join(session, vault, "LVJING202601", person, NOW).group_id == estate
