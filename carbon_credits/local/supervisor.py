"""The one process that owns the others: starts them in order, restarts what dies, stops them all.

It has one thread and one loop (`turn`), woken by signals, by the end of its lifeline, or by the clock.
"""

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from carbon_credits.local.places import Home, LocalError
from carbon_credits.local.processes import Command, end_session, send, spawn, start_ticks
from carbon_credits.local.state import end_recorded, set_aside, take_lock, write_json

FAILURES, WITHIN_S = 5, 10.0  # so many failures in a row, each so soon after the start: the child is broken
DELAYS_S = (0.0, 0.1, 0.4, 1.0, 2.0)  # before a restart, by failures in a row
GRACE_S = 20.0  # for a child to stop by itself


def say(words: str) -> None:
    """Tell whoever started us; that nobody reads any more is no reason to stop."""
    with suppress(BrokenPipeError):
        print(words, flush=True)


class StopRequestedError(Exception):
    """Someone asked the supervisor to stop: Ctrl-C, SIGTERM, or the end of its lifeline."""


@dataclass
class Child:
    command: Command
    process: subprocess.Popen[bytes] | None = None
    ready: bool = False
    restarts: int = 0
    due: float = 0.0  # not to be started before
    started: float = 0.0
    failures: int = 0  # in a row
    entry: dict[str, object] = field(default_factory=dict)


