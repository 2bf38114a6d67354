"""What a scene gives a live view besides its settings: a timeline, units, a network's diagram, a list of findings.

They are data and functions to call; how they look is the panel's. A scene is asked for each of them before every frame,
so it keeps what it made: curves, steps and networks that are the same objects as before are not looked at again.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import ShapeError
from engine.network.mlp import Mlp

# How far apart a timeline's snapshots stand: all alike, by their steps, or by the logarithm of their steps.
SPACINGS = ("snapshot", "step", "log")


@dataclass(frozen=True)
class Clock:
    """The time a frame is for. Never the wall's: the same clock gives the same picture.

    time   seconds since the scene began
    step   seconds since the last frame
    """

    time: float = 0.0
    step: float = 0.0


@dataclass(frozen=True)
class Action:
    """Something a person can do to a scene: a button in the panel and, where it has one, a key.

    name    as a command: `randomize`
    doc     one line
    run     a function without arguments
    key     as rendercanvas names it: `n`, `ArrowUp`, ` `
    group   of the panel, see settings.GROUPS
    """

    name: str
    doc: str
    run: Callable
    key: str | None = None
    group: str = "shown"


@dataclass(frozen=True)
class Reading:
    """What lies under the pointer.

    title      `level 0.36`
    rows       (name, text) pairs: position, value, gradient length ...
    position   (3,) world, or None
    """

    title: str
    rows: tuple = ()
    position: tuple | None = None


@dataclass(frozen=True, eq=False)
class TimeCurve:
    """A value at every snapshot of a timeline.

    name     of the run it belongs to
    values   (T,); nan where it is unknown, which leaves a gap
    colour   `#rrggbb`
    wide     True for the curve that is looked at, drawn strong and over the others
    """

    name: str
    values: np.ndarray
    colour: str
    wide: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", np.asarray(self.values, float))


@dataclass(frozen=True, eq=False)
class Timeline:
    """The snapshots a scene's time goes through, drawn as curves over a slider below the picture.

    steps            (T,) whole numbers, rising: what is written along it
    times            (T,) seconds of the scene's time, rising: when each snapshot is first shown
    curves           TimeCurves
    marks            (snapshot, text) pairs: moments to go to
    hint             what is said of the snapshot that is shown; None for its step and the wide curve's value
    spacing          one of SPACINGS
    set_spacing      function of another spacing; None where there is no choice
    log_values       True where values stand at their logarithms
    set_log_values   function of True or False; None where there is no choice
    step_name        what a step is called: `step`, `epoch`
    value_name       what the curves are of
    is_growing       True while more snapshots are being made: at the last one, the view stays with the last

    The time is the view's: a scene shows snapshot `timeline.at(clock.time)`. A scene's `loop` ends after the last time.
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
    """A layer whose units are shown and hidden one by one.

    title    `Layer 1`
    colour   `#rrggbb`
    shown    a bool a unit
    dim      a bool a unit: True for one that does nothing, such as a dead one; () for none
    docs     a text a unit, shown on hover; () for none
    """

    title: str
    colour: str
    shown: tuple[bool, ...]
    dim: tuple[bool, ...] = ()
    docs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("shown", "dim", "docs"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("dim", "docs"):
            if len(getattr(self, name)) not in (0, len(self.shown)):
                raise ShapeError(f"{self.title} has {len(self.shown)} units, but {len(getattr(self, name))} `{name}`.")


@dataclass(frozen=True)
class Units:
    """Which units a scene shows, as buttons.

    layers    UnitLayers, the first nearest to the inputs
    put       function of what is shown from now on: a tuple of bools for each layer
    hover     function of the (layer, unit) under the pointer, from 0, or of None when it has left; None for no function
    hovered   (layer, unit) that the scene marks at the moment, also if the pointer is in the picture; or None
    """

    layers: tuple[UnitLayer, ...]
    put: Callable
    hover: Callable | None = None
    hovered: tuple[int, int] | None = None

    @property
    def shown(self) -> tuple[tuple[bool, ...], ...]:
        """A tuple of bools for each layer."""
        return tuple(layer.shown for layer in self.layers)


@dataclass(frozen=True, eq=False)
class Diagram:
    """A network as columns of nodes and the weights between them.

    net       the Mlp
    inputs    the inputs' names, outputs the outputs'; () for none
    scale     the size of a weight that is drawn at full strength; None for the largest of the network

    Where the scene gives Units too, their layers are the network's after its inputs, in order: the nodes take their
    colours, and can be hovered and clicked as the buttons. A layer with another number of units stays grey.
    """

    net: Mlp
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    scale: float | None = None


@dataclass(frozen=True)
class ListingRow:
    """Something to read, and to go to.

    title   a few words
    text    a sentence or two
    run     function without arguments: goes there
    hover   function of True when the pointer comes over it and of False when it leaves; None for none
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
    empty   said where there are none
    """

    title: str
    rows: tuple[ListingRow, ...]
    empty: str = "none"
