"""A planted effect is found within its interval, none is found where there is none, and intervals mean what they say."""

import random
from datetime import date, timedelta
from math import exp

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.crediting.bonus_figures import OfStreet
from carbon_credits.reporting.campaigns import StreetLine, streets_shown
from carbon_credits.reporting.effects import Measured, Window, compare
from carbon_credits.reporting.intervals import Sums, difference, student
from tests.factories.district import CYCLING, a_district, draw_lots, plant

SINCE = date(2026, 6, 1)
CAMPAIGN = 1_001
PLACEBOS = list(range(1, 101))
RESTATE = text("""
insert into restated (resident_id, activity_id, generation, restatement_id, shard_id, old_mg, new_mg, raw_mg, journal_id,
                      from_release, to_release, occurred_on)
select resident_id, activity_id, generation, 1, shard_id, credited_mg, credited_mg / 2, raw_mg, 1, 1, 1, occurred_on
from decision where activity_id % 3 = 0 and credited_mg > 1
""")
REVERSE = text("""
update decision set state = 'reversed', reasons = '{fraud}' where activity_id % 7 = 0
""")
BY_PERSON = text("""
select a.side, coalesce(sum(mg) filter (where d.occurred_on >= :since), 0)::bigint as y,
       coalesce(sum(mg) filter (where d.occurred_on < :since), 0)::bigint as x
from campaign_audience a
left join (
  select d.*, coalesce(r.new_mg, d.credited_mg) as mg
  from decision d left join restated r using (resident_id, activity_id, generation)
  where d.state = 'credited' and d.occurred_on between cast(:since as date) - 14 and :until and pool = 'c'
) d using (resident_id)
group by a.resident_id, a.side
""")


def found(session: Session, campaign: int, window: Window) -> Measured:
    effect = compare(session, campaign, [CYCLING], window).of("avoided")
    assert effect is not None
    return effect


def test_no_effect_is_reported_on_placebo_and_a_planted_one_is_recovered(session: Session) -> None:
    district = a_district(session, people=1_000, since=SINCE, days=28, seed=4)
    window = Window(district.since, district.until, has_lasted=True)
    draw_lots(session, [*PLACEBOS, CAMPAIGN], ppm=400_000, seed=20_260_601)

    # the same acts, and lots drawn a hundred times over them: whatever is found is chance
    placebo = [found(session, campaign, window) for campaign in PLACEBOS]
    seen = [effect for effect in placebo if effect.during is not None and effect.during.is_seen]
    assert 0 < len(seen) <= 10

    after = district.until + timedelta(days=1)
    planted = plant(session, CAMPAIGN, district.since, district.until, percent=20)
    lasting = plant(session, CAMPAIGN, after, after + timedelta(days=27), percent=10)
    effect = found(session, CAMPAIGN, window)
    assert effect.during is not None
    assert effect.after is not None
    assert effect.during.is_seen
    assert effect.during.low_mg <= planted <= effect.during.high_mg
    assert effect.during.without_mg * 0.1 < effect.during.extra_mg < effect.during.without_mg * 0.3
    assert effect.after.low_mg <= lasting <= effect.after.high_mg


def test_sums_of_the_database_are_those_person_by_person(session: Session) -> None:
    """What was restated counts as restated, what was reversed not at all, what others do to nobody."""
    district = a_district(session, people=300, since=SINCE, days=14, seed=7)
    draw_lots(session, [1], ppm=400_000, seed=1)
    session.execute(RESTATE)
    session.execute(REVERSE)
    window = Window(district.since, district.until, has_lasted=False)
    sides: dict[str, list[tuple[int, int]]] = {"offered": [], "held_out": []}
    for row in session.execute(BY_PERSON, {"since": window.since, "until": window.until}):
        sides[row.side].append((row.y, row.x))
    offered, held_out = (sums(people) for people in (sides["offered"], sides["held_out"]))
    wanted = difference(offered, held_out)
    assert wanted is not None
    compared = compare(session, 1, [CYCLING], window)
    assert (compared.offered, compared.held_out) == (offered.n, held_out.n)
    effect = compared.of("avoided")
    assert effect is not None
    assert effect.during is not None
    assert effect.after is None
    assert effect.during.extra_mg == round(wanted.mean * offered.n)
    assert effect.during.low_mg == round(wanted.low * offered.n)
    # everything in it is claimed: nothing verified, nothing removed
    assert [m.measure for m in compared.measures] == ["avoided", "avoided_in_all"]