class Supervisor:
    """Owns the processes of one home while used as a context; refuses a second one for the same home."""

    def __init__(self, home: Home, lifeline: int | None = None) -> None:
        """`lifeline` is a file descriptor at whose end (its writer died) everything stops."""
        self.home = home
        self._children: dict[str, Child] = {}
        self._lifeline = lifeline
        self._stops = 0
        self._wake, self._waker = socket.socketpair()

    def __enter__(self) -> "Supervisor":
        self._lock = take_lock(self.home)
        for end in (self._wake, self._waker):
            end.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if (
                number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN
            ):  # nohup keeps its meaning
                signal.signal(number, self._note_stop)
        end_recorded(self.home)
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop_all()
        for left in (self.home.processes, self.home.addresses):
            left.unlink(missing_ok=True)
        self._lock.close()

    def start(self, commands: Iterable[Command], patience_s: float = 60.0) -> None:
        """Start `commands` and wait until all are ready. Raises LocalError or StopRequestedError."""
        added = [Child(command) for command in commands]
        for child in added:
            set_aside(self.log_of(child.command.name))
            self._children[child.command.name] = child
        deadline = time.monotonic() + patience_s
        while not all(child.ready for child in added):
            if time.monotonic() > deadline:
                slow = next(child.command.name for child in added if not child.ready)
                raise LocalError(f"{slow} is not ready after {patience_s:.0f} s.\n{self._log_end(slow)}")
            self.turn(0.01)

    def complete(self, command: Command) -> None:
        """Run `command` to its end beside the children. Raises LocalError if it fails."""
        self.finish(command, self.begin(command))

    def begin(self, command: Command) -> subprocess.Popen[bytes]:
        """Start `command`, which ends by itself; whoever starts it finishes it."""
        return spawn(command, self.log_of(command.name))

    def finish(self, command: Command, process: subprocess.Popen[bytes]) -> None:
        """Wait, beside the children, for what was begun. Raises LocalError if it failed."""
        try:
            while process.poll() is None:
                self.turn(0.2)
        finally:
            end_session(process.pid, command.stop, GRACE_S, process)
        if process.returncode != 0:
            raise LocalError(f"{command.name} failed ({process.returncode}).\n{self._log_end(command.name)}")

    def watch(self) -> None:
        """Keep everything running. Raises StopRequestedError at a stop, LocalError for a broken child."""
        while True:
            self.turn(1.0)

    def turn(self, seconds: float) -> None:
        """Look after the children once, then sleep until something happens, `seconds` at most."""
        if self._stops:
            raise StopRequestedError
        for child in self._children.values():
            self._look_after(child)
        pending = any(not child.ready for child in self._children.values())
        self._sleep(min(seconds, 0.02) if pending else seconds)

    def log_of(self, name: str) -> Path:
        return self.home.log / f"{name}.log"

    def _look_after(self, child: Child) -> None:
        if child.process is not None and child.process.poll() is not None:
            self._bury(child, child.process)
        if child.process is None and time.monotonic() >= child.due and self._has_what_it_needs(child):
            self._launch(child)
        if child.process is not None and not child.ready and child.command.ready(child.process.pid):
            child.ready = True
            self._write_state()

    def _has_what_it_needs(self, child: Child) -> bool:
        needed = [self._children[name] for name in child.command.needs if name in self._children]
        return all(each.ready and each.process and each.process.poll() is None for each in needed)

    def _failed_by_itself(self, child: Child, code: int) -> bool:
        """Neither killed from outside nor pulled down by a server that went while it ran."""
        needed = [self._children[name] for name in child.command.needs if name in self._children]
        stood = all(each.process and each.process.poll() is None for each in needed)
        return code != -signal.SIGKILL and stood and all(each.started < child.started for each in needed)

    def _launch(self, child: Child) -> None:
        child.command.clear()
        process = spawn(child.command, self.log_of(child.command.name))
        now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="milliseconds")
        child.process, child.started = process, time.monotonic()
        child.entry = {
            "pid": process.pid,
            "started_at": now,
            "ticks": start_ticks(process.pid),
            "server": not child.command.needs,
        }
        self._write_state()

    def _bury(self, child: Child, process: subprocess.Popen[bytes]) -> None:
        """A child died: end what it leaves behind, say so, and set the time of its restart."""
        end_session(process.pid, signal.SIGKILL, 5.0)
        now, name, code = time.monotonic(), child.command.name, process.returncode
        if now - child.started > WITHIN_S:
            child.failures = 0
        elif self._failed_by_itself(child, code):
            child.failures += 1
        if child.failures == FAILURES:
            words = f"{name} failed {FAILURES} times in a row, each within {WITHIN_S:.0f} s of its start."
            raise LocalError(f"{words}\n{self._log_end(name)}")
        child.process, child.ready, child.restarts = None, False, child.restarts + 1
        child.due = now + DELAYS_S[child.failures]
        say(f"{name} 已退出({code}),正在重启 / {name} ended ({code}); restarting")
        self._write_state()

    def _write_state(self) -> None:
        state = {
            name: {**child.entry, "restarts": child.restarts, "ready": child.ready}
            for name, child in self._children.items()
            if child.entry
        }
        write_json(self.home.processes, state)

    def _log_end(self, name: str) -> str:
        lines = self.log_of(name).read_text(errors="replace").splitlines()[-20:]
        return "\n".join((f"{self.log_of(name)}:", *lines))

    def _note_stop(self, *_: object) -> None:
        self._stops += 1

    def _sleep(self, seconds: float) -> None:
        watched = [self._wake.fileno()] + ([] if self._lifeline is None else [self._lifeline])
        readable, _, _ = select.select(watched, [], [], seconds)
        if self._wake.fileno() in readable:
            self._wake.recv(4096)
        if self._lifeline in readable and self._lifeline is not None and not os.read(self._lifeline, 4096):
            self._lifeline = None
            self._stops += 1

    def _stop_all(self) -> None:
        """Stop in the opposite order of starting: those that need others, all at once, then the servers."""
        children = [child for child in self._children.values() if child.process is not None]
        users = [child for child in children if child.command.needs]
        owned = [child for child in children if not child.command.needs]
        for group in (users, owned):
            self._stop_group(group)
        self._children.clear()

    def _stop_group(self, group: list[Child]) -> None:
        asked = self._stops
        running = [child.process for child in group if child.process]
        for child in group:
            if child.process and child.process.poll() is None:
                send(child.process.pid, child.command.stop)
        deadline = time.monotonic() + GRACE_S
        while any(process.poll() is None for process in running):
            if time.monotonic() > deadline or self._stops > max(asked, 1):  # out of time, or asked twice
                break
            self._sleep(0.1)
        for process in running:
            end_session(process.pid, signal.SIGKILL, 5.0, process)
        for child in group:
            child.command.clear()
