"""A feed's day adds up line by line, and its scorecard tells what was late, missing, corrected, taken back or forged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from carbon_credits import approving
from carbon_credits.activities.names import public_id
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.core.i18n import Text
from carbon_credits.jobs.corrections import settle_feed
from carbon_credits.ledger.check import check
from carbon_credits.partners import arrivals, keys
from carbon_credits.partners.arrivals import Arrival, Arriving
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register, install
from carbon_credits.reconciliation import cases, days, fraud, scorecard
from carbon_credits.reconciliation.spans import begin_of
from tests.factories.acts import a_claimed_act
from tests.factories.partner_files import FEED, Sender, Sent, a_ride, a_table
from tests.factories.partners import a_feed
from tests.reconciliation.programme import City, a_city
from tests.walks.test_delivered import Desk

NOW = clock.now()
FIRST = clock.today() - timedelta(days=12)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
HOUR = timedelta(hours=1)


@dataclass
class Post(Desk):
    """Files that come at an instant of their own."""

    at: datetime = NOW
    now: datetime = NOW
    sent: dict[int, str] = field(default_factory=dict)

    def bring(self, sent: Sent, **changes: Any) -> Arrival:
        """Bring a file at `at`."""
        stored = self.inbox.store([sent.file])
        told = read_manifest(sent.manifest)
        came = Arriving(self.partner_id, "door", told, read_signature(sent.signature), stored)
        try:
            return in_transaction(lambda s: arrivals.arrive(s, self.inbox, Register([FEED]), came, self.at))
        finally:
            stored.discard()

    def file(self, at: datetime, seq: int, version: int, *rows: str, **changes: Any) -> str:
        """Send a file of the sender's day, complete through its end, and work on it; the state it ends in."""
        self.at, end = at, self.sender.day + timedelta(days=1)
        more = {"replaces_sha256": self.sent.get(seq), "complete_through": f"{end}T00:00:00+08:00", **changes}
        sent = self.sender.send(a_table(rows), seq, version, **more)
        self.sent[seq] = str(sent.told["sha256"])
        self.bring(sent)
        ((_, state),) = self.work()
        settle_feed(self.vault, self.source_id)
        return state


@dataclass
class Story:
    """A city whose bike company had three days: corrected and defrauded, late, after a gap."""

    city: City
    post: Post

    def day(self, day: Any = FIRST) -> days.Day:
        """The report of a day."""
        self.city.session.rollback()
        return days.report(self.city.session, FEED.code, str(day), NOW)

    def card(self, until: Any) -> scorecard.Scorecard:
        """The scorecard as of a day."""
        self.city.session.rollback()
        (found,) = scorecard.scorecards(self.city.session, FEED.code, until, NOW)
        return found

    def act(self, distance_m: int) -> tuple[int, int]:
        """Resident and number of the ride of this length."""
        asked = text(
            "select resident_id, activity_id from activity where source_id > 0 and monitored ->> 'distance_m' = :m"
        )
        resident, number = self.city.session.execute(asked, {"m": str(distance_m)}).one()
        return resident, number


def midnight_after(day: Any) -> datetime:
    return begin_of(day + timedelta(days=1))


def told_by_phone(city: City, hour: float) -> None:
    """A claim of a quarter of an hour on a shared bicycle, so long after the first ride began."""
    begun = begin_of(FIRST) + timedelta(hours=8 + hour)
    ended = begun + timedelta(minutes=12)
    a_claimed_act(
        city.session,
        city.riders["rider-1"],
        "travel.shared_bicycle",
        begun,
        ended,
        {"distance_m": 1_900},
        source=0,
    )
    city.session.commit()


def found_false(story: Story, vault: Vault, distance_m: int) -> None:
    """Two people take a ride back for fraud."""
    resident, number = story.act(distance_m)
    payload = {"resident": resident, "activity": public_id(FIRST, number)}
    session = story.city.session
    proposed = approving.propose(session, fraud.KIND, payload, "伪造 / forged", "陈提")
    fraud.carry_out(session, vault, proposed.approval_id, payload)
    session.commit()
    story.city.decide()


