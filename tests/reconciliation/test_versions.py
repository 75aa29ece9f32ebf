"""Whatever the order in which versions and voids of a record arrive, the same act counts in the end."""

from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import text

from carbon_credits.ledger.check import check
from tests.reconciliation.programme import City, a_ride

V1, V2, V3 = (1, 2_000), (2, 3_000), (3, 4_000)
CORRECTED, WITHDRAWN = ("corrected_by_partner",), ("withdrawn_by_partner",)
Telling = tuple[int, int | None]


def say(city: City, rider: str, telling: Telling) -> None:
    version, distance_m = telling
    if distance_m is None:
        city.take_back(f"ride of {rider}", version)
    else:
        city.tell(a_ride(f"ride of {rider}", rider, distance_m, version))


@pytest.mark.parametrize("decided_at_once", [True, False])
@pytest.mark.parametrize(
    ("tellings", "counts"),
    [
        ((V1, V2, V3, (4, None)), None),
        ((V1, (2, None), V3), 4_000),
        ((V1, V3, (2, 2_000)), 4_000),
        ((V1, V2, (3, 2_000)), 2_000),
    ],
)
def test_every_order_comes_to_the_same(
    city: City, tellings: tuple[Telling, ...], counts: int | None, decided_at_once: bool
) -> None:
    ends = set()
    for number, order in enumerate(permutations(tellings)):
        rider = city.rider(f"rider-{number}")
        for telling in order:
            say(city, rider, telling)
            if decided_at_once:
                city.decide(rider)
        city.decide(rider)
        credited = [m for m, state, _ in city.acts(rider) if state == "credited"]
        assert credited == ([] if counts is None else [counts]), order
        ends.add((city.wallet(rider), tuple(city.acts(rider))))
    # one end, whatever the order; where a telling came first that another repeats, it may be an act fewer
    assert len({wallet for wallet, _ in ends}) == 1
    assert (city.wallet("rider-0")[1] > 0) == (counts is not None)
    city.session.commit()
    assert [found for found in check(city.session) if found.violations] == []


def test_the_reasons_say_what_happened(city: City) -> None:
    rider = city.rider("rider")
    for telling in (V1, V2, V3, (4, None)):
        say(city, rider, telling)
    city.decide()
    assert city.acts(rider) == [
        (2_000, "rejected", CORRECTED),
        (3_000, "rejected", CORRECTED),
        (4_000, "rejected", WITHDRAWN),
    ]


def test_the_same_again_is_a_duplicate_and_another_content_of_one_version_a_contradiction(city: City) -> None:
    city.rider("rider")
    assert [row.status for row in city.tell(a_ride(), a_ride(distance_m=3_500, version=2))] == [
        "accepted"
    ] * 2
    assert [
        (row.status, row.reasons)
        for row in city.tell(
            a_ride(),
            a_ride(distance_m=3_500, version=2),
            a_ride(distance_m=3_500, version=3),
            a_ride(distance_m=9_000, version=2),
            a_ride(distance_m=9_000),
        )
    ] == [
        ("duplicate", ("duplicate",)),
        ("duplicate", ("duplicate",)),
        ("duplicate", ("duplicate",)),
        ("refused", ("content_differs",)),
        ("refused", ("content_differs",)),
    ]


def test_another_rider_or_a_better_class_is_a_correction_too(city: City) -> None:
    for name in ("rider", "other"):
        city.rider(name)
    city.tell(replace(a_ride(), evidence_class="B"))
    city.decide()
    claimed = city.wallet("rider")
    city.tell(a_ride(version=2))
    city.decide()
    assert city.wallet("rider") > claimed
    city.tell(a_ride(rider="other", version=3))
    city.decide()
    assert city.wallet("rider") == (0, 0, 0)
    assert city.wallet("other")[1] > 0


def test_a_correction_to_somebody_who_is_not_bound_waits_for_him(city: City) -> None:
    city.rider("rider")
    city.tell(a_ride())
    assert [row.status for row in city.tell(a_ride(rider="late", distance_m=3_100, version=2))] == ["waiting"]
    city.rider("late")
    assert [row.status for row in city.tell(a_ride(rider="late", distance_m=3_100, version=2))] == [
        "accepted"
    ]
    city.decide()
    assert city.wallet("rider") == (0, 0, 0)
    assert city.wallet("late")[1] > 0


def test_thousands_of_corrections_are_a_handful_of_statements(city: City) -> None:
    riders = [city.rider(f"rider-{n}") for n in range(9)]
    rides = [a_ride(str(n), riders[n % 9], 2_000 + n) for n in range(1_500)]
    city.tell(*rides)
    before = city.session.execute(text("select count(*) from act_version")).scalar_one()
    corrected = city.tell(*(replace(r, monitored={"distance_m": 9_000}, version=2) for r in rides))
    assert {row.status for row in corrected} == {"accepted"}
    assert city.session.execute(text("select count(*) from act_version")).scalar_one() - before == 1_500
    verdicts = city.session.execute(
        text("select verdict, count(*) from activity_queue group by 1 order by 1")
    )
    assert [tuple(row) for row in verdicts] == [("rejected", 1_500), (None, 1_500)]
