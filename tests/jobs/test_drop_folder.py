"""The drop folder: what lies there complete is taken by the door's rules, answered in `out`, and moved away."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import text
from sqlalchemy.orm import Session

from carbon_credits.activities.intake import take_in, terms_of
from carbon_credits.activities.landing import land
from carbon_credits.activities.told import Intake, read
from carbon_credits.config import Settings
from carbon_credits.core import clock
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import alone
from carbon_credits.jobs import doorbell, drop_folder, partner_files
from carbon_credits.jobs.corrections import FEED_LOCK, settle_all
from carbon_credits.jobs.drop_folder import anything_dropped
from carbon_credits.jobs.partner_files import work_on_files
from carbon_credits.jobs.periodic import run_task, slot_of
from carbon_credits.jobs.schedule import TASKS
from carbon_credits.jobs.scheduler import sweep
from carbon_credits.jobs.surroundings import FEEDS, HANDLERS, SETTINGS
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import keys, service
from carbon_credits.partners.contract import Record
from carbon_credits.partners.progress import ANY_WAITING
from carbon_credits.partners.service import Register
from integrations.telling import correction
from tests.factories.partner_files import FEED, Sender, Sent, a_ride, a_table
from tests.factories.residents import a_bound_resident

DAY = clock.today() - timedelta(days=1)


@pytest.fixture
def sender(
    session: Session, bare_app: Flask, settings: Settings, redis_url: str, tmp_path: Path
) -> Iterator[Sender]:
    """A partner with a folder, and the surroundings of a job."""
    bare_app.config[SETTINGS] = replace(settings, home=tmp_path / "home", drop=tmp_path / "drop")
    bare_app.config[FEEDS] = Register([FEED])
    bare_app.config[HANDLERS] = {}
    service.install(session, [FEED])
    partner = service.partner_by_code(session, FEED.partner)
    made = Sender(day=DAY)
    keys.add_key(session, partner.partner_id, made.public_key, clock.now())
    session.commit()
    (tmp_path / "drop" / "rides" / "in").mkdir(parents=True)
    yield made
    bare_app.config[SETTINGS] = settings


def drop(folder: Path, sent: Sent, *without: str) -> str:
    """Put a file, its signature and its manifest where the partner puts them; returns the name they share."""
    stem = str(sent.told["file"]).removesuffix(".csv.gz")
    for name, content in (
        (sent.told["file"], sent.file),
        (stem + drop_folder.SIGNATURE, sent.signature),
        (stem + drop_folder.MANIFEST, sent.manifest),
    ):
        if name not in {stem + ending for ending in without}:
            (folder / "in" / name).write_bytes(content)
    return stem


def ack(folder: Path, stem: str) -> dict[str, Any]:
    """The ack of a file."""
    told: dict[str, Any] = json.loads((folder / "out" / f"{stem}.ack.json").read_text())
    return told


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The partner's folder."""
    return tmp_path / "drop" / "rides"


def test_a_dropped_file_is_taken_answered_and_moved(sender: Sender, folder: Path, session: Session) -> None:
    stem = drop(folder, sender.send(a_table([a_ride(1, day=DAY), "2,r,B,never,1,Ride"])))
    assert anything_dropped(folder.parent)
    work_on_files()
    told = ack(folder, stem)
    assert (told["status"], told["rows_read"], told["waiting"] + told["rejected"]) == ("applied", 2, 2)
    assert told["rejects"][0]["reasons"][0]["code"] == "not_readable"
    assert names(folder / "in") == []
    assert len(names(folder / "done")) == 3
    assert session.execute(text("select arrived, state from partner_file")).one() == ("drop", "applied")


def test_the_same_file_dropped_again_is_answered_again_and_counts_once(
    sender: Sender, folder: Path, session: Session
) -> None:
    sent = sender.send(a_table([a_ride(1, day=DAY)]))
    for _ in range(2):
        stem = drop(folder, sent)
        work_on_files()
        assert ack(folder, stem)["id"] is not None
        (folder / "out" / f"{stem}.ack.json").unlink()
    assert session.execute(text("select count(*) from partner_file")).scalar_one() == 1


