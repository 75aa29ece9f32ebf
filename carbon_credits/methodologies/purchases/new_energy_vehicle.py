"""Buying an electric or plug-in car.

Nothing is avoided by buying: the car is credited by the kilometre (`travel.electric_car`), month by month and after the
fact. A credit at purchase would count the same kilometres before they are driven.
"""

from carbon_credits.methodologies.base import Boundary, Methodology, Monitored, NoGrams, Text, worked
from carbon_credits.methodologies.purchases import bill, device

V1 = Methodology(
    code="purchases.new_energy_vehicle",
    number=28,
    title=Text("购买新能源车", "Buying a new-energy vehicle"),
    summary=Text(
        "购车本身不产生减排量；行驶里程按“驾驶纯电动车”逐月计算。是否奖励积分由政策决定。",
        "Buying a car avoids nothing by itself; its kilometres count under the electric car, month by "
        "month. Whether it earns points is a matter of policy.",
    ),
    boundary=Boundary(
        Text("不适用", "Does not apply"), Text("不适用", "Does not apply"), Text("不适用", "Does not apply")
    ),
    monitored=(Monitored("count", Text("购车数量", "Vehicles bought"), "count", least=1, most=1),),
    parameters=(),
    conditions=(),
    no_grams=NoGrams(
        "counted_when_driven",
        Text(
            "购车本身不计减排量，行驶里程另行计算",
            "Buying earns no grams; what is driven counts by the kilometre",
        ),
    ),
    bases=("item",),
    references=(device.SERIAL,),
    examples=(worked("购买一辆电动车", "One electric car bought", 0, "counted_when_driven", count=1),),
    **bill.PURCHASE,
)

VERSIONS = (V1,)
