"""Walks of a delivered file through its states, or into quarantine; versions, gaps, the watermark, kills."""

import logging
import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from carbon_credits.activities import delivered, told
from carbon_credits.activities.acks import ack_of, rejects_csv
from carbon_credits.activities.delivered import Ground, advance
from carbon_credits.activities.files import Landed
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import in_transaction
from carbon_credits.core.errors import Conflict, Invalid, ProgrammeError
from carbon_credits.ledger.service import open_wallet
from carbon_credits.partners import arrivals, contents, keys, progress, service
from carbon_credits.partners.arrivals import Arrival, Arriving
from carbon_credits.partners.inbox import Inbox
from carbon_credits.partners.keys import read_signature
from carbon_credits.partners.manifest import read_manifest
from carbon_credits.partners.service import Register
from tests.factories.partner_files import FEED, NOW, Sender, Sent, a_ride, a_table
from tests.factories.residents import a_bound_resident


class KilledError(BaseException):
    """The process ends here: nothing catches this."""


@dataclass
class Desk:
    """A partner's files as they come in and are worked on, one process's way of doing it."""

    session: Session
    vault: Vault
    inbox: Inbox
    partner_id: int
    source_id: int
    sender: Sender
    killed_after: int | None = None
    # when files are worked on
    now: datetime = NOW
    landed: list[int] = field(default_factory=list)

    def bring(self, sent: Sent, **changes: Any) -> Arrival:
        """Bring a file, as the door does."""
        signature = read_signature(changes.get("signature", sent.signature))
        stored = self.inbox.store([sent.file])
        came = Arriving(
            changes.get("partner_id", self.partner_id),
            "door",
            read_manifest(sent.manifest),
            signature,
            stored,
        )
        try:
            return in_transaction(lambda s: arrivals.arrive(s, self.inbox, Register([FEED]), came, NOW))
        finally:
            stored.discard()

    def work(self) -> list[tuple[int, str]]:
        """Work on what there is, in the order of the feed; numbers and states they ended in."""
        done: list[tuple[int, str]] = []
        while True:
            row = in_transaction(lambda s: progress.next_file(s, self.source_id))
            if row is None:
                return done
            done.append((row.file_id, advance(self.ground(), row)))

    def ground(self) -> Ground:
        """What the work stands on."""

        def heard(landed: Landed) -> None:
            self.landed.append(landed.items)
            if self.killed_after is not None and len(self.landed) >= self.killed_after:
                raise KilledError

        return Ground(self.vault, self.inbox, FEED, heard, in_transaction, lambda: self.now)

    def ack(self, file_id: int) -> dict[str, Any]:
        """The ack of a file."""
        return in_transaction(lambda s: ack_of(s, progress.file_of(s, file_id), "en"))

    def count(self, table: str) -> int:
        """How many rows a table has."""
        self.session.rollback()
        return int(self.session.execute(text(f"select count(*) from {table}")).scalar_one())


@pytest.fixture
def desk(session: Session, vault: Vault, tmp_path: Path) -> Desk:
    """A partner whose key is registered and whose rider-1 is a resident."""
    service.install(session, [FEED])
    partner = service.partner_by_code(session, FEED.partner)
    sender = Sender()
    keys.add_key(session, partner.partner_id, sender.public_key, NOW)
    open_wallet(session, a_bound_resident(session, vault, partner.partner_id, partner.code, "rider-1"))
    source = service.source_by_feed(session, FEED.code)
    session.commit()
    return Desk(session, vault, Inbox(tmp_path), partner.partner_id, source.source_id, sender)


def rides(*numbers: int) -> bytes:
    """A file of these rides."""
    return a_table([a_ride(number) for number in numbers])


def refusal(desk: Desk, sent: Sent, **changes: Any) -> str:
    """The code a file is refused with at once; nothing of it is kept."""
    before = desk.count("partner_file")
    with pytest.raises(ProgrammeError) as refused:
        desk.bring(sent, **changes)
    assert desk.count("partner_file") == before
    assert not list(desk.inbox.folder.glob("*.part"))
    return refused.value.code


