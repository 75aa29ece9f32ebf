"""Partners and providers, one file each. Whoever is not named here does not exist."""

from carbon_credits.partners.contract import Feed
from integrations import (
    bike_share,
    bike_share_mds,
    bus_taps,
    carpool,
    ev_charging,
    household_meters,
    metro_taps,
    recycling,
    shop_bills,
    tree_planting,
)

PROVIDERS: tuple[Feed, ...] = (
    bike_share.FEED,
    bike_share_mds.FEED,
    metro_taps.FEED,
    bus_taps.FEED,
    ev_charging.FEED,
    carpool.FEED,
    recycling.FEED,
    tree_planting.FEED,
    shop_bills.FEED,
    household_meters.FEED,
)
