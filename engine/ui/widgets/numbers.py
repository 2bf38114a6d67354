"""How numbers, names and settings are written on a panel, and where numbers stand on a slider."""

import math
from typing import Any

# A range this many times as wide as its low end is shown by its powers.
WIDE = 100.0
SIGNS = {"deg": "°", "%": "%", "x": "×"}


def shown(value: float, span: float | None = None, unit: str = "", whole: bool = False) -> str:
    """A value as the panel shows it: as many digits as its slider can tell apart.

    span   high - low, or None for about four digits of the value itself
    """
    if whole:
        text = f"{value:d}" if isinstance(value, int) else f"{round(value):d}"
    elif span is None or not math.isfinite(span) or span <= 0.0 or 0.0 < abs(value) < span * 1e-3:
        text = f"{value:.4g}"
    else:
        # About a five-hundredth of the range: what a slider a hundred pixels wide, dragged finely, can reach.
        digits = min(max(0, math.ceil(2.0 - math.log10(span))), 6)
        # A digit more where the value has one: what was typed, or dragged finely, is not hidden.
        digits += round(value, digits) != round(value, digits + 1)
        text = f"{value:.{digits}f}"
        if float(text) == 0.0:
            text = text.removeprefix("-")
    text = text.replace("-", "−")
    sign = SIGNS.get(unit)
    return text + sign if sign else f"{text} {unit}".rstrip()


def exact(value: float, whole: bool = False) -> str:
    """A value as one would type it: the shortest text that means a float32 equal to it."""
    if whole:
        return str(round(value))
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if float(text) == value or (digits >= 7 and abs(float(text) - value) <= abs(value) * 2.0**-25):
            return text
    return repr(value)


def is_wide(low: float | None, high: float | None) -> bool:
    """True if a slider from low to high should stand at powers."""
    return low is not None and high is not None and low > 0.0 and high / low >= WIDE


def part(value: float, low: float, high: float, log: bool = False) -> float:
    """Where a value stands between low and high, 0 to 1."""
    if high <= low:
        return 0.0
    if log:
        at = math.log(max(value, low) / low) / math.log(high / low)
    else:
        at = (value - low) / (high - low)
    return min(max(at, 0.0), 1.0)


def at_part(part: float, low: float, high: float, log: bool = False, whole: bool = False) -> float:
    """The value at a part of the way; rounded to what `shown` shows, and never outside low and high."""
    value = low * (high / low) ** part if log else low + (high - low) * part
    if whole:
        return round(value)
    size = value if log else high - low
    if size:
        digits = math.floor(math.log10(abs(size)))
        value = round(value, 3 - digits)
    return min(max(value, low), high)


def step(value: float) -> float:
    """What a plus adds to a number with no ends: about a tenth, as a power of ten."""
    return 10.0 ** math.floor(math.log10(abs(value)) - 0.5) if value else 0.1


def lines_of(setting: Any) -> str:
    """What the panel says of a setting on hover: its doc, and what it takes."""
    doc = (setting.doc or "").strip()
    doc = doc[:1].upper() + doc[1:]
    doc = doc if not doc or doc.endswith((".", "?", "!")) else doc + "."
    return f"{doc} Takes {setting.taken()}.".strip()


def titled(text: str) -> str:
    """A name as a label: its first letter large."""
    return text[:1].upper() + text[1:]
