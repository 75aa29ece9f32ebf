"""What the travel methodologies ask of a motion: long enough, short enough, neither too slow nor too fast.

Speeds are compared by cross-multiplying: metres times 3600 against (km/h times 1000) times seconds.
"""

from decimal import Decimal

from carbon_credits.methodologies.formula import Number, Truth

PPM = Decimal("0.000001")


def long_enough(distance_m: Number, shortest_m: Number) -> Truth:
    """At least the shortest distance."""
    return distance_m >= shortest_m


def short_enough(distance_m: Number, longest_m: Number) -> Truth:
    """At most the longest distance."""
    return distance_m <= longest_m


def not_slower(distance_m: Number, duration_s: Number, slowest_km_per_h: Number) -> Truth:
    """At least the slowest mean speed."""
    return distance_m * 3600 >= slowest_km_per_h * 1000 * duration_s


def not_faster(distance_m: Number, duration_s: Number, fastest_km_per_h: Number) -> Truth:
    """At most the fastest mean speed."""
    return distance_m * 3600 <= fastest_km_per_h * 1000 * duration_s
