"""Partners' records land once, whatever is sent how often, and each hears what became of it."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.intake import RowResult, take_in, terms_of
from carbon_credits.activities.ready import SourceTerms
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import transaction
from carbon_credits.core.errors import NotFound
from carbon_credits.partners import service as partners
from carbon_credits.partners.contract import Record
from integrations import PROVIDERS
from tests.factories.residents import a_bound_resident

NOW = clock.now()
FROM = NOW - timedelta(days=2)


def a_ride(number: int, subject: str = "rider-1", **monitored: int) -> Record:
    starts = FROM + timedelta(minutes=30 * number)
    return Record(
        record_id=f"ride-{number}",
        subject_token=subject,
        methodology="travel.shared_bicycle",
        occurred_from=starts,
        occurred_to=starts + timedelta(minutes=16),
        monitored={"distance_m": 3200, **monitored},
        references={"vehicle": f"bike-{number}"},
    )


@pytest.fixture
def source(session: Session, vault: Vault) -> SourceTerms:
    partners.install(session, PROVIDERS)
    terms = terms_of(session, "bike_share")
    a_bound_resident(session, vault, terms.partner_id, terms.partner, "rider-1")
    session.commit()
    return terms


def fates(results: list[RowResult]) -> list[tuple[str, tuple[str, ...]]]:
    return [(result.status, result.reasons) for result in results]


def test_each_record_hears_its_own_fate(session: Session, vault: Vault, source: SourceTerms) -> None:
    results = take_in(
        session,
        vault,
        source,
        [
            a_ride(1),
            a_ride(2, subject="a stranger"),
            replace(a_ride(3), methodology="travel.metro"),
            a_ride(4, distance_m=10**9),
            replace(
                a_ride(5), occurred_to=NOW + timedelta(hours=1), occurred_from=NOW + timedelta(minutes=30)
            ),
            replace(a_ride(6), methodology="travel.teleport"),
            a_ride(1),
        ],
        NOW,
    )
    assert fates(results) == [
        ("accepted", ()),
        ("waiting", ("unknown_subject",)),
        ("refused", ("methodology_not_of_feed",)),
        ("refused", ("out_of_range",)),
        ("refused", ("in_the_future",)),
        ("refused", ("unknown_methodology",)),
        ("duplicate", ("duplicate",)),
    ]
    assert [result.place for result in results] == list(range(7))
    assert sum(result.status == "refused" for result in results) == 4


def test_sent_again_nothing_changes_and_other_content_is_a_contradiction(
    session: Session, vault: Vault, source: SourceTerms
) -> None:
    first = take_in(session, vault, source, [a_ride(n) for n in range(5)], NOW)
    session.commit()
    again = take_in(session, vault, source, [a_ride(n) for n in range(5)], NOW)
    assert {result.status for result in again} == {"duplicate"}
    assert [result.id for result in again] == [result.id for result in first]
    other = take_in(session, vault, source, [a_ride(0, distance_m=9000)], NOW)
    assert fates(other) == [("refused", ("content_differs",))]
    assert session.execute(text("select count(*) from activity")).scalar_one() == 5


def test_a_record_with_a_changed_date_is_still_the_same_record(
    session: Session, vault: Vault, source: SourceTerms
) -> None:
    take_in(session, vault, source, [a_ride(1)], NOW)
    moved = replace(a_ride(1), occurred_from=FROM - timedelta(days=1), occurred_to=FROM - timedelta(hours=23))
    assert take_in(session, vault, source, [moved], NOW)[0].status == "refused"
    assert session.execute(text("select count(*) from act_key")).scalar_one() == 1


def test_the_same_delivery_five_times_at_once_lands_once(
    bare_app: Flask, session: Session, vault: Vault, source: SourceTerms
) -> None:
    records = [a_ride(n) for n in range(60)]
    accepted: list[int] = []

    def deliver(order: int) -> None:
        with bare_app.app_context(), transaction() as own:
            mine = records if order % 2 else list(reversed(records))
            accepted.append(sum(r.status == "accepted" for r in take_in(own, vault, source, mine, NOW)))

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(accepted) == 60
    assert session.execute(text("select count(*) from activity_queue")).scalar_one() == 60


def test_a_first_delivery_that_is_undone_takes_nothing_with_it(
    session: Session, vault: Vault, source: SourceTerms
) -> None:
    take_in(session, vault, source, [a_ride(1)], NOW)
    session.rollback()  # on a new connection the staging tables went with it
    assert fates(take_in(session, vault, source, [a_ride(1)], NOW)) == [("accepted", ())]


def test_no_reference_is_kept_as_it_was_told(session: Session, vault: Vault, source: SourceTerms) -> None:
    take_in(session, vault, source, [a_ride(7)], NOW)
    row = session.execute(text("select a::text from activity a")).scalar_one()
    assert "bike-7" not in row
    assert "rider-1" not in row


def test_anothers_feed_looks_like_none(session: Session, source: SourceTerms) -> None:
    assert terms_of(session, "bike_share", source.partner_id) == source
    with pytest.raises(NotFound):
        terms_of(session, "bike_share", source.partner_id + 1)
    with pytest.raises(NotFound):
        terms_of(session, "app")


def test_a_record_may_prove_less_than_its_feed_and_never_more(
    session: Session, vault: Vault, source: SourceTerms
) -> None:
    rides = [a_ride(1), replace(a_ride(2), evidence_class="B"), replace(a_ride(3), evidence_class="D")]
    results = take_in(session, vault, source, rides, NOW)
    assert [result.status for result in results] == ["accepted"] * 3
    asked = text("select evidence_class from activity order by occurred_from")
    assert list(session.execute(asked).scalars()) == ["A", "B", "D"]
    weaker = replace(source, evidence_class="B")
    assert fates(take_in(session, vault, weaker, [replace(a_ride(4), evidence_class="A")], NOW)) == [
        ("accepted", ())
    ]
    assert list(session.execute(asked).scalars()) == ["A", "B", "D", "B"]