@pytest.fixture
def story(session: Session, vault: Vault, tmp_path: Path) -> Story:
    """The first day: five rides of which one is nobody's, a row that cannot be read, a correction, a void, a fraud."""
    city = a_city(session, vault, FEED)
    sender = Sender(day=FIRST)
    keys.add_key(session, city.source.partner_id, sender.public_key, NOW)
    session.commit()
    city.rider("rider-1")
    post = Post(session, vault, Inbox(tmp_path), city.source.partner_id, city.source.source_id, sender)
    made = Story(city, post)

    def ride(number: int, **changes: Any) -> str:
        return a_ride(number, day=FIRST, distance_m=changes.pop("distance_m", 1_000 + number), **changes)

    rows = [ride(1), ride(3), ride(5), ride(7), ride(9, rider="nobody"), "11,rider-1,B11,never,5,Ride"]
    ended = midnight_after(FIRST)
    assert post.file(ended + 2 * HOUR, 1, 1, *rows) == "applied"
    city.decide()
    told_by_phone(city, 1)
    told_by_phone(city, 9)
    corrected = [ride(1), ride(3, distance_m=1_900), *rows[3:]]
    assert post.file(ended + 3 * HOUR, 1, 2, *corrected) == "applied"
    city.decide()
    found_false(made, vault, 1_001)
    post.sender.day = SECOND
    assert post.file(midnight_after(SECOND) + 96 * HOUR, 2, 1, a_ride(20, day=SECOND)) == "applied"
    post.sender.day = THIRD
    assert post.file(midnight_after(THIRD) + HOUR, 4, 1, a_ride(30, day=THIRD)) == "applied"
    city.decide()
    return made


def test_every_line_of_a_day_adds_up(story: Story) -> None:
    told = story.day()
    assert (told.status, told.unexplained, told.by_push) == ("complete", 0, None)
    assert sum(told.states.values()) == sum(told.records.lines.values()) == told.records.total == 5
    assert {state: n for state, n in told.states.items() if n} == {"credited": 2, "rejected": 3}
    assert told.records.lines == {"matched_window": 1, "record_only": 1, "rejected": 3}
    assert {code: n for code, n in told.withdrawn.items() if n} == {
        "clawback_fraud": 1,
        "corrected_by_partner": 1,
        "withdrawn_by_partner": 1,
    }
    assert (told.claims_waiting, told.claims_replaced) == (1, {"exact": 0, "window": 1, "group": 0})
    assert told.rows == {
        "rows": 5,
        "accepted": 0,
        "corrected": 1,
        "duplicate": 2,
        "waiting": 1,
        "refused": 1,
        "dropped": 0,
        "unexplained": 0,
    }
    assert [(aside.state, aside.reasons, aside.pushed, aside.n) for aside in told.found.aside] == [
        ("refused", ("not_readable",), False, 1),
        ("waiting", ("unknown_subject",), False, 1),
    ]
    assert (told.found.counts["versions"], told.found.counts["told_otherwise"]) == (1, 1)
    assert told.found.counts["left_out"] == 1


def test_what_a_day_is_credited_with_is_what_was_booked_for_it(story: Story) -> None:
    total = dict.fromkeys(("verified_mg", "claimed_mg", "removal_mg", "points"), 0)
    for day in (FIRST, SECOND, THIRD):
        told = story.day(day)
        assert days.unbooked(story.city.session, told) == dict.fromkeys(total, 0)
        total = {name: n + told.credited[name] for name, n in total.items()}
    points, verified, claimed = story.city.wallet("rider-1")
    assert (total["points"], total["verified_mg"], total["claimed_mg"]) == (points, verified, claimed)
    assert verified > 0
    assert not any(found.violations for found in check(story.city.session))


def test_the_scorecard_tells_late_missing_corrected_and_taken_back(story: Story) -> None:
    first, second, third = (story.card(day).day for day in (FIRST, SECOND, THIRD))
    assert [part["timeliness"]["passed_after_most_s"] for part in (first, second, third)] == [
        7_200,
        96 * 3_600,
        None,
    ]
    assert [part["timeliness"]["on_time"] for part in (first, second, third)] == [1, 0, 0]
    # the third waits for number 3, and its grace is over
    assert [part["timeliness"]["late"] for part in (first, second, third)] == [0, 1, 1]
    assert [part["timeliness"]["late_files"] for part in (first, second, third)] == [0, 1, 0]
    assert [part["completeness"]["missing_files"] for part in (first, second, third)] == [0, 0, 1]
    assert (first["completeness"]["rows"], first["completeness"]["usable_ppm"]) == (5, 800_000)
    assert first["corrections"] == {
        "records": 4,
        "changed": 2,
        "changed_ppm": 500_000,
        "corrected": 1,
        "voided": 1,
    }
    assert (first["fraud"]["taken_back"], first["fraud"]["taken_back_ppm"]) == (1, 250_000)
    window = story.card(THIRD + timedelta(days=3)).window
    timeliness = window["timeliness"]
    assert [timeliness[name] for name in ("days", "on_time", "late", "pending")] == [5, 1, 4, 0]
    assert timeliness["on_time_ppm"] == 200_000
    assert (window["completeness"]["files"], window["completeness"]["days_without_file"]) == (3, 2)
    assert (window["corrections"]["changed_ppm"], window["fraud"]["taken_back_ppm"]) == (333_333, 166_666)


