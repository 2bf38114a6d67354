"""What a node of an ONNX graph of a convolutional network takes: a Wire of the image, or constant floats."""

from engine.formats.files import told
from engine.formats.onnx.values import Constant
from engine.formats.sketch import Wire


def wire(node, map_=False):
    """The Wire a node works on first; map_: it must be a map (C, H, W)."""
    x = node.required(1)[0]
    if not isinstance(x, Wire):
        raise node.refusal("it works on a constant; simplify the file (onnxsim, or export with constant folding)")
    if map_ and len(x.dims) != 3:
        raise node.refusal(f"it needs a map (C, H, W), but {x.dims} comes")
    return x


def constant(node, i, what, *, axes=None):
    """The array of input i, which must be constant floats; None if it is left out."""
    x = node.input(i)
    if x is None:
        return None
    if not isinstance(x, Constant):
        raise node.refusal(f"its {what} are computed from the image; constant ones are accepted")
    if x.array.dtype.kind != "f":
        raise node.refusal(f"its {what} are {x.array.dtype}; floats are accepted")
    if axes is not None and x.array.ndim != axes:
        raise node.refusal(f"its {what} are {told(x.array.shape)}; {axes} axes are accepted, images having two")
    return x.array
