"""What a job finds around it: the application's settings, its own connections, the providers it delivers through."""

import os
from collections.abc import Callable, Mapping
from typing import cast

from flask import Flask, current_app
from redis import Redis

from carbon_credits.config import Settings
from carbon_credits.core.db import forget_connections
from carbon_credits.core.outbox import Handler
from carbon_credits.jobs import doorbell
from carbon_credits.partners.service import Register
from carbon_credits.rewards.payment_contract import Ways

SETTINGS = "CARBON_SETTINGS"
FEEDS = "CARBON_FEEDS"
HANDLERS = "CARBON_OUTBOX_HANDLERS"
WAYS = "CARBON_WAYS_OF_PAYING"
CONSOLE = "CARBON_CONSOLE"

# gives an application the console and says which endpoints are the console's
Console = Callable[[Flask, Settings], frozenset[str]]


_BORN_IN = os.getpid()


def begin() -> None:
    """A work-horse is a fork: it must not speak through its parent's connections."""
    if os.getpid() != _BORN_IN:
        forget_connections()


def settings() -> Settings:
    """What the programme was told."""
    return cast(Settings, current_app.config[SETTINGS])


def handlers() -> Mapping[str, Handler]:
    """Who takes which topic of the outbox."""
    return cast(Mapping[str, Handler], current_app.config[HANDLERS])


def feeds() -> Register:
    """The feeds this programme was put together with."""
    return cast(Register, current_app.config[FEEDS])


def ways() -> Ways:
    """The ways of paying that this programme was put together with."""
    return cast(Ways, current_app.config[WAYS])


def console() -> Console:
    """What gives an application the console that this programme was put together with."""
    return cast(Console, current_app.config[CONSOLE])


def redis_of() -> Redis:
    """A doorbell connection of this process."""
    return doorbell.connect(settings().redis_url, patience_s=2.0)