def test_a_file_passes_its_states_and_its_rows_become_acts(desk: Desk, session: Session) -> None:
    came = desk.bring(
        desk.sender.send(a_table([a_ride(1), a_ride(2, rider="nobody"), "3,rider-1,B3,yesterday,5,Ride"]))
    )
    assert (came.state, desk.ack(came.file_id)["status"]) == ("seen", "seen")
    assert desk.work() == [(came.file_id, "applied")]
    ack = desk.ack(came.file_id)
    assert {
        name: ack[name] for name in ("rows_declared", "rows_read", "accepted", "waiting", "rejected")
    } == {
        "rows_declared": 3,
        "rows_read": 3,
        "accepted": 1,
        "waiting": 1,
        "rejected": 1,
    }
    assert [(row["line"], row["reasons"][0]["code"]) for row in ack["rejects"]] == [(4, "not_readable")]
    assert ack["watermark"]["seq"] == 1
    listed = "".join(in_transaction(lambda s: list(rejects_csv(s, progress.file_of(s, came.file_id)))))
    assert listed.splitlines()[1].startswith("4,not_readable,")
    assert desk.count("activity") == 1
    # bytes of a file that is done go; its digests stay for the next version
    assert [path.suffix for path in desk.inbox.folder.iterdir()] == [".keys"]


def test_the_same_bytes_again_answer_the_first_and_do_nothing(desk: Desk) -> None:
    sent = desk.sender.send(rides(1, 2))
    first = desk.bring(sent)
    assert desk.bring(sent) == Arrival(first.file_id, "seen", known=True)
    desk.work()
    again = desk.sender.send(rides(1, 2), version=2, replaces_sha256=sent.told["sha256"])
    assert desk.bring(again) == Arrival(first.file_id, "applied", known=True)
    assert desk.work() == []
    assert (desk.count("partner_file"), desk.count("activity")) == (1, 2)


def test_an_empty_day_has_the_bytes_of_another_and_is_not_it(desk: Desk) -> None:
    for seq in (1, 2):
        assert not desk.bring(desk.sender.send(rides(), seq=seq)).known
    assert [state for _, state in desk.work()] == ["applied", "applied"]
    assert in_transaction(lambda s: progress.watermark_of(s, desk.source_id).seq) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sha256": "0" * 64}, "sha256_differs"),
        ({"bytes": 5}, "bytes_differ"),
        ({"service_date": "2025-11-20", "file": "rides_test_rides_20251120_1_v1.csv.gz"}, "file_too_old"),
        (
            {"service_date": "2026-12-20", "file": "rides_test_rides_20261220_1_v1.csv.gz"},
            "service_date_in_future",
        ),
        ({"feed": "other", "file": "rides_other_20261120_1_v1.csv.gz"}, "feed_unknown"),
        ({"partner": "bike", "file": "bike_test_rides_20261120_1_v1.csv.gz"}, "partner_differs"),
    ],
)
def test_what_can_be_known_at_once_is_refused_at_once(desk: Desk, changes: dict[str, Any], code: str) -> None:
    assert refusal(desk, desk.sender.send(rides(1), **changes)) == code


def test_a_signature_counts_from_any_key_in_force_and_from_no_other(desk: Desk, session: Session) -> None:
    sent = desk.sender.send(rides(1))
    assert refusal(desk, sent, signature=Sender().sign(sent.told)) == "signature_wrong"
    assert refusal(desk, sent, signature=desk.sender.sign({**sent.told, "rows": 2})) == "signature_wrong"
    assert refusal(desk, sent, signature=b"nonsense") == "signature_unreadable"
    newer = replace(desk.sender, key=Sender().key)
    newer_id = keys.add_key(session, desk.partner_id, newer.public_key, NOW)
    session.commit()
    assert not desk.bring(sent).known
    assert not desk.bring(newer.send(rides(2), seq=2)).known
    keys.revoke_key(session, newer_id, NOW)
    session.commit()
    assert refusal(desk, newer.send(rides(3), seq=3)) == "key_revoked"


def test_another_partners_key_is_worth_nothing(desk: Desk, session: Session) -> None:
    other = Sender()
    service.install(session, [replace(FEED, code="other_rides", partner="others")])
    others = service.partner_by_code(session, "others")
    keys.add_key(session, others.partner_id, other.public_key, NOW)
    session.commit()
    assert refusal(desk, other.send(rides(1))) == "signature_wrong"
    assert refusal(desk, desk.sender.send(rides(1)), partner_id=others.partner_id) == "partner_differs"
    foreign = other.send(rides(1), partner="others", file="others_test_rides_20261120_1_v1.csv.gz")
    assert refusal(desk, foreign, partner_id=others.partner_id) == "feed_unknown"


def test_other_bytes_under_a_number_and_version_that_are_taken_are_refused(desk: Desk) -> None:
    first = desk.sender.send(rides(1))
    desk.bring(first)
    assert refusal(desk, desk.sender.send(rides(2))) == "version_taken"
    assert refusal(desk, desk.sender.send(rides(2), version=2)) == "replaces_differs"
    desk.bring(desk.sender.send(rides(2), version=3, replaces_sha256=first.told["sha256"]))
    assert refusal(desk, desk.sender.send(rides(3), version=2)) == "version_old"


