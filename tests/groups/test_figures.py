"""What members did, on days on which they belonged; and what is never shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core import clock
from carbon_credits.core.clock import PROGRAMME_ZONE
from carbon_credits.core.crypto import Vault
from carbon_credits.core.i18n import Text
from carbon_credits.core.ids import shard_of
from carbon_credits.crediting import group_months
from carbon_credits.crediting.batch import credit_batch
from carbon_credits.groups import figures, membership, service
from carbon_credits.groups.service import GroupKind
from tests.factories.acts import a_claimed_act, a_partner_source
from tests.factories.groups import a_group, admitted, some_residents
from tests.factories.programme import a_fund, a_rate, two_staff
from tests.factories.staff import a_member

NOW = clock.now()
TODAY = clock.day_of(NOW)
MONTH = figures.last_month(TODAY)


def on(day: int) -> datetime:
    """Eight in the morning of a day of the month that is over."""
    return datetime(MONTH.year, MONTH.month, day, 8, tzinfo=PROGRAMME_ZONE)


@pytest.fixture
def programme(session: Session) -> Session:
    """A funded programme with a partner."""
    people = two_staff(session)
    fund = a_fund(session, people, 10**9)
    for evidence in "AD":
        a_rate(session, people, fund, evidence)
    a_partner_source(session)
    session.execute(
        text("select make_partitions(:first, :last)"), {"first": figures.back(MONTH, 2), "last": TODAY}
    )
    return session


def ride(session: Session, people: Sequence[int], day: int = 10, metres: int = 9_000, by: str = "A") -> None:
    """Each takes the metro (or says so), and the batch decides."""
    code = "travel.metro" if by == "A" else "travel.cycling"
    for person in people:
        start = on(day)
        told = {"distance_m": metres}
        a_claimed_act(session, person, code, start, start + timedelta(minutes=25), told, evidence_class=by)
    session.commit()
    for shard in sorted({shard_of(person) for person in people}):
        while credit_batch(session, shard, TODAY).picked:
            session.commit()


def grams(session: Session, people: Sequence[int]) -> int:
    """What the wallets have, verified."""
    asked = text("select coalesce(sum(verified_mg), 0) from wallet where resident_id = any(:people)")
    return int(session.execute(asked, {"people": list(people)}).scalar_one())


def compute(session: Session) -> None:
    """A night."""
    while group_months.compute_due(session, NOW, most=2):
        session.commit()


def test_an_act_counts_on_its_day_for_who_belonged_then(programme: Session, vault: Vault) -> None:
    estate = a_group(programme, on(1))
    people = some_residents(programme, vault, 12, on(1))
    gone, late, stayed = people[0], people[1], people[2:]
    admitted(programme, estate, [gone, *stayed], on(1))
    membership.leave(programme, estate, gone, on(10))
    admitted(programme, estate, [late], on(11))
    service.declare_size(programme, estate, 40, MONTH, "居委会", a_member(programme))
    ride(programme, [gone, late, *stayed[:3]])
    ride(programme, stayed[3:5], by="D", metres=3_000)
    compute(programme)
    (month,) = figures.months_of(programme, estate, TODAY)
    assert (month.month, month.members, month.active, month.people) == (MONTH, 12, 5, 40)
    assert month.verified_mg == grams(programme, stayed[:3]) > 0
    assert month.verified_mg_per_head == month.verified_mg // 40
    # two walked and said so: what they did is theirs, and each would know the other's
    assert (month.claimed_mg, month.claimed_mg_per_head) == (None, None)
    assert month.active_share_pm == 125
    # decided again: a member's ride comes later, and an older month is computed when somebody asks
    ride(programme, stayed[5:7], day=12)
    assert group_months.compute_month(programme, MONTH, NOW, 0) == estate
    assert figures.months_of(programme, estate, TODAY)[0].verified_mg == grams(
        programme, [*stayed[:3], *stayed[5:7]]
    )
    assert figures.measured(programme, estate, TODAY)["travel_mg_per_head"] > 0
    # one ride is taken back, another is restated to a gram
    programme.execute(
        text("update decision set state = 'reversed', reasons = '{test}' where resident_id = :one"),
        {"one": stayed[0]},
    )
    programme.execute(
        text("""insert into restated (restatement_id, resident_id, activity_id, old_mg, new_mg, raw_mg, journal_id,
                                      from_release, to_release, occurred_on, generation, shard_id)
                select 1, resident_id, activity_id, credited_mg, 1000, 1000, 1, 1, 1, occurred_on, generation, shard_id
                from decision where resident_id = :one"""),
        {"one": stayed[1]},
    )
    group_months.compute_month(programme, MONTH, NOW, 0)
    left = grams(programme, [stayed[2], *stayed[5:7]]) + 1_000
    assert figures.months_of(programme, estate, TODAY)[0].verified_mg == left


def test_a_few_are_shown_to_nobody_and_a_household_to_itself(programme: Session, vault: Vault) -> None:
    small, quiet = a_group(programme, on(1)), a_group(programme, on(1))
    home = a_group(programme, on(1), GroupKind.HOUSEHOLD)
    people = some_residents(programme, vault, 19, on(1))
    admitted(programme, small, people[:9], on(1))
    admitted(programme, quiet, people[9:], on(1))
    admitted(programme, home, people[:2], on(1))
    ride(programme, [*people[:4], people[9]])
    compute(programme)
    assert figures.months_of(programme, small, TODAY) == []
    # ten members of whom one was active: what the group did is what one did
    assert figures.months_of(programme, quiet, TODAY) == []
    assert figures.months_of(programme, home, TODAY) == []
    assert figures.board(programme, GroupKind.ESTATE, MONTH) == []
    own = figures.months_of(programme, home, TODAY, own_household=True)
    assert (own[-1].month, own[-1].verified_mg) == (MONTH, grams(programme, people[:2]))


def test_a_month_that_is_nearly_one_members_is_not_shown_nor_told_by_the_whole(
    programme: Session, vault: Vault
) -> None:
    school = a_group(programme, on(1), GroupKind.SCHOOL)
    one, other, third = (a_group(programme, on(1), GroupKind.SCHOOL, parent_id=school) for _ in range(3))
    people = some_residents(programme, vault, 30, on(1))
    for n, part in enumerate((one, other, third)):
        admitted(programme, part, people[n * 10 : n * 10 + 10], on(1))
    ride(programme, [*people[:4], *people[10:14], *people[20:24]])
    compute(programme)
    shown = [figures.months_of(programme, part, TODAY) for part in (school, one, other, third)]
    assert [len(months) for months in shown] == [1, 1, 1, 1]
    # of the third's four one did as much as sixty, then thirty rides: first the school would tell it too, then the class
    # alone, and what the others leave of the school
    for restatement, (times, seen) in enumerate(((60, [0, 0, 0, 0]), (30, [1, 0, 0, 0])), 1):
        restate(programme, restatement, people[20], times)
        group_months.compute_month(programme, MONTH, NOW, 0)
        shown = [figures.months_of(programme, part, TODAY) for part in (school, one, other, third)]
        assert [len(months) for months in shown] == seen
        assert len(figures.board(programme, GroupKind.SCHOOL, MONTH)) == seen[0]


def restate(session: Session, restatement: int, resident: int, times: int) -> None:
    """Say that somebody's acts avoided so many times as much."""
    session.execute(
        text("""insert into restated (restatement_id, resident_id, activity_id, old_mg, new_mg, raw_mg, journal_id,
                                      from_release, to_release, occurred_on, generation, shard_id)
                select :restatement, resident_id, activity_id, credited_mg, :times * credited_mg, 1000, 1, 1, 1,
                       occurred_on, generation, shard_id
                from decision where resident_id = :one"""),
        {"restatement": restatement, "one": resident, "times": times},
    )


