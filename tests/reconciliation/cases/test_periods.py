"""A month's report explains every record and every claim; closed, it stands, and what comes later is an adjustment."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from carbon_credits import approving
from carbon_credits.activities.work_list import ActRef, put_back
from carbon_credits.core import clock
from carbon_credits.core.errors import Conflict, Invalid, InvariantBroken
from carbon_credits.core.ids import shard_of
from carbon_credits.ledger.check import check
from carbon_credits.ledger.locks import lock_shard
from carbon_credits.reconciliation import cases, days, periods
from carbon_credits.reconciliation.cases import act_subject
from carbon_credits.reconciliation.figures import figures_of
from carbon_credits.reconciliation.models import ClosedPeriod
from carbon_credits.reconciliation.spans import month_of
from carbon_credits.reconciliation.waiting import end_waiting
from tests.reconciliation.cases.conftest import NOW, Metro

# the last month that is over since its grace of three days, the one after it, and the one in which we are
THIS = (clock.today() - timedelta(days=3)).replace(day=1)
LAST = (THIS - timedelta(days=1)).replace(day=1)
MONTH, PRESENT = f"{LAST:%Y-%m}", f"{clock.today():%Y-%m}"
FEED = "test_metro"


def at(day: int, hour: int) -> datetime:
    return datetime(LAST.year, LAST.month, day, hour, tzinfo=UTC)


def close(metro: Metro) -> ClosedPeriod:
    closed = periods.close(metro.session, FEED, MONTH, metro.staff[0], NOW)
    metro.session.commit()
    return closed


def end(metro: Metro) -> None:
    for shard in sorted({shard_of(person) for person in metro.people}):
        lock_shard(metro.session, shard)
        end_waiting(metro.session, shard, NOW, 10_000)
    metro.session.commit()


def lines(told: Mapping[str, Any]) -> dict[str, int]:
    assert told["unexplained"] == 0
    assert sum(told["lines"].values()) == told["total"]
    return dict(told["lines"])


def added(first: Any, second: Any) -> Any:
    """The sum of figures."""
    if isinstance(first, Mapping) or isinstance(second, Mapping):
        first, second = first or {}, second or {}
        summed = {name: added(first.get(name, 0), second.get(name, 0)) for name in {*first, *second}}
        return {name: value for name, value in summed.items() if value}
    return first + second


def a_random_month(metro: Metro, random: Random, share: float = 1.0) -> list[ActRef]:
    """Rides told by phone, by the feed, or both, some of them twice or noisily; decided."""
    acts = []
    for person in metro.people:
        for day in range(3, 27):
            if random.random() > share:
                continue
            ended = at(day, random.choice((1, 4, 9))) + timedelta(minutes=random.randrange(50))
            told = random.choice(("claim", "record", "both", "both", "two records"))
            if told in ("claim", "both", "two records"):
                acts.append(metro.ride(person, ended, number=random.randrange(10**6)))
            if told != "claim":
                shift = timedelta(minutes=random.choice((0, 1, 3, 8, 40)))
                acts.append(
                    metro.ride(person, ended + shift, evidence_class="A", number=random.randrange(10**6))
                )
            if told == "two records":
                acts.append(
                    metro.ride(
                        person,
                        ended - timedelta(seconds=30),
                        evidence_class="A",
                        number=random.randrange(10**6),
                    )
                )
    metro.decide()
    keys = metro.session.execute(
        text(
            "select resident_id, occurred_on, activity_id from activity where activity_id = any(:acts) order by 3"
        ),
        {"acts": acts},
    )
    return [ActRef(*row) for row in keys]


def shake(metro: Metro, random: Random, acts: list[ActRef]) -> None:
    """Take some back, decide others again."""
    for act in random.sample(acts, len(acts) // 8):
        if random.random() < 0.6:
            put_back(metro.session, [act], "rejected", ["withdrawn_by_partner"])
        else:
            put_back(metro.session, [act], None, ["appeal_upheld"], evidence_class=random.choice((None, "B")))
        metro.session.commit()
    metro.decide()


@pytest.mark.parametrize("seed", range(4))
def test_every_record_and_claim_is_in_one_line_and_later_changes_are_adjustments(
    metro: Metro, seed: int
) -> None:
    random = Random(seed)
    acts = a_random_month(metro, random)
    shake(metro, random, acts)
    metro.complete(NOW)
    end(metro)
    open_report = periods.report(metro.session, FEED, MONTH)
    told = metro.session.execute(
        text("select count(*) filter (where source_id > 0), count(*) from activity")
    ).one()
    records, claims = lines(open_report.figures["records"]), lines(open_report.figures["claims"])
    assert (sum(records.values()), sum(records.values()) + sum(claims.values())) == tuple(told)
    assert {"record_only", "matched_window"} <= set(records)
    assert {"replaced_window", "no_partner_record"} <= set(claims)
    closed = close(metro)
    assert closed.figures == open_report.figures
    # later: more of that month comes, some is taken back, and this month's own
    shake(metro, random, [*acts, *a_random_month(metro, random, share=0.3)])
    end(metro)
    frozen = periods.report(metro.session, FEED, MONTH)
    assert frozen.figures == closed.figures
    assert frozen.since is not None
    present = figures_of(metro.session, month_of(metro.source, MONTH))
    lines(present["records"]), lines(present["claims"])
    assert added(frozen.figures, frozen.since) == added(present, {})
    (adjusted,) = periods.report(metro.session, FEED, PRESENT).adjustments
    assert adjusted["month"] == MONTH
    assert added(closed.figures["booked"], adjusted["booked"]) == added(present["booked"], {})
    for side in ("records", "claims"):
        assert closed.figures[side]["total"] + adjusted["late"][side] == present[side]["total"]
    assert not any(found.violations for found in check(metro.session))


def test_a_month_is_its_days_and_what_it_is_credited_with_is_what_was_booked(metro: Metro) -> None:
    random = Random(11)
    shake(metro, random, a_random_month(metro, random))
    month = figures_of(metro.session, month_of(metro.source, MONTH))
    summed: dict[str, Any] = {}
    for number in range((THIS - LAST).days):
        day = days.report(metro.session, FEED, str(LAST + timedelta(days=number)), NOW)
        assert (day.status, day.unexplained) == ("open", 0)
        assert not any(days.unbooked(metro.session, day).values())
        found = {side: getattr(day, side) for side in ("records", "claims")}
        told = {side: {"total": one.total, "lines": one.lines} for side, one in found.items()}
        summed = added(summed, {**told, "verified_mg": day.credited["verified_mg"]})
    verified = summed.pop("verified_mg")
    assert summed == {side: added(month[side], {}) for side in ("records", "claims")}
    assert verified == month["booked"]["records"]["verified_mg"] > 0


def test_a_day_is_open_until_the_watermark_is_past_it_and_closed_with_its_month(metro: Metro) -> None:
    def status(day: int) -> str:
        return days.report(metro.session, FEED, str(LAST.replace(day=day)), NOW).status

    assert status(5) == "open"
    metro.complete(datetime(LAST.year, LAST.month, 6, tzinfo=clock.PROGRAMME_ZONE) - timedelta(seconds=1))
    assert status(5) == "open"
    metro.complete(datetime(LAST.year, LAST.month, 6, tzinfo=clock.PROGRAMME_ZONE))
    assert (status(5), status(6)) == ("complete", "open")
    metro.complete(NOW)
    close(metro)
    assert (status(5), status(6)) == ("closed", "closed")


def test_what_is_booked_is_what_the_wallets_got(metro: Metro) -> None:
    a_random_month(metro, Random(7))
    metro.complete(NOW)
    booked = periods.report(metro.session, FEED, MONTH).figures["booked"]
    wallets = metro.session.execute(
        text("""select sum(verified_mg)::bigint, sum(claimed_mg)::bigint,
                       sum(available + held + pending - debt)::bigint from wallet""")
    ).one()
    assert wallets[0] > 0
    both = [booked["records"], booked["claims"]]
    points = sum((Counter(side["points_by_fund"]) for side in both), Counter[str]())
    assert (sum(side["verified_mg"] for side in both), sum(side["claimed_mg"] for side in both)) == tuple(
        wallets[:2]
    )
    assert points.total() == wallets[2]


def test_a_month_is_closed_when_watermark_and_grace_are_past_its_end(metro: Metro) -> None:
    metro.ride(metro.bound[0], at(5, 9), evidence_class="A")
    metro.decide()
    ends = datetime(THIS.year, THIS.month, 1, tzinfo=clock.PROGRAMME_ZONE)
    for through in (None, ends, ends + timedelta(days=3, seconds=-1)):
        if through is not None:
            metro.complete(through)
        with pytest.raises(Conflict, match="period_incomplete"):
            close(metro)
        metro.session.rollback()
    metro.complete(ends + timedelta(days=3))
    close(metro)
    with pytest.raises(Conflict, match="period_closed"):
        close(metro)


def test_what_is_undecided_keeps_a_month_open(metro: Metro) -> None:
    metro.ride(metro.bound[0], at(5, 9), evidence_class="A")
    metro.complete(NOW)
    with pytest.raises(Conflict, match="undecided"):
        close(metro)
    metro.session.rollback()
    metro.decide()
    close(metro)


@pytest.mark.parametrize("name", ["2026", "2026-13", "november", "2026-11-01"])
def test_a_month_has_one_form(metro: Metro, name: str) -> None:
    with pytest.raises(Invalid):
        periods.report(metro.session, FEED, name)


def test_a_closed_month_cannot_be_changed_by_anybody(metro: Metro, owner_url: str) -> None:
    metro.complete(NOW)
    close(metro)
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        for statement in ("update closed_period set closed_by = closed_by", "delete from closed_period"):
            with pytest.raises(psycopg.DatabaseError, match="append-only"):
                owner.execute(statement)
        owner.execute("set session_replication_role = replica")
        owner.execute("""update closed_period set figures = jsonb_set(figures, '{records,total}', '7')""")
    with pytest.raises(InvariantBroken, match="not those that were frozen"):
        periods.report(metro.session, FEED, MONTH)


def test_a_replaced_claim_without_its_match_is_unexplained_and_keeps_the_month_open(
    metro: Metro, owner_url: str
) -> None:
    metro.ride(metro.bound[0], at(5, 9))
    metro.ride(metro.bound[0], at(5, 9), evidence_class="A")
    metro.decide()
    metro.complete(NOW)
    with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        assert owner.execute("delete from record_match").rowcount == 1
    assert periods.report(metro.session, FEED, MONTH).figures["claims"]["unexplained"] == 1
    with pytest.raises(InvariantBroken, match="in no line"):
        close(metro)


def test_an_open_case_keeps_a_month_open_until_a_second_person_lets_it_stand(metro: Metro) -> None:
    claim = metro.ride(metro.unbound, at(5, 9))
    metro.decide()
    metro.complete(NOW)
    act = act_subject(metro.session, metro.unbound, clock.day_of(at(5, 9)), claim)
    assert act is not None
    case = cases.open_case(metro.session, "disputed", "appeal:1", "…", "tests", NOW, **act.columns())
    metro.session.commit()
    with pytest.raises(Conflict, match="cases_open"):
        close(metro)
    metro.session.rollback()
    payload = {"feed": FEED, "month": MONTH, "cases": periods.open_cases(metro.session, FEED, MONTH)}
    assert payload["cases"] == [case]
    proposed = approving.propose(
        metro.session, periods.CLOSE, payload, "证据在途 / evidence is on its way", "陈提"
    )
    approving.decide(metro.session, proposed.approval_id, "李批", approve=True)
    metro.session.commit()
    told = periods.report(metro.session, FEED, MONTH)
    assert (told.state, told.waived) == ("closed", (case,))


def test_a_feeds_month_leaves_another_months_cases_alone(metro: Metro) -> None:
    claim = metro.ride(metro.unbound, at(5, 9) - timedelta(days=8))
    metro.decide()
    metro.complete(NOW)
    day = clock.day_of(at(5, 9) - timedelta(days=8))
    act = act_subject(metro.session, metro.unbound, day, claim)
    assert act is not None
    cases.open_case(metro.session, "disputed", "appeal:1", "…", "tests", NOW, **act.columns())
    assert periods.open_cases(metro.session, FEED, MONTH) == []
    close(metro)


def test_an_empty_month_has_empty_figures(metro: Metro) -> None:
    metro.complete(NOW)
    told = periods.report(metro.session, FEED, f"{date(2020, 1, 1):%Y-%m}").figures
    assert (told["records"]["total"], told["claims"]["total"]) == (0, 0)
