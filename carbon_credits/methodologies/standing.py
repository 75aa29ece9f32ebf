"""How settled the methodologies behind grams are: what has to be said wherever grams are shown."""

from datetime import date
from functools import cache

from carbon_credits.methodologies.base import Status
from carbon_credits.methodologies.catalogue import METHODOLOGIES, newest, on


@cache
def status_on(code: str, day: date) -> Status:
    """The status under which acts of a day count: that of the version in force, else of the newest.

    It is what the version declares, so what becomes of the methodology later changes nothing that was counted.
    Raises KeyError for an unknown code.
    """
    return (on(code, day) or newest(code)).status


@cache
def programme_status() -> Status:
    """Trial while any version that could have produced grams is not filed; a sum is no better than its parts."""
    return Status.FILED if {m.status for m in METHODOLOGIES} == {Status.FILED} else Status.TRIAL
