"""What purchases share whose shop or platform says, order by order, that a thing was not used or not needed.

The order knows its customer and the shop confirms what was not handed out; a photo proves nothing. How many orders a
day may count is the programme's cap, not part of the science. Points wait until a return is no longer likely.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from carbon_credits.methodologies.base import Monitored, Reference, Status, Text

SINCE = date(2025, 1, 1)
# one order is claimed by one act alone
ORDER = Reference("transaction", "order_no", required=True)
# What every purchase declares alike; a file adds what makes its own different.
PURCHASE: Mapping[str, Any] = {
    "version": 1,
    "status": Status.TRIAL,
    "in_force": SINCE,
    "needs_partner": True,
    "verifiable": True,
    "mature_days": 15,
}


def counted(what: Text) -> Mapping[str, Any]:
    """A purchase of which only the number counts, told by the bill."""
    monitored = (Monitored("count", what, "count", least=1, most=20),)
    return {
        **PURCHASE,
        "monitored": monitored,
        "conditions": (),
        "bases": ("transaction",),
        "references": (ORDER,),
        "cap_quantity": "count",
    }
