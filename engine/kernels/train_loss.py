"""The loss of networks over all data: outputs and sums on the GPU, the last few numbers added in float64."""

import numpy as np
from numpy.typing import ArrayLike

from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.field import Field, groups_of
from engine.network.history import unflat
from engine.network.mlp import Shape

LOSS = struct("Loss", count="u32", outputs="u32", stride="u32", first="u32", slot="u32")
BINDINGS = (
    Binding("loss", "uniform", LOSS),
    Binding("outputs", "read", "array<vec4f>"),
    Binding("targets", "read", "array<f32>"),
    Binding("sums", "write", "array<f32>"),
)
WORKGROUP = 64
# How many sums of a network are read back, each over every STRIDE-th point: of 40,000 points a sum adds 20, so that
# its roundings stay below 20 halves of an ulp; float64 adds the sums.
STRIDE = 2048
# Networks whose sums are read at once.
TOGETHER = 64


class Losses:
    """Computes losses of networks of one shape over the same data, which stay on the GPU.

    task      "classes": softmax cross-entropy of the outputs, "values": their mean squared error
    points    (N, inputs)
    targets   (N,) classes, or (N, outputs) values
    """

    def __init__(self, shape: Shape, task: str, points: np.ndarray, targets: ArrayLike):
        self.shape, self.count = shape, len(points)
        self._kernel = _kernel(task == "classes")
        self._targets = Array.of(np.asarray(targets, np.float32))
        padded = np.zeros((len(points), groups_of(shape.sizes[0]) * 4), np.float32)
        padded[:, : shape.sizes[0]] = points
        self._padded = padded
        self._field: Field | None = None

    def __call__(self, flats: ArrayLike) -> np.ndarray:
        """(R,) float64: the loss of each of (R, P) weights, nan where some are not finite."""
        weights = np.asarray(flats, np.float32)
        found = np.full(len(weights), np.nan)
        good = np.flatnonzero(np.isfinite(weights).all(axis=1))
        for at in range(0, len(good), TOGETHER):
            some = good[at : at + TOGETHER]
            found[some] = self._some(weights[some])
        return found

    def _some(self, flats):
        for number, weights in enumerate(flats):
            net = unflat(self.shape, weights)
            field = self._prepared(net)
            field.show(net)
            for part, (rows, points) in enumerate(zip(self._parts, self._points, strict=True)):
                count, outputs = rows.stop - rows.start, self.shape.sizes[-1]
                values = field.run(points, count)
                loss = LOSS.new(
                    count=count, outputs=outputs, stride=groups_of(outputs), first=rows.start,
                    slot=number * self._room + part * STRIDE,
                )  # fmt: skip
                self._kernel.run(STRIDE // WORKGROUP, loss=loss, outputs=values, targets=self._targets, sums=self._sums)
        sums = self._sums.read(len(flats) * self._room).reshape(len(flats), -1)
        return sums.astype(float).sum(axis=1) / self.count

    def _prepared(self, net):
        """The Field that all networks share, and its arrays, made for the first network."""
        if self._field is None:
            self._field = Field(net, "batched")
            self._parts = self._field.parts(self.count)
            self._points = [Array.of(self._padded[rows]) for rows in self._parts]
            self._room = STRIDE * len(self._parts)
            self._sums = Array("f4", TOGETHER * self._room)
        return self._field


@kept
def _kernel(classes):
    constants = {"STRIDE": STRIDE, "CLASSES": classes}
    return Kernel.of("kernels/train_loss", BINDINGS, constants=constants)
