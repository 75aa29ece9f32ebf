"""Wherever grams are shown, so is how settled the methodology behind them is."""

from datetime import date

from flask import Flask
from sqlalchemy.orm import Session

from carbon_credits.activities.origins import methodologies_of
from carbon_credits.methodologies.catalogue import METHODOLOGIES
from carbon_credits.methodologies.standing import programme_status, status_on
from tests.api.conftest import Caller, a_ride
from tests.api.credited import a_decided_ride, decide, policy
from tests.statements import asked_by


def test_an_act_says_it_from_the_estimate_to_the_receipt(app: Flask, resident: Caller) -> None:
    policy(app)
    claimed = resident.claim(a_ride()).get_json()
    assert claimed["estimate"]["methodology_status"] == "trial"
    decide(app, resident)
    one = resident.get(f"/v1/activities/{claimed['id']}").get_json()
    (listed,) = resident.get("/v1/activities").get_json()["items"]
    receipt = resident.get(f"/v1/activities/{claimed['id']}/receipt").get_json()
    assert one["reduction_mg"] > 0
    assert {told["methodology_status"] for told in (one, listed, receipt)} == {"trial"}
    assert receipt["calculation"]["status"] == "trial"


def test_the_wallet_says_it_without_asking_the_database_again(app: Flask, resident: Caller) -> None:
    a_decided_ride(app, resident)
    with asked_by(app) as asked:
        wallet = resident.get("/v1/wallet").get_json()
    assert wallet["carbon"]["claimed_mg"] > 0
    assert wallet["carbon"]["status"] == "trial"
    # who is asking, the balances, what expires
    assert len(asked) == 3, asked


def test_postings_say_it_where_grams_move_and_ask_once_for_a_page(app: Flask, resident: Caller) -> None:
    policy(app)
    for ago in (30, 60, 90):
        a_decided_ride(app, resident, minutes_ago=ago)
    with asked_by(app) as asked:
        lines = resident.get("/v1/wallet/postings").get_json()["items"]
    moving = [line for line in lines if line["claimed_mg"]]
    assert len(moving) == 3
    assert {line["methodology_status"] for line in moving} == {"trial"}
    assert all(line["methodology_status"] is None for line in lines if line not in moving)
    assert len(asked) == 3, asked


def test_a_page_without_grams_asks_nothing_of_the_acts(
    app: Flask, records: Session, resident: Caller
) -> None:
    with asked_by(app) as asked:
        assert resident.get("/v1/wallet/postings").get_json()["items"] == []
        assert methodologies_of(records, resident.id, []) == {}
    assert not any("from activity" in statement for statement in asked)


def test_another_residents_act_has_no_methodology_here(
    app: Flask, records: Session, resident: Caller, neighbour: Caller
) -> None:
    day, _, number = a_decided_ride(app, resident).partition("-")
    act = (date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}"), int(number))
    assert methodologies_of(records, resident.id, [act]) == {act: "travel.cycling"}
    assert methodologies_of(records, neighbour.id, [act]) == {}


def test_a_day_before_any_version_has_the_status_of_the_newest() -> None:
    for methodology in METHODOLOGIES:
        assert status_on(methodology.code, date(1990, 1, 1)) == status_on(
            methodology.code, methodology.in_force
        )
    assert programme_status() == "trial"
