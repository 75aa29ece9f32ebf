"""Which of what claims to be from Stripe is believed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from carbon_credits.rewards.payment_contract import Refused
from integrations.stripe_notices import StripeNotices
from tests.stripe_server.webhooks import signature

NOW = datetime(2026, 11, 29, 4, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
SECRET, NEXT, OTHER = "whsec_now", "whsec_next", "whsec_of_somebody"
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "transfer.reversed",
    "data": {"object": {"id": "tr_1", "object": "transfer", "description": "还款"}},
}
NOTICES = StripeNotices((SECRET, NEXT))


def body_of(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False, indent=2).encode()


def read(body: bytes, header: str, now: datetime = NOW) -> tuple[str, str, str | None]:
    told = NOTICES.read(body, {"STRIPE-Signature": header}, now)
    return told.event_id, told.type, told.object_ref


@pytest.mark.parametrize("secrets", [(SECRET,), (NEXT,), (SECRET, NEXT), (OTHER, SECRET)])
def test_one_signature_of_ours_is_enough_while_secrets_change(secrets: tuple[str, ...]) -> None:
    body = body_of(EVENT)
    assert read(body, signature(body, secrets, AT)) == ("evt_1", "transfer.reversed", "tr_1")


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_either_way_are_allowed(seconds: int) -> None:
    body = body_of(EVENT)
    assert read(body, signature(body, [SECRET], AT), NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("wait", [timedelta(seconds=301), timedelta(days=3), -timedelta(seconds=301)])
def test_what_was_signed_long_ago_or_ahead_is_refused(wait: timedelta) -> None:
    body = body_of(EVENT)
    with pytest.raises(Refused) as no:
        read(body, signature(body, [SECRET], AT), NOW + wait)
    assert no.value.code == "too_old"


def test_another_time_beside_the_signed_one_does_not_help() -> None:
    body = body_of(EVENT)
    old = signature(body, [SECRET], AT - 3 * 86_400)
    for header in (f"{old},t={AT}", f"t={AT},{old}"):
        with pytest.raises(Refused):
            read(body, header)


def forged() -> list[Any]:
    body = body_of(EVENT)
    right = signature(body, [SECRET], AT)
    mac = right.split("v1=")[1]
    return [
        pytest.param(body, signature(body, [OTHER], AT), id="another's secret"),
        pytest.param(body, signature(body, [""], AT), id="no secret"),
        pytest.param(body.replace(b"tr_1", b"tr_2"), right, id="altered"),
        pytest.param(json.dumps(EVENT).encode(), right, id="written anew"),
        pytest.param(body + b" ", right, id="longer"),
        pytest.param(body, "", id="unsigned"),
        pytest.param(body, f"t={AT}", id="time alone"),
        pytest.param(body, f"v1={mac}", id="no time"),
        pytest.param(body, f"t={AT},v0={mac}", id="another scheme"),
        pytest.param(body, f"t={AT + 1},v1={mac}", id="another time"),
        pytest.param(body, f"t=x,v1={mac}", id="no number"),
        pytest.param(body, f"t={'9' * 400},v1={mac}", id="huge"),
        pytest.param(body, f"t={AT},v1=é", id="not ASCII"),
        pytest.param(body, right + ",v1=" + "0" * 3_000, id="long"),
        pytest.param(b"\xff" + body, right, id="not text"),
    ]


@pytest.mark.parametrize(("body", "header"), forged())
def test_forgeries_are_refused(body: bytes, header: str) -> None:
    with pytest.raises(Refused) as no:
        read(body, header)
    assert no.value.code == "bad_signature"


@pytest.mark.parametrize(
    "told",
    [
        [],
        {"object": "v2.core.event", "id": "evt_1", "type": "x"},
        {**EVENT, "id": None},
        {**EVENT, "id": "e" * 121},
        {**EVENT, "type": "a\nb"},
        {**EVENT, "data": {"object": {"id": 7}}},
    ],
)
def test_what_is_signed_and_no_event_is_refused(told: Any) -> None:
    body = body_of(told)
    with pytest.raises(Refused) as no:
        read(body, signature(body, [SECRET], AT))
    assert no.value.code == "not_an_event"


def test_an_event_about_nothing_with_a_number_is_an_event() -> None:
    body = body_of({**EVENT, "type": "balance.available", "data": {"object": {"object": "balance"}}})
    assert read(body, signature(body, [SECRET], AT)) == ("evt_1", "balance.available", None)
