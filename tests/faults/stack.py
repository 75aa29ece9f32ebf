"""The whole programme in a home of its own, as `run` starts it, and what /proc tells of its processes."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from carbon_credits.local import erase, running
from carbon_credits.local.places import Home, find_place
from carbon_credits.local.processes import session_members
from carbon_credits.local.state import read_json
from tests.faults.commands import Commands

CHECKOUT = Path(__file__).resolve().parents[2]
WORKERS = ("crediting-1", "crediting-2", "background", "trips", "files", "calls")
LISTENING = "0A"
LOOPBACK = ("0100007F", "00000000000000000000000001000000")


@dataclass(frozen=True)
class Stack:
    """Where the programme runs, and who its processes are at this moment."""

    home: Path
    port: int
    owner_url: str
    redis_url: str
    supervisor: "subprocess.Popen[bytes]"
    commands: Commands

    def entries(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of its children."""
        return read_json(Home(self.home).processes)

    def pid_of(self, name: str) -> int:
        """A child's process."""
        return int(self.entries()[name]["pid"])

    def api_workers(self) -> list[int]:
        """The processes that answer requests; not their master, who answers none."""
        return children(self.pid_of("api"))

    def horses(self) -> dict[int, str]:
        """The work-horses that have a job in hand now, and the workers they belong to."""
        return {horse: name for name in WORKERS for horse in children(self.pid_of(name))}

    def processes(self) -> list[int]:
        """Everything that runs for this home."""
        sessions = [session_members(int(entry["pid"])) for entry in self.entries().values()]
        return [self.supervisor.pid, *(pid for session in sessions for pid in session)]

    def is_ready(self) -> bool:
        """Whether the API and what it needs are there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status == 200 and b"degraded" not in answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    @contextmanager
    def as_owner(self) -> Iterator["psycopg.Connection[dict[str, Any]]"]:
        """The database as its owner sees it, each row a dict."""
        address = self.owner_url.replace("+psycopg", "")
        with psycopg.connect(address, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
            yield connection

    def redis(self) -> Redis:
        """The doorbell."""
        return Redis.from_url(self.redis_url, socket_timeout=2)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A `flask` command, given as an operator gives it beside a programme that runs."""
        return self.commands.run(*arguments)

    def written(self) -> Iterator[Path]:
        """What the programme leaves on disk for others to read: its logs, and the doorbell's memory."""
        yield from (path for path in (self.home / "log").rglob("*") if path.is_file())
        yield from (path for path in find_place(Home(self.home)).valkey_data.rglob("*") if path.is_file())

    def heard_outside(self) -> list[str]:
        """Ports of ours at which somebody from another machine would be heard."""
        ours = {socket_of for pid in self.processes() for socket_of in _sockets(pid)}
        open_ports = []
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                local, state, inode = (line.split()[place] for place in (1, 3, 9))
                if state == LISTENING and inode in ours and not local.startswith(LOOPBACK):
                    open_ports.append(local)
        return open_ports


@contextmanager
def running_stack(home: Path) -> Iterator[Stack]:
    """The programme, from its first start to its last process. It ends with us, even when we are killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "carbon_credits.local", "run", "--attached"],
        cwd=CHECKOUT,
        env=_environment(home, port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        assert process.stdin is not None
        try:
            _await_ready(process)
            servers = running(home)
            assert servers is not None
            with closing(Commands(home.with_name("commands"), _environment(home, port))) as commands:
                yield Stack(home, port, servers.owner_url, servers.redis_url, process, commands)
        finally:
            process.stdin.close()
            process.wait()
    erase(home)


def children(parent: int) -> list[int]:
    """The living children of a process."""
    found = []
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else []
        if fields and fields[0] not in "ZX" and int(fields[1]) == parent:
            found.append(int(name))
    return sorted(found)


def _environment(home: Path, port: int) -> dict[str, str]:
    """Ours, without what may name other servers or another mode."""
    replaced = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in replaced and not name.startswith("CARBON_")
    }
    return {**kept, "CARBON_HOME": str(home), "CARBON_PORT": str(port)}


def _await_ready(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    said = []
    while (line := process.stdout.readline()) not in (b"ready\n", b""):
        said.append(line.decode(errors="replace"))
    assert line, "".join(said)


def _stat(pid: str) -> list[str]:
    # the command's name, in brackets, may hold anything: what follows the last bracket counts
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _sockets(pid: int) -> list[str]:
    found = []
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            target = os.readlink(f"/proc/{pid}/fd/{name}")
            if target.startswith("socket:["):
                found.append(target[8:-1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return found
    return found
