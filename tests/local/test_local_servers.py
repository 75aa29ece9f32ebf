"""The embedded servers on real processes: they start, come back from kill -9, outlive nobody."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from carbon_credits.local import LocalError, await_restart, erase, kill, restart_postgres, running, servers
from carbon_credits.local.places import Home
from carbon_credits.local.processes import marked, start_ticks
from carbon_credits.local.state import read_json, supervisor_pid
from tests.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
Local = Callable[..., subprocess.CompletedProcess[str]]
DURABLE = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


def server_processes(home: Path) -> list[int]:
    mark = Home(home).mark
    return marked(mark, "postgres") + marked(mark, "valkey-server")


def child_pid(home: Path, name: str) -> int:
    return int(read_json(Home(home).processes)[name]["pid"])


def test_a_cold_start_serves_durably_and_a_stop_leaves_no_process(open_folder: Path) -> None:
    home = open_folder / "cold"
    with servers(home) as found:
        with connect(found.owner_url) as owner:
            for setting in DURABLE:
                row = owner.execute("SELECT current_setting(%s)", (setting,)).fetchone()
                assert row == ("on",), setting
            assert owner.execute("SELECT current_setting('listen_addresses')").fetchone() == ("",)
            about = (
                "SELECT datlocale, pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'carbon_credits'"
            )
            assert owner.execute(about).fetchone() == ("C.UTF-8", "carbon_owner")
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connect(found.app_url) as app:
                app.execute("CREATE ROLE another")
        with redis.Redis.from_url(found.redis_url) as doorbell:
            kept = doorbell.config_get("append*")
            assert (kept["appendonly"], kept["appendfsync"]) == ("yes", "everysec")
            assert doorbell.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert server_processes(home)
    assert server_processes(home) == []
    assert running(home) is None
    erase(home)


def test_what_was_committed_is_there_after_a_stop_and_a_kill(home: Path) -> None:
    with servers(home) as found, connect(found.owner_url) as owner:
        owner.execute("CREATE TABLE act (id int)")
        owner.execute("INSERT INTO act VALUES (1)")
    with servers(home) as found:
        with connect(found.owner_url) as owner:
            owner.execute("INSERT INTO act VALUES (2)")
        killed = kill(home, "postgres")
        assert await_restart(home, "postgres", killed) != killed
        with connect(found.owner_url) as owner:
            assert owner.execute("SELECT count(*) FROM act").fetchone() == (2,)
        restart_postgres(home, "immediate")
        with connect(found.owner_url) as owner:
            assert owner.execute("SELECT count(*) FROM act").fetchone() == (2,)
        assert read_json(Home(home).processes)["postgres"]["restarts"] == 2


def test_a_killed_postgres_comes_back_although_a_session_is_busy(home: Path) -> None:
    with servers(home) as found, connect(found.owner_url) as busy:
        killed = child_pid(home, "postgres")
        script = "import psycopg, sys; psycopg.connect(sys.argv[1]).execute('SELECT pg_sleep(60)')"
        sleeper = subprocess.Popen(
            [sys.executable, "-c", script, found.owner_url.replace("+psycopg", "")], stderr=subprocess.DEVNULL
        )
        asleep = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        wait_until(lambda: busy.execute(asleep).fetchone() == (1,), "the session's sleep")
        kill(home, "postgres")
        await_restart(home, "postgres", killed)
        assert sleeper.wait(10) != 0
        with connect(found.owner_url) as owner:
            assert owner.execute(asleep).fetchone() == (0,)


def test_a_killed_valkey_comes_back_with_its_queue(home: Path) -> None:
    with servers(home) as found:
        with redis.Redis.from_url(found.redis_url) as doorbell:
            doorbell.rpush("queue", "a", "b")
        await_restart(home, "valkey", kill(home, "valkey"))
        with redis.Redis.from_url(found.redis_url) as doorbell:
            assert doorbell.llen("queue") == 2


def test_the_servers_end_when_their_supervisor_is_killed_and_the_next_one_starts(home: Path) -> None:
    with servers(home):
        supervisor = supervisor_pid(Home(home))
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
        wait_until(lambda: server_processes(home) == [], "the end of both servers")
    with servers(home) as found, connect(found.app_url) as app:
        assert app.execute("SELECT 1").fetchone() == (1,)


def test_a_new_supervisor_takes_over_at_once_from_a_killed_one(home: Path) -> None:
    with servers(home):
        supervisor = supervisor_pid(Home(home))
        assert supervisor is not None
        os.kill(supervisor, signal.SIGKILL)
    # The old servers may still be shutting down here.
    with servers(home) as found, connect(found.app_url) as app:
        assert app.execute("SELECT 1").fetchone() == (1,)


def test_nothing_is_left_when_the_caller_is_killed(home: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from carbon_credits.local import servers\n"
        "with servers(Path(sys.argv[1])): print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)], cwd=CHECKOUT, stdout=subprocess.PIPE
    ) as caller:
        assert caller.stdout is not None
        assert caller.stdout.readline() == b"up\n"
        assert server_processes(home)
        caller.kill()
    wait_until(lambda: supervisor_pid(Home(home)) is None, "the supervisor's end")
    assert server_processes(home) == []


def test_a_second_supervisor_is_refused_by_the_pid_of_the_first(home: Path, local: Local) -> None:
    with servers(home):
        pid = supervisor_pid(Home(home))
        with pytest.raises(LocalError, match=f"already running, pid {pid}"), servers(home):
            pass
        second = local(home, "run")
        assert second.returncode == 1
        assert f"pid {pid}" in second.stderr
        assert supervisor_pid(Home(home)) == pid
        assert local(home, "stop").returncode == 0
        assert server_processes(home) == []


@pytest.mark.parametrize("state", ["living stranger", "zombie"])
def test_a_lock_file_left_by_a_dead_server_does_not_stop_the_start(home: Path, state: str) -> None:
    with servers(home) as found:
        sockets = Path(found.redis_url.removeprefix("unix://").partition("?")[0]).parent
        lock = (home / "data/postgres/postmaster.pid").read_text()
    zombie = subprocess.Popen(["/bin/true"])
    wait_until(lambda: start_ticks(zombie.pid) is None, "the zombie's death")
    pid = zombie.pid if state == "zombie" else os.getpid()
    stale = "\n".join([str(pid), *lock.splitlines()[1:]]) + "\n"
    for path in (home / "data/postgres/postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        path.write_text(stale)
    with servers(home) as again, connect(again.app_url) as app:
        assert app.execute("SELECT 1").fetchone() == (1,)
    zombie.wait()


def test_a_server_named_in_the_environment_is_not_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "unix:///elsewhere.sock?db=0")
    with servers(home) as found:
        assert found.redis_url == "unix:///elsewhere.sock?db=0"
        assert list(read_json(Home(home).processes)) == ["postgres"]


def test_a_path_that_a_shell_would_read_otherwise_is_refused_in_plain_words(
    open_folder: Path, local: Local
) -> None:
    refused = local(open_folder / "price$1", "servers")
    assert refused.returncode == 1
    assert "move the checkout" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_child_that_keeps_dying_is_named_with_the_end_of_its_log(home: Path) -> None:
    script = f"""
import os
from pathlib import Path
from carbon_credits.local.embedded import bring_up
from carbon_credits.local.places import Home
from carbon_credits.local.processes import Command
from carbon_credits.local.supervisor import Supervisor
with Supervisor(Home.at(Path({str(home)!r}))) as supervisor:
    bring_up(supervisor, os.environ)
    supervisor.start([Command("worker", ("/bin/sh", "-c", "echo out of luck; exit 3"), Path("/"), {{}})])
    supervisor.watch()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 1
    assert "worker failed 5 times in a row" in done.stderr
    assert "out of luck" in done.stderr
    assert server_processes(home) == []
