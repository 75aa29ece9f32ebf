"""A partner's key, and files dropped beside the running programme: acked by its worker, shown, refused by an operator."""

import gzip
import json
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

from carbon_credits.core import clock
from tests.api.test_partner_files import taps
from tests.factories.partner_files import Sender, Sent
from tests.faults.stack import Stack


def dropped(folder: Path, sent: Sent) -> Path:
    """Put a file where partners put them, the manifest last; where its ack will be."""
    (folder / "in").mkdir(parents=True, exist_ok=True)
    stem = str(sent.told["file"]).removesuffix(".csv.gz")
    for name, content in (
        (f"{stem}.csv.gz", sent.file),
        (f"{stem}.manifest.sig", sent.signature),
        (f"{stem}.manifest.json", sent.manifest),
    ):
        (folder / "in" / f"{name}.part").write_bytes(content)
        (folder / "in" / f"{name}.part").rename(folder / "in" / name)
    return folder / "out" / f"{stem}.ack.json"


def ended(ack: Path) -> dict[str, Any]:
    """The ack, once the file is done or put aside."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told: dict[str, Any] = json.loads(ack.read_text()) if ack.exists() else {}
        if told.get("status") in {"applied", "quarantined", "refused"}:
            return told
        time.sleep(0.1)
    raise AssertionError(f"no ack: {ack}")


def test_dropped_files_are_worked_on_and_decided_by_a_person(stack: Stack, tmp_path: Path) -> None:
    sender = Sender("metro", "metro_taps", clock.today())
    key = tmp_path / "metro.pub"
    key.write_bytes(b64encode(sender.public_key))
    added = stack.command("partners", "keys", "add", "metro", str(key))
    assert added.returncode == 0, added.stderr
    key_id = added.stdout.split()[-1]
    assert "in force" in stack.command("partners", "keys", "list", "metro").stdout

    folder = stack.home / "drop" / "metro"
    right = ended(dropped(folder, sender.send(taps("a"), totals={"amount": "3.00"})))
    assert (right["status"], right["rows_read"]) == ("applied", 2)
    wrong = ended(dropped(folder, sender.send(taps("b"), seq=2, totals={"amount": "4.00"})))
    assert (wrong["status"], wrong["reason"]["code"]) == ("quarantined", "totals_differ")
    listed = stack.command("partners", "files", "list")
    assert "metro_taps" in listed.stdout
    assert "The total of" in listed.stdout

    staff = stack.command("staff", "add", "陈晓", "--role", "programme")
    assert staff.returncode == 0, staff.stderr
    refused = stack.command("partners", "files", "refuse", wrong["id"], "--as", "陈晓")
    assert refused.returncode == 0, refused.stderr
    again = stack.command("partners", "files", "release", wrong["id"], "--as", "陈晓")
    assert (again.returncode, "not_in_quarantine" in again.stderr) == (1, True)

    assert stack.command("partners", "keys", "revoke", key_id).returncode == 0
    late = ended(dropped(folder, sender.send(taps("c"), seq=3)))
    assert (late["status"], late["reason"]["code"]) == ("refused", "key_revoked")
    assert "key_revoked" in stack.command("partners", "files", "alarms").stdout


def test_a_partner_tries_a_file_before_it_is_sent(stack: Stack, tmp_path: Path) -> None:
    sent = Sender("metro", "metro_taps", clock.today()).send(taps("a"))
    manifest, file = tmp_path / "m.json", tmp_path / "f.csv.gz"
    manifest.write_bytes(sent.manifest)
    file.write_bytes(sent.file)
    good = stack.command("partners", "files", "check", str(manifest), str(file))
    assert good.returncode == 0, good.stderr
    assert "peak memory" in good.stdout
    file.write_bytes(gzip.compress(taps("b")))
    assert stack.command("partners", "files", "check", str(manifest), str(file)).returncode == 1
