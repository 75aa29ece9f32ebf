"""A group asks by itself to be put forward for a drive: who may, what staff answer, and two at once."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.errors import Conflict, Invalid, NotAllowed, NotFound
from carbon_credits.groups import drive_requests, drive_standing, drives, membership, service
from carbon_credits.groups.drive_standing import Standing
from carbon_credits.groups.service import GroupKind
from tests.factories.groups import a_group, admitted, founded, some_residents
from tests.factories.staff import a_member
from tests.groups.test_drives import a_month
from tests.residents.together import together

NOW = clock.now()
TODAY = clock.day_of(NOW)


def standing(session: Session, group: int, person: int, drive: str = "family") -> Standing:
    rows = drive_standing.standings(session, group, person, TODAY)
    return next(row for row in rows if row.drive.drive == drive)


def each(turns: Sequence[Callable[[Session], Any]]) -> Callable[[Session], Any]:
    """Whoever comes next does what comes next."""
    left = iter(turns)

    def one(own: Session) -> Any:
        return next(left)(own)

    return one


def states(session: Session) -> list[str]:
    return list(session.scalars(text("select state from drive_request order by request_id")))


def test_a_household_asks_and_is_put_forward_by_who_takes_it_up(session: Session, vault: Vault) -> None:
    (mother,) = some_residents(session, vault, 1, NOW)
    home, staff = founded(session, mother, NOW), a_member(session)
    a_month(session, home, members=1, active=1, people=1, mg=60_000_000)
    before = standing(session, home, mother)
    found = {line.criterion.code: (line.value, line.met) for line in before.checklist}
    assert found == {"saves": (60_000_000, True), "sorts_waste": (None, None)}
    assert (before.may_ask, before.request, before.application) == (True, None, None)
    asked, is_new = drive_requests.ask(session, "family", home, mother, NOW)
    again, is_new_again = drive_requests.ask(session, "family", home, mother, NOW)
    assert (is_new, is_new_again, again.request_id) == (True, False, asked.request_id)
    assert standing(session, home, mother).may_ask is False
    made = drive_requests.take_up(session, asked.request_id, staff, NOW)
    assert (made.group_id, made.drive, made.year, made.made_by) == (home, "family", TODAY.year, staff)
    behind = drive_requests.behind(session, made.application_id)
    assert behind is not None
    assert (behind.request_id, behind.state, behind.decided_by) == (asked.request_id, "taken_up", staff)
    with pytest.raises(NotAllowed, match="wrong_person"):
        drives.review(session, made.application_id, staff, "好", recommend=False)
    for late in (
        lambda: drive_requests.ask(session, "family", home, mother, NOW),
        lambda: drive_requests.take_up(session, asked.request_id, staff, NOW),
        lambda: drive_requests.decline(session, asked.request_id, staff, "迟了"),
        lambda: drive_requests.withdraw(session, "family", home, asked.request_id, mother),
    ):
        with pytest.raises(Conflict, match="already"):
            late()
    drives.review(session, made.application_id, a_member(session), "缺分类证明", recommend=False)
    over = standing(session, home, mother)
    assert over.application is not None
    assert (over.application.state, over.may_ask) == ("refused", True)


def test_who_does_not_run_the_group_is_refused(session: Session, vault: Vault) -> None:
    founder, member, stranger = some_residents(session, vault, 3, NOW)
    home, firm, estate = (
        founded(session, founder, NOW),
        founded(session, founder, NOW, GroupKind.FIRM),
        a_group(session, NOW),
    )
    school = founded(session, founder, NOW, GroupKind.SCHOOL)
    for group in (home, firm, estate, school):
        admitted(session, group, [member], NOW)
    part = a_group(session, NOW, GroupKind.FIRM, parent_id=firm)
    for person, group, drive, why, kind in (
        (stranger, home, "family", "group_unknown", NotFound),
        (member, home, "family", "not_the_organiser", NotAllowed),
        (stranger, firm, "travel", "not_the_organiser", NotAllowed),
        (member, estate, "community", "not_the_organiser", NotAllowed),
        (founder, school, "school", "school_by_staff", NotAllowed),
        (founder, school, "travel", "school_by_staff", NotAllowed),
        (founder, firm, "mall", "drive_not_for_group", NotFound),
        (founder, firm, "nothing", "drive_not_for_group", NotFound),
        (founder, part, "travel", "not_the_organiser", NotAllowed),
        (founder, 999_999, "travel", "group_unknown", NotFound),
    ):
        with pytest.raises(kind, match=why):
            drive_requests.ask(session, drive, group, person, NOW)
    for person, group, why, refusal in (
        (stranger, home, "group_unknown", NotFound),
        (stranger, firm, "not_a_member", NotAllowed),
    ):
        with pytest.raises(refusal, match=why):
            drive_standing.standings(session, group, person, TODAY)
    assert [row.may_ask for row in drive_standing.standings(session, school, founder, TODAY)] == [
        False,
        False,
    ]
    assert standing(session, firm, member, "travel").may_ask is False
    # and the tables hold it by themselves
    insert = text("""insert into drive_request (drive, group_id, kind, resident_id, year, state, decided_by)
                     values (:drive, :group, :kind, :person, :year, :state, :by)""")
    right = {
        "drive": "travel",
        "group": firm,
        "kind": "firm",
        "person": founder,
        "year": TODAY.year,
        "state": "asked",
        "by": None,
    }
    for wrong in (
        {"person": member},
        {"person": stranger},
        {"group": school, "kind": "school"},
        {"group": school},
        {"drive": "mall"},
        {"state": "declined", "by": 1},
        {"by": 1},
        {"year": 2024},
    ):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(insert, {**right, **wrong})
    session.execute(insert, right)
    with pytest.raises(DBAPIError, match="drive_request_once"), session.begin_nested():
        session.execute(insert, right)


def test_a_no_says_why_and_is_history(session: Session, vault: Vault) -> None:
    (person,) = some_residents(session, vault, 1, NOW)
    home, staff = founded(session, person, NOW), a_member(session)
    asked, _ = drive_requests.ask(session, "family", home, person, NOW)
    with pytest.raises(Invalid, match="reason_missing"):
        drive_requests.decline(session, asked.request_id, staff, " ")
    drive_requests.decline(session, asked.request_id, staff, "本年度名额已满，请明年再提")
    told = standing(session, home, person)
    assert told.request is not None
    assert (told.request.state, told.request.reason, told.may_ask) == (
        "declined",
        "本年度名额已满，请明年再提",
        True,
    )
    with pytest.raises(DBAPIError, match="history"), session.begin_nested():
        session.execute(text("update drive_request set reason = '另说'"))
    again, is_new = drive_requests.ask(session, "family", home, person, NOW)
    assert is_new
    assert drive_requests.withdraw(session, "family", home, again.request_id, person) is True
    assert drive_requests.withdraw(session, "family", home, again.request_id, person) is False
    (other,) = some_residents(session, vault, 1, NOW)
    for drive, group, number, who in (
        ("family", home, again.request_id, other),
        ("travel", home, again.request_id, person),
        ("family", home, again.request_id + 9, person),
    ):
        with pytest.raises(NotFound, match="request_unknown"):
            drive_requests.withdraw(session, drive, group, number, who)
    assert states(session) == ["declined", "withdrawn"]


def test_what_waits_ends_with_the_group_and_with_who_asked(session: Session, vault: Vault) -> None:
    one, other = some_residents(session, vault, 2, NOW)
    left, closed, staff = founded(session, one, NOW), founded(session, other, NOW), a_member(session)
    firm = founded(session, one, NOW, GroupKind.FIRM)
    numbers = [
        drive_requests.ask(session, drive, group, person, NOW)[0].request_id
        for drive, group, person in (("family", left, one), ("family", closed, other), ("travel", firm, one))
    ]
    membership.leave(session, left, one, NOW)
    service.close(session, closed, staff, "搬离本区", NOW)
    # staff who apply by themselves answer what waits
    made = drives.apply(session, "travel", firm, TODAY.year, staff, NOW)
    session.expire_all()
    told = [drive_requests.request(session, number) for number in numbers]
    assert [(row.state, row.reason, row.application_id) for row in told] == [
        ("withdrawn", None, None),
        ("declined", "搬离本区", None),
        ("taken_up", None, made.application_id),
    ]
    with pytest.raises(NotFound, match="group_unknown"):
        drive_requests.ask(session, "family", left, one, NOW)
    with pytest.raises(NotFound, match="group_unknown"):
        drive_requests.ask(session, "family", closed, other, NOW)


def test_of_any_number_at_once_there_is_one(session: Session, vault: Vault, database_url: str) -> None:
    (person,) = some_residents(session, vault, 1, NOW)
    home, staff = founded(session, person, NOW), [a_member(session) for _ in range(2)]
    year = TODAY.year
    session.commit()
    heard = together(database_url, 6, lambda own: drive_requests.ask(own, "family", home, person, NOW))
    got = [one for one in heard if not isinstance(one, Exception)]
    assert (len(got), sum(is_new for _, is_new in got), len({row.request_id for row, _ in got})) == (6, 1, 1)
    number = got[0][0].request_id
    # two staff take it up while a third applies without looking, the resident takes it back and another declines it
    turns = [
        lambda own: drive_requests.take_up(own, number, staff[0], NOW) and "taken",
        lambda own: drive_requests.take_up(own, number, staff[1], NOW) and "taken",
        lambda own: drives.apply(own, "family", home, year, staff[1], NOW) and "taken",
        lambda own: drive_requests.withdraw(own, "family", home, number, person) and "withdrawn",
        lambda own: drive_requests.decline(own, number, staff[0], "名额已满").state,
    ]
    heard_of = together(database_url, 5, each(turns))
    refused = [one for one in heard_of if isinstance(one, Exception)]
    assert all(isinstance(one, Conflict) for one in refused), refused
    (state,) = states(session)
    rows = session.execute(text("select count(*) from drive_application")).scalar_one()
    if state == "taken_up":
        assert (rows, len(refused)) == (1, 4)
    else:
        # answered without it; who applied without looking applied by himself
        assert (rows, len(refused)) == (1, 3)


def test_who_asks_waits_for_who_applies_and_for_who_leaves(
    session: Session, vault: Vault, database_url: str
) -> None:
    person, other = some_residents(session, vault, 2, NOW)
    firm, home = founded(session, person, NOW, GroupKind.FIRM), founded(session, other, NOW)
    staff = a_member(session)
    session.commit()

    def ask(drive: str, group: int, who: int) -> Any:
        def work(own: Session) -> Any:
            own.execute(text("set local lock_timeout = '200ms'"))
            return drive_requests.ask(own, drive, group, who, NOW)

        return together(database_url, 1, work)[0]

    drives.apply(session, "travel", firm, TODAY.year, staff, NOW)
    membership.leave(session, home, other, NOW)
    for waiting in (ask("travel", firm, person), ask("family", home, other)):
        assert "lock timeout" in str(waiting)
    session.commit()
    assert isinstance(ask("travel", firm, person), Conflict)
    assert isinstance(ask("family", home, other), NotFound)


def test_who_takes_a_request_up_is_who_applied(session: Session, vault: Vault) -> None:
    (person,) = some_residents(session, vault, 1, NOW)
    home, one, other = founded(session, person, NOW), a_member(session), a_member(session)
    asked, _ = drive_requests.ask(session, "family", home, person, NOW)
    number = session.execute(
        text("""insert into drive_application (drive, group_id, year, criteria_on, made_by)
                values ('family', :group, :year, :today, :by) returning application_id"""),
        {"group": home, "year": TODAY.year, "today": TODAY, "by": one},
    ).scalar_one()
    answer = text("""update drive_request set state = 'taken_up', decided_by = :by, application_id = :number
                     where request_id = :request""")
    with pytest.raises(DBAPIError, match="drive_request_application_id_drive"), session.begin_nested():
        session.execute(answer, {"by": other, "number": number, "request": asked.request_id})
    session.execute(answer, {"by": one, "number": number, "request": asked.request_id})
