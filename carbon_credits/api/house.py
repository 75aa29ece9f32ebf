"""What the whole door shares, made once by the factory: settings, keys, rates, limits and the doorbell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from flask import Flask, current_app, g
from redis import Redis

from carbon_credits.api.access import Who
from carbon_credits.api.limits import Limiter
from carbon_credits.config import Settings
from carbon_credits.core.crypto import Vault
from carbon_credits.core.signing import Keyring
from carbon_credits.core.tokens import Principal
from carbon_credits.incentives.status_lists import StatusLists
from carbon_credits.jobs.doorbell import Ringer
from carbon_credits.programme.rate_card import RateCard

EXTENSION: Final = "carbon_credits"


@dataclass(frozen=True)
class House:
    """Shared by every request of one application; nothing in it belongs to a single one."""

    settings: Settings
    keyring: Keyring
    rates: RateCard
    limiter: Limiter
    redis: Redis
    ringer: Ringer
    access: Mapping[str, Who]
    statuses: StatusLists = field(default_factory=StatusLists)

    @property
    def vault(self) -> Vault:
        """The master keys."""
        return self.settings.vault


def install(app: Flask, house: House) -> None:
    """Give the application its house."""
    app.extensions[EXTENSION] = house


def house() -> House:
    """The house of the application at hand."""
    return cast(House, current_app.extensions[EXTENSION])


def principal() -> Principal:
    """Who is asking, known since before the view was reached."""
    return cast(Principal, g.principal)
