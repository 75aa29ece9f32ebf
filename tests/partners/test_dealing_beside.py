"""A process that deals: what becomes of the file, and of the process, when one of the two is gone."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from carbon_credits.partners import contents
from carbon_credits.partners.contract import FileFault
from carbon_credits.partners.dealing import NOBODY, Ours
from carbon_credits.partners.dealing_beside import hand_beside
from carbon_credits.partners.manifest import canonical_bytes, read_manifest
from tests.factories.partner_files import Sender, a_ride, a_table
from tests.waiting import wait_until

RIDES = [a_ride(number, rider=f"rider-{number % 5}") for number in range(1, 301)]
WHOSE = ("rider",)


class Parts(dict[str, int]):
    """Riders 0 and 1 are ours; whoever is asked for the last of them does something first, unless it is this process."""

    def __init__(self, does: Callable[[], Any] = lambda: None) -> None:
        super().__init__(
            {"rider-0": 0, "rider-1": 1, "rider-2": NOBODY, "rider-3": NOBODY, "rider-4": NOBODY}
        )
        self.own, self.does = os.getpid(), does

    def __getitem__(self, token: str) -> int:
        if token == "rider-4" and os.getpid() != self.own:
            self.does()
        return super().__getitem__(token)


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is dealt by another process."""
    monkeypatch.setattr(contents, "MUCH", 0)
    monkeypatch.setattr(contents, "processors", lambda: 2)


def unpacked(folder: Path, raw: bytes, parts: Parts) -> tuple[contents.Found, list[bytes]]:
    sent = Sender().send(raw)
    packed = folder / "sent"
    packed.write_bytes(sent.file)
    paths = [folder / str(part) for part in range(2)]
    with ExitStack() as opened:
        outs = [opened.enter_context(path.open("wb")) for path in paths]
        stream = opened.enter_context(packed.open("rb"))
        manifest = read_manifest(canonical_bytes(sent.told))
        found = contents.unpack(stream, outs, manifest, ours=Ours(WHOSE, parts))
    return found, [path.read_bytes() for path in paths]


def the_same_by_ourselves(folder: Path, raw: bytes, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(contents, "MUCH", len(RIDES) + 1)
    return unpacked(folder, raw, Parts())


@pytest.mark.parametrize("stops", ["killed", "stumbles"])
def test_where_it_is_killed_or_stumbles_all_is_dealt_once_more_by_ourselves(
    stops: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whom: list[int] = []

    def stop() -> None:
        # what another process appends to is its own copy
        whom.append(os.getpid())
        if stops == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise LookupError("rider-4")

    found = unpacked(tmp_path, a_table(RIDES), Parts(stop))
    assert whom == []
    assert found == the_same_by_ourselves(tmp_path, a_table(RIDES), monkeypatch)
    assert (found[0].rows, found[0].strangers) == (300, 180)
    assert active_children() == []


def test_what_is_wrong_with_a_file_is_said_and_no_process_stays(tmp_path: Path) -> None:
    with pytest.raises(FileFault, match="wrong_columns in line 302"):
        unpacked(tmp_path, a_table([*RIDES, "1,2"]), Parts())
    assert active_children() == []


def test_it_ends_when_who_reads_the_file_is_killed(tmp_path: Path) -> None:
    noted = tmp_path / "its pid"
    reader = os.fork()
    if reader == 0:
        with (tmp_path / "part").open("wb") as out, hand_beside([out], Parts()):
            noted.write_text(str(active_children()[0].pid))
            while True:
                time.sleep(1)
    pid = int(wait_until(lambda: noted.exists() and noted.read_text()))
    assert _is_there(pid)
    os.kill(reader, signal.SIGKILL)
    os.waitpid(reader, 0)
    wait_until(lambda: not _is_there(pid))


def _is_there(pid: int) -> bool:
    """Alive; who has ended and is not asked for yet does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
