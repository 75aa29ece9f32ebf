"""Partners and providers, one file each. Whoever is not named here does not exist."""

from carbon_credits.partners.contract import Feed
from integrations import bike_share, metro_taps

PROVIDERS: tuple[Feed, ...] = (bike_share.FEED, metro_taps.FEED)