def test_what_is_refused_lies_in_quarantine_with_an_ack_that_says_why(
    sender: Sender, folder: Path, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    forged = drop(folder, replace(sender.send(a_table([a_ride(1, day=DAY)])), signature=b"A" * 86 + b"=="))
    wrong = drop(folder, sender.send(a_table([a_ride(2, day=DAY)]), seq=2, rows="2"))
    work_on_files()
    assert ack(folder, forged)["reason"]["code"] == "signature_wrong"
    told = ack(folder, wrong)["reason"]
    assert (told["code"], told["faults"][0]["pointer"]) == ("manifest_wrong", "/manifest/rows")
    assert len(names(folder / "quarantine")) >= 5
    alarms = session.execute(
        text("select count(*) from audit_entry where action = 'file.alarm'")
    ).scalar_one()
    assert (alarms, "dropped file refused" in caplog.text) == (1, True)


def test_a_manifest_waits_a_moment_for_what_goes_with_it_and_then_is_refused(
    sender: Sender, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent = sender.send(a_table([a_ride(1, day=DAY)]))
    stem = drop(folder, sent, ".csv.gz")
    work_on_files()
    assert names(folder / "out") == []
    long_ago = clock.now().timestamp() - drop_folder.PATIENCE_S - 1
    os.utime(folder / "in" / (stem + drop_folder.MANIFEST), (long_ago, long_ago))
    work_on_files()
    assert ack(folder, stem)["reason"]["code"] == "file_missing"
    assert "dropped file refused" in caplog.text


def test_a_link_out_of_the_folder_is_not_followed(
    sender: Sender, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent = sender.send(a_table([a_ride(1, day=DAY)]))
    stem = drop(folder, sent)
    secret = tmp_path / "secret"
    secret.write_bytes(sent.file)
    path = folder / "in" / sent.told["file"]
    path.unlink()
    path.symlink_to(secret)
    long_ago = clock.now().timestamp() - drop_folder.PATIENCE_S - 1
    os.utime(folder / "in" / (stem + drop_folder.MANIFEST), (long_ago, long_ago))
    work_on_files()
    assert ack(folder, stem)["reason"]["code"] == "file_missing"
    assert secret.exists()


def test_a_feed_is_worked_on_by_one_at_a_time(sender: Sender, folder: Path, session: Session) -> None:
    stem = drop(folder, sender.send(a_table([a_ride(1, day=DAY)])))
    source = service.source_by_feed(session, FEED.code).source_id
    session.rollback()
    with alone(FEED_LOCK, source) as ours:
        assert ours
        work_on_files()
        assert ack(folder, stem)["status"] == "seen"
    work_on_files()
    assert ack(folder, stem)["status"] == "applied"


def test_the_scheduler_rings_for_dropped_and_unfinished_files_and_not_over_and_over(
    sender: Sender, folder: Path, redis_url: str
) -> None:
    redis: Redis = doorbell.connect(redis_url, patience_s=30)
    redis.flushdb()
    waiting = doorbell.queue(redis, doorbell.FILES)
    sweep(redis)
    assert len(waiting) == 0
    drop(folder, sender.send(a_table([a_ride(1, day=DAY)])))
    for _ in range(3):
        sweep(redis)
        redis.delete(doorbell.PARTNER_FILES.flag)
    assert len(waiting) == 1


def test_what_a_later_version_takes_back_is_settled_by_the_job_or_by_whoever_comes_after_a_kill(
    sender: Sender,
    folder: Path,
    session: Session,
    vault: Vault,
    redis_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    partner = service.partner_by_code(session, FEED.partner)
    open_wallet(session, a_bound_resident(session, vault, partner.partner_id, partner.code, "rider-1"))
    session.commit()
    first = sender.send(a_table([a_ride(n, day=DAY) for n in range(3)]))
    drop(folder, first)
    work_on_files()
    drop(folder, sender.send(a_table([a_ride(0, day=DAY)]), version=2, replaces_sha256=first.told["sha256"]))

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(partner_files, "settle_feed", killed)
        with pytest.raises(KeyboardInterrupt):
            work_on_files()
    verdicts = text("select verdict, count(*) from activity_queue group by 1 order by 1")
    assert [tuple(row) for row in session.execute(verdicts)] == [(None, 3)]
    session.rollback()
    # no file waits any more, and still the bell is rung
    redis = Redis.from_url(redis_url)
    sweep(redis)
    assert len(doorbell.queue(redis, doorbell.PARTNER_FILES.queue)) == 1
    work_on_files()
    assert [tuple(row) for row in session.execute(verdicts)] == [("rejected", 2), (None, 1)]
    assert session.execute(ANY_WAITING).scalar_one() is False


def test_the_hourly_task_settles_what_waited_for_a_record_that_came_another_way(
    sender: Sender, session: Session, vault: Vault
) -> None:
    partner = service.partner_by_code(session, FEED.partner)
    open_wallet(session, a_bound_resident(session, vault, partner.partner_id, partner.code, "rider-1"))
    source = terms_of(session, FEED.code)
    void = correction("void-1", None, "7", "void", None)
    intake = Intake(vault, source, clock.now())
    land(session, intake, read(intake, [void]))
    session.commit()
    assert settle_all() == 0
    day = clock.now() - timedelta(days=1)
    ride = Record(
        "7", "rider-1", "travel.shared_bicycle", day, day + timedelta(minutes=9), {"distance_m": 2_000}
    )
    session.rollback()
    assert [row.status for row in take_in(session, vault, source, [ride], clock.now())] == ["accepted"]
    session.commit()
    run_task("settle_corrections", slot_of(TASKS[-1], clock.now()).isoformat())
    assert session.execute(text("select verdict, reasons from activity_queue")).one() == (
        "rejected",
        ["withdrawn_by_partner"],
    )
