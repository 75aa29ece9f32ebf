"""Replay agrees with an untouched programme, and names what was changed behind the guards."""

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.names import public_id
from carbon_credits.core import clock
from carbon_credits.crediting.replay import Scope, replay
from carbon_credits.crediting.reversal import reverse
from tests.crediting.conftest import PEOPLE
from tests.factories.acts import a_claimed_act

METRO = "select activity_id from decision where methodology = 6 and state = 'credited' order by 1 limit 1"

# One change each, made by the owner: (what is told, the change). Bytes are changed where they stand.
CHANGES = [
    (
        "raw_mg",
        "update activity set monitored = monitored || '{\"distance_m\": 9009}' where activity_id = :act",
    ),
    ("raw_mg", "update decision set raw_mg = raw_mg + 1 where activity_id = :act"),
    ("raw_mg", "update activity set monitored = '{}' where activity_id = :act"),
    ("credited_mg", "update decision set credited_mg = credited_mg - 1 where activity_id = :act"),
    ("credited_mg", "update decision set counted = counted - 1 where activity_id = :act"),
    ("posted_mg", "update posting set verified_mg = verified_mg - 1 where activity_id = :act"),
    ("posted_mg", "update posting set claimed_mg = 1 where activity_id = :act"),
    ("posted_mg", "delete from posting where activity_id = :act"),
    ("evidence_digest", "update activity set evidence = '{\"taps\": 2}' where activity_id = :act"),
    ("evidence_digest", "update activity set transaction_key = decode('00', 'hex') where activity_id = :act"),
    ("evidence_digest", "update activity set source_id = 0 where activity_id = :act"),
    (
        "evidence_digest",
        "update activity set evidence_digest = substr(sha256('x'), 1, 16) where activity_id = :act",
    ),
    ("act_and_decision", "update decision set evidence_class = 'B' where activity_id = :act"),
    ("release", "update decision set release_id = 99999 where activity_id = :act"),
]


def test_an_untouched_programme_replays_without_a_difference(credited: Session) -> None:
    done = replay(credited)
    counted = credited.execute(text("select count(*) from decision where state = 'credited'")).scalar_one()
    assert (done.credits, done.mismatches, done.findings) == (counted, 0, [])
    assert counted == 12
    assert (
        credited.execute(
            text("select count(*) from decision where 'daily_quantity_cap' = any(reasons)")
        ).scalar_one()
        == 4
    )


def test_a_scope_is_days_residents_a_shard_and_a_limit(credited: Session) -> None:
    yesterday = clock.today() - timedelta(days=1)
    assert replay(credited, Scope(since=yesterday)).credits == 0
    assert replay(credited, Scope(until=yesterday)).credits == 12
    assert [replay(credited, Scope(shard=shard)).credits for shard in range(5)] == [3, 3, 3, 3, 0]
    assert replay(credited, Scope(limit=5)).credits == 5
    assert replay(credited, Scope(residents=(0, PEOPLE[0]))).credits == 3


def test_a_reversed_credit_is_replayed_as_it_was(credited: Session) -> None:
    row = credited.execute(
        text("select resident_id, occurred_on, activity_id from decision where methodology = 6")
    ).first()
    assert row is not None
    reverse(
        credited, row.resident_id, public_id(row.occurred_on, row.activity_id), "by a test", clock.today()
    )
    done = replay(credited)
    assert (done.credits, done.mismatches) == (12, 0)


@pytest.mark.parametrize(
    ("what", "change"), CHANGES, ids=[f"{n}-{what}" for n, (what, _) in enumerate(CHANGES)]
)
def test_one_change_to_a_row_is_named_by_its_act(
    credited: Session, tamper: "psycopg.Connection[Any]", what: str, change: str
) -> None:
    act = credited.execute(text(METRO)).scalar_one()
    credited.rollback()
    tamper.execute(change.replace(":act", str(act)))
    done = replay(credited)
    assert done.mismatches == 1
    (found,) = done.findings
    assert found.what == what
    assert found.activity.endswith(f"-{act}")
    assert found.release.startswith("travel.metro v1" if what != "release" else "none")
    assert found.expected != found.found


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("digest", "document = convert_to(replace(convert_from(document, 'UTF8'), '46.7', '46.8'), 'UTF8')"),
        ("document", "document = set_byte(document, 0, 91)"),
        ("digest", "digest = set_byte(digest, 5, (get_byte(digest, 5) + 1) % 256)"),
        (
            "formula_digest",
            "formula_digest = set_byte(formula_digest, 5, (get_byte(formula_digest, 5) + 1) % 256)",
        ),
        ("parameters_digest", "parameters_digest = sha256('x')"),
        ("names", "version = 7"),
    ],
)
def test_one_byte_of_a_release_is_named_and_every_credit_under_it_counts(
    credited: Session, tamper: "psycopg.Connection[Any]", what: str, change: str
) -> None:
    assert tamper.execute(f"update formula_release set {change} where code = 'travel.metro'").rowcount > 0
    done = replay(credited)
    assert done.mismatches == 4
    assert what in {found.what for found in done.findings if not found.activity}
    assert {found.release.split()[0] for found in done.findings} == {"travel.metro"}
    assert len([found for found in done.findings if found.activity]) == 4


def test_no_more_is_listed_than_was_asked_for_and_all_of_it_counts(
    credited: Session, tamper: "psycopg.Connection[Any]"
) -> None:
    tamper.execute("update decision set raw_mg = raw_mg + 1 where state = 'credited'")
    done = replay(credited, listed=3)
    assert (done.mismatches, len(done.findings)) == (12, 3)


def test_a_stranger_recomputes_the_evidence_digest_from_the_stored_row(session: Session) -> None:
    told = datetime(2026, 11, 20, 1, 2, 3, 123_456, tzinfo=UTC)
    keys = {"vehicle": b"v" * 16, "item": b""}
    monitored = {"mass_g": 12, "distance_m": 2}
    lasts = timedelta(minutes=9)
    act = a_claimed_act(session, PEOPLE[0], "travel.metro", told, told + lasts, monitored, keys=keys)
    stored = session.execute(
        text("select evidence_digest from activity where activity_id = :act"), {"act": act}
    )
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    micros = [(at - epoch) // timedelta(microseconds=1) for at in (told, told + lasts)]
    content = struct.pack(">qqhhqqi", act, PEOPLE[0], 0, 6, *micros, (told - epoch).days)
    content += b'D{"mass_g": 12, "distance_m": 2}\n-\n'
    content += b"\0\0\0\x10" + b"v" * 16 + b"\0\0\0\0" + b"\xff\xff\xff\xff" * 2
    assert stored.scalar_one() == sha256(content).digest()[:16]


def test_parts_of_a_replay_add_up(credited: Session) -> None:
    middle = PEOPLE[1]
    whole = replay(credited)
    parts = replay(credited, Scope(residents=(0, middle)))
    parts.add(replay(credited, replace(Scope(), residents=(middle, 2**63 - 1))))
    assert parts == whole
