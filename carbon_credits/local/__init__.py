"""The programme on one machine: a supervisor for the embedded PostgreSQL and Valkey, and for what
runs on them.

`__main__` the command line · `application` the API, workers and scheduler · `embedded` the two servers for
others to use · `supervisor` the one owner of all processes · `state` what it leaves for others to read ·
`postgres`, `valkey` one server each · `places` where things lie · `processes` what /proc tells.
"""

from carbon_credits.local.embedded import Servers, await_restart, kill, restart_postgres, running, servers
from carbon_credits.local.places import LocalError
from carbon_credits.local.state import erase

__all__ = [
    "LocalError",
    "Servers",
    "await_restart",
    "erase",
    "kill",
    "restart_postgres",
    "running",
    "servers",
]
