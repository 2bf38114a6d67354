"""Bounds of a network's output along pieces of rays, as the search for crossings computes them on the GPU."""

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.bounds.budget import is_shallow
from engine.codegen.mlp.layout import upload, weights_binding
from engine.errors import SettingError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel
from engine.gpu.structs import struct
from engine.kept import kept
from engine.kernels.product import VEC4
from engine.kernels.rays import check_rays, reach_of
from engine.kernels.search.arrays import ray_array, workgroups
from engine.kernels.search.fused import search_modules
from engine.kernels.search.layered import Layered
from engine.network.mlp import Mlp, Shape
from engine.network.parts import observed

ENCLOSING = struct("Enclosing", pieces="u32", places="u32", length="f32")


@kept
def kernel(shape: Shape) -> Kernel:
    """The Kernel for a Shape with one layer of activations; compiled at the first call."""
    names = (
        weights_binding(shape),
        Binding("enclosing", "uniform", ENCLOSING),
        Binding("pieces", "read", "array<vec4f>"),
        Binding("bounds", "write", "array<vec2f>"),
    )
    search = search_modules(shape)
    return Kernel.of("kernels/enclosure", names, network=search["network"], enclosure=search["enclosure"])


def enclose(
    net: Mlp,
    origins: ArrayLike,
    directions: ArrayLike,
    starts: ArrayLike,
    ends: ArrayLike,
    *,
    places: int = 9,
    output: int = 0,
    variant: str | None = None,
) -> np.ndarray:
    """Bounds of the network's output at points of pieces of rays.

    net          an Mlp with three inputs
    origins      (N, 3), world; directions (N, 3), of length 1
    starts       (N,), ends (N,): the pieces, as distances from the origin in world units, 0 <= start <= end
    places       how many points of each piece, from its start to its end evenly; at least 2
    variant      of Layered, for networks of more than one layer of activations
    returns      (N, places, 2) float32: two bounds, between which the exact output lies

    Raises what `check_rays` raises, and SettingError for pieces that end before they start or fewer places than 2.
    """
    o, d, end = check_rays(origins, directions, ends)
    start = np.broadcast_to(np.asarray(starts, np.float32), end.shape)
    if (start < 0).any() or (end < start).any() or places < 2:
        raise SettingError("Each piece of a ray needs 0 <= start <= end, and at least 2 places to be bounded at.")
    net = observed(net, output)
    count = len(o)
    if count == 0:
        return np.zeros((0, places, 2), np.float32)
    pieces = ray_array(o, d, start)
    pieces[:, 1, 3] = end
    given, bounds = Array.of(pieces.reshape(-1, 4)), Array("f4", count * places * 2)
    enclosing = ENCLOSING.new(pieces=count, places=places, length=float(end.max()))
    if is_shallow(net.shape):
        kernel(net.shape).run(workgroups(count), weights=upload(net), enclosing=enclosing, pieces=given, bounds=bounds)
    else:
        layered = Layered(net, variant=variant)
        layered.within(reach_of(o, d, end))
        _layered(layered, given, enclosing, bounds, count)
    return bounds.read().reshape(count, places, 2)


def _layered(layered, pieces, enclosing, bounds, count):
    found = Array(VEC4, 2 * count)
    with device().recording() as encoder:
        layered.record(encoder, pieces, found, count)
        _places_kernel().prepared(workgroups(count), enclosing=enclosing, found=found, bounds=bounds).record(encoder)


@kept
def _places_kernel():
    bindings = (
        Binding("enclosing", "uniform", ENCLOSING),
        Binding("found", "read", "array<vec4f>"),
        Binding("bounds", "write", "array<vec2f>"),
    )
    return Kernel.of("kernels/enclosure_layered", bindings)
