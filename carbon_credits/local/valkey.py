"""The embedded Valkey: a doorbell that keeps its rings on disk, on a unix socket only."""

import socket
import time
from pathlib import Path
from signal import SIGKILL, SIGTERM

from carbon_credits.local.places import LocalError, Place
from carbon_credits.local.processes import Command, marked, send

NAME = "valkey"
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

# `dir ./` keeps the checkout's own path, whatever its characters, out of this file.
SETTINGS = """\
port 0
unixsocketperm 700
dir ./
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
daemonize no
logfile ""
"""


def url(place: Place) -> str:
    """The redis-py address of the server."""
    return f"unix://{socket_path(place)}?db=0"


def socket_path(place: Place) -> Path:
    """Where the server listens."""
    return place.sockets / "valkey.sock"


def command(place: Place) -> Command:
    """How the server is started and watched."""
    return Command(
        name=NAME,
        # The socket is named here, not in the settings: it marks the process as this home's.
        argv=(str(place.binaries.valkey), "../valkey.conf", "--unixsocket", str(socket_path(place))),
        cwd=place.valkey_data,
        env=ENV,
        stop=SIGTERM,
        account=place.account,
        clear=lambda: clear(place),
        ready=lambda _: _answers(socket_path(place)),
    )


def prepare(place: Place) -> None:
    """Make the data folder and write the settings."""
    clear(place)
    place.own(place.valkey_data)
    settings = place.data / "valkey.conf"
    settings.write_text(SETTINGS)
    settings.chmod(0o644)


def clear(place: Place) -> None:
    """End a server that lost its supervisor. It shows its socket's path as its title."""
    deadline = time.monotonic() + 10
    told: set[int] = set()
    while left := marked(place.home.mark, "valkey-server"):
        late = time.monotonic() > deadline
        for pid in left:
            if late or pid not in told:
                send(pid, SIGKILL if late else SIGTERM)
                told.add(pid)
        if time.monotonic() > deadline + 5:
            raise LocalError("An earlier Valkey of this home cannot be stopped.")
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