def test_a_week_later_a_day_is_measured_by_the_same_weekday(story: Story) -> None:
    completeness = story.card(FIRST + timedelta(days=7)).day["completeness"]
    assert (completeness["usual_records"], completeness["of_usual_ppm"]) == (4, 0)
    assert story.card(FIRST).day["completeness"]["usual_records"] is None


def test_a_day_whose_grace_runs_is_neither_late_nor_on_time(story: Story) -> None:
    told = story.card(clock.today() - timedelta(days=1)).day["timeliness"]
    assert [told[name] for name in ("days", "on_time", "late", "pending", "on_time_ppm")] == [
        1,
        0,
        0,
        1,
        None,
    ]


def test_control_totals_that_disagree_alarms_and_disputes_are_counted(story: Story) -> None:
    session, post = story.city.session, story.post
    post.sender.day = THIRD + timedelta(days=1)
    assert post.file(NOW, 5, 1, a_ride(40, day=post.sender.day), rows=7) == "quarantined"
    assert story.card(post.sender.day).day["completeness"]["totals_differed"] == 1
    taken = Conflict("version_taken", Text("已收到", "taken"))
    assert arrivals.note_alarm(session, post.partner_id, {"feed": FEED.code}, taken)
    assert arrivals.note_alarm(session, post.partner_id, {"feed": "another"}, taken)
    resident, number = story.act(1_007)
    act = cases.act_subject(session, resident, FIRST, number)
    assert act is not None
    cases.open_case(session, cases.DISPUTED, "appeal:1", "…", "tests", NOW, **act.columns())
    session.commit()
    assert story.card(clock.today()).day["fraud"]["alarms"] == 1
    assert story.card(FIRST).day["disputes"] == {"records": 4, "disputed": 1, "disputed_ppm": 250_000}


def test_what_is_planted_is_caught(story: Story, owner_url: str) -> None:
    def plant(statement: str) -> None:
        with psycopg.connect(owner_url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute("set session_replication_role = replica")
            assert owner.execute(statement).rowcount == 1

    def wrong() -> Mapping[str, int]:
        told = story.day()
        return {
            "records": told.records.unexplained,
            "claims": told.claims.unexplained,
            "rows": told.rows["unexplained"],
            "all": told.unexplained,
            **days.unbooked(story.city.session, told),
        }

    _, credited = story.act(1_007)
    plant(f"update decision set credited_mg = credited_mg + 1 where activity_id = {credited}")
    assert (wrong()["verified_mg"], wrong()["all"]) == (1, 0)
    plant(f"delete from decision where activity_id = {credited}")
    assert (wrong()["records"], wrong()["all"]) == (1, 1)
    plant("delete from record_match")
    assert (wrong()["claims"], wrong()["all"]) == (1, 2)
    plant(
        "update partner_file set counts = jsonb_set(counts, '{rows}', '7') where seq = 1 and state = 'applied'"
    )
    assert (wrong()["rows"], wrong()["all"]) == (2, 4)


def test_records_pushed_are_told_apart_and_all_feeds_cost_as_many_statements_as_one(
    story: Story, session: Session
) -> None:
    install(session, [a_feed(f"feed_{n}", f"partner_{n}") for n in range(4)])
    session.commit()
    assert days.report(session, "feed_1", str(FIRST), NOW).by_push == 0
    asked: list[str] = []

    def hear(*told: Any) -> None:
        asked.append(told[2])

    event.listen(session.get_bind(), "after_cursor_execute", hear)
    counts = []
    for feed in (FEED.code, None):
        session.rollback()
        asked.clear()
        found = scorecard.scorecards(session, feed, THIRD, NOW)
        counts.append((len(found), len(asked)))
    event.remove(session.get_bind(), "after_cursor_execute", hear)
    assert counts == [(1, counts[0][1]), (5, counts[0][1])]
    assert counts[0][1] <= 9


@pytest.mark.parametrize("name", ["2026", "2026-02-30", "yesterday", "20261120", "٢٠٢٦-11-20", "2026-W47-5"])
def test_a_day_has_one_form(session: Session, name: str) -> None:
    install(session, [FEED])
    with pytest.raises(Invalid, match="wrong_day"):
        days.report(session, FEED.code, name, NOW)


def test_a_day_to_come_and_another_partners_feed_have_no_report(session: Session) -> None:
    install(session, [FEED])
    with pytest.raises(Invalid, match="day_in_future"):
        days.report(session, FEED.code, str(clock.today() + timedelta(days=1)), NOW)
    with pytest.raises(NotFound):
        days.report(session, FEED.code, str(FIRST), NOW, partner_id=4_711)
