"""The values a setting takes along a side of a sheet, and how they are written beside it.

    1..10           steps of 1, upwards or downwards
    0..1:0.25       steps of 0.25
    0..1*5          5 values, evenly spaced
    40..0.625/2     each half of the one before; 1..64/2 doubles
    0.5..1*9:log    9 values, each by the same factor
    1..3,7,20..30:5 several of these, or a list: of choices, texts, files, on and off
    ..              all of a choice's names; off and on

A value that holds a comma is possible too: with a semicolon in the text, semicolons part its values.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

from engine.errors import SettingError, near
from engine.scene.data_settings import Network
from engine.scene.figure import Step
from engine.scene.settings import Choice, Integer, Number, Switch, assign, settings
from engine.sheets.captions import labelled, network_labels

# A sheet of 100 x 100 cells; past it a range was mistyped.
MOST_CELLS = 10_000
NUMBER = r"[-+]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][-+]?\d{1,2})?"
RANGE = re.compile(rf"({NUMBER})\.\.({NUMBER})(?:([:/*xX])({NUMBER})(:log)?)?")
ALL = ".."
# Along a side the clock's time is varied like a setting.
TIME = "time"
TIME_TAKES = "a number of seconds"


@dataclass(frozen=True)
class Axis:
    """One side of a sheet.

    title   what is varied, and its unit; may be empty
    steps   a tuple of Step
    """

    title: str
    steps: tuple


def axis(scene, given, said=""):
    """The Axis of what was given for one side of a sheet; None for nothing.

    scene   whose settings are meant
    given   `depth=1..10`; {"depth": range(1, 11)} or {"depth": "1..10"}; Steps; an Axis
    said    begins messages: `--vary depth=1..99`

    Raises SettingError for an unknown setting, a bad range, a value the setting does not take, and too many.
    """
    if isinstance(given, Axis):
        return given
    if given is None or (not isinstance(given, str) and isinstance(given, Iterable) and not given):
        return None
    if isinstance(given, str):
        name, sign, text = given.partition("=")
        if not sign or not name.strip() or not text.strip():
            raise SettingError(f"{said or given}: it takes a setting and its values, as in depth=1..10 or seed=1,2,3.")
        given = {name.strip(): text}
    if isinstance(given, Mapping):
        if len(given) != 1:
            raise SettingError(
                f"One side of a sheet varies one setting, not {len(given)}: {', '.join(map(str, given))}."
            )
        name, values = next(iter(given.items()))
        return _of_setting(scene, str(name), values, said)
    try:
        steps = tuple(given)
    except TypeError:
        steps = (given,)
    for step in steps:
        if not isinstance(step, Step):
            raise SettingError(f"{step!r} stands along a side of a sheet; it takes engine.Step or {{setting: values}}.")
    _not_too_many(len(steps), said or "The steps")
    return Axis("", steps)


def _of_setting(scene, name, values, said):
    known = settings(scene)
    setting = known.get(name)
    if setting is None and name != TIME:
        raise SettingError(f"{_kind(scene)}: " + near(name, [*known, TIME], noun="setting"))
    if isinstance(values, str):
        said = said or f"{name}={values}"
        values = read(setting, values, said)
    else:
        said = said or f"{name}"
        # Counted while they are taken: a range may have more values than memory has room for.
        try:
            values = list(islice(values, MOST_CELLS + 1))
        except TypeError:
            raise SettingError(f"{said}={values}: it takes several values, as in [{values}].") from None
    _not_too_many(len(values), said)
    if not values:
        raise SettingError(f"{said}: there is no value in it.")
    # What is stored and compared is what the setting holds: a number of numpy's becomes Python's.
    probe = scene() if isinstance(scene, type) else type(scene)()
    labels = network_labels(values) if isinstance(setting, Network) else None
    values = [_taken(probe, setting, name, value, said) for value in values]
    labels = labels or labelled(setting, values)
    if setting is None:
        return Axis("Time (s)", tuple(Step(s, {}, v) for s, v in zip(labels, values, strict=True)))
    unit = {"deg": "°"}.get(setting.unit, setting.unit)
    title = f"{setting.title} ({unit})" if unit else setting.title
    return Axis(title, tuple(Step(s, {name: v}) for s, v in zip(labels, values, strict=True)))


def _kind(scene):
    return scene.__name__ if isinstance(scene, type) else type(scene).__name__


def _taken(probe, setting, name, value, said):
    """The value as the setting holds it. Raises SettingError for one it does not take."""
    if isinstance(setting, Network):
        return setting.checked(value)
    if getattr(value, "ndim", 1) == 0:
        value = value.item()
    if setting is None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise SettingError(f"{said}: {value} is none; the time takes {TIME_TAKES}.")
        return float(value)
    try:
        assign(probe, name, value)
    except SettingError as error:
        raise SettingError(f"{said}: {error}" if said != name else str(error)) from None
    return getattr(probe, name)


def _not_too_many(count, said):
    if count > MOST_CELLS:
        raise SettingError(f"{said}: a sheet has up to {MOST_CELLS} cells. Take fewer values.")


# Texts to values.


def read(setting, text, said):
    """The values written as a text: numbers for numeric settings, texts for others.

    setting   None for the time
    """
    parts = [part.strip() for part in text.split(";" if ";" in text else ",")]
    if not all(parts):
        raise SettingError(f"{said}: there is nothing between two commas, or after the last.")
    if parts == [ALL] and isinstance(setting, Choice | Switch):
        return [False, True] if isinstance(setting, Switch) else setting.names_taken
    values = []
    for part in parts:
        if setting is None or isinstance(setting, Number | Integer):
            values += _numbers(part, isinstance(setting, Integer), said, setting)
        elif isinstance(setting, Network):
            # Its path: what stands beside it is named after the file.
            values.append(None if part == "none" else part)
        else:
            values.append(setting.read(part))
        _not_too_many(len(values), said)
    return values


def _numbers(part, whole, said, setting):
    """The values of a number or a range."""
    if ".." not in part:
        if setting is not None:
            return [setting.read(part)]
        if re.fullmatch(NUMBER, part):
            return [float(part)]
        raise SettingError(f"{said}: {part} is none; the time takes {TIME_TAKES}.")
    match = RANGE.fullmatch(part.replace(" ", ""))
    if match is None or (match[5] and match[3] in ":/"):
        raise SettingError(
            f"{said}: {part} is no range. Write 1..10, 0..1:0.25 (steps), 0..1*5 (how many), 40..0.625/2 (a factor) "
            "or 0.5..1*9:log."
        )
    first, last = Fraction(match[1]), Fraction(match[2])
    sign, by = match[3] or ":", Fraction(match[4] or 1)
    if sign in "*xX":
        exact = _counted(first, last, by, bool(match[5]), part, said)
    elif sign == ":":
        exact = _stepped(first, last, by, match[4] is not None, part, said)
    else:
        exact = _multiplied(first, last, by, part, said)
    if not whole:
        return [float(value) for value in exact]
    values = [math.floor(value + Fraction(1, 2)) for value in exact]
    if len(set(values)) < len(values):
        raise SettingError(
            f"{said}: {setting.name} is a whole number, and {part} has fewer of them. Take fewer values."
        )
    return values


def _counted(first, last, count, log, part, said):
    if count.denominator != 1 or count < 2:
        raise SettingError(f"{said}: {part} asks for {float(count):g} values; a range has 2 or more.")
    count = int(count)
    _not_too_many(count, said)
    if not log:
        return [first + (last - first) * k / (count - 1) for k in range(count)]
    _one_sign(first, last, part, said)
    ratio = float(last / first)
    # Twelve digits: the rounding of the power is not shown, nor stored.
    middle = [Fraction(f"{float(first) * ratio ** (k / (count - 1)):.12g}") for k in range(1, count - 1)]
    return [first, *middle, last]


def _stepped(first, last, by, is_said, part, said):
    by = abs(by)
    if by == 0:
        raise SettingError(f"{said}: {part} has steps of 0, which lead nowhere.")
    turns = abs(last - first) / by
    if not is_said and turns.denominator != 1:
        a, b = part.split("..")
        raise SettingError(
            f"{said}: steps of 1 from {a} do not reach {b}. Say how many, {part}*5, or steps, {part}:0.1."
        )
    _not_too_many(turns + 1, said)
    by = by if last >= first else -by
    return [first + by * k for k in range(int(turns) + 1)]


def _multiplied(first, last, by, part, said):
    _one_sign(first, last, part, said)
    if by <= 0 or by == 1:
        raise SettingError(
            f"{said}: {part} has a factor of {float(by):g}; give one above 0 that is not 1, as in 1..64/2."
        )
    by = max(by, 1 / by)
    if abs(last) < abs(first):
        by = 1 / by
    low, high = sorted((abs(first), abs(last)))
    values = [first]
    # The product is counted first, in floats: exact powers of a factor close to 1 grow long.
    _not_too_many(math.log(high / low) / abs(math.log(by)) + 1, said)
    while low <= abs(values[-1] * by) <= high:
        values.append(values[-1] * by)
    return values


def _one_sign(first, last, part, said):
    if first * last <= 0:
        raise SettingError(f"{said}: {part} grows by a factor; its ends must have one sign, and neither be 0.")
