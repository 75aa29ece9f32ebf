"""The product's API with one route more: the floor, the least that a signed-in request with a durable effect costs."""

import base64
import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask, Response
from redis import Redis
from sqlalchemy import make_url, text

from carbon_credits.api import assembly
from carbon_credits.api.access import Who
from carbon_credits.api.house import principal
from carbon_credits.cli.bench.ground import Ground
from carbon_credits.config import Settings, read_settings
from carbon_credits.core import log
from carbon_credits.core.crypto import Vault
from carbon_credits.core.db import connect, in_transaction
from carbon_credits.jobs import surroundings

HOST: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[3]
WORKERS, THREADS = 2, 8
PATIENCE_S: Final = 60.0
TABLE: Final = """
create table bench_floor (
  no bigint generated always as identity primary key,
  resident_id bigint not null,
  at timestamptz not null default clock_timestamp()
);
grant select, insert on bench_floor to public;
"""
INSERT: Final = text("insert into bench_floor (resident_id) values (:resident)")
blueprint = Blueprint("bench", __name__)


def bench_app() -> Flask:
    """The API as gunicorn serves it, and the floor beside it."""
    settings = read_settings()
    log.configure()
    app = Flask("carbon_credits", static_folder=None, template_folder=None)
    connect(app, settings.database_url, pool_size=settings.web_threads)
    app.config[surroundings.SETTINGS] = settings
    app.register_blueprint(blueprint)
    assembly.register(app, settings, others={"bench.insert": Who.RESIDENT})
    return app


@blueprint.route("/bench/insert", methods=["POST"])
def insert() -> Response:
    """One row and its commit, for a resident who has signed in as for any other route."""
    who = principal().id
    in_transaction(lambda session: session.execute(INSERT, {"resident": who}))
    return Response(b'{"status":"claimed"}', 202, mimetype="application/json")


@dataclass(frozen=True)
class Served:
    """Where the bench's programme is up, and how further processes of it are started."""

    ground: Ground
    redis_url: str
    port: int
    folder: Path
    prefix: tuple[str, ...]

    @contextmanager
    def running(self, name: str, *arguments: str) -> "Iterator[subprocess.Popen[bytes]]":
        """A process of the programme on the bench's database and doorbell, until the block ends."""
        with (self.folder / f"{name}.log").open("ab") as said:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
                [*self.prefix, sys.executable, *arguments], cwd=ROOT, stdout=said, stderr=said
            )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


@contextmanager
def serving(ground: Ground, folder: Path) -> "Iterator[tuple[Served, subprocess.Popen[bytes]]]":
    """gunicorn with two workers of eight threads on a free port, no crediting worker beside it."""
    with ground.owner() as owner:
        owner.execute(TABLE)
    with _own_doorbell(ground.settings) as redis_url:
        port = _free_port()
        served = Served(ground, redis_url, port, folder, _prefix(ground.settings, redis_url, port, folder))
        gunicorn = ("-m", "gunicorn", "-c", "gunicorn.conf.py", "carbon_credits.cli.bench.web:bench_app()")
        with served.running("api", *gunicorn) as process:
            _await(port, process, folder)
            yield served, process


def _prefix(settings: Settings, redis_url: str, port: int, folder: Path) -> tuple[str, ...]:
    """`env` with what differs from our own environment. Addresses may hold passwords, so they are left in files."""
    metrics = folder / "metrics"
    metrics.mkdir()
    given = {
        "DATABASE_URL_FILE": _secret(folder / "database", settings.database_url),
        "REDIS_URL_FILE": _secret(folder / "redis", redis_url),
        "CARBON_MASTER_KEYS_FILE": _secret(folder / "keys", _told(settings.vault)),
        "CARBON_HOST": HOST,
        "CARBON_PORT": str(port),
        "CARBON_PUBLIC_URL": settings.public_url,
        "CARBON_WEB_WORKERS": str(WORKERS),
        "CARBON_WEB_THREADS": str(THREADS),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    return ("env", "-u", "DATABASE_OWNER_URL", *(f"{name}={value}" for name, value in given.items()))


def _told(vault: Vault) -> str:
    """Master keys as settings have them."""
    return ",".join(f"{number}:{base64.b64encode(key).decode()}" for number, key in vault.masters.items())


def _secret(path: Path, value: str) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(value)
    return str(path)


@contextmanager
def _own_doorbell(settings: Settings) -> Iterator[str]:
    """An empty database of the same Valkey: the demonstration's workers must not hear our rings. Emptied again."""
    url = make_url(settings.redis_url)
    own = "15"
    if settings.redis_url.startswith("unix:"):
        address = settings.redis_url.split("?")[0] + f"?db={own}"
    else:
        address = url.set(database=own).render_as_string(hide_password=False)
    with contextlib.closing(Redis.from_url(address)) as redis:
        if redis.dbsize():
            raise RuntimeError(f"Valkey's database {own} is in use: the bench needs it empty")
        try:
            yield address
        finally:
            redis.flushdb()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((HOST, 0))
        return int(trial.getsockname()[1])


def _await(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    said = (folder / "api.log").read_text(errors="replace").splitlines()[-5:]
    raise RuntimeError("the API did not come up: " + "\n".join(said))


def host_header(settings: Settings) -> Mapping[str, str]:
    """The name the API answers to, where it is particular about it."""
    return {"Host": settings.trusted_hosts[0]} if settings.trusted_hosts else {}
