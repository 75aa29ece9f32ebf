"""The embedded PostgreSQL 18: making the cluster once, its settings, and how one tells that it is ready."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from carbon_credits.local.places import LocalError, Place
from carbon_credits.local.processes import Command, marked, send, start_ticks

NAME = "postgres"
PORT = 5432  # only names the socket; no port is opened
OWNER, APP, DATABASE = "carbon_owner", "carbon_app", "carbon_credits"
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # nothing of the caller's environment

LEAST_BUFFERS_MB, MOST_BUFFERS_MB = 128, 1024

# What an acknowledged act rests on is said aloud, although some of it is the default.
SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
port = {port}
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = {buffers}MB
max_connections = 100
max_wal_size = 4GB
checkpoint_timeout = 30min
wal_compression = on
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
# Row contents and statements stay out of the log: they may hold personal data.
log_error_verbosity = terse
log_min_error_statement = panic
"""

INITDB = (
    "--auth-local=trust",  # the socket's folder is the key
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C.UTF-8",
    "--lc-messages=C",
    "--data-checksums",
    "--no-instructions",
)

# In single-user mode an empty line ends a statement.
ROLES = f"""\
CREATE ROLE {APP} LOGIN;

CREATE DATABASE {DATABASE} OWNER {OWNER};

"""


def url(place: Place, role: str) -> str:
    """The SQLAlchemy address for `role`, over the unix socket."""
    return f"postgresql+psycopg://{role}@/{DATABASE}?host={place.sockets}&port={PORT}"


def command(place: Place) -> Command:
    """How the server is started and watched."""
    data = place.postgres_data
    argv = (
        str(place.binaries.postgres / "postgres"),
        "-D",
        str(data),
        "-c",
        f"cluster_name={place.home.mark}",
    )
    return Command(
        name=NAME,
        argv=argv,
        cwd=data,
        env=ENV,
        stop=signal.SIGINT,  # fast shutdown: sessions are ended, the log is flushed
        account=place.account,
        clear=lambda: clear(place),
        ready=lambda pid: _ready(data, pid),
    )


def prepare(place: Place, log: Path) -> None:
    """Make the cluster if there is none, and write the settings. Raises LocalError with the log's end."""
    clear(place)
    if not place.postgres_data.exists():
        _initialise(place, log)
    # Beside the cluster, not in it: root writes into no folder that another account may fill with links.
    settings = place.data / "carbon.conf"
    settings.write_text(SETTINGS.format(sockets=place.sockets, port=PORT, buffers=_buffers_mb()))
    settings.chmod(0o644)


def _buffers_mb() -> int:
    """A quarter of the machine's memory, as PostgreSQL's manual advises, and no more than a city's day needs."""
    machine_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return max(LEAST_BUFFERS_MB, min(MOST_BUFFERS_MB, machine_mb // 4))


def clear(place: Place) -> None:
    """End what is left of a postmaster that lost its supervisor, then take away its lock files.

    The lock files name a pid, and a zombie or a stranger with that pid would stop the next start for ever.
    We hold the home's lock, so nobody else owns this cluster. Backends outlive a killed postmaster for a
    moment and hold its shared memory, hence the wait.
    """
    for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
        if _end(place, number, seconds):
            break
    else:
        raise LocalError("An earlier PostgreSQL of this home cannot be stopped.")
    for stale in (place.postgres_data / "postmaster.pid", *place.sockets.glob(f".s.PGSQL.{PORT}*")):
        stale.unlink(missing_ok=True)


def _end(place: Place, number: signal.Signals, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    told: set[int] = set()
    while left := marked(place.home.mark, NAME):
        master = _recorded_pid(place.postgres_data)
        orphans = master is None or start_ticks(master) is None
        for pid in left if orphans else [master]:
            if pid is not None and pid not in told:
                send(pid, signal.SIGQUIT if orphans and number == signal.SIGINT else number)
                told.add(pid)
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _initialise(place: Place, log: Path) -> None:
    making = place.data / "postgres.making"
    if making.exists():
        shutil.rmtree(making)
    place.own(making)
    _run(place, log, "initdb", "-D", str(making), "-U", OWNER, *INITDB)
    with (making / "postgresql.conf").open("a") as configuration:
        configuration.write("include_if_exists = '../carbon.conf'\n")
    # Single-user mode needs no server: the cluster gets its name only when it is whole.
    single = ("--single", "-j", "-D", str(making), "-c", "exit_on_error=on", "postgres")
    _run(place, log, "postgres", *single, statements=ROLES)
    making.rename(place.postgres_data)


def _run(place: Place, log: Path, program: str, *arguments: str, statements: str = "") -> None:
    account = place.account
    with log.open("ab") as output:
        done = subprocess.run(
            [str(place.binaries.postgres / program), *arguments],
            input=statements.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=place.data / "postgres.making",
            env=ENV,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if done.returncode != 0:
        raise LocalError(f"{program} failed ({done.returncode}); see {log}")


def _ready(data: Path, pid: int) -> bool:
    # The postmaster writes its state to the eighth line of its lock file; `pg_ctl --wait` reads the same.
    lines = _lock_lines(data)
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _recorded_pid(data: Path) -> int | None:
    lines = _lock_lines(data)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def _lock_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
