"""Medians and percentiles."""

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def percentile(values: Sequence[float], percent: float) -> float:
    """Interpolated between the two nearest ranks; of one value, that value."""
    if len(values) == 1:
        return values[0]
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def rounded(values: Sequence[float], digits: int = 4) -> list[float]:
    """For a result file."""
    return [round(value, digits) for value in values]
