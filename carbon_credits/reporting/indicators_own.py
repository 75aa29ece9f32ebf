"""What our records support beside each figure of the plan: one named function each, of what `Ground` holds."""

from collections.abc import Callable
from typing import Final

from carbon_credits.core.i18n import Text
from carbon_credits.reporting.indicators_declared import Coverage, Ground, Own, Unit, coverage

POPULATION: Final = "basis.population"
TRIPS: Final = "basis.trips"
HOUSEHOLD_WASTE: Final = "basis.household_waste"
NINE_MATERIALS: Final = "recycling.nine_materials"
# trips that the plan calls green: rail, bus, slow traffic; driving an electric car is none
GREEN_TRIPS: Final = ("walking_cycling", "shared_travel")


def nothing(ground: Ground) -> Own:
    """Our records do not touch it."""
    del ground
    return Own(None, None)


def green_trips(ground: Ground) -> Own:
    """Credited trips on foot, by bicycle, bus and metro; of all trips only where a bureau has stated those."""
    trips = _sum(ground, GREEN_TRIPS, "acts")
    of_trips = coverage(
        Text("全区全年出行总人次", "all trips of the district in the year"),
        Unit.TRIPS,
        trips,
        ground.official.get(TRIPS),
    )
    return Own(trips, Unit.TRIPS, (of_trips, _of_population(ground)))


def nine_materials(ground: Ground) -> Own:
    """Grams of the nine materials that residents handed in and that were weighed."""
    grams = _sum(ground, ("nine_materials",), "mass_g")
    of_all = Text("全区九种再生资源回收量", "the nine materials recovered in the district")
    return Own(grams, Unit.GRAM, (coverage(of_all, Unit.GRAM, grams, ground.official.get(NINE_MATERIALS)),))


def sorted_waste(ground: Ground) -> Own:
    """Grams of food waste and recyclables that residents handed in and that were weighed."""
    grams = _sum(ground, ("nine_materials", "kitchen_waste", "other_recycling"), "mass_g")
    of_all = Text("全区生活垃圾产生量", "household waste of the district")
    return Own(grams, Unit.GRAM, (coverage(of_all, Unit.GRAM, grams, ground.official.get(HOUSEHOLD_WASTE)),))


def metres_on_foot_or_bicycle(ground: Ground) -> Own:
    """Metres walked and cycled in credited trips, on greenways or elsewhere."""
    return Own(_sum(ground, ("walking_cycling",), "distance_m"), Unit.METRE, (_of_population(ground),))


def active_residents(ground: Ground) -> Own:
    """Distinct residents with a credited act, and of them those with a verified one."""
    people, verified = ground.figures.whole.people, ground.figures.verified_people
    of_people = Text("其中有经核实行为的居民", "of them with a verified act")
    share = None if people is None or verified is None or not people else verified * 1_000_000 // people
    return Own(
        people,
        Unit.PEOPLE,
        (_of_population(ground), Coverage(of_people, Unit.PEOPLE, verified, people, share)),
    )


def trees(ground: Ground) -> Own:
    """Living trees of residents in the year's inspections."""
    return Own(_sum(ground, ("planting",), "items"), Unit.ITEMS)


def vehicles_bought(ground: Ground) -> Own:
    """New-energy vehicles that residents bought, by credited bills."""
    return Own(_sum(ground, ("new_vehicles",), "items"), Unit.ITEMS)


def made_by_the_sun(ground: Ground) -> Own:
    """Watt-hours of residents' roofs, as their meters tell."""
    return Own(_sum(ground, ("photovoltaics",), "energy_wh"), Unit.WATT_HOUR)


def not_drawn(ground: Ground) -> Own:
    """Watt-hours that residents did not draw in the hours they were asked for."""
    return Own(_sum(ground, ("demand_response",), "energy_wh"), Unit.WATT_HOUR)


def all_awards(ground: Ground) -> Own:
    """Groups on the year's lists of all seven drives."""
    return Own(sum(ground.awards.values()), Unit.GROUPS)


def awards_of(drive: str) -> Callable[[Ground], Own]:
    """Groups on the year's list of one drive."""

    def awards(ground: Ground) -> Own:
        return Own(ground.awards.get(drive, 0), Unit.GROUPS)

    awards.__name__ = f"awards_of_{drive}"
    return awards


def pilots(ground: Ground) -> Own:
    """Pilots that are followed here as groups with a dossier."""
    return Own(ground.pilots, Unit.GROUPS)


def _of_population(ground: Ground) -> Coverage:
    people = ground.figures.whole.people
    return coverage(Text("常住人口", "resident population"), Unit.PEOPLE, people, ground.population)


def _sum(ground: Ground, strands: tuple[str, ...], amount: str) -> int | None:
    """Of strands together; None where one may not be shown, for it could be subtracted."""
    found = [ground.figures.strand(strand).of(amount) for strand in strands]
    return None if None in found else sum(n for n in found if n is not None)
