"""Round numbers along an axis, and their texts."""

import math
from collections.abc import Sequence
from decimal import Decimal

STEPS = (1, 2, 5)
# Numbers with a power of ten outside this range are written with an exponent.
PLAIN = range(-4, 6)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of a round step (1, 2 or 5 times a power of ten) from low to high, both included.

    most      the most multiples, at least 1; the step is the smallest with no more
    returns   ascending floats, each the nearest to its decimal; none if an end is not finite or low > high
    """
    step, exponent = round_step(low, high, most)
    if step is None:
        return []
    # Computed with decimals, so that no tick is 0.30000000000000004.
    unit = Decimal(step).scaleb(exponent)
    # An end that differs from a tick only by rounding counts as a tick.
    slack = Decimal(high - low) * Decimal("1e-9")
    first = math.ceil((Decimal(low) - slack) / unit)
    last = math.floor((Decimal(high) + slack) / unit)
    # In very small ranges neighbouring ticks are the same float.
    return sorted({float(n * unit) for n in range(first, last + 1)} if last - first < 2 * most + 2 else [])


def round_step(low: float, high: float, most: int) -> tuple[int | None, int]:
    """(1, 2 or 5, exponent of ten) of the smallest round step with at most `most` multiples from low to high."""
    low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high) and high > low and math.isfinite(high - low)) or most < 1:
        return None, 0
    exponent = math.floor(math.log10((high - low) / most)) - 1
    while True:
        for step in STEPS:
            unit = Decimal(step).scaleb(exponent)
            slack = Decimal(high - low) * Decimal("1e-9")
            count = math.floor((Decimal(high) + slack) / unit) - math.ceil((Decimal(low) - slack) / unit) + 1
            if count <= most:
                return step, exponent
        exponent += 1


def tick_text(values: Sequence[float]) -> list[str]:
    """The numbers of an axis as texts: all with equally many decimals, just enough to differ; zero is `0`."""
    numbers = [Decimal(repr(float(v))) for v in values]
    if not numbers:
        return []
    largest = max(abs(n) for n in numbers)
    power = largest.adjusted() if largest else 0
    shift = 0 if power in PLAIN else power
    numbers = [n.scaleb(-shift) for n in numbers]
    ordered = sorted(set(numbers))
    gap = min((b - a for a, b in zip(ordered, ordered[1:], strict=False)), default=abs(numbers[0]))
    places = _places(numbers, gap)
    return [_written(n, places, shift) for n in numbers]


def _places(numbers, gap):
    # A thousandth of the gap: more than the floats' rounding error, less than the difference of two ticks.
    least = gap * Decimal("1e-3")
    for places in range(18):
        if all(abs(round(n, places) - n) <= least for n in numbers):
            return places
    return 18


def _written(number, places, shift):
    rounded = round(number, places)
    if not rounded:
        return "0"
    return f"{rounded:.{places}f}" + (f"e{shift}" if shift else "")
