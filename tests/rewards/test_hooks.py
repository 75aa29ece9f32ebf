"""What merchants are told: written with the deed, signed, carried at least once, given up in the end."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.core.addresses import PUBLIC, Rules
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import database, transaction
from carbon_credits.core.errors import Conflict, Invalid, NotFound
from carbon_credits.jobs.hooks import tell_due
from carbon_credits.jobs.outgoing import Caller
from carbon_credits.rewards import hook_deliveries, hooks
from carbon_credits.rewards.hook_deliveries import MOST_ATTEMPTS, SCHEDULE, claim, conclude
from tests.factories.rewards import a_merchant
from tests.jobs.listeners import LOOPBACK, Heard, Listener, listening, to_loopback, trap

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CAPTURED: Final = "redemption.captured"


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A merchant's system that hears and answers 204."""
    with listening() as told:
        yield told


@pytest.fixture
def merchant(session: Session, vault: Vault) -> int:
    """A merchant that two people let in."""
    number = a_merchant(session, vault)
    session.commit()
    return number


def a_hook(session: Session, vault: Vault, merchant: int, url: str, rules: Rules = LOOPBACK) -> int:
    made = hooks.add(session, vault, merchant, url, hooks.EVENTS, "client:test", rules)
    session.commit()
    return made.hook_id


def told(session: Session, merchant: int, cause: str = "c1", **payload: Any) -> int:
    done = hooks.announce(session, merchant, CAPTURED, cause, payload or {"points": 500})
    session.commit()
    return done


def states(session: Session) -> list[tuple[str, int, int | None, str | None]]:
    session.rollback()
    return [
        tuple(row)
        for row in session.execute(
            text("select state, attempts, last_status, last_error from hook_delivery order by delivery_id")
        )
    ]


