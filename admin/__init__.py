"""DOOR: the staff console. One module for each noun; who may open what stands in `access.py`, and nowhere else."""

from flask import Flask

from carbon_credits.config import Settings

__all__ = ("install",)


def install(app: Flask, told: Settings) -> frozenset[str]:
    """Give the application its console; returns its endpoints, for which the guard alone is responsible.

    Raises AddressWithoutRule where an address has no row in the table. It is read when it is asked for: workers and
    operators' commands, which have no doors, start without it.
    """
    from admin.console import install as put_together  # noqa: PLC0415 - half of what is read at a start

    return put_together(app, told)
