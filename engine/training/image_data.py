"""An image as training data: every pixel is a sample, its place the input, its colour or class the target."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.diagnostics import log
from engine.errors import SettingError, ShapeError
from engine.formats.files import short
from engine.formats.image import from_png as from_png
from engine.formats.image import load, of_image
from engine.formats.image import to_png as to_png
from engine.network.history import TASKS, Domain
from engine.network.preprocess import white_of

# This name, given in place of a file, stands for the built-in image of `bottle()`.
BOTTLE = "bottle"
SIDE = 200
# Two million samples at most: with more, a step over all data takes seconds, and no screen shows a larger square.
SIDE_MIN, SIDE_MAX = 4, 1448
# Weights of red, green and blue in grey (Rec. 601), as most programs use.
GREY = np.array([0.299, 0.587, 0.114])
# How far rounding may move the mean of equal greys from that grey, in units of 1 / 255.
ROUNDING = 1e-6
# Bytes of a large image's rows, as float64, that are processed at once.
BAND_BYTES = 8 << 20


@dataclass(frozen=True, eq=False)
class ImageData:
    """Samples from an image.

    points      (N, 2) float32, inputs: (row / side, column / side), side the larger of height and width; row by row
    targets     classes: (N,) int64, 0 black and 1 white; values: (N, outputs) float32 in [0, 1]
    target      the targets as an image, (H, W) or (H, W, 3) uint8, row 0 on top; two levels for classes
    domain      Domain.image(H, W)
    task        `classes` or `values`
    outputs     how many a network needs: 2 for classes, 1 for grey, 3 for colour
    name        where it came from
    threshold   classes: the grey in [0, 1] above which a pixel is white, else None
    """

    points: np.ndarray
    targets: np.ndarray
    target: np.ndarray
    domain: Domain
    task: str
    outputs: int
    name: str
    threshold: float | None = None

    @classmethod
    def from_image(
        cls,
        source: Any,
        *,
        task: str = "classes",
        colour: bool = False,
        side: int = SIDE,
        threshold: float | str | None = None,
        white: int | None = None,
    ) -> ImageData:
        """The samples of an image.

        source      a path; `bottle` for the drawn one; an array (H, W), (H, W, 3) or (H, W, 4) of bool, uint8, uint16
                    or floats in [0, 1]; or a PIL image. It is rotated as its EXIF says, and laid over white
        task        `classes`: black or white; `values`: grey, or with colour its three channels
        side        pixels of the longer side; larger images are averaged down by area, smaller ones are kept
        threshold   classes: the grey in [0, 1] above which a pixel is white; `otsu`: the level between two groups of
                    greys (Otsu 1979); None: `otsu`, but midway where the image has two levels only
        white       the value of white in an image of 16 bits; None: found, and said in the log, where few bits are used

        Raises FileError for a bad file, ShapeError for a bad array, SettingError for a bad setting or a single class.
        """
        if task not in TASKS:
            raise SettingError(f"task={short(task)}: it takes {' or '.join(TASKS)}.")
        if colour and task == "classes":
            raise SettingError("colour=True: classes are made from greys. Take task='values' for colours.")
        side = _checked_side(side)
        threshold = checked_threshold(threshold)
        name, pixels = _pixels(source, side)
        image = _reduced(pixels, side)
        most, remark = white_of(_whole(image, pixels.dtype), white)
        if remark:
            log.warning("%s: %s.", name, remark)
        two = _two_levels(pixels, most) if task == "classes" and threshold is None else None
        image = _scaled(image, most)
        height, width = image.shape[:2]
        grey = image if image.ndim == 2 else image @ GREY
        parts = {"domain": Domain.image(height, width), "points": _places(height, width), "name": name, "task": task}
        if task == "values":
            target = _bytes(image if colour else grey)
            if colour and target.ndim == 2:
                target = np.repeat(target[..., None], 3, axis=2)
            targets = (target.reshape(height * width, -1) / np.float32(255)).astype(np.float32)
            return cls(targets=targets, target=target, outputs=targets.shape[1], **parts)
        level = _level(threshold, two, grey)
        is_white = grey > level * 255 + ROUNDING
        if is_white.all() or not is_white.any():
            low, mean, high = (f"{value / 255:.3g}" for value in (grey.min(), grey.mean(), grey.max()))
            if np.ptp(grey) < 1 / 2:
                raise SettingError(f"{name} is one grey everywhere ({mean}): there is nothing to learn.")
            raise SettingError(
                f"{name} is {'white' if is_white.all() else 'black'} everywhere at the threshold {level:.3g}, so there "
                f"is nothing to tell apart. Its greys are from {low} to {high}."
            )
        target = np.where(is_white, 255, 0).astype(np.uint8)
        return cls(targets=is_white.ravel().astype(np.int64), target=target, outputs=2, threshold=level, **parts)


def bottle(side: int = SIDE) -> np.ndarray:
    """A black bottle on white with a white diamond label, a thin black diamond in it; (side, side) uint8, 0 or 255.

    Symmetric. Proportions are ours, after the image of GINN (Darlow and Storkey 2018): half as wide as it is high,
    label and line in the middle of the body.
    """
    at = (np.arange(side) + 0.5) / side
    aside, down = np.abs(at - 0.5)[None, :], at[:, None]

    def box(half, top, bottom, corner):
        """Pixels within `half` of the vertical axis, from top to bottom, with round corners."""
        beyond = np.abs(down - (top + bottom) / 2) - (bottom - top) / 2 + corner
        return np.hypot(np.maximum(aside - half + corner, 0), np.maximum(beyond, 0)) < corner

    cap = box(0.092, 0.03, 0.12, 0.012)
    slope = np.clip((down - 0.26) / 0.2, 0, 1)
    slope = slope * slope * (3 - 2 * slope)
    neck_and_shoulders = (aside < 0.068 + (0.25 - 0.068) * slope) & (down > 0.11) & (down < 0.6)
    body = box(0.25, 0.4, 0.97, 0.035) & (down > 0.46)
    diamond = aside / 0.175 + np.abs(down - 0.715) / 0.2
    white = (diamond < 0.7) | ((diamond > 0.8) & (diamond < 1))
    return np.where((cap | neck_and_shoulders | body) & ~white, 0, 255).astype(np.uint8)


def shrunk(source: Any, side: int = SIDE) -> np.ndarray:
    """An image, given as to `from_image`, with at most `side` pixels a side: (H, W) or (H, W, 3).

    uint8, or uint16 of more bits, with white where engine.network.preprocess.white_of says.
    """
    pixels = _pixels(source, _checked_side(side))[1]
    return _whole(_reduced(pixels, side), pixels.dtype)


def otsu(counts: np.ndarray) -> float:
    """The level from 0 to 255 between the two groups of greys whose means differ most, weighted by their sizes.

    counts   (256,), how many pixels have each grey
    If several levels are equally good, the middle one. Otsu 1979, equation 18.
    """
    share = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * np.arange(256.0)) / counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where((share > 0) & (share < 1), (mean[-1] * share - mean) ** 2 / (share * (1 - share)), 0.0)
    # Sums over up to 1e8 pixels, in float64: equal ones differ by less than 1e-9 of the greatest.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(best.mean()) + 0.5


def checked_threshold(threshold: float | str | None) -> float | str | None:
    """The threshold as a float in [0, 1], `otsu` or None. Raises SettingError for anything else."""
    if threshold is None:
        return None
    if isinstance(threshold, str) and threshold.strip().lower() == "otsu":
        return "otsu"
    try:
        value = float(threshold)
    except (TypeError, ValueError):
        value = float("nan")
    if not 0 <= value <= 1:  # true for nan too
        raise SettingError(f"threshold={short(threshold)}: it takes a grey from 0 (black) to 1 (white), or otsu.")
    return value


def _checked_side(side):
    if isinstance(side, bool) or not isinstance(side, int | np.integer) or not SIDE_MIN <= side <= SIDE_MAX:
        raise SettingError(f"side={short(side)}: it takes a whole number of pixels from {SIDE_MIN} to {SIDE_MAX}.")
    return int(side)


def _pixels(source, side):
    """(name, Pixels or an array (H, W) or (H, W, 3), uint8 or uint16) of an image given in any form."""
    if isinstance(source, str) and source.strip() == BOTTLE:
        return BOTTLE, bottle(side)
    if isinstance(source, str | os.PathLike):
        return short(os.path.basename(source)), load(source, side)
    if hasattr(source, "getbands"):
        return "the image", of_image(source, "The image")
    return "the array", _from_array(source)


def _from_array(source):
    """A user's array as uint8 or uint16."""
    try:
        array = np.asarray(source)
    except Exception as error:  # the object's own conversion may raise anything
        raise ShapeError(f"An object of type {type(source).__name__} is no image: {short(error)}") from None
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or 0 in array.shape or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ShapeError(f"An image is an array (H, W), (H, W, 3) or (H, W, 4), not {array.shape}.")
    if array.dtype == bool:
        return np.where(array, 255, 0).astype(np.uint8)
    kind = np.uint16 if array.dtype == np.uint16 else np.uint8
    if array.dtype.kind == "f":
        if not ((array >= 0) & (array <= 1)).all():
            raise ShapeError("An image of floats has values from 0 to 1. Divide these by their largest.")
        array = array * 255.0
    elif array.dtype != kind:
        raise ShapeError(f"An image is an array of bool, uint8, uint16 or floats, not {array.dtype}.")
    if array.ndim == 3 and array.shape[2] == 4:
        white = np.iinfo(kind).max
        alpha = array[:, :, 3:] / white
        array = array[:, :, :3] * alpha + white * (1.0 - alpha)
    return _whole(array, kind)


