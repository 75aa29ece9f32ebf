"""How much memory each process of the programme takes: what is resident, and its share where pages are shared."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from redis import Redis

from carbon_credits.cli.bench.figures import Figure
from carbon_credits.cli.bench.ground import Ground

PROC: Final = Path("/proc")
KIB: Final = 1024


def of(name: str, pids: Iterable[int]) -> Iterator[Figure]:
    """Two figures for the processes of a kind together: proportional (pages shared are divided) and resident."""
    held = [amounts for pid in pids if (amounts := _amounts(pid))]
    if held:
        yield Figure(f"memory_{name}", sum(pss for pss, _ in held) / KIB, "MiB proportional")
        yield Figure(f"memory_{name}_resident", sum(rss for _, rss in held) / KIB, "MiB")


def servers(ground: Ground, redis_url: str) -> Iterator[Figure]:
    """PostgreSQL with all its backends, Valkey, and their supervisor where it is ours; only where they run here."""
    with ground.owner() as owner:
        row = owner.execute("select pg_backend_pid()").fetchone()
        postmaster = parent_of(row[0]) if row else None
        if postmaster is not None:
            yield from of("postgres", [postmaster, *children_of(postmaster)])
            above = parent_of(postmaster)
            if above is not None and b"carbon_credits.local" in _command_line(above):
                yield from of("supervisor", [above])
    with contextlib.closing(Redis.from_url(redis_url)) as redis:
        yield from of("valkey", [int(redis.info("server")["process_id"])])


def children_of(parent: int) -> list[int]:
    """The processes a process has started and that still run."""
    pids = (int(path.name) for path in PROC.iterdir() if path.name.isdigit())
    return [pid for pid in pids if parent_of(pid) == parent]


def parent_of(pid: int) -> int | None:
    """Who started a process; None when it is gone, or runs on another machine."""
    found = _field(PROC / str(pid) / "status", "PPid:")
    return found or None


def _amounts(pid: int) -> tuple[int, int] | None:
    """(proportional, resident) in KiB."""
    rollup = PROC / str(pid) / "smaps_rollup"
    pss, rss = _field(rollup, "Pss:"), _field(rollup, "Rss:")
    return None if pss is None or rss is None else (pss, rss)


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes()
    return b""


def _field(path: Path, name: str) -> int | None:
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return None