@pytest.mark.parametrize(
    ("raw", "changes", "code"),
    [
        (rides(1, 2), {"rows": 3}, "rows_differ"),
        (rides(1, 2), {"totals": {"distance_m": 1}}, "totals_differ"),
        (rides(1, 2) + b"T,3,0,3\n", {"rows": 2}, "trailer_differs"),
        (rides(1, 2)[:-1], {"rows": 2}, "cut_short"),
        (rides(1).replace(b"ride_no", b"ride_id"), {}, "wrong_header"),
        (a_table([f"{n},rider-1,B,yesterday,5,Ride" for n in range(11)]), {}, "too_many_unreadable"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_put_aside_whole(
    desk: Desk, caplog: pytest.LogCaptureFixture, raw: bytes, changes: dict[str, Any], code: str
) -> None:
    came = desk.bring(desk.sender.send(raw, **changes))
    with caplog.at_level(logging.ERROR):
        assert desk.work() == [(came.file_id, "quarantined")]
    ack = desk.ack(came.file_id)
    assert (ack["status"], ack["reason"]["code"], ack["watermark"]) == ("quarantined", code, None)
    assert ack["reason"]["text"]
    assert desk.count("activity") + desk.count("record_set_aside") == 0
    assert "file quarantined" in caplog.text


def test_an_operator_overlooks_control_figures_and_nothing_else(desk: Desk) -> None:
    wrong = desk.bring(desk.sender.send(rides(1), rows=2))
    cut = desk.bring(desk.sender.send(rides(2)[:-1], seq=2, rows=1))
    desk.work()
    with pytest.raises(Invalid, match="cannot_be_waived"):
        in_transaction(lambda s: progress.release(s, cut.file_id, waive=True))
    in_transaction(lambda s: progress.release(s, wrong.file_id, waive=False))
    assert desk.work() == [(wrong.file_id, "quarantined")]
    in_transaction(lambda s: progress.release(s, wrong.file_id, waive=True))
    assert desk.work() == [(wrong.file_id, "applied")]
    with pytest.raises(Conflict, match="not_in_quarantine"):
        in_transaction(lambda s: progress.refuse(s, wrong.file_id, NOW))
    in_transaction(lambda s: progress.refuse(s, cut.file_id, NOW))
    # its number is free again, also for the same version
    mended = desk.bring(desk.sender.send(rides(2), seq=2))
    assert desk.work() == [(mended.file_id, "applied")]
    assert desk.count("activity") == 2


def test_the_watermark_stays_before_a_gap_and_passes_it_when_it_is_filled(desk: Desk) -> None:
    for seq in (1, 3, 4):
        desk.bring(desk.sender.send(rides(seq), seq=seq))
    assert [state for _, state in desk.work()] == ["applied"] * 3
    mark = in_transaction(lambda s: progress.watermark_of(s, desk.source_id))
    assert mark is not None
    assert (mark.seq, mark.complete_through.date()) == (1, date(2026, 11, 20))
    assert desk.count("activity") == 3
    desk.bring(desk.sender.send(rides(2), seq=2))
    desk.work()
    mark = in_transaction(lambda s: progress.watermark_of(s, desk.source_id))
    assert mark is not None
    assert (mark.seq, mark.complete_through.date()) == (4, date(2026, 11, 23))


def test_a_newer_version_adds_what_is_new_and_notes_what_changed_or_vanished(
    desk: Desk, session: Session
) -> None:
    first = desk.sender.send(a_table([a_ride(1), a_ride(2), a_ride(3), a_ride(9, rider="nobody")]))
    one = desk.bring(first)
    desk.work()
    rows = [a_ride(4), a_ride(3), a_ride(2, distance_m=900)]
    two = desk.bring(desk.sender.send(a_table(rows), version=2, replaces_sha256=first.told["sha256"]))
    assert desk.work() == [(two.file_id, "applied")]
    assert desk.ack(one.file_id)["status"] == "superseded"
    ack = desk.ack(two.file_id)
    assert {name: ack[name] for name in ("accepted", "duplicate", "corrected", "voided", "rejected")} == {
        "accepted": 1,
        "duplicate": 1,
        "corrected": 1,
        "voided": 2,
        "rejected": 0,
    }
    # what changed is an act of its own; nothing is taken back here, but what waited for its resident waits no longer
    assert desk.count("activity") == 5
    kinds = session.execute(
        text("select kind, k.activity_id is not null as act from record_correction c"
             " left join act_key k using (source_id, ext_key) order by 1, 2")
    ).all()  # fmt: skip
    assert [tuple(row) for row in kinds] == [("correct", True), ("void", False), ("void", True)]
    assert session.execute(
        text("select reasons[1] from record_set_aside where state = 'refused'")
    ).scalars().all() == ["withdrawn_by_partner"]


def test_the_same_day_in_another_order_of_rows_changes_nothing(desk: Desk) -> None:
    first = desk.sender.send(rides(*range(1, 30)))
    desk.bring(first)
    desk.work()
    mixed = random.Random(7).sample(range(1, 30), 29)
    again = desk.bring(desk.sender.send(rides(*mixed), version=2, replaces_sha256=first.told["sha256"]))
    desk.work()
    ack = desk.ack(again.file_id)
    assert (ack["duplicate"], ack["accepted"], ack["corrected"], ack["voided"]) == (29, 0, 0, 0)
    assert desk.count("activity") == 29


def test_a_version_that_comes_before_the_older_was_begun_takes_its_place(desk: Desk) -> None:
    first = desk.sender.send(rides(1))
    one = desk.bring(first)
    two = desk.bring(desk.sender.send(rides(2), version=2, replaces_sha256=first.told["sha256"]))
    assert desk.work() == [(two.file_id, "applied")]
    assert desk.ack(one.file_id)["status"] == "superseded"
    assert desk.count("activity") == 1


def test_a_kill_at_any_step_loses_nothing_and_counts_each_row_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told, "CHUNK", 3)
    came = desk.bring(desk.sender.send(rides(*range(8))))

    def killed(*_: object, **__: object) -> Any:
        raise KilledError

    steps: list[tuple[object, str]] = [
        (contents, "faults_of"),
        (progress, "pass_on"),
        (delivered, "_control_faults"),
        (delivered, "land_all"),
        (progress, "finish"),
        (delivered, "place"),
    ]
    for place_of, name in steps:
        with monkeypatch.context() as patch:
            patch.setattr(place_of, name, killed)
            with pytest.raises(KilledError):
                desk.work()
        if name == "land_all":
            for desk.killed_after in (1, 1):
                desk.landed.clear()
                with pytest.raises(KilledError):
                    desk.work()
            assert 0 < desk.ack(came.file_id)["rows_read"] < 8
            desk.killed_after = None
    desk.work()
    ack = desk.ack(came.file_id)
    assert (ack["status"], ack["accepted"], ack["rows_read"]) == ("applied", 8, 8)
    assert desk.count("activity") == 8


def test_a_file_whose_bytes_are_lost_asks_for_them_again(desk: Desk) -> None:
    came = desk.bring(desk.sender.send(rides(1)))
    desk.inbox.sent(came.file_id).unlink()
    assert desk.work() == [(came.file_id, "quarantined")]
    assert desk.ack(came.file_id)["reason"]["code"] == "bytes_lost"


def test_states_and_watermark_are_held_by_the_database(desk: Desk, session: Session) -> None:
    came = desk.bring(desk.sender.send(rides(1)))
    for wrong in (
        "state = 'applied', finished_at = now()",
        "state = 'staged'",
        "state = 'refused', fault = '{}', finished_at = now()",
    ):
        with pytest.raises(DBAPIError) as refused:
            session.execute(text(f"update partner_file set {wrong} where file_id = {came.file_id}"))
        assert isinstance(refused.value.orig, psycopg.Error)
        session.rollback()
    desk.work()
    for wrong in ("seq = seq - 0, complete_through = complete_through - interval '1 day'",):
        with pytest.raises(DBAPIError, match="does not go back"):
            session.execute(text(f"update feed_watermark set {wrong}"))
        session.rollback()


def test_an_alarm_stands_in_the_audit(desk: Desk, session: Session) -> None:
    sent = desk.sender.send(rides(1))
    alarm = Conflict("version_taken", FEED.names)
    assert in_transaction(lambda s: arrivals.note_alarm(s, desk.partner_id, sent.told, alarm))
    small = Invalid("rows_differ", FEED.names)
    assert not in_transaction(lambda s: arrivals.note_alarm(s, desk.partner_id, sent.told, small))
    found = session.execute(text("select after from audit_entry where action = 'file.alarm'")).scalars().all()
    assert [(said["code"], said["seq"]) for said in found] == [("version_taken", 1)]
