"""What the supervisor leaves in the home for others to read: its lock, its children's pids, the addresses."""

import fcntl
import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any, TextIO

from carbon_credits.local.places import Home, LocalError, outside_folder, socket_folder
from carbon_credits.local.processes import end_session, start_ticks

LOG_LIMIT = 20_000_000  # bytes


def take_lock(home: Home) -> TextIO:
    """Hold the home's lock until closed or dead. Raises LocalError when another supervisor holds it."""
    file = home.lock.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        holder = home.lock.read_text().strip()
        raise LocalError(f"已在运行,进程号 {holder} / already running, pid {holder} ({home.path})") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def supervisor_pid(home: Home) -> int | None:
    """The pid of the supervisor that holds the home's lock; None when nobody does."""
    if not home.lock.exists():
        return None
    with home.lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read().strip()
            return int(text) if text else None
    return None


def stop_supervisor(home: Home, patience_s: float = 60.0) -> bool:
    """Stop the supervisor and wait for its end; False when none runs. Raises LocalError if it stays."""
    pid = supervisor_pid(home)
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while supervisor_pid(home) == pid:
        if time.monotonic() > deadline:
            raise LocalError(f"The supervisor {pid} does not stop.")
        time.sleep(0.02)
    return True


def write_json(path: Path, value: object) -> None:
    """Replace `path` in one step: a reader sees the old text or the new, never half of it."""
    making = path.with_suffix(".making")
    making.write_text(json.dumps(value, indent=1) + "\n")
    making.rename(path)


def read_json(path: Path) -> dict[str, Any]:
    """The object in `path`; empty when there is no file."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return found


def end_recorded(home: Home) -> None:
    """End what a killed supervisor's children left behind; the servers look after themselves (`clear`).

    A session's number is not given out again while a member lives; a living leader is known by its start.
    """
    for entry in read_json(home.processes).values():
        pid = entry["pid"]
        if start_ticks(pid) in (None, entry["ticks"]) and not entry["server"]:
            end_session(pid, signal.SIGTERM, 10.0)


def erase(path: Path) -> None:
    """Delete a home with all its data, wherever they lie. Raises LocalError while a supervisor runs."""
    home = Home.at(path)
    with take_lock(home):
        outside = outside_folder(home)
        for folder in (socket_folder(home), outside, home.path):
            if folder is not None and folder.exists():
                shutil.rmtree(folder)


def set_aside(log: Path) -> None:
    """Put a long log aside, so that a folder of logs cannot grow without end."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
