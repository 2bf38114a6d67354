"""What the colours of a random network's field mean: the maps, the values that are darkest and lightest, contrast."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import engine
from engine import RGB, Choice, Number, SettingError, in_group
from scenes.random_networks.network import MovingNetwork

# {last activation: (values shown as black, as white)}; for other activations the range is sampled.
SPANS = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "gaussian": (0.0, 1.0), "tanh": (-1.0, 1.0), "sine": (-1.0, 1.0)}
# Points a side of the square on which the range of values is sampled.
SURVEY = 33
# A step of eight bits, as a part of the range from dark to light.
ONE_STEP = 1.0 / 255.0
# The part of the range of colours below which a picture looks like one colour: ten steps of eight bits.
FLAT = 10 * ONE_STEP


class ColouredField(MovingNetwork):
    """Adds the settings of colours, and the range of values that they are for."""

    x: float
    y: float
    extent: float

    @property
    def kind(self) -> str:
        """`image`, `relief` or `curves`: the kind of picture."""
        raise NotImplementedError

    with in_group("how"):
        colour = engine.Colours(
            [RGB, "grey", *(n for n in engine.map_names() if n != "grey")],
            doc="three neurons as red, green and blue, or one through a map",
        )  # fmt: skip
        span = Choice(
            ["auto", "fixed"], doc="values that are darkest and lightest: what the activation gives, or yours"
        )
        contrast = Choice(
            ["range", "data"], when=lambda s: s.span == "auto",
            doc="colours for all that the activation gives, or stretched over the values in view",
        )  # fmt: skip
        with in_group(when=lambda s: s.span == "fixed"):
            low = Number(0.0, bounds=(-1e9, 1e9), softbounds=(-2, 2), doc="the darkest value")
            high = Number(1.0, bounds=(-1e9, 1e9), softbounds=(-2, 2), doc="the lightest value")

    @property
    def shares(self) -> bool:
        return self.span == "auto"

    def shown(self, net: engine.Mlp) -> tuple[engine.Mlp, tuple[int, ...]]:
        """(the part of a network that is shown, its outputs shown by number)."""
        raise NotImplementedError

    def map_of(self, units: Sequence[int]) -> str:
        """The colour map that is set, unless there are too few neurons for red, green and blue."""
        return self.colour if self.colour != RGB or len(units) == 3 else "viridis"

    def ends(self, part: engine.Mlp, units: Sequence[int]) -> tuple[float, float]:
        """(low, high): the values that are darkest and lightest."""
        if self.shared is not None:
            return self.shared
        if self.span == "fixed":
            if not self.low < self.high:
                raise SettingError(f"low={self.low:g}, high={self.high:g}: low must be below high.")
            return self.low, self.high
        if self.contrast == "data":
            lows, highs = self._in_view()
            return float(lows.min()), float(highs.max())
        named = named_span(part)
        if named:
            return named

        def survey():
            # Sampled on the article's square, with the network at rest, whatever the view and the time: colours do not
            # change while the picture moves.
            points = _grid(np.linspace(-1.0, 1.0, SURVEY))
            rest, units = self.shown(self.network)
            values = rest(self.plane(rest.inputs).inputs(points))[:, list(units)]
            values = values[np.isfinite(values)]
            low, high = np.percentile(values, (1.0, 99.0)) if values.size else (0.0, 1.0)
            return self._wide_enough(float(low), float(high), units)

        key = (self.network, self.layer, self.unit, self.signal, self.colour, self.x_input, self.y_input, self.rest)
        return self.cached("ends", key, survey)

    def colour_ends(self, part: engine.Mlp, units: Sequence[int]) -> tuple[Any, Any]:
        """(low, high) as `ends`; with contrast=data one for each of three neurons."""
        if self.shared is not None or self.span == "fixed" or self.contrast == "range" or len(units) != 3:
            return self.ends(part, units)
        return self._in_view()

    def places(self, at: np.ndarray) -> np.ndarray:
        """(N * N, 2): world, every pair of N parts of the view's sides, from -0.5 to 0.5; of a line for curves."""
        sides = {
            "image": (max(1.0, self.aspect), max(1.0, 1.0 / self.aspect)), "relief": (1.0, 1.0), "curves": (2.0, 0.0)
        }[self.kind]  # fmt: skip
        return np.array((self.x, self.y)) + self.extent * np.array(sides) * _grid(at)

    @property
    def cure_of_range(self) -> str:
        """The settings that take values into the range of colours."""
        if self.span == "fixed":
            return "a lower low or a higher high, or span=auto with contrast=data,"
        fixed = "span=fixed with low and high"
        return fixed if self.contrast == "data" else f"contrast=data, or {fixed},"

    def _in_view(self):
        """(lows, highs): the range of each neuron shown in the picture, the network at rest."""

        def survey():
            rest, units = self.shown(self.network)
            points = self.plane(rest.inputs).inputs(self.places(np.linspace(-0.5, 0.5, SURVEY)))
            values = rest(points)[:, list(units)]
            known = [column[np.isfinite(column)] for column in values.T]
            return np.transpose([self._wide_enough(*finite_range(column), units) for column in known])

        key = (self.network, self.layer, self.unit, self.signal, self.colour, self.x_input, self.y_input, self.rest,
               self.x, self.y, self.extent, self.aspect, self.kind)  # fmt: skip
        return self.cached("in view", key, survey)

    def _wide_enough(self, low, high, units):
        """The ends of colours for a range of values: on both sides of 0 for the diverging map, and never one value."""
        map = self.map_of(units)
        if map != RGB and engine.is_diverging(map):
            high = max(abs(low), abs(high))
            low = -high
        return (low - 0.5, low + 0.5) if high - low <= 1e-12 * max(abs(low), abs(high)) else (low, high)


def named_span(net: engine.Mlp) -> tuple[float, float] | None:
    """The range of values that is usual after a network's last activation, or None."""
    kinds = net.layers[-1].activation.kinds
    return SPANS.get(kinds[0].name) if len(kinds) == 1 else None


def _grid(at):
    """(N * N, 2): every pair of N numbers."""
    return np.stack(np.meshgrid(at, at), -1).reshape(-1, 2)


def finite_range(values: np.ndarray) -> tuple[float, float]:
    """(least, most) of finite values; 0 and 1 without any."""
    return (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)


def without_contrast(values: np.ndarray, low: Any, high: Any) -> tuple[str, float] | None:
    """(what is to be said of values (N, units) that differ by less than FLAT of the range of colours, by how much they
    differ); None where they differ by more."""
    if not np.isfinite(values).all():
        return None
    most = np.ptp(values, axis=0)
    share = float((most / np.subtract(high, low)).max())
    if share >= FLAT:
        return None
    return f"no contrast: the values take {percent_text(share)} of the range of colours", float(most.max())


def percent_text(share: float) -> str:
    """A share as percent, with two digits."""
    percent = min(100.0 * share, 100.0)
    return f"{percent:.0f}%" if percent >= 10.0 else f"{percent:.2g}%"
