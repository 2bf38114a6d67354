"""How numbers, names and settings are written on a panel, and where numbers stand on a slider."""

import math
import sys
from dataclasses import dataclass
from typing import Any

from engine.scene.settings import Integer

# A slider whose high end is this many times its low end is logarithmic.
WIDE = 100.0
# A setting of more whole numbers than this has a number field, no slider.
MANY = 1000
SIGNS = {"deg": "°", "%": "%", "x": "×"}


def shown(value: float, span: float | None = None, unit: str = "", whole: bool = False) -> str:
    """A value as the panel shows it: with as many digits as its slider can set.

    span   high - low, or None for about four digits of the value itself
    """
    if whole:
        text = f"{value:d}" if isinstance(value, int) else f"{round(value):d}"
    elif span is None or not math.isfinite(span) or span <= 0.0 or 0.0 < abs(value) < span * 1e-3:
        text = f"{value:.4g}"
    else:
        # About a five-hundredth of the range: the finest step of a slider a hundred pixels wide, dragged with shift.
        digits = min(max(0, math.ceil(2.0 - math.log10(span))), 6)
        # One digit more if the value has it, so that a typed or finely dragged value is shown.
        digits += round(value, digits) != round(value, digits + 1)
        text = f"{value:.{digits}f}"
        if float(text) == 0.0:
            text = text.removeprefix("-")
    text = text.replace("-", "−")
    sign = SIGNS.get(unit)
    return text + sign if sign else f"{text} {unit}".rstrip()


def exact(value: float, whole: bool = False) -> str:
    """A value as one would type it: the shortest text that is read as the same float32."""
    if whole:
        return str(round(value))
    for digits in range(1, 18):
        text = f"{value:.{digits}g}"
        if float(text) == value or (digits >= 7 and abs(float(text) - value) <= abs(value) * 2.0**-25):
            return text
    return repr(value)


@dataclass(frozen=True)
class Scale:
    """The range of a number, and how it is written.

    low, high   ends of its slider, or of the values it takes
    unit        shown behind the value
    whole       True for whole numbers
    log         True for a logarithmic slider
    default     what a right click on the slider sets, or None
    """

    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    whole: bool = False
    log: bool = False
    default: float | None = None

    def shown(self, value: float, unit: bool = True) -> str:
        """A value as the panel shows it, with or without its unit."""
        return shown(value, self.high - self.low, self.unit if unit else "", self.whole)

    def part(self, value: float) -> float:
        """Where a value stands on the slider, 0 to 1."""
        if self.high <= self.low:
            return 0.0
        if self.log:
            at = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            at = (value - self.low) / (self.high - self.low)
        return min(max(at, 0.0), 1.0)

    def at_part(self, part: float) -> float:
        """The value at a place of the slider, 0 to 1; rounded as `shown` shows it, never outside low and high."""
        low, high = self.low, self.high
        value = low * (high / low) ** part if self.log else low + (high - low) * part
        if self.whole:
            return round(value)
        size = value if self.log else high - low
        if size:
            value = round(value, 3 - math.floor(math.log10(abs(size))))
        return min(max(value, low), high)

    def stepped(self, value: float, sign: int) -> float:
        """The value after a press on plus (sign 1) or minus (-1): a step of 1, or a power of ten near a tenth of it."""
        step = 1 if self.whole else 10.0 ** math.floor(math.log10(abs(value)) - 0.5) if value else 0.1
        return min(max(value + sign * step, self.low), self.high)


def scales_of(setting: Any) -> tuple[Scale | None, Scale]:
    """(the Scale of a setting's slider, or None if it has none; the Scale of all values it takes)."""
    low, high = setting.bounds or (None, None)
    whole = isinstance(setting, Integer)
    taken = Scale(-math.inf if low is None else low, math.inf if high is None else high, setting.unit, whole)
    ends = next((ends for ends in (setting.softbounds, setting.bounds) if ends and None not in ends), (0.0, math.inf))
    low, high = ends
    if high - low > (MANY if whole else sys.float_info.max) or (whole and setting.name == "seed"):
        return None, taken
    return Scale(low, high, setting.unit, whole, not whole and low > 0.0 and high / low >= WIDE, setting.default), taken


def lines_of(setting: Any) -> str:
    """The hint of a setting: its doc, and the values it takes."""
    doc = (setting.doc or "").strip()
    doc = doc[:1].upper() + doc[1:]
    doc = doc if not doc or doc.endswith((".", "?", "!")) else doc + "."
    return f"{doc} Takes {setting.taken()}.".strip()


def titled(text: str) -> str:
    """A name as a label: with a capital first letter."""
    return text[:1].upper() + text[1:]
