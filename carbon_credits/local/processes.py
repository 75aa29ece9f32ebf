"""What /proc tells about processes, and how a child is started so that it can neither outlive its supervisor
nor hear the terminal's Ctrl-C. Linux only."""

import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """The unprivileged account the servers run under when the caller is root: PostgreSQL refuses root."""

    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account":
        return cls(uid, pwd.getpwuid(uid).pw_gid)


@dataclass(frozen=True)
class Command:
    """One program the supervisor starts and keeps alive."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    stop: signal.Signals = signal.SIGTERM
    account: Account | None = None
    needs: tuple[str, ...] = ()
    clear: Callable[[], None] = field(default=lambda: None)  # sweeps away what a dead one left behind
    ready: Callable[[int], bool] = field(default=lambda _: True)  # asked with the child's pid


def spawn(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own, its output appended to `log`.

    Call it from the main thread only: the death signal follows the thread that forks. Raises OSError.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
        # Set after the change of user, which clears it; an exec keeps it.
        _libc.prctl(PR_SET_PDEATHSIG, int(command.stop), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    account = command.account
    with log.open("ab") as output:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=dict(command.env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=tie_to_parent,  # noqa: PLW1509 - the supervisor has one thread
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )


def start_ticks(pid: int) -> int | None:
    """When `pid` started, in clock ticks since boot; None if it is gone or only a zombie is left of it.

    A bare `kill(pid, 0)` would take a zombie, or a stranger with a recycled pid, for the living child.
    """
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def session_members(leader: int) -> list[int]:
    """The living processes of the session that `leader` opened, itself included."""
    return [
        pid
        for pid in _pids()
        if (fields := _stat(pid)) and fields[0] not in "ZX" and int(fields[3]) == leader
    ]


def marked(mark: str, comm: str) -> list[int]:
    """The living processes called `comm` whose command line contains `mark`.

    The command line is world-readable; a working folder is not (a container's root may lack that right).
    """
    return [pid for pid in _pids() if _read(pid, "comm").strip() == comm and mark in _read(pid, "cmdline")]


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that is already gone needs none."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def end_session(
    leader: int, number: signal.Signals, grace_s: float, process: subprocess.Popen[bytes] | None = None
) -> None:
    """End a whole session: its leader by `number`; after `grace_s`, or its end, what is left by SIGKILL.

    `process` is the leader where it is a child of ours and must be reaped.
    """
    deadline = time.monotonic() + grace_s
    if start_ticks(leader) is not None:
        send(leader, number)
    while start_ticks(leader) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    while left := session_members(leader):
        for pid in left:
            send(pid, signal.SIGKILL)
        time.sleep(0.01)
    if process is not None:
        process.wait()


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    # The command name, in brackets, may itself hold brackets and blanks: read from the last one on.
    return _read(pid, "stat").rpartition(")")[2].split() or None


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