def is_signed(heard: Heard, secret: str) -> bool:
    """As a receiver checks it, from the specification and not with our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{heard.headers['webhook-id']}.{heard.headers['webhook-timestamp']}.".encode() + heard.body
    mine = base64.b64encode(hmac.new(key, content, "sha256").digest()).decode()
    return f"v1,{mine}" in heard.headers["webhook-signature"].split(" ")


def carry(vault: Vault, now: datetime, caller: Caller | None = None) -> dict[Any, int]:
    return tell_due(vault, lambda: now, caller or to_loopback())


def later(session: Session) -> datetime:
    """When the next attempt of the only notice is due."""
    session.rollback()
    due: datetime = session.execute(text("select next_at from hook_delivery")).scalar_one()
    return due


def test_a_notice_is_taken_once_signed_and_dated(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    number = a_hook(session, vault, merchant, f"{listener.url}/hooks")
    assert told(session, merchant) == 1
    assert told(session, merchant) == 0  # the same cause again
    now = later(session)
    assert carry(vault, now) == {"taken": 1, "waiting": 0, "dead": 0}
    assert carry(vault, now) == {"taken": 0, "waiting": 0, "dead": 0}
    (heard,) = listener.heard
    assert is_signed(heard, hooks.secret_of(vault, hooks.hook_of(session, merchant, number)))
    assert heard.headers["webhook-timestamp"] == str(int(now.timestamp()))
    said = json.loads(heard.body)
    assert (said["type"], said["data"]) == (CAPTURED, {"points": 500})
    assert states(session) == [("taken", 1, 204, None)]


def test_only_live_hooks_of_the_merchant_that_asked_for_the_event_hear_of_it(
    session: Session, vault: Vault, merchant: int
) -> None:
    other = a_merchant(session, vault)
    a_hook(session, vault, other, "http://127.0.0.1/other")
    ended = a_hook(session, vault, merchant, "http://127.0.0.1/ended")
    hooks.end(session, merchant, ended, NOON, "client:test")
    gone = a_hook(session, vault, merchant, "http://127.0.0.1/gone")
    hooks.disable(session, gone, "gone", NOON)
    hooks.add(session, vault, merchant, "http://127.0.0.1/paid", ["settlement.paid"], "client:test", LOOPBACK)
    a_hook(session, vault, merchant, "http://127.0.0.1/all")
    assert told(session, merchant) == 1


def test_what_is_undone_is_not_told(session: Session, vault: Vault, merchant: int) -> None:
    a_hook(session, vault, merchant, "http://127.0.0.1/all")
    hooks.announce(session, merchant, CAPTURED, "c1", {})
    session.rollback()
    assert states(session) == []


def test_during_a_rotation_both_secrets_sign_and_afterwards_the_new_one_alone(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    number = a_hook(session, vault, merchant, listener.url)
    old = hooks.secret_of(vault, hooks.hook_of(session, merchant, number))
    told(session, merchant)
    now = later(session)
    hooks.rotate(session, vault, merchant, number, now, "client:test")
    with pytest.raises(Conflict, match="rotation_running"):
        hooks.rotate(session, vault, merchant, number, now, "client:test")
    session.commit()
    new = hooks.secret_of(vault, hooks.hook_of(session, merchant, number))
    assert new != old
    carry(vault, now)
    told(session, merchant, "c2")
    carry(vault, now + hooks.OVERLAP)
    during, after = listener.heard
    assert (is_signed(during, old), is_signed(during, new)) == (True, True)
    assert (is_signed(after, old), is_signed(after, new)) == (False, True)


def test_secrets_are_sealed_and_bound_to_their_row(session: Session, vault: Vault, merchant: int) -> None:
    numbers = [a_hook(session, vault, merchant, f"http://127.0.0.1/{n}") for n in "ab"]
    secrets = {hooks.secret_of(vault, hooks.hook_of(session, merchant, number)) for number in numbers}
    assert len(secrets) == 2
    stored = b"".join(
        bytes(row) for row in session.execute(text("select secret from merchant_hook")).scalars()
    )
    assert not any(base64.b64decode(secret[6:]) in stored for secret in secrets)


def test_a_refusal_comes_back_by_the_table_with_the_same_bytes_until_it_is_given_up(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    a_hook(session, vault, merchant, listener.url)
    listener.answers = [500] * MOST_ATTEMPTS
    told(session, merchant)
    began = later(session)
    for wait in SCHEDULE:
        before = later(session)
        assert carry(vault, before)["waiting"] == 1
        assert wait * 0.8 <= later(session) - before <= wait * 1.2
        assert carry(vault, before) == {"taken": 0, "waiting": 0, "dead": 0}
    assert carry(vault, later(session))["dead"] == 1
    assert timedelta(days=2.4) < later(session) - began < timedelta(days=3.8)
    assert states(session) == [("dead", MOST_ATTEMPTS, 500, "answered_500")]
    assert len({(heard.headers["webhook-id"], heard.body) for heard in listener.heard}) == 1
    assert len({heard.headers["webhook-timestamp"] for heard in listener.heard}) == MOST_ATTEMPTS


def test_an_address_that_is_gone_is_told_no_more(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    number = a_hook(session, vault, merchant, listener.url)
    listener.answers = [410]
    told(session, merchant)
    now = later(session)
    told(session, merchant, "c2")
    carry(vault, now + timedelta(seconds=1))
    assert len(listener.heard) == 1
    assert sorted(states(session), key=str) == [("dead", 0, None, "gone"), ("dead", 1, 410, "gone")]
    assert hooks.hook_of(session, merchant, number).why == "gone"
    with pytest.raises(Conflict, match="hook_disabled"):
        hooks.test(session, merchant, number)


def test_a_redirect_is_a_refusal(session: Session, vault: Vault, merchant: int, listener: Listener) -> None:
    a_hook(session, vault, merchant, listener.url)
    listener.answers = [307]
    told(session, merchant)
    carry(vault, later(session))
    assert [heard.path for heard in listener.heard] == ["/"]
    assert states(session) == [("waiting", 1, 307, "answered_307")]


def test_a_carrier_that_dies_leaves_the_notice_to_come_back(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    a_hook(session, vault, merchant, listener.url)
    told(session, merchant)
    now = later(session)
    assert claim(session, vault, now) is not None
    session.commit()  # and here the process dies
    assert carry(vault, now)["taken"] == 0
    assert carry(vault, later(session)) == {"taken": 1, "waiting": 0, "dead": 0}


def test_one_that_never_came_back_from_its_last_attempt_is_dead(
    session: Session, vault: Vault, merchant: int
) -> None:
    a_hook(session, vault, merchant, "http://127.0.0.1/")
    told(session, merchant)
    session.execute(text("update hook_delivery set attempts = :most"), {"most": MOST_ATTEMPTS})
    session.commit()
    assert claim(session, vault, later(session)) is None
    session.commit()
    assert states(session) == [("dead", MOST_ATTEMPTS, None, "never_came_back")]


def test_two_carriers_never_take_one_notice(
    session: Session, bare_app: Flask, vault: Vault, merchant: int
) -> None:
    a_hook(session, vault, merchant, "http://127.0.0.1/")
    told(session, merchant)
    now = later(session)
    assert claim(session, vault, now) is not None
    with bare_app.app_context():
        assert database.session() is not session
        with transaction() as other:
            assert claim(other, vault, now) is None
        database.session.remove()


def test_an_answer_that_comes_after_the_next_attempt_began_changes_nothing(
    session: Session, vault: Vault, merchant: int
) -> None:
    a_hook(session, vault, merchant, "http://127.0.0.1/")
    told(session, merchant)
    first = claim(session, vault, later(session))
    session.commit()
    second = claim(session, vault, later(session))
    assert first is not None
    assert second is not None
    conclude(session, first, 200, None, NOON)
    session.commit()
    assert states(session) == [("waiting", 2, None, None)]
    conclude(session, second, 200, None, NOON)
    session.commit()
    assert states(session) == [("taken", 2, 200, None)]


def test_one_slow_address_does_not_keep_the_others_waiting(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    """Of one address one at a time; the others go on meanwhile."""
    a_hook(session, vault, merchant, f"{listener.url}/a")
    a_hook(session, vault, merchant, f"{listener.url}/b")
    for n in range(5):
        told(session, merchant, f"c{n}")
    session.rollback()
    newest = session.execute(text("select max(next_at) from hook_delivery")).scalar_one()
    assert carry(vault, newest)["taken"] == 10
    assert sorted(heard.path for heard in listener.heard) == ["/a"] * 5 + ["/b"] * 5


def test_what_is_written_while_its_hook_is_being_ended_dies_quietly(
    session: Session, vault: Vault, merchant: int, listener: Listener
) -> None:
    number = a_hook(session, vault, merchant, listener.url)
    told(session, merchant)
    now = later(session)
    session.execute(
        text("update merchant_hook set ended_at = :now where hook_id = :n"), {"now": now, "n": number}
    )
    session.commit()
    assert carry(vault, now) == {"taken": 0, "waiting": 0, "dead": 0}
    assert states(session) == [("dead", 0, None, "hook_ended")]


def test_the_house_never_calls_loopback_whatever_stands_in_the_table(
    session: Session, vault: Vault, merchant: int
) -> None:
    """The check at the door is for people; the one that counts is made when the call is."""
    with trap() as (port, hits):
        for scheme in ("http", "https"):
            a_hook(session, vault, merchant, f"{scheme}://127.0.0.1:{port}/")
        told(session, merchant)
        session.rollback()
        newest = session.execute(text("select max(next_at) from hook_delivery")).scalar_one()
        assert carry(vault, newest, Caller()) == {"taken": 0, "waiting": 2, "dead": 0}
        assert hits == []
    assert {error for *_, error in states(session)} == {"port_not_called", "scheme_not_called"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://shop.example.com/", "scheme_not_called"),
        ("https://shop.example.com:22/", "port_not_called"),
        ("https://10.0.0.1/", "address_not_public"),
        ("https://2130706433/", "host_malformed"),
        ("https://u@shop.example.com/", "address_malformed"),
    ],
)
def test_an_address_that_is_never_called_is_refused_by_name(
    session: Session, vault: Vault, merchant: int, url: str, why: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        a_hook(session, vault, merchant, url, PUBLIC)
    assert [(fault.pointer, fault.code) for fault in refusal.value.faults] == [("/url", why)]


def test_a_merchant_has_a_handful_of_hooks_and_sees_its_own_alone(
    session: Session, vault: Vault, merchant: int
) -> None:
    numbers = [a_hook(session, vault, merchant, f"http://127.0.0.1/{n}") for n in range(hooks.MOST_LIVE)]
    with pytest.raises(Conflict, match="too_many_hooks"):
        a_hook(session, vault, merchant, "http://127.0.0.1/more")
    session.rollback()
    hooks.end(session, merchant, numbers[0], NOON, "client:test")
    a_hook(session, vault, merchant, "http://127.0.0.1/more")
    other = a_merchant(session, vault)
    for asker, number in ((other, numbers[1]), (merchant, numbers[0]), (merchant, 999_999)):
        with pytest.raises(NotFound, match="hook_unknown"):
            hooks.hook_of(session, asker, number)


def test_a_notice_is_thin(session: Session, merchant: int) -> None:
    with pytest.raises(ValueError, match="thin"):
        hooks.announce(session, merchant, CAPTURED, "c1", {"text": "x" * hooks.MOST_BYTES})


def test_the_specification_s_own_example_has_our_signature() -> None:
    """The vector that the reference libraries of Standard Webhooks share."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = hook_deliveries.signature(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
