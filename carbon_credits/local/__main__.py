"""`python -m carbon_credits.local`: starts, shows and stops what runs on this machine."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from carbon_credits.local.application import bring_up_application, owner_environment
from carbon_credits.local.embedded import bring_up, running, supervised
from carbon_credits.local.places import Home, LocalError
from carbon_credits.local.processes import start_ticks
from carbon_credits.local.state import erase, read_json, stop_supervisor, supervisor_pid
from carbon_credits.local.supervisor import StopRequestedError, Supervisor, say

WELCOME = """
碳普惠已启动({seconds:.1f} 秒)/ The programme is up ({seconds:.1f} s)

  地址 / Address              http://127.0.0.1:{port}
  接口文档 / API pages        http://127.0.0.1:{port}/docs
  收银台 / Till               http://127.0.0.1:{port}/till
  管理控制台 / Console        http://127.0.0.1:{port}/admin
                              flask demo code demo-programme(姓名、密码、验证码 / name, password, code)
  居民登录 / Residents        手机号 +8613800000001 起 / phones +8613800000001 upwards
  短信验证码 / SMS codes      {home}/outbox/sms.jsonl
  合作方、商户、工作人员凭据 / Credentials of partners, merchants and staff
                              {home}/demo.json
  日志 / Logs                 {home}/log
  停止 / Stop                 Ctrl-C
"""


def main(arguments: list[str]) -> int:
    """Run one verb; 0 when it did what was asked."""
    options = _parser().parse_args(arguments)
    verbs: dict[str, Callable[[Home, argparse.Namespace], int]] = {
        "run": _run,
        "servers": _servers,
        "stop": _stop,
        "status": _status,
        "during": _during,
        "erase": _erase,
    }
    try:
        return verbs[options.verb](Home.at(Path(os.environ.get("CARBON_HOME") or "var")), options)
    except StopRequestedError:
        return 0
    except (LocalError, OSError) as error:
        # An attached supervisor has its words read by whoever started it.
        print(error, file=sys.stdout if getattr(options, "attached", False) else sys.stderr, flush=True)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m carbon_credits.local", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, what in (
        ("run", "servers, API, workers and scheduler, until Ctrl-C"),
        ("servers", "PostgreSQL and Valkey alone, until Ctrl-C"),
    ):
        each = verbs.add_parser(verb, help=what)
        each.add_argument("--attached", action="store_true", help="stop at the end of standard input")
    verbs.add_parser("stop", help="stop what runs for this home")
    verbs.add_parser("status", help="show what runs for this home")
    verbs.add_parser("erase", help="stop, then delete the home and all its data")
    during = verbs.add_parser(
        "during", help="run a command while `servers` or `run` is up; start it if it is not"
    )
    during.add_argument("what", choices=("servers", "run"))
    during.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _run(home: Home, options: argparse.Namespace) -> int:
    began = time.monotonic()
    with Supervisor(home, 0 if options.attached else None) as supervisor:
        if not options.attached:
            say("正在启动…… / Starting …")
        port = bring_up_application(supervisor, Path.cwd(), os.environ)
        if not options.attached:
            seconds = time.monotonic() - began
            say(WELCOME.format(port=port, home=_short(home.path), seconds=seconds))
        _settle(home, options)
        supervisor.watch()
    return 0


def _servers(home: Home, options: argparse.Namespace) -> int:
    with Supervisor(home, 0 if options.attached else None) as supervisor:
        found = bring_up(supervisor, os.environ)
        if not options.attached:
            print(
                f"DATABASE_URL={found.app_url}\nDATABASE_OWNER_URL={found.owner_url}\nREDIS_URL={found.redis_url}"
            )
            say("停止 / Stop: Ctrl-C")
        _settle(home, options)
        supervisor.watch()
    return 0


def _settle(home: Home, options: argparse.Namespace) -> None:
    """Tell an attached caller that all is up; what comes later goes to a log, for nobody reads on."""
    if not options.attached:
        return
    print("ready", flush=True)
    with (home.log / "supervisor.log").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def _stop(home: Home, _: argparse.Namespace) -> int:
    stopped = stop_supervisor(home)
    print("已停止 / stopped" if stopped else "没有在运行 / nothing runs")
    return 0


def _status(home: Home, _: argparse.Namespace) -> int:
    pid = supervisor_pid(home)
    if pid is None:
        print("没有在运行 / nothing runs")
        return 1
    print(f"{'supervisor':12} {pid:>8}")
    for name, entry in read_json(home.processes).items():
        alive = start_ticks(entry["pid"]) == entry["ticks"]
        word = "ready" if alive and entry["ready"] else "starting" if alive else "dead"
        since = f"restarts {entry['restarts']}, since {entry['started_at']}"
        print(f"{name:12} {entry['pid']:>8}  {word:8}  {since}")
    found = running(home.path)
    if found:
        print(
            f"DATABASE_URL={found.app_url}\nDATABASE_OWNER_URL={found.owner_url}\nREDIS_URL={found.redis_url}"
        )
    return 0


def _during(home: Home, options: argparse.Namespace) -> int:
    if running(home.path) is None:
        print("正在启动…… / Starting …", file=sys.stderr, flush=True)
        with supervised(home.path, options.what):
            return _with_addresses(home, options.command)
    if options.what == "run" and "scheduler" not in read_json(home.processes):
        raise LocalError("Only the servers run; stop them first (`make stop`).")
    return _with_addresses(home, options.command)


def _with_addresses(home: Home, command: list[str]) -> int:
    found = running(home.path)
    if found is None:
        raise LocalError(f"The servers ended; see {home.log}.")
    return subprocess.run(command, env=owner_environment(found, os.environ), check=False).returncode


def _erase(home: Home, _: argparse.Namespace) -> int:
    stop_supervisor(home)
    erase(home.path)
    print("已清空 / erased")
    return 0


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
