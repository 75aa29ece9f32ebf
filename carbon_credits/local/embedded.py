"""The two servers as others see them: their addresses, a context that keeps them up, faults for the tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from carbon_credits.local import postgres, valkey
from carbon_credits.local.places import Home, LocalError, Place, find_place
from carbon_credits.local.processes import send, start_ticks
from carbon_credits.local.state import read_json, supervisor_pid, write_json
from carbon_credits.local.supervisor import Supervisor

CHECKOUT = Path(__file__).resolve().parents[2]
MODES = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


@dataclass(frozen=True)
class Servers:
    """How to reach the servers: as the owner (who migrates), as the application, and the doorbell."""

    owner_url: str
    app_url: str
    redis_url: str
    home: Path


@contextmanager
def servers(home: Path) -> Iterator[Servers]:
    """Keep PostgreSQL and Valkey up under `home` for the length of the block, in a supervisor of their own.

    The supervisor holds on to us by a pipe: when we end, even by kill -9, it stops both. An address already
    set in the environment replaces the server of its kind. Raises LocalError when they cannot start, or run.
    """
    with supervised(home, "servers"):
        found = running(home)
        if found is None:
            raise LocalError(f"The servers of {home} ended at once; see {home}/log.")
        yield found


@contextmanager
def supervised(home: Path, verb: str) -> Iterator[None]:
    """Keep a supervisor (`run` or `servers`) up during the block. Raises LocalError, in its words."""
    process = subprocess.Popen(
        [sys.executable, "-m", "carbon_credits.local", verb, "--attached"],
        env={**os.environ, "CARBON_HOME": str(home.absolute()), "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for us: the servers outlive our last transaction
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            said = []
            while (line := process.stdout.readline()) not in (b"ready\n", b""):
                said.append(line.decode(errors="replace"))
            if not line:
                raise LocalError("".join(said).strip())
            yield
        finally:
            process.stdin.close()
            process.wait()


def running(home: Path) -> Servers | None:
    """The servers that a supervisor keeps up for `home`, or None."""
    at = Home(home.absolute())
    if supervisor_pid(at) is None:
        return None
    found = read_json(at.addresses)
    return Servers(**{**found, "home": at.path}) if found else None


def bring_up(supervisor: Supervisor, environment: Mapping[str, str]) -> Servers:
    """Start the servers the environment does not replace. Raises LocalError."""
    home = supervisor.home
    app, redis = environment.get("DATABASE_URL"), environment.get("REDIS_URL")
    owner = environment.get("DATABASE_OWNER_URL") or app
    commands = []
    place: Place | None = None if app and redis else find_place(home)
    if place is not None and not app:
        postgres.prepare(place, supervisor.log_of(postgres.NAME))
        commands.append(postgres.command(place))
        app, owner = postgres.url(place, postgres.APP), postgres.url(place, postgres.OWNER)
    if place is not None and not redis:
        valkey.prepare(place)
        commands.append(valkey.command(place))
        redis = valkey.url(place)
    supervisor.start(commands)
    assert app
    assert owner
    assert redis
    found = Servers(owner, app, redis, home.path)
    write_json(home.addresses, {**asdict(found), "home": str(home.path)})
    return found


def kill(home: Path, name: str) -> int:
    """Kill one child with SIGKILL and return the pid it had. Raises LocalError when it does not run."""
    return _signal(home, name, signal.SIGKILL)


def restart_postgres(home: Path, mode: str = "immediate") -> None:
    """Shut PostgreSQL down (`smart`, `fast`, `immediate`) and wait until it is ready again."""
    await_restart(home, postgres.NAME, _signal(home, postgres.NAME, MODES[mode]))


def await_restart(home: Path, name: str, old_pid: int, patience_s: float = 60.0) -> int:
    """Wait until `name` is ready under another pid than `old_pid`; that pid. Raises LocalError."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        entry = read_json(Home(home.absolute()).processes).get(name, {})
        if entry.get("ready") and entry["pid"] != old_pid:
            return int(entry["pid"])
        time.sleep(0.02)
    raise LocalError(f"{name} is not back after {patience_s:.0f} s.")


def _signal(home: Path, name: str, number: signal.Signals) -> int:
    entry = read_json(Home(home.absolute()).processes).get(name)
    if entry is None or start_ticks(entry["pid"]) != entry["ticks"]:
        raise LocalError(f"{name} does not run under {home}.")
    send(entry["pid"], number)
    return int(entry["pid"])
