"""The values a setting takes along a side of a sheet, with their labels.

    1..10           steps of 1, upwards or downwards; 0..1:0.25 steps of 0.25
    0..1*5          5 values, evenly spaced; 0.5..1*9:log 9 values with equal ratios
    1..3,7,20..30:5 a list of ranges and values: of numbers, choices, texts, files, on and off
    ..              all names of a choice; off and on of a switch

If the text contains a semicolon, semicolons separate the values instead of commas, so that values may contain commas.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

from engine.errors import SettingError, near
from engine.output.progress import say
from engine.scene.data_settings import Network
from engine.scene.figure import Step
from engine.scene.scene import Scene
from engine.scene.settings import Choice, Integer, Number, Setting, Switch, assign, settings
from engine.sheets.captions import labelled, network_labels

# More cells are refused as a typing error in a range: a sheet of 100 x 100 has this many.
MOST_CELLS = 10_000
NUMBER = r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,2})?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(?::({NUMBER})|[*xX]({NUMBER})(:log)?|/({NUMBER}))?")
ALL = ".."
# The name under which the clock's time is varied like a setting.
TIME = "time"


@dataclass(frozen=True)
class Axis:
    """The columns or the rows of a sheet.

    title   what is varied, and its unit; may be empty
    steps   a tuple of Step
    """

    title: str
    steps: tuple[Step, ...]


def axis(scene: Scene | type[Scene], given: Any, option: str = "") -> Axis | None:
    """The Axis for the value given as columns or rows of a sheet; None for an empty value.

    scene    the scene whose settings vary
    given    `depth=1..10`; {"depth": range(1, 11)} or {"depth": "1..10"}; Steps; an Axis
    option   the name of the option it was given by, for messages: `--vary`

    Raises SettingError for an unknown setting, a bad range, a value the setting does not accept, and too many values.
    """
    kind = scene if isinstance(scene, type) else type(scene)
    if isinstance(given, Axis):
        return given
    if given is None or (not isinstance(given, str) and isinstance(given, Iterable) and not given):
        return None
    if isinstance(given, str):
        name, sign, text = given.partition("=")
        if not sign or not name.strip() or not text.strip():
            raise SettingError(f"{option} {given}: it takes a setting and its values, as in depth=1..10.".lstrip())
        given = {name.strip(): text}
    if isinstance(given, Mapping):
        if len(given) != 1:
            raise SettingError(
                f"One side of a sheet varies one setting, not {len(given)}: {', '.join(map(str, given))}."
            )
        name, values = next(iter(given.items()))
        try:
            return _of_setting(kind, str(name), values)
        except SettingError as error:
            text = f"{name}={values}" if isinstance(values, str) else name
            raise SettingError(f"{option} {text}: {error}".lstrip()) from None
    steps = list(given) if isinstance(given, Iterable) else [given]
    _check_count(len(steps))
    for number, step in enumerate(steps):
        if not isinstance(step, Step):
            raise SettingError(f"{step!r} is no step of a sheet's side; it takes engine.Step or {{setting: values}}.")
        probe = kind()
        try:
            for name, value in step.settings.items():
                assign(probe, name, value)
        except SettingError as error:
            raise SettingError(f"step {step.label}: {error}") from None
        steps[number] = Step(step.label, {name: getattr(probe, name) for name in step.settings}, step.time)
    return Axis("", tuple(steps))


def _of_setting(kind: type[Scene], name: str, given: Any) -> Axis:
    known = settings(kind)
    setting: Any = known.get(name)
    if setting is None and name != TIME:
        raise SettingError(f"{kind.__name__}: " + near(name, [*known, TIME], noun="setting"))
    try:
        # No more than the limit is taken: a range may have more values than fit into memory.
        values = read(setting, given) if isinstance(given, str) else list(islice(given, MOST_CELLS + 1))
    except TypeError:
        raise SettingError(f"it is {given}; it takes several values, as in [{given}].") from None
    _check_count(len(values))
    if not values:
        raise SettingError("there is no value in it.")
    probe = kind()
    labels = network_labels(values) if isinstance(setting, Network) else None
    values = [_assigned(probe, setting, name, value) for value in values]
    labels = labels or labelled(setting, values)
    if setting is None:
        return Axis("Time (s)", tuple(Step(s, {}, v) for s, v in zip(labels, values, strict=True)))
    unit = {"deg": "°"}.get(setting.unit, setting.unit)
    title = f"{setting.title} ({unit})" if unit else setting.title
    return Axis(title, tuple(Step(s, {name: v}) for s, v in zip(labels, values, strict=True)))


def _assigned(probe: Scene, setting: Setting | None, name: str, value: Any) -> Any:
    """The value as the setting stores it (numpy's numbers as Python's). Raises SettingError for a wrong one."""
    if isinstance(setting, Network):
        return setting.checked(value)
    if getattr(value, "ndim", 1) == 0:
        value = value.item()
    if setting is not None:
        assign(probe, name, value)
        return getattr(probe, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SettingError(f"{value} is not a time: give a number of seconds.")
    return float(value)


def _check_count(count: int | Fraction) -> None:
    if count > MOST_CELLS:
        raise SettingError(f"a sheet has up to {MOST_CELLS} cells. Take fewer values.")


# Parsers of texts.


def read(setting: Any, text: str) -> list[Any]:
    """The values written as a text: numbers for numeric settings, texts for others.

    setting   None for the time
    """
    parts = [part.strip() for part in text.split(";" if ";" in text else ",")]
    if not all(parts):
        raise SettingError("there is nothing between two commas, or after the last.")
    if parts == [ALL] and isinstance(setting, Choice | Switch):
        return [False, True] if isinstance(setting, Switch) else setting.names_taken
    values: list[Any] = []
    for part in parts:
        if setting is None or isinstance(setting, Number | Integer):
            values += _numbers(part, setting)
        elif isinstance(setting, Network):
            # Of a file only the path is needed here; the label is made from its name.
            values.append(None if part == "none" else part)
        else:
            values.append(setting.read(part))
        _check_count(len(values))
    return values


def _numbers(part: str, setting: Any) -> list[float] | list[int]:
    """The values written as a number or a range."""
    if ".." not in part:
        if setting is not None:
            return [setting.read(part)]
        if re.fullmatch(NUMBER, part):
            return [float(part)]
        raise SettingError(f"{part} is not a time: give a number of seconds.")
    match = RANGE.fullmatch(part.replace(" ", ""))
    if match is None:
        raise SettingError(f"{part} is no range. Write 1..10, 0..1:0.25 (steps), 0..1*5 or 0.5..1*9:log (count).")
    first, last = Fraction(match[1]), Fraction(match[2])
    if match[4]:
        exact = _counted(first, last, Fraction(match[4]), bool(match[5]), part)
    elif match[6]:
        exact = _multiplied(first, last, Fraction(match[6]), part)
    else:
        exact = _stepped(first, last, match[3], part)
    if not isinstance(setting, Integer):
        return [float(value) for value in exact]
    values = [math.floor(value + Fraction(1, 2)) for value in exact]
    if len(set(values)) < len(values):
        raise SettingError(f"{setting.name} is a whole number, and {part} has fewer of them. Take fewer values.")
    return values


def _counted(first: Fraction, last: Fraction, count: Fraction, log: bool, part: str) -> list[Fraction]:
    if count.denominator != 1 or count < 2:
        raise SettingError(f"{part} asks for {float(count):g} values; a range has 2 or more.")
    _check_count(count)
    gaps = int(count) - 1
    if not log:
        return [first + (last - first) * k / gaps for k in range(gaps + 1)]
    _check_signs(first, last, part)
    ratio = float(last / first)
    # Rounded to twelve digits, so that the rounding error of the power is neither shown nor stored.
    return [first, *(Fraction(f"{float(first) * ratio ** (k / gaps):.12g}") for k in range(1, gaps)), last]


def _stepped(first: Fraction, last: Fraction, step: str | None, part: str) -> list[Fraction]:
    by = abs(Fraction(step or 1))
    if by == 0:
        raise SettingError(f"{part} has steps of 0, which lead nowhere.")
    count = abs(last - first) / by
    if not step and count.denominator != 1:
        raise SettingError(
            f"steps of 1 from {float(first):.15g} do not reach {float(last):.15g}. Say how many, {part}*5, or steps, "
            f"{part}:0.1."
        )
    _check_count(count + 1)
    by = by if last >= first else -by
    return [first + by * k for k in range(int(count) + 1)]


def _multiplied(first: Fraction, last: Fraction, factor: Fraction, part: str) -> list[Fraction]:
    """The values of the older notation 40..0.625/2: each is the one before times, or divided by, the factor."""
    _check_signs(first, last, part)
    if factor <= 0 or factor == 1:
        raise SettingError(f"{part} has a factor of {float(factor):g}; give one above 0 that is not 1.")
    factor = max(factor, 1 / factor)
    low, high = sorted((abs(first), abs(last)))
    # The count is estimated in floats first: exact powers of a factor close to 1 have very many digits.
    count = int(math.log(high / low) / math.log(factor)) + 2
    _check_count(count - 1)
    by = factor if abs(last) > abs(first) else 1 / factor
    values = [value for k in range(count) if low <= abs(value := first * by**k) <= high]
    begin, end = f"{float(first):.15g}", f"{float(values[-1]):.15g}"
    say(f"note: {part} is now written {f'{begin}..{end}*{len(values)}:log' if len(values) > 1 else begin}.")
    return values


def _check_signs(first: Fraction, last: Fraction, part: str) -> None:
    if first * last <= 0:
        raise SettingError(f"{part} has equal ratios; its ends must have one sign, and neither be 0.")
