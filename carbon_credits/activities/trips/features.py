"""What is measured on a trip: whole numbers only, so that what is stored is what was judged."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Features:
    """Measures of the claimed part of a trace. Speeds are time-weighted, in millimetres a second."""

    usable_points: int  # after cleaning, inside the claimed time
    moving_intervals: int
    path_m: int
    crow_m: int
    duration_s: int
    overall_mm_s: int
    median_mm_s: int
    p85_mm_s: int
    p95_mm_s: int
    accel_p90_mm_s2: int
    slow_ppm: int  # share of time below 0.8 m/s
    stops_per_km_milli: int
    headings_per_km_milli: int
    max_gap_s: int
    points_per_min_milli: int
    coverage_ppm: int  # share of the duration in gaps of 60 s or less
    speed_cv_ppm: int  # spread of speed while moving, over its mean
