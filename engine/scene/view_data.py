"""Data that a scene gives a live view besides its settings: a timeline, units, a network's diagram, a listing.

They are data and functions to call; the panel decides how they look. A scene is asked for each of them before every
frame, so it should return the same objects for curves, steps and networks that have not changed: those cost nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

import numpy as np

from engine.errors import SettingError, ShapeError
from engine.network.mlp import Mlp

# How a timeline places its snapshots: evenly, by their steps, or by the logarithm of their steps.
SPACINGS = ("snapshot", "step", "log")


# Seconds, three decades: beyond, frames of a film would be at one time.
MOST_TIME = 1e9


@dataclass(frozen=True)
class Clock:
    """The time of a frame, never the time of day: the same clock gives the same picture.

    time   seconds since the scene began
    step   seconds since the last frame

    Raises SettingError for a time that is no number or too large.
    """

    time: float = 0.0
    step: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.time, Real) or not abs(self.time) <= MOST_TIME:  # also refuses nan
            raise SettingError(f"The time is {self.time}; it takes seconds, up to {MOST_TIME:g}.")


@dataclass(frozen=True)
class Action:
    """A command of a scene: a button in the panel and, if `key` is given, a key.

    name    a verb: `randomize`
    doc     one line
    run     a function without arguments
    key     in rendercanvas' spelling: `n`, `ArrowUp`, ` `
    group   the panel's group, one of settings.GROUPS
    """

    name: str
    doc: str
    run: Callable
    key: str | None = None
    group: str = "shown"


@dataclass(frozen=True)
class Reading:
    """The text about what is under the pointer.

    title      `level 0.36`
    rows       (name, text) pairs: position, value, gradient length ...
    position   (3,) world, or None
    """

    title: str
    rows: tuple = ()
    position: tuple | None = None


@dataclass(frozen=True, eq=False)
class TimeCurve:
    """A curve of a timeline: one value for every snapshot.

    name     of the run it belongs to
    values   (T,); nan where it is unknown, which leaves a gap
    colour   `#rrggbb`
    wide     True for the most important curve, drawn strongly and over the others
    """

    name: str
    values: np.ndarray
    colour: str
    wide: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, float))


@dataclass(frozen=True, eq=False)
class Timeline:
    """The snapshots that a scene shows one after another; drawn as curves over a slider below the picture.

    steps            (T,) whole numbers, ascending, written along the timeline
    times            (T,) seconds of the scene's time, ascending: when each snapshot is first shown
    curves           TimeCurves
    marks            (snapshot, text) pairs: moments to go to
    hint             the text about the snapshot shown; None for its step and the wide curve's value
    spacing          one of SPACINGS
    set_spacing      function that is called with another spacing; None if the person has no choice
    log_values       True for a logarithmic axis of values
    set_log_values   function that is called with True or False; None if the person has no choice
    step_name        the word for a step: `step`, `epoch`
    value_name       the word for the curves' values
    is_growing       True while more snapshots are being made; a view at the last one then follows the newest

    The view sets the time; the scene shows snapshot `timeline.at(clock.time)`. A scene's `loop` ends after `times[-1]`.
    Raises ShapeError for parts that do not fit one another.
    """

    steps: np.ndarray
    times: np.ndarray
    curves: tuple[TimeCurve, ...] = ()
    marks: tuple[tuple[int, str], ...] = ()
    hint: str | None = None
    spacing: str = "snapshot"
    set_spacing: Callable | None = None
    log_values: bool = False
    set_log_values: Callable | None = None
    step_name: str = "step"
    value_name: str = "loss"
    is_growing: bool = False

    def __post_init__(self) -> None:
        steps, times = np.asarray(self.steps), np.asarray(self.times, float)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "curves", tuple(self.curves))
        object.__setattr__(self, "marks", tuple(self.marks))
        if steps.ndim != 1 or steps.size == 0 or (np.diff(steps) <= 0).any():
            raise ShapeError(f"A timeline's steps must be rising numbers, one or more; they are {steps.shape}.")
        if times.shape != steps.shape or not np.isfinite(times).all() or (np.diff(times) <= 0.0).any():
            raise ShapeError(f"A timeline of {steps.size} steps needs as many rising times; they are {times.shape}.")
        for curve in self.curves:
            if curve.values.shape != steps.shape:
                raise ShapeError(f"The curve `{curve.name}` is {curve.values.shape}, not ({steps.size},) as the steps.")
        if self.spacing not in SPACINGS:
            raise ShapeError(f"A timeline's spacing is one of {', '.join(SPACINGS)}, not {self.spacing}.")

    @property
    def count(self) -> int:
        """How many snapshots there are."""
        return self.steps.size

    def at(self, time: float) -> int:
        """The number of the snapshot shown at a time, in seconds."""
        return max(0, int(np.searchsorted(self.times, time, side="right")) - 1)


@dataclass(frozen=True)
class UnitLayer:
    """A layer whose units can be shown and hidden one by one.

    title    `Layer 1`
    colour   `#rrggbb`
    shown    a bool for each unit
    dim      a bool for each unit: True for one without effect, such as a dead one; () for none
    docs     a text for each unit, shown on hover; () for none
    passes   a bool for each unit: True for one that only passes a value on, and has no button; () for none
    """

    title: str
    colour: str
    shown: tuple[bool, ...]
    dim: tuple[bool, ...] = ()
    docs: tuple[str, ...] = ()
    passes: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shown", "dim", "docs", "passes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("dim", "docs", "passes"):
            if len(getattr(self, name)) not in (0, len(self.shown)):
                raise ShapeError(f"{self.title} has {len(self.shown)} units, but {len(getattr(self, name))} `{name}`.")

    @property
    def listed(self) -> tuple[int, ...]:
        """The numbers of the units that have a button."""
        return tuple(k for k in range(len(self.shown)) if not (self.passes and self.passes[k]))


@dataclass(frozen=True)
class Units:
    """The units that a scene shows or hides, each with a button.

    layers    UnitLayers, the first nearest to the inputs
    put       function that is called with the new choice: a tuple of bools for each layer
    hover     function called with the (layer, unit) under the pointer, from 0, or with None when it leaves; or None
    hovered   (layer, unit) that the scene marks now, even if the pointer is in the picture; or None
    """

    layers: tuple[UnitLayer, ...]
    put: Callable
    hover: Callable | None = None
    hovered: tuple[int, int] | None = None

    @property
    def shown(self) -> tuple[tuple[bool, ...], ...]:
        """Which units are shown: a tuple of bools for each layer."""
        return tuple(layer.shown for layer in self.layers)


@dataclass(frozen=True, eq=False)
class Diagram:
    """A network as columns of nodes and the weights between them.

    net       the Mlp
    inputs    the inputs' names; outputs: the outputs' names; () for none
    scale     |weight| that is drawn at full strength; None for the network's largest

    If the scene has Units too, their layers stand for the network's layers after its inputs, in order: nodes get their
    colours, and can be hovered and clicked like the buttons. A layer whose number of units differs stays grey.
    """

    net: Mlp
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    scale: float | None = None


@dataclass(frozen=True)
class ListingRow:
    """A row of a Listing; a press on it calls `run`.

    title   a few words
    text    a sentence or two
    run     function without arguments, such as one that goes to a moment
    hover   function called with True when the pointer enters the row, with False when it leaves; or None
    """

    title: str
    text: str
    run: Callable | None = None
    hover: Callable | None = None


@dataclass(frozen=True)
class Listing:
    """Rows under a heading of their own in the panel.

    title   of the heading: `Findings`
    rows    ListingRows
    empty   the text shown if there are no rows
    """

    title: str
    rows: tuple[ListingRow, ...]
    empty: str = "none"
