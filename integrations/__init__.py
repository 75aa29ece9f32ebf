"""Partners and providers, one file each. Whoever is not named here does not exist."""

from carbon_credits.partners.contract import Feed
from integrations import bike_share, bike_share_mds, ev_charging, metro_taps, recycling

PROVIDERS: tuple[Feed, ...] = (
    bike_share.FEED,
    bike_share_mds.FEED,
    metro_taps.FEED,
    ev_charging.FEED,
    recycling.FEED,
)
