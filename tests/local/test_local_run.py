"""`run` on the real programme: everything comes up, comes back, and goes away together."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbon_credits.local import await_restart, kill
from carbon_credits.local.places import Home
from carbon_credits.local.processes import marked, session_members
from carbon_credits.local.state import read_json

CHECKOUT = Path(__file__).resolve().parents[2]
NAMES = {
    "postgres",
    "valkey",
    "api",
    "crediting-1",
    "crediting-2",
    "background",
    "trips",
    "files",
    "calls",
    "scheduler",
}


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(home: Path, port: int) -> subprocess.Popen[str]:
    """Start `run` and read what it says up to the line on how to stop it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "carbon_credits.local", "run"],
        cwd=CHECKOUT,
        env={**os.environ, "CARBON_HOME": str(home), "CARBON_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            return process
    raise AssertionError("".join(said))


class Programme:
    """The programme of this module: it comes up once, for whoever asks first, and again after it was stopped."""

    def __init__(self, home: Path, port: int) -> None:
        self._home, self._port = home, port
        self._process: subprocess.Popen[str] | None = None

    def up(self) -> subprocess.Popen[str]:
        """Its supervisor, which runs."""
        if self._process is None:
            self._process = start(self._home, self._port)
        return self._process

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Send the supervisor a signal and wait for its end; what it ended with, and what it said at last."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(number)
        said, _ = process.communicate(timeout=300)
        return process.returncode, said

    def end(self) -> None:
        """Stop what may still run."""
        if self._process is not None:
            self.stop(signal.SIGTERM)


@pytest.fixture(scope="module")
def programme(home: Path, port: int) -> Iterator[Programme]:
    one = Programme(home, port)
    yield one
    one.end()


def answer(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_everything_is_up_and_only_the_application_s_address_is_handed_on(
    programme: Programme, home: Path, port: int
) -> None:
    assert programme.up().poll() is None
    assert answer(port, "/readyz") == 200
    entries = read_json(Home(home).processes)
    assert set(entries) == NAMES
    for name in NAMES - {"postgres", "valkey"}:
        environment = Path(f"/proc/{entries[name]['pid']}/environ").read_bytes().decode().split("\0")
        assert not any(line.startswith("DATABASE_OWNER_URL=") for line in environment), name
        assert "TZ=Asia/Shanghai" in environment, name


def test_a_command_beside_it_finds_what_runs_and_a_named_database_goes_first(
    programme: Programme, home: Path
) -> None:
    assert programme.up().poll() is None
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "REDIS_"))
    }
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "ledger", "check"]

    def check(**more: str) -> subprocess.CompletedProcess[str]:
        env = {**plain, "CARBON_HOME": str(home), **more}
        return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)

    found = check()
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("I1 ")
    other = check(DATABASE_URL="postgresql+psycopg://nobody@/none?host=/nowhere")
    assert other.returncode == 2
    assert "REDIS_URL is not set" in other.stderr


def test_a_killed_child_takes_its_own_with_it_and_comes_back(
    programme: Programme, home: Path, port: int
) -> None:
    assert programme.up().poll() is None
    for name in ("api", "crediting-2", "scheduler"):
        killed = kill(home, name)
        await_restart(home, name, killed)
        assert session_members(killed) == []
    assert answer(port, "/readyz") == 200


def test_ctrl_c_stops_everything_and_the_next_start_repeats_no_preparation(
    programme: Programme, home: Path
) -> None:
    prepared = []
    for _ in range(2):
        programme.up()
        children = [entry["pid"] for entry in read_json(Home(home).processes).values()]
        code, said = programme.stop(signal.SIGINT)
        assert code == 0, said
        assert len(children) == len(NAMES)
        assert [pid for child in children for pid in session_members(child)] == []
        assert marked(Home(home).mark, "postgres") == []
        prepared.append((home / "log/migrate.log").stat().st_mtime_ns)
    assert prepared[0] == prepared[1]
