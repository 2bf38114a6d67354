"""Prepares photos for a convolutional network: resizes them, then orders and normalises the channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.errors import NetworkError, ShapeError, near

ORDERS = {"rgb": 3, "bgr": 3, "grey": 1}
RESIZES = ("crop", "stretch")

# Weights of red, green and blue in grey by ITU-R BT.601, as in Pillow's mode "L" and OpenCV.
LUMA = (0.299, 0.587, 0.114)

# Mean and deviation of ImageNet's channels, with white as 1, as used in training torchvision's networks.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The mean red, green and blue of ILSVRC-2012, with white as 255, which networks made with Caffe subtract.
CAFFE_MEAN = (122.678914, 116.668768, 104.006988)


# The greatest value of 16 bits, and the bits that scanners and cameras have of them.
DEEP, DEPTHS = 65535, (8, 10, 12, 14)
# With up to so many bits a picture would be nearly black; with more it is only dark, which may be meant.
FOUND_BITS = 12


@dataclass(frozen=True)
class Preprocess:
    """(scale x - mean) / std of each channel, x between 0 and 1.

    size     (H, W) of the network's input
    mean     of each channel in the input's order, so blue first if order is "bgr"
    std      likewise; above 0
    scale    the value of white before the mean is subtracted: 255 or 1
    order    "rgb", "bgr" or "grey" (one channel)
    resize   "crop": scaled until the short side fits, and the middle is cut out; "stretch": both sides scaled to fit
    """

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = 1.0
    order: str = "rgb"
    resize: str = "crop"

    def __post_init__(self):
        for what, value, known in (("order", self.order, ORDERS), ("resize", self.resize, RESIZES)):
            if value not in known:
                raise NetworkError(f"A preprocess has the {what} `{value}`; it may be {', '.join(known)}.")
        for what, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != ORDERS[self.order] or not np.isfinite(values).all():
                wanted = ORDERS[self.order]
                raise NetworkError(
                    f"A preprocess has the {what} {tuple(values)}; order {self.order} needs {wanted} finite numbers."
                )
        if min(self.std) <= 0 or not 0 < self.scale < np.inf:
            raise NetworkError(f"A preprocess has std {self.std} and scale {self.scale}; they must be above 0.")

    def __call__(self, photo):
        """The network's input for a photo that has the input's size.

        photo    (H, W, 3), red first; uint8, or floats from 0 to 1
        returns  (channels, H, W) float32
        Raises ShapeError for another size; `fit` resizes photos.
        """
        photo = np.asarray(photo)
        if photo.shape != (*self.size, 3):
            raise ShapeError(f"A photo is {photo.shape}, but this network's input needs {(*self.size, 3)}.")
        x = photo / 255.0 if photo.dtype == np.uint8 else photo.astype(float)
        x = {"rgb": lambda: x, "bgr": lambda: x[..., ::-1], "grey": lambda: x @ np.array(LUMA)[:, None]}[self.order]()
        x = (self.scale * x - np.array(self.mean)) / np.array(self.std)
        return np.ascontiguousarray(x.transpose(2, 0, 1), np.float32)

    def shown(self, photo: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8: a photo, uint8 or floats from 0 to 1, as the network sees it: in grey if it sees greys."""
        shown = photo if photo.dtype == np.uint8 else np.rint(photo * 255.0).astype(np.uint8)
        if self.order != "grey":
            return shown
        return np.repeat(np.rint(shown @ np.array(LUMA))[..., None], 3, axis=2).astype(np.uint8)

    def sized(self, size: tuple[int, int]) -> Preprocess:
        """A copy for an input of another size (H, W)."""
        rows, columns = size
        return replace(self, size=(rows, columns))


# {name: (mean and std of red, green and blue, value of white, order)} of usual networks.
PREPROCESSES = {
    "imagenet": (IMAGENET_MEAN, IMAGENET_STD, 1.0, "rgb"),
    "caffe": (CAFFE_MEAN, (1.0,) * 3, 255.0, "bgr"),
    "caffe-rgb": (CAFFE_MEAN, (1.0,) * 3, 255.0, "rgb"),
    "0..1": ((0.0,) * 3, (1.0,) * 3, 1.0, "rgb"),
    "-1..1": ((0.5,) * 3, (0.5,) * 3, 1.0, "rgb"),
    "0..255": ((0.0,) * 3, (1.0,) * 3, 255.0, "rgb"),
}


