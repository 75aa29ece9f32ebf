"""Operators' commands in processes of their own that need not read the programme first: each is a fork of one that has.

Run as a module it is that process: `python -m tests.faults.commands SOCKET`, in the surroundings of its commands. It ends
with its standard input. Whether a command starts by itself is held by tests/cli/test_starting.py.
"""

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 600.0
LONGEST: Final = 1 << 16
FLASK: Final = ("flask", "--app", "wsgi")


class Commands:
    """Where commands are given; each has an empty standard input."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._process = subprocess.Popen(
            (sys.executable, "-m", "tests.faults.commands", str(path)),
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A `flask` command, given as an operator gives it beside a programme that runs."""
        self._await_ready()
        with TemporaryFile("w+") as out, TemporaryFile("w+") as err, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(PATIENCE_S)
            asking.connect(str(self._path))
            socket.send_fds(asking, [json.dumps(arguments).encode()], [out.fileno(), err.fileno()])
            code = int(asking.recv(LONGEST))
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess((*FLASK, *arguments), code, out.read(), err.read())

    def close(self) -> None:
        """No further commands."""
        assert self._process.stdin is not None
        with self._process:
            self._process.stdin.close()
        self._path.unlink(missing_ok=True)

    def _await_ready(self) -> None:
        if not self._path.exists():
            assert self._process.stdout is not None
            assert self._process.stdout.readline() == b"ready\n"


def serve(path: str) -> None:
    """Read the programme, then fork for whoever asks."""
    import wsgi  # noqa: F401, PLC0415 - this is what commands need not do again

    with socket.socket(socket.AF_UNIX) as door:
        door.bind(path)
        door.listen(64)
        print("ready", flush=True)
        while sys.stdin not in (ready := select.select([door, sys.stdin], [], [])[0]):
            assert ready
            asking, _ = door.accept()
            with asking:
                if os.fork() == 0:
                    door.close()
                    _answer(asking)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(asking: socket.socket) -> None:
    """One command, and what it ended with; whoever asked hears of it also when it was killed."""
    told, files, *_ = socket.recv_fds(asking, LONGEST, 2)
    child = os.fork()
    if child == 0:
        _command(json.loads(told), files)
    _, status = os.waitpid(child, 0)
    asking.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _command(arguments: Sequence[str], files: Sequence[int]) -> None:
    from flask.cli import main  # noqa: PLC0415

    for place, file in enumerate((os.open(os.devnull, os.O_RDONLY), *files)):
        os.dup2(file, place)
    sys.argv = [*FLASK, *arguments]
    try:
        main()
    except SystemExit as end:
        code = end.code
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    serve(sys.argv[1])
