"""How the suite is spread over processes: what shares a programme stays together, and the longest begins first."""

from typing import Any, Final

# whose tests share one programme: a second process would start it again
TOGETHER: Final = ("tests/faults/", "tests/cli/")
# Seconds each, longest first: what is begun last is waited for with the other processors idle.
LONGEST: Final = (
    "tests/faults/",
    "tests/cli/",
    "tests/api/test_contract.py",
    "tests/admin/test_every_page_in_a_browser.py",
    "tests/api/test_merchant_contract.py",
    "tests/local/",
    "tests/admin/test_campaign_in_a_browser.py",
    "tests/walks/",
    "tests/admin/test_desks_in_a_browser.py",
    "tests/admin/test_figures_in_a_browser.py",
    "tests/admin/test_queues_in_a_browser.py",
)


def unit(nodeid: str) -> str:
    """What runs on one process from its first test to its last: a file, or a folder with one programme."""
    path = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if path.startswith(folder)), path)


def turn(nodeid: str) -> int:
    """When a test has its turn: the place of the first of LONGEST that it is in, or after all of them."""
    for place, start in enumerate(LONGEST):
        if nodeid.startswith(start):
            return place
    return len(LONGEST)


def scheduler(config: Any, log: Any) -> Any:
    """The scheduler of pytest-xdist that hands out units in the order of their turns."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only where it is installed

    class Units(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    config.option.loadscopereorder = False
    return Units(config, log)
