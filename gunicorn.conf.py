"""How the API is served: threads for waiting on the database, processes for the processors."""

import sys
from typing import Any

from prometheus_client import multiprocess

from carbon_credits.config import WrongSettings, read_settings

try:
    _settings = read_settings()
except WrongSettings as wrong:
    print(wrong, file=sys.stderr)
    raise SystemExit(2) from None

bind = f"{_settings.host}:{_settings.port}"
worker_class = "gthread"
workers = _settings.web_workers
# read once, by the master: a worker that takes another's place is there at once, and all share what was read
preload_app = True
threads = _settings.web_threads
timeout = 30
graceful_timeout = 30
keepalive = 15
backlog = 512
# a worker is never retired for its age: that would end connections for no reason a client can see
max_requests = 0
# gunicorn would otherwise open a socket through which anyone with this account can stop it
control_socket_disable = True
# one line for each request is our own, without addresses
accesslog = None
errorlog = "-"
loglevel = "warning"
limit_request_line = 4_094
limit_request_fields = 50
limit_request_field_size = 8_190


def child_exit(_server: Any, worker: Any) -> None:
    """Forget the gauges of a process that is gone."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