@pytest.mark.parametrize(
    ("people", "ppm", "refused"), [(300, 0, "no_hold_out"), (300, 100_000, "too_few_people")]
)
def test_nothing_is_said_where_nothing_can_be(session: Session, people: int, ppm: int, refused: str) -> None:
    a_district(session, people=people, since=SINCE, days=7, seed=7)
    draw_lots(session, [1], ppm=ppm, seed=1)
    compared = compare(session, 1, [CYCLING], Window(SINCE, SINCE + timedelta(days=6), has_lasted=True))
    assert (compared.refused, compared.measures) == (refused, ())


def test_an_interval_holds_the_truth_as_often_as_it_says_although_few_do_most() -> None:
    drawn = random.Random(11)

    def person(lift: float) -> tuple[int, int]:
        """Two in five do nothing; the others' grams have a tail in which one does fifty times as much as most."""
        size = drawn.lognormvariate(10, 1.2) if drawn.random() < 0.6 else 0
        return int(size * drawn.lognormvariate(0, 0.5) * (1 + lift)), int(size * drawn.lognormvariate(0, 0.5))

    truth = 0.2 * 0.6 * exp(10 + 1.2**2 / 2 + 0.5**2 / 2)
    held = 0
    for _ in range(400):
        found = difference(sums([person(0.2) for _ in range(300)]), sums([person(0) for _ in range(150)]))
        assert found is not None
        held += found.low <= truth <= found.high
    assert 366 <= held <= 394


def test_students_quantile_is_that_of_the_tables() -> None:
    assert [round(student(freedom), 4) for freedom in (30, 60, 120)] == [2.0423, 2.0003, 1.9799]
    assert difference(Sums(100), Sums(100)) is None
    with pytest.raises(ValueError, match="fewer than 100"):
        difference(Sums(99), Sums(100))


def test_a_street_of_few_is_not_shown_nor_what_would_give_it_away() -> None:
    """Nine gained in one street: the next smallest is hidden with it, or all less the others would say nine."""
    gained = [
        OfStreet(street, people, people * 10)
        for street, people in (("shiwan", 40), ("zumiao", 9), ("none", 31))
    ]
    lines = streets_shown({"shiwan": 60, "zumiao": 50, "none": 40, "zhangcha": 12}, gained)
    assert lines == (
        StreetLine("none", 40, None, None),
        StreetLine("shiwan", 60, 40, 400),
        StreetLine("zhangcha", 12, 0, 0),
        StreetLine("zumiao", 50, None, None),
    )


def test_points_of_a_street_that_are_nearly_one_persons_are_not_shown_nor_told_by_the_others() -> None:
    gained = [
        OfStreet("none", 40, 900, (30, 30)),
        OfStreet("shiwan", 30, 5_000, (4_800, 20)),
        OfStreet("zumiao", 90, 9_000, (300, 300)),
    ]
    lines = streets_shown({"shiwan": 60, "zumiao": 95, "none": 40}, gained)
    assert [(line.street, line.gained, line.points) for line in lines] == [
        ("none", 40, None),
        ("shiwan", 30, None),
        ("zumiao", 90, 9_000),
    ]


def sums(people: list[tuple[int, int]]) -> Sums:
    return Sums(
        len(people),
        sum(y for y, _ in people),
        sum(x for _, x in people),
        sum(y * y for y, _ in people),
        sum(y * x for y, x in people),
        sum(x * x for _, x in people),
    )