def _whole(array, kind):
    return array if array.dtype == kind else np.rint(array).astype(kind)


def _bytes(array):
    return _whole(array, np.uint8)


def _scaled(image: np.ndarray, white: int) -> np.ndarray:
    """An image with white at 255."""
    return image if white == 255 else np.minimum(image * (255.0 / white), 255.0)


def _bands(height, width):
    """(first, last) rows of each band of an image."""
    rows = max(1, BAND_BYTES // (24 * width))
    return [(top, min(height, top + rows)) for top in range(0, height, rows)]


def _two_levels(image, white):
    """The greys of an image that has at most two, else None."""
    seen = np.zeros(256, bool)
    for top, bottom in _bands(*image.shape[:2]):
        band = _bytes(_scaled(image[top:bottom], white))
        seen[np.unique(band if band.ndim == 2 else _bytes(band @ GREY))] = True
        if seen.sum() > 2:
            return None
    return np.flatnonzero(seen)


def _reduced(image, side):
    """The image by area averaging as float64, at most side long."""
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    bands = (_averaged(image, rows, *band).swapaxes(0, 1) for band in _bands(rows, width * -(-height // rows)))
    return np.concatenate([_averaged(band, columns, 0, columns).swapaxes(0, 1) for band in bands])


def _averaged(values, count, begin, stop):
    """The means of pieces `begin` to `stop` of `count` equal ones along the first axis, (stop - begin, ...) float64.

    A value in two pieces counts in each by its share.
    """
    length = len(values)
    if count == length:
        return values[begin:stop].astype(float)
    before = begin * length // count
    values = values[before : -(-stop * length // count)]
    means = np.empty((stop - begin, *values.shape[1:]))
    for k in range(begin, stop):
        # Places in units of 1 / count of a value are whole numbers, so that edges of pieces are exact.
        first, last = k * length, (k + 1) * length
        whole, end = -(-first // count), last // count
        total = values[whole - before : end - before].sum(axis=0, dtype=float)
        if whole * count > first:
            total += values[whole - 1 - before] * ((whole * count - first) / count)
        if end * count < last:
            total += values[end - before] * ((last - end * count) / count)
        means[k - begin] = total * (count / length)
    return means


def _places(height, width):
    """(N, 2) float32: (row / side, column / side) of each pixel, row by row."""
    rows, columns = np.indices((height, width))
    return (np.stack([rows.ravel(), columns.ravel()], axis=1) / max(height, width)).astype(np.float32)


def _level(threshold, two, grey):
    """The grey in [0, 1] above which a pixel is white; two: the greys of an image that has only two, or None."""
    if isinstance(threshold, float):
        return threshold
    if two is not None:
        # A pixel that is half of each grey is on the edge.
        return float(two.mean()) / 255
    return otsu(np.bincount(_bytes(grey).ravel(), minlength=256)) / 255
