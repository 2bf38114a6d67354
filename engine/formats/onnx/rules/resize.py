"""Rules for Resize and Upsample: two matrices, one for rows and one for columns."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from engine.formats.files import short
from engine.formats.onnx.node import OnnxNode, Rules
from engine.formats.sampling import NEAREST, Sampling
from engine.network.graph import nodes
from engine.network.graph.builder import Value

MOST_ENTRIES = 1 << 24  # of one matrix


def _floats(node, i, what):
    value = node.input(i)
    if value is None:
        return None
    array = node.array(i, what)
    return [float(v) for v in array.reshape(-1)] if array.size else None


def _lengths(node, x, axes, scales, sizes):
    """[(scale, new length) of each of the axes]."""
    n = [x.dims[a] for a in axes]
    if sizes is not None:
        if len(sizes) != len(axes):
            raise node.refusal(f"its sizes are {short(sizes)} for {len(axes)} axes")
        how = node.text("keep_aspect_ratio_policy", "stretch")
        ratios = [m / k if k else 1.0 for m, k in zip(sizes, n, strict=True)]
        if how != "stretch":
            one = {"not_larger": min, "not_smaller": max}[how](ratios)
            # Halves are rounded up, as onnx.reference and onnxruntime do.
            return [(one, int(np.floor(one * k + 0.5))) for k in n]
        return [(r, int(m)) for r, m in zip(ratios, sizes, strict=True)]
    if scales is None or len(scales) != len(axes) or not all(0 < s < 1 << 20 for s in scales):
        raise node.refusal(f"its scales are {short(scales)} for {len(axes)} axes")
    return [(s, int(np.floor(np.float32(s) * np.float32(k)))) for s, k in zip(scales, n, strict=True)]


def _resize(node):
    x = node.x
    if node.opset < 11:
        return _scaled(node, x, _floats(node, 1, "scales"), coordinates="asymmetric", nearest="floor")
    axes = node.axes_of(node.numbers("axes", range(x.rank)), x.rank)
    roi = _floats(node, 1, "region")
    sizes = _floats(node, 3, "sizes")
    lengths = _lengths(node, x, axes, _floats(node, 2, "scales"), sizes)
    coordinates = node.text("coordinate_transformation_mode", "half_pixel")
    crop = coordinates == "tf_crop_and_resize"
    if crop and (roi is None or len(roi) != 2 * len(axes)):
        raise node.refusal(f"its region is {short(roi)}; {2 * len(axes)} numbers are needed")
    found = {}
    for i, (axis, (scale, m)) in enumerate(zip(axes, lengths, strict=True)):
        found[axis] = _sampling(
            node, x.dims[axis], m, scale, coordinates=coordinates,
            nearest=node.text("nearest_mode", "round_prefer_floor"),
            roi=(roi[i], roi[len(axes) + i]) if crop and roi else (0.0, 1.0),
        )  # fmt: skip
    return _resized(node, x, found, crop)


def _sampling(node, n, m, scale, *, coordinates, nearest, roi=(0.0, 1.0)):
    mode = {"bilinear": "linear"}.get(how := node.text("mode", "nearest"), how)
    known = "half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric tf_half_pixel_for_nn"
    if mode not in ("nearest", "linear", "cubic") or nearest not in NEAREST:
        raise node.refusal(f"its mode is {short(mode)}, {short(nearest)}; nearest, linear and cubic are known")
    if coordinates not in (*known.split(), "tf_crop_and_resize"):
        raise node.refusal(f"its coordinates are {short(coordinates)}; {', '.join(known.split())} are known")
    if n * m > MOST_ENTRIES or n < 1 or m < 1:
        raise node.refusal(f"it makes {m} of {n} along an axis")
    return Sampling(
        n, m, scale, mode, coordinates, nearest, roi, node.number("cubic_coeff_a", -0.75),
        bool(node.number("exclude_outside", 0)), bool(node.number("antialias", 0)),
    )  # fmt: skip


def _scaled(node, x, scales, *, coordinates, nearest):
    """Of older opsets: scales for every axis."""
    lengths = _lengths(node, x, range(x.rank), scales, None)
    found = {
        axis: _sampling(node, x.dims[axis], m, scale, coordinates=coordinates, nearest=nearest)
        for axis, (scale, m) in enumerate(lengths)
    }
    return _resized(node, x, found, False)


def _upsample(node):
    scales = _floats(node, 1, "scales") if node.input(1) is not None else node.numbers("scales")
    return _scaled(node, node.x, scales, coordinates="asymmetric", nearest="floor")


def _resized(node: OnnxNode, x: Value, samplings: dict[int, Sampling], crop: bool) -> Value:
    """x resized along axes, two at once."""
    matrices = {axis: s.matrix() for axis, s in samplings.items()}
    matrices = {a: m for a, m in matrices.items() if m.shape[0] != m.shape[1] or not np.array_equal(m, np.eye(len(m)))}
    out = {axis: s.outside() for axis, s in samplings.items()} if crop else {}
    if any(o.any() for o in out.values()):
        if node.number("extrapolation_value", 0.0) != 0:
            raise node.refusal("its region reaches out of the image, where it puts a number other than 0")
        for axis, o in out.items():
            if o.any():
                matrices[axis] = np.where(o[:, None], 0.0, samplings[axis].matrix())
    mode = next((s.mode for s in samplings.values()), "linear")
    axes = sorted(matrices)
    for i in range(0, len(axes), 2):
        x = _pair(node, x, axes[i : i + 2], matrices, mode, part="" if i + 2 >= len(axes) else f"axes {i}")
    return x


def _pair(node, x, axes: Sequence[int], matrices, mode, part):
    """x resized along one axis or two."""
    if len(axes) == 1:
        # The other one of a map stays; or another axis, if there is any, for it is there in any case.
        other = {2: 3, 3: 2}.get(axes[0]) if x.rank == 4 else None
        axes = sorted([axes[0], other]) if other is not None else axes
    sides = [matrices[a] if a in matrices else np.eye(x.dims[a]) for a in axes]
    sides = [np.eye(1), *sides] if len(sides) == 1 else sides
    if x.rank == 4 and list(axes) == [2, 3]:
        return node.add(nodes.Resize, x, part=part, rows=sides[0], columns=sides[1], mode=mode)
    rest = [i for i in range(x.rank) if i not in axes]
    order = [*rest, *axes]
    moved = node.transposed(x, order, "order")
    lengths = [x.dims[a] for a in axes]
    lengths = [1, *lengths] if len(lengths) == 1 else lengths
    grid = node.reshaped(moved, (1, prod(x.dims[i] for i in rest), *lengths), "map")
    y = node.add(nodes.Resize, grid, part=part, rows=sides[0], columns=sides[1], mode=mode)
    new = [*(x.dims[i] for i in rest), *(len(side) for side in sides[2 - len(axes) :])]
    return node.transposed(node.reshaped(y, new, "axes"), np.argsort(order).tolist(), "back")


RESIZE: Rules = {"Resize": _resize, "Upsample": _upsample}
