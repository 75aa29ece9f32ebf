"""Driving an electric car in place of a petrol one.

Follows T/CSAE 235-2021: petrol that a comparable car would burn, less the electricity of this one, charging losses
included. Kilometres or charging, never both: the vehicle's cloud gives metres, and where only a charger's order is
known the intake divides its energy once by the consumption and rounds down. Nothing was earned by buying the car. Its
kilowatt-hours are not claimed as green charging or household saving, and operating vehicles and shared rides are left
out.
"""

from datetime import date

from carbon_credits.methodologies.base import (
    Boundary,
    Condition,
    Methodology,
    Monitored,
    Reference,
    Status,
    Text,
    worked,
)
from carbon_credits.methodologies.factors import factor
from carbon_credits.methodologies.formula import Number, Truth, least
from carbon_credits.methodologies.proposals import proposal


def reduction(
    distance_m: Number,
    most_credited_m: Number,
    petrol_l_per_km: Number,
    petrol_kg_per_l: Number,
    car_wh_per_km: Number,
    charging_loss_share: Number,
    grid_kg_per_kwh: Number,
) -> Number:
    """Both sides in g/km (kg/km times 1000; Wh times kg/kWh are g); metres times g/km are milligrams."""
    petrol_g_per_km = petrol_l_per_km * petrol_kg_per_l * 1000
    electric_g_per_km = car_wh_per_km * (1 + charging_loss_share) * grid_kg_per_kwh
    return least(distance_m, most_credited_m) * (petrol_g_per_km - electric_g_per_km)


def driven_at_all(distance_m: Number, shortest_m: Number) -> Truth:
    return distance_m >= shortest_m


SINCE = date(2025, 1, 1)

V1 = Methodology(
    code="travel.electric_car",
    number=9,
    version=1,
    title=Text("驾驶纯电动车", "Driving an electric car"),
    summary=Text(
        "在佛山登记的私家纯电动车行驶，替代同级汽油车。"
        "减排量等于行驶里程乘以汽油车排放与含充电损失的用电排放之差。"
        "里程与充电只计其一；购车本身不计；营运车辆不计。",
        "A private electric car registered in Foshan in place of a comparable petrol car. The reduction "
        "is the distance times "
        "what petrol would have emitted above the electricity, charging losses included. Kilometres or "
        "charging, never both; "
        "buying the car earns nothing; operating vehicles do not count.",
    ),
    status=Status.TRIAL,
    in_force=SINCE,
    boundary=Boundary(
        baseline=Text(
            "同级汽油车行驶同等里程的燃料排放", "Petrol of a comparable car over the same distance"
        ),
        project=Text("行驶与充电损失所用电网电量", "Electricity of driving, charging losses included"),
        leakage=Text("按零计；车辆与电池生产不计", "Zero; making the car and its battery is not counted"),
    ),
    monitored=(
        Monitored("distance_m", Text("记录期内行驶里程", "Driven in the period"), "m", 0, 10_000_000),
    ),
    parameters=(
        factor("petrol_l_per_km"),
        factor("petrol_kg_per_l"),
        factor("car_wh_per_km"),
        factor("charging_loss_share"),
        factor("grid_kg_per_kwh"),
        proposal(
            "most_credited_m",
            "m",
            SINCE,
            1_500_000,
            Text("单条记录可计的最大里程", "Most that one record counts"),
            "A month of private driving; a record covers at most a month.",
        ),
        proposal(
            "shortest_m",
            "m",
            SINCE,
            1_000,
            Text("最短里程", "Shortest distance"),
            "Below it the reading's own error is too large.",
        ),
    ),
    conditions=(
        Condition(
            "drive_too_short",
            Text("记录期内行驶不少于 {shortest_m} 米", "At least {shortest_m} m in the period"),
            driven_at_all,
        ),
    ),
    formula=reduction,
    bases=("vehicle", "transaction"),
    references=(
        Reference("vehicle", "vehicle", required=True),
        Reference("transaction", "order_no", required=False),
    ),
    needs_partner=True,
    verifiable=True,
    cap_quantity="distance_m",
    examples=(
        worked("行驶 100 公里", "100 km", 9_051_150, distance_m=100_000),
        worked(
            "一年前，旧电网因子",
            "A year before, under the older grid factor",
            9_077_550,
            on=date(2025, 3, 3),
            distance_m=100_000,
        ),
        worked("网约车里程只计上限", "A taxi's month meets the ceiling", 135_767_250, distance_m=6_000_000),
        worked("挪车", "Moved to another place", 0, "drive_too_short", distance_m=400),
    ),
)

VERSIONS = (V1,)
