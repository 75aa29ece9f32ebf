"""A command imports what it needs when it is asked for: processes of the programme start often, and wait for that."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from flask import Flask

from carbon_credits import cli

CHECKOUT = Path(__file__).resolve().parents[2]


def test_every_command_is_where_its_name_says() -> None:
    app = Flask("commands")
    cli.register(app)
    found = dict(_commands(click.Context(app.cli), app.cli))
    assert set(cli.PLACES) <= set(found)
    for path, (name, command) in found.items():
        assert command is not None, path
        assert command.name == name, path
    assert {"credits replay", "partners conformance", "partners files list", "methodologies impact"} <= set(
        found
    )


def test_a_worker_loads_neither_doors_nor_benches(tmp_path: Path) -> None:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("CARBON_", "DATABASE_"))
    } | {"CARBON_MODE": "demo", "CARBON_HOME": str(tmp_path)}
    environ |= {
        "DATABASE_URL": "postgresql+psycopg://carbon_app@/none?host=/nowhere",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    told = subprocess.run(
        (sys.executable, "-X", "importtime", "-m", "flask", "--app", "wsgi", "worker", "--help"),
        cwd=CHECKOUT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    assert "Work on one queue" in told.stdout
    loaded = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
    assert "carbon_credits.jobs.worker" in loaded
    assert "carbon_credits.tables" in loaded
    needless = (
        "carbon_credits.api",
        "admin.",
        "stripe",
        "carbon_credits.cli.bench",
        "carbon_credits.cli.demo",
        "flask_smorest",
    )
    assert not [module for module in loaded if module.startswith(needless)]


def _commands(
    context: click.Context, group: click.Group, above: str = ""
) -> Iterator[tuple[str, tuple[str, click.Command | None]]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield f"{above}{name}", (name, command)
        if isinstance(command, click.Group):
            yield from _commands(context, command, f"{above}{name} ")
