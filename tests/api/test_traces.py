"""A claim with a trace, from the phone's call to the receipt: consent, the look, the class, what is shown."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.cli.demo import journeys
from tests.api.conftest import Caller, a_ride
from tests.api.credited import decide, look, policy
from tests.api.test_receipts import PAGE


def a_traced_ride(journey: str = "ride", **changes: Any) -> dict[str, Any]:
    """A claim of just now with a journey's trace moved to its time."""
    trace = getattr(journeys, journey)()
    body = a_ride(minutes_ago=10, **changes)
    began = datetime.fromisoformat(body["occurred_from"])
    ends = datetime.fromtimestamp(began.timestamp() + (trace.t_ms[-1] - trace.t_ms[0]) / 1000, began.tzinfo)
    told = journeys.told_at(trace, began)
    metres = {"monitored": {"distance_m": 2600}} if journey == "ride" else {}
    return {**body, "occurred_to": ends.isoformat(), "evidence": {"trace": told}, **metres, **changes}


def agree(resident: Caller, *, granted: bool = True) -> None:
    told = resident.call("PUT", "/v1/consents/location_traces", json={"granted": granted})
    assert told.status_code == 200, told.get_json()


def codes(reasons: list[dict[str, str]]) -> set[str]:
    return {reason["code"] for reason in reasons}


def test_an_accepted_trace_earns_the_better_rate_and_the_receipt_says_why(
    app: Flask, resident: Caller
) -> None:
    policy(app)
    agree(resident)
    told = resident.claim(a_traced_ride()).get_json()
    assert "trace_being_verified" in codes(told["reasons"])
    waiting = resident.get(f"/v1/activities/{told['id']}").get_json()
    assert (waiting["status"], waiting["trip"]) == ("claimed", None)
    look(app)
    decide(app, resident)
    act = resident.get(f"/v1/activities/{told['id']}").get_json()
    assert act["trip"]["decision"] == "accept", act["trip"]
    assert (act["status"], act["evidence_class"], act["reduction_mg"]) == ("credited", "C", 104_000)
    assert act["points"] == 52
    receipt = resident.get(f"/v1/activities/{told['id']}/receipt").get_json()
    assert receipt["terms"]["rate"] | {"in_force": "", "approval": 0} == {
        "points_per_mg": "0.0005",
        "family": "*",
        "mature_days": 7,
        "in_force": "",
        "approval": 0,
    }
    assert ("travel.cycling", "quantity", "day", 20_000) in {
        (cap["scope"], cap["unit"], cap["period"], cap["most"]) for cap in receipt["terms"]["caps"]
    }
    assert receipt["trip"]["features"]["usable_points"] > 100
    page = resident.get(f"/v1/activities/{told['id']}/receipt", headers=PAGE).get_data(as_text=True)
    assert "轨迹核验通过" in page
    assert "0.0005" in page


@pytest.mark.parametrize("journey", ["bus"])
def test_a_trace_that_does_not_fit_is_refused_with_words(app: Flask, resident: Caller, journey: str) -> None:
    policy(app)
    agree(resident)
    told = resident.claim(a_traced_ride(journey, monitored={"distance_m": 6500})).get_json()
    look(app)
    decide(app, resident)
    act = resident.get(f"/v1/activities/{told['id']}").get_json()
    assert (act["status"], act["trip"]["decision"], act["points"]) == ("rejected", "reject", 0)
    assert all(reason["text"] for reason in [*act["reasons"], *act["trip"]["reasons"]])


def test_withdrawing_the_consent_takes_the_trace_away_at_once(
    app: Flask, resident: Caller, records: Session
) -> None:
    policy(app)
    agree(resident)
    told = resident.claim(a_traced_ride()).get_json()
    agree(resident, granted=False)
    assert records.execute(text("select count(*) from trip_trace")).scalar_one() == 0
    decide(app, resident)
    act = resident.get(f"/v1/activities/{told['id']}").get_json()
    assert (act["status"], act["evidence_class"]) == ("credited", "D")
    assert "trace_withdrawn" in codes(act["reasons"])


def test_a_trace_with_what_is_no_motion_is_not_kept(app: Flask, resident: Caller, records: Session) -> None:
    agree(resident)
    body = a_traced_ride(
        methodology="purchases.own_bag", monitored={"count": 1}, references={"order_no": "7"}
    )
    told = resident.claim(body)
    assert told.status_code == 202, told.get_json()
    assert "trace_not_needed" in codes(told.get_json()["reasons"])
    assert records.execute(text("select count(*) from trip_trace")).scalar_one() == 0
