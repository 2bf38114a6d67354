"""Training data given to a Recorder: its extent, a network's loss on it, and a picture of it over a plane."""

import numpy as np

from engine.errors import ShapeError
from engine.formats.files import short
from engine.network.history import Domain
from engine.network.mlp import Mlp

# Margin beyond the samples on each side, as a part of their extent.
MARGIN = 0.15
# Pixels along the longer side of the picture of the samples, and the radius of a sample's dot.
PICTURE_SIDE, DOT = 240, 2.3
BACKGROUND = 128
# The most samples that a history keeps.
MOST_KEPT = 2000
# For more than two classes: colours that colour-blind people can tell apart (Okabe and Ito 2008, without black).
CLASS_COLOURS = np.array(
    [(230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)],
    np.uint8,
)


class TrainingSamples:
    """Inputs and their targets.

    data      (N, inputs), any array or tensor
    targets   (N,) whole numbers for classes, (N,) or (N, outputs) numbers for values; or None

    Raises ShapeError for other arrays.
    """

    def __init__(self, data, targets=None):
        self.data = _array(data, "data").astype(float)
        if self.data.ndim == 1:
            self.data = self.data[:, None]
        if self.data.ndim != 2 or 0 in self.data.shape or not np.isfinite(self.data).all():
            raise ShapeError(f"data is an array (samples, inputs) of finite numbers, not {self.data.shape}.")
        self.targets = None if targets is None else _array(targets, "targets")
        if self.targets is not None and (self.targets.ndim not in (1, 2) or len(self.targets) != len(self.data)):
            raise ShapeError(f"targets are {self.targets.shape}, but there are {len(self.data)} samples in data.")

    @property
    def inputs(self) -> int:
        return self.data.shape[1]

    def are_classes(self, outputs: int) -> bool | None:
        """Whether the targets are class numbers for a network with so many outputs; None without targets.

        With one output, that of class 1, they are if all of them are 0 or 1, of any type.
        """
        if self.targets is None:
            return None
        if outputs == 1:
            return bool(np.isin(self.targets, (0, 1)).all())
        return self.targets.size == len(self.data) and self.targets.dtype.kind in "biu"

    def bounds(self, x: int, y: int) -> tuple[np.ndarray, np.ndarray]:
        """(low, high) of inputs x and y with a margin, each (2,)."""
        flat = self.data[:, [x, y] if self.inputs > 1 else [0, 0]]
        low, high = flat.min(axis=0), flat.max(axis=0)
        margin = np.where(high > low, MARGIN * (high - low), 0.5)
        return low - margin, high + margin

    def loss(self, net: Mlp, task: str) -> float:
        """The mean cross-entropy or squared error of an Mlp over the samples; nan without targets."""
        if self.targets is None:
            return np.nan
        answers = net(self.data)
        if task == "values":
            return float(np.mean((answers - self.targets.reshape(len(self.data), -1)) ** 2))
        right = np.arange(len(self.data)), self.targets.reshape(-1).astype(int)
        if str(net.layers[-1].activation) == "softmax":
            return float(-np.log(np.maximum(answers[right], np.finfo(float).tiny)).mean())
        most = answers.max(axis=1)
        return float((most + np.log(np.exp(answers - most[:, None]).sum(axis=1)) - answers[right]).mean())

    def check(self, outputs: int, task: str) -> None:
        """Raises ShapeError where the targets do not fit a network of so many outputs."""
        if self.targets is None:
            return
        if task == "classes":
            if self.targets.size != len(self.data):
                raise ShapeError(f"targets are {self.targets.shape}; of classes there is one number a sample.")
            low, high = self.targets.min(), self.targets.max()
            if low < 0 or high >= outputs:
                raise ShapeError(f"targets are classes from {low} to {high}, but the network has {outputs} outputs.")
        elif self.targets.reshape(len(self.data), -1).shape[1] != outputs:
            raise ShapeError(f"targets are {self.targets.shape}, but the network has {outputs} outputs.")

    def kept(self, task: str, outputs: int) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
        """(samples (N, inputs), wanted (N,) or (N, outputs)) for a history; (None, None) without targets.

        At most MOST_KEPT, spread evenly through the data.
        """
        if self.targets is None:
            return None, None
        some = np.unique(np.linspace(0, len(self.data) - 1, min(len(self.data), MOST_KEPT)).astype(int))
        return self.data[some], self.targets.reshape(len(self.data), -1 if task == "values" else 1)[some].reshape(
            (len(some),) if task == "classes" else (len(some), outputs)
        )

    def picture(self, domain: Domain, task: str) -> np.ndarray | None:
        """The samples as dots on grey, over the domain: (H, W) or (H, W, 3) uint8; None without targets.

        Two classes are black and white; more have colours. Values go from black (the least) to white, three of them
        within [0, 1] are a colour. Samples of more than two inputs are projected on the plane.
        """
        if self.targets is None:
            return None
        extent = domain.high - domain.low
        width, height = np.maximum(1, np.rint(PICTURE_SIDE * extent / extent.max()).astype(int))
        at = (domain.world(self.data) - domain.low) / extent
        column, row = np.floor(at[:, 0] * width), np.floor((1 - at[:, 1]) * height)
        colours = self._colours(self.targets, task)
        picture = np.full((height, width, *colours.shape[1:]), BACKGROUND, np.uint8)
        reach = int(DOT)
        for down in range(-reach, reach + 1):
            for aside in range(-reach, reach + 1):
                if np.hypot(down, aside) <= DOT:
                    r, c = row + down, column + aside
                    seen = (r >= 0) & (r < height) & (c >= 0) & (c < width)
                    picture[r[seen].astype(int), c[seen].astype(int)] = colours[seen]
        return picture

    def _colours(self, targets, task):
        """(N,) or (N, 3) uint8."""
        if task == "classes":
            number = targets.reshape(-1).astype(int)
            if number.max() < 2:
                return np.where(number == 1, 255, 0).astype(np.uint8)
            return CLASS_COLOURS[number % len(CLASS_COLOURS)]
        values = targets.reshape(len(self.data), -1).astype(float)
        if values.shape[1] == 3 and values.min() >= 0 and values.max() <= 1:
            return np.rint(values * 255).astype(np.uint8)
        values = values[:, 0] - values[:, 0].min()
        return np.rint(values * (255 / max(values.max(), np.finfo(float).tiny))).astype(np.uint8)


def _array(values, name):
    """A user's array, or tensor on any device, as a numpy array."""
    try:
        if hasattr(values, "detach"):
            values = values.detach().cpu()
        array = np.asarray(values)
    except Exception as error:  # the object's own conversion may raise anything
        raise ShapeError(f"{name} cannot be read as an array: {short(error)}") from None
    if array.dtype.kind not in "biuf":
        raise ShapeError(f"{name} must be numbers, not {array.dtype}.")
    return array
