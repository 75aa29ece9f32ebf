"""The programme's own processes: schema and demonstration district first, then API, workers and scheduler."""

import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from carbon_credits.local import postgres, valkey
from carbon_credits.local.embedded import Servers, bring_up, running
from carbon_credits.local.places import LocalError, find_place
from carbon_credits.local.processes import Command
from carbon_credits.local.supervisor import Supervisor, say

HOST = "127.0.0.1"
ADOPTED = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CARBON_HOME", "CARBON_MODE"}
SOURCES = ("carbon_credits", "integrations", "admin", "migrations", "wsgi.py", "requirements.txt")
SUFFIXES = {".py", ".sql", ".toml", ".txt", ".json"}


def bring_up_application(supervisor: Supervisor, root: Path, environment: Mapping[str, str]) -> int:
    """Start everything, from the servers to the scheduler, for the checkout `root`; the port it serves on.

    The API comes first and alone: it answers sooner, and what it accepts waits for the workers.
    Raises LocalError.
    """
    if not (root / "wsgi.py").exists():
        raise LocalError(f"There is no wsgi.py in {root}; run this from the checkout.")
    port = int(environment.get("CARBON_PORT", "8000"))
    _refuse_taken_port(port)
    embedded = "DATABASE_URL" not in environment
    assets = Command("assets", (sys.executable, "-m", "carbon_credits.local.assets"), root, dict(environment))
    fetching = supervisor.begin(assets)
    servers = bring_up(supervisor, environment)
    env = child_environment(servers, environment)
    _prepare(supervisor, root, env, servers, embedded)
    api, *others = _commands(root, env, port)
    supervisor.start([api])
    supervisor.start(others)
    # where anything failed before this, what was begun ends with us
    _look_at_assets(supervisor, assets, fetching)
    return port


def _look_at_assets(supervisor: Supervisor, command: Command, fetching: subprocess.Popen[bytes]) -> None:
    """Everything works without them, though plainly: that they cannot be fetched is said and stops nothing."""
    try:
        supervisor.finish(command, fetching)
    except LocalError as error:
        say(
            f"控制台的样式文件未能取得,页面暂无样式 / the console's style files could not be fetched:\n{error}"
        )


def child_environment(servers: Servers, environment: Mapping[str, str]) -> dict[str, str]:
    """What the programme's processes see: the application's address of the database, never the owner's."""
    metrics = servers.home / "run" / "prometheus"
    return {
        **{name: value for name, value in environment.items() if name != "DATABASE_OWNER_URL"},
        "DATABASE_URL": servers.app_url,
        "REDIS_URL": servers.redis_url,
        "CARBON_HOME": str(servers.home.absolute()),
        "CARBON_PORT": environment.get("CARBON_PORT", "8000"),
        "CARBON_MODE": environment.get("CARBON_MODE", "demo"),
        "TZ": "Asia/Shanghai",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONUNBUFFERED": "1",
    }


def owner_environment(servers: Servers, environment: Mapping[str, str]) -> dict[str, str]:
    """The same with the owner's address: for migrations and for an operator's own commands."""
    return {**child_environment(servers, environment), "DATABASE_OWNER_URL": servers.owner_url}


def adopt_running() -> None:
    """Let a command in the checkout find what runs there: where the environment names no database and this home's
    servers are up, their addresses and mode join it. What it does name is left as it is.
    """
    if "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ:
        return
    found = running(Path(os.environ.get("CARBON_HOME") or "var"))
    if found is not None:
        for name, value in owner_environment(found, os.environ).items():
            if name in ADOPTED:
                os.environ.setdefault(name, value)


def _commands(root: Path, env: Mapping[str, str], port: int) -> Iterator[Command]:
    needs = (postgres.NAME, valkey.NAME)
    gunicorn = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:create_app()")
    yield Command("api", gunicorn, root, env, needs=needs, ready=lambda _: _is_ready(port))
    for name, arguments in (
        ("crediting-1", ("worker", "crediting")),
        ("crediting-2", ("worker", "crediting")),
        ("background", ("worker", "background")),
        ("trips", ("worker", "trips")),
        ("files", ("worker", "files")),
        ("calls", ("worker", "calls")),
        ("scheduler", ("scheduler",)),
    ):
        yield Command(name, _flask(*arguments), root, env, needs=needs)


def _flask(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "flask", "--app", "wsgi", *arguments)


def _prepare(
    supervisor: Supervisor, root: Path, env: Mapping[str, str], servers: Servers, embedded: bool
) -> None:
    """Empty the metrics, migrate, and load the district in demonstration mode.

    Both commands are harmless to repeat, but cost seconds: on our own cluster they are skipped while the
    sources and the cluster are those that last completed them.
    """
    metrics = Path(env["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(metrics, ignore_errors=True)
    metrics.mkdir(parents=True)
    demo = env["CARBON_MODE"] == "demo"
    place = find_place(supervisor.home) if embedded else None
    note = place.data / "prepared" if place else None
    cluster = place.postgres_data.stat().st_ino if place else 0
    state = _state_of(root, f"{env['CARBON_MODE']} {cluster}")
    complete = not demo or (servers.home / "demo.json").exists()
    if note is not None and complete and note.exists() and note.read_text() == state:
        return
    owner = {**env, "DATABASE_OWNER_URL": servers.owner_url}
    supervisor.complete(Command("migrate", _flask("db", "upgrade"), root, owner))
    if demo:
        supervisor.complete(Command("seed", _flask("demo", "seed"), root, owner))
    if note is not None:
        note.write_text(state)


def _state_of(root: Path, circumstances: str) -> str:
    """A digest of the circumstances and of every source file: any change migrates and seeds again."""
    digest = hashlib.sha256(circumstances.encode())
    for source in SOURCES:
        top = root / source
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(root)}\0{content}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as error:
            words = f"端口 {port} 已被占用,请设 CARBON_PORT / port {port} is taken; set CARBON_PORT"
            raise LocalError(words) from error


def _is_ready(port: int) -> bool:
    # Not through urllib: it would ask a proxy named in the environment.
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
