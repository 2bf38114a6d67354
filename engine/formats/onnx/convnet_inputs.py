"""What a node of an ONNX graph of a convolutional network takes: a Wire of the image, or constants."""

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.graph import Constant, OnnxNode
from engine.formats.sketch import Wire

MAX_SHAPE = 16  # numbers in what can be a shape


def wire(node: OnnxNode, map_: bool = False) -> Wire:
    """The Wire a node works on first; map_: it must be a map (C, H, W)."""
    x = node.variable()
    if map_ and len(x.dims) != 3:
        raise node.refusal(f"it needs a map (C, H, W), but {x.dims} comes")
    return x


def constant(node: OnnxNode, i: int, what: str, *, axes: int | None = None) -> np.ndarray | None:
    """The array of input i, which must be constant floats; None if it is left out."""
    x = node.input(i)
    if x is None:
        return None
    if not isinstance(x, Constant):
        raise node.refusal(f"its {what} are computed from the image; constant ones are accepted")
    if x.array.dtype.kind != "f":
        raise node.refusal(f"its {what} are {x.array.dtype}; floats are accepted")
    if axes is not None and x.array.ndim != axes:
        raise node.refusal(f"its {what} are {short(x.array.shape)}; {axes} axes are accepted, images having two")
    return x.array


def short_list(node: OnnxNode, i: int, what: str) -> list[int] | None:
    """Input i as at most MAX_SHAPE whole numbers, which must be constant; None if it is left out."""
    x = node.input(i)
    if x is None:
        return None
    if not isinstance(x, Constant) or x.array.dtype.kind not in "iu" or x.array.size > MAX_SHAPE:
        raise node.refusal(f"its {what} are not a short list of constants")
    return [int(n) for n in x.array.reshape(-1)]
