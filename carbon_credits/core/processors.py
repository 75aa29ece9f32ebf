"""How many processors there are for processes of one's own."""

import os
from multiprocessing import current_process


def processors() -> int:
    """How many processors this process may use for processes of its own; one where it may have none."""
    if current_process().daemon:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
