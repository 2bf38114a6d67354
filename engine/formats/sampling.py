"""Resizing along one axis as a matrix: the weight of each old element in each new one.

Source of the coordinates and filters: https://onnx.ai/onnx/operators/onnx__Resize.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Nearest places: which whole number a place is rounded to.
NEAREST: dict[str, Callable] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@dataclass(frozen=True)
class Sampling:
    """How one axis is resized.

    n, m        its length before and after
    scale       of lengths; it need not be m / n
    roi         (start, end) of the part that is cut out and resized, from 0 to 1
    """

    n: int
    m: int
    scale: float
    mode: str
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_ceil"
    roi: tuple[float, float] = (0.0, 1.0)
    a: float = -0.75
    exclude: bool = False
    antialias: bool = False

    def places(self) -> np.ndarray:
        """(m,): where in the input the centre of each new element lies."""
        x, n, m = np.arange(self.m, dtype=float), self.n, self.m
        # Before rounding down to whole elements, as half_pixel_symmetric has it.
        length = self.scale * n
        start, end = self.roi
        match self.coordinates:
            case "half_pixel":
                return (x + 0.5) / self.scale - 0.5
            case "half_pixel_symmetric":
                return (n / 2) * (1 - m / length) + (x + 0.5) / self.scale - 0.5
            case "pytorch_half_pixel":
                return (x + 0.5) / self.scale - 0.5 if length > 1 else np.zeros(m)
            case "align_corners":
                return x * (n - 1) / (length - 1) if length != 1 else np.zeros(m)
            case "asymmetric":
                return x / self.scale
            case "tf_half_pixel_for_nn":
                return (x + 0.5) / self.scale
            case "tf_crop_and_resize":
                if m == 1:
                    return np.full(1, 0.5 * (start + end) * (n - 1))
                return start * (n - 1) + x * (end - start) * (n - 1) / (m - 1)
        raise ValueError(f"coordinate_transformation_mode {self.coordinates}")

    def matrix(self) -> np.ndarray:
        """(m, n) float64: the weight of each old element in each new one."""
        found = np.zeros((self.m, self.n))
        places = self.places()
        rows = np.arange(self.m)
        if self.mode == "nearest":
            at = NEAREST[self.nearest](places)
            found[rows, np.clip(at, 0, self.n - 1).astype(int)] = 1.0
            return found
        stretch = max(1.0 / self.scale, 1.0) if self.antialias else 1.0
        reach = (1 if self.mode == "linear" else 2) * stretch
        count = int(np.ceil(reach)) * 2 + 1
        first = np.floor(places).astype(int) - count // 2
        at = first[:, None] + np.arange(count + 1)
        weights = self._weight((at - places[:, None]) / stretch)
        outside = (at < 0) | (at >= self.n)
        if self.exclude:
            weights = np.where(outside, 0.0, weights)
        weights /= weights.sum(axis=1, keepdims=True)
        np.add.at(found, (rows[:, None], np.clip(at, 0, self.n - 1)), weights)
        return found

    def _weight(self, d):
        """The filter at distances d (Keys 1981 for cubic)."""
        d, a = abs(d), self.a
        if self.mode == "linear":
            return np.maximum(1.0 - d, 0.0)
        near = ((a + 2) * d - (a + 3)) * d * d + 1
        far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
        return np.where(d <= 1, near, np.where(d < 2, far, 0.0))

    def outside(self) -> np.ndarray:
        """(m,): whether a new element lies outside of the input."""
        places = self.places()
        return (places < 0) | (places > self.n - 1)