def usual(name: str, shape: Sequence[int]) -> Preprocess:
    """The Preprocess with a name of PREPROCESSES, for an input (C, H, W) of three channels or one.

    For a grey input the means of the three channels' mean and std are used.
    Raises NetworkError for an unknown name, and for an input that is not a photo.
    """
    if name not in PREPROCESSES:
        raise NetworkError(near(name, PREPROCESSES, noun="preprocess"))
    channels, rows, columns = shape
    mean, std, scale, order = PREPROCESSES[name]
    if channels == 1:
        return Preprocess((rows, columns), (float(np.mean(mean)),), (float(np.mean(std)),), scale, "grey")
    if channels != 3:
        raise NetworkError(f"The input is {tuple(shape)}; a photo has three channels, or one in grey.")
    direction = -1 if order == "bgr" else 1
    return Preprocess((rows, columns), mean[::direction], std[::direction], scale, order)


def white_of(photo: np.ndarray, given: int | None = None) -> tuple[int, str | None]:
    """(the value of white in a photo, uint8 or uint16; a remark on it, or None).

    given   of uint16, the value of white; None or 0: found from the greatest value, since many files of 16 bits hold 12
    """
    if photo.dtype != np.uint16:
        return 255, None
    most = int(photo.max())
    bits = next((bits for bits in DEPTHS if most < 1 << bits), 16)
    if given or bits == 16:
        return given or DEEP, None
    white, reach = (1 << bits) - 1, f"the picture has 16 bits, but no value above {most:,}"
    if bits <= FOUND_BITS:
        return white, f"{reach}: white is taken to be {white:,} ({bits} bits); white={DEEP} takes it as it is"
    return DEEP, f"{reach}: it is taken as it is, dark; white={white} takes it as one of {bits} bits"


def fit(photo: np.ndarray, size: Sequence[int], resize: str = "crop", white: int | None = None) -> np.ndarray:
    """(H, W, 3): a photo resized; uint8, or of 16 bits floats from 0 to 1.

    photo    (h, w) or (h, w, 3) uint8 or uint16
    size     (H, W)
    white    of uint16: see `white_of`
    resize   "crop": scaled until it covers the size, then its middle; "stretch": each side scaled to fit

    When reduced, each pixel is the mean of the area it covers; when enlarged, it is interpolated.
    """
    photo = np.asarray(photo)
    is_image = photo.ndim in (2, 3) and 0 not in photo.shape and photo.shape[2:] in ((), (3,))
    if photo.dtype not in (np.uint8, np.uint16) or not is_image:
        raise ShapeError(f"A photo is (h, w) or (h, w, 3) uint8 or uint16, not {photo.shape} {photo.dtype}.")
    whole = photo.astype(float) if photo.ndim == 3 else np.repeat(photo[..., None].astype(float), 3, axis=2)
    spans = [(0.0, float(n)) for n in photo.shape[:2]]
    if resize == "crop":
        scale = min(n / wanted for n, wanted in zip(photo.shape[:2], size, strict=True))
        spans = [
            ((n - scale * wanted) / 2, (n + scale * wanted) / 2)
            for n, wanted in zip(photo.shape[:2], size, strict=True)
        ]
    rows = _resampled(whole, *spans[0], size[0])
    both = _resampled(rows.swapaxes(0, 1), *spans[1], size[1]).swapaxes(0, 1)
    if photo.dtype == np.uint16:
        return np.clip(both / white_of(photo, white)[0], 0.0, 1.0)
    return np.clip(np.rint(both), 0, 255).astype(np.uint8)


def _resampled(values, start, end, count):
    """`count` values along the first axis, resampled from the range `start` to `end`, in elements."""
    step = (end - start) / count
    if step <= 1.0:
        middles = np.clip(start + step * (np.arange(count) + 0.5) - 0.5, 0, len(values) - 1)
        low = np.minimum(middles.astype(int), max(len(values) - 2, 0))
        part = (middles - low).reshape(-1, *[1] * (values.ndim - 1))
        return values[low] * (1 - part) + values[np.minimum(low + 1, len(values) - 1)] * part
    edges = np.clip(start + step * np.arange(count + 1), 0, len(values))
    # Cumulative sums: a mean is a difference of two.
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    whole = np.minimum(edges.astype(int), len(values) - 1)
    part = (edges - whole).reshape(-1, *[1] * (values.ndim - 1))
    at = sums[whole] + part * values[whole]
    return np.diff(at, axis=0) / step