def test_classes_are_hidden_where_one_could_be_subtracted_and_never_ranked(
    programme: Session, vault: Vault
) -> None:
    school = a_group(programme, on(1), GroupKind.SCHOOL)
    large, tiny = (a_group(programme, on(1), GroupKind.SCHOOL, parent_id=school) for _ in range(2))
    people = some_residents(programme, vault, 21, on(1))
    admitted(programme, large, people[:11], on(1))
    admitted(programme, tiny, people[11:14], on(1))
    ride(programme, people[:3])
    compute(programme)
    assert figures.months_of(programme, school, TODAY)[0].members == 14
    assert figures.months_of(programme, large, TODAY) == []
    admitted(programme, school, people[14:], on(2))
    group_months.compute_month(programme, MONTH, NOW, 0)
    assert figures.months_of(programme, large, TODAY)[0].members == 11
    assert figures.months_of(programme, tiny, TODAY) == []
    (place,) = figures.board(programme, GroupKind.SCHOOL, MONTH)
    assert (place.group_id, place.rank, place.tied) == (school, None, False)


def test_a_board_says_ties_and_names_only_who_let_themselves_be_named(
    programme: Session, vault: Vault
) -> None:
    firms = [
        a_group(programme, on(1), GroupKind.FIRM, names=Text(f"厂 {n}", f"Works {n}"), listed=n != 3)
        for n in range(4)
    ]
    people = some_residents(programme, vault, 40, on(1))
    for n, firm in enumerate(firms):
        admitted(programme, firm, people[n * 10 : n * 10 + 10], on(1))
    ride(programme, [*people[:3], *people[10:13], *people[20:24], *people[30:38]])
    compute(programme)
    told = [
        (place.group_id, place.rank, place.tied) for place in figures.board(programme, GroupKind.FIRM, MONTH)
    ]
    assert told == [(firms[2], 1, False), (firms[0], 2, True), (firms[1], 2, True)]
