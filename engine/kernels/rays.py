"""Where rays cross a network's level sets, none skipped: the first crossings along each, front to back, on the GPU."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.bounds import budget
from engine.codegen.bounds.enclosure import enclosure_module
from engine.codegen.mlp.arithmetics import LINE, PLAIN, Arithmetic
from engine.codegen.mlp.layout import upload, weights_binding
from engine.codegen.mlp.network import network_module
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.gpu.bindings import Binding
from engine.gpu.device import device
from engine.gpu.kernel import Kernel, spread
from engine.gpu.structs import struct
from engine.network.mlp import Mlp, Shape
from engine.network.parts import observed

MISS, HIT, GRAZE, UNDECIDED = range(4)

WORKGROUP = 64
CASTING = struct("Casting", rays="u32", surfaces="u32", single="u32", level="f32", spacing="f32")


def casts(surfaces: int) -> np.dtype:
    """The dtype of one ray's entry in what `cast` returns."""
    return np.dtype(
        {
            "names": ["t", "outcome", "level", "rising", "segments", "evaluations"],
            "formats": [("f4", (surfaces,)), ("u1", (surfaces,)), ("f4", (surfaces,)), ("?", (surfaces,)), "u4", "u4"],
        }
    )


def bindings(shape: Shape) -> tuple[Binding, ...]:
    """The bindings of `kernels/rays` for a Shape, and of any kernel that follows rays: weights come first."""
    return (
        weights_binding(shape),
        Binding("casting", "uniform", CASTING),
        Binding("rays", "read", "array<vec4f>"),
        Binding("crossings", "write", "array<vec4f>"),
        Binding("costs", "write", "array<vec2u>"),
    )


def allowed(shape: Shape) -> budget.LoopBudget:
    """The LoopBudget of a search through a network on this adapter. Raises NetworkError where it is too large."""
    return budget.budget(shape, bounded_loops=device().is_software)


def search_modules(shape: Shape, *more: Arithmetic) -> dict[str, str]:
    """The generated texts that `arithmetic/search` imports, for `compose`: with `bindings` added they make a kernel.

    more   arithmetics the kernel wants of the network besides those of the search
    """
    arithmetics = (PLAIN, LINE, *more)
    return {"network": network_module(shape, arithmetics), "enclosure": enclosure_module(shape, allowed(shape))}


@cache
def kernel(shape: Shape) -> Kernel:
    """The Kernel for a Shape; compiled at the first call."""
    names = bindings(shape)
    search = search_modules(shape)
    return Kernel.of("kernels/rays", names, network=search["network"], enclosure=search["enclosure"])


def check_rays(
    origins: ArrayLike, directions: ArrayLike, lengths: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rays as float32 arrays (N, 3), (N, 3), (N,); one length may stand for all.

    Raises ShapeError where sizes do not agree or a number is not finite, SettingError for a length below 0 or a
    direction of 0.
    """
    o, d = (np.asarray(x, np.float32) for x in (origins, directions))
    for name, array in (("Origins", o), ("Directions", d)):
        if array.ndim != 2 or array.shape[1] != 3:
            raise ShapeError(f"{name} are {array.shape}; rays need (N, 3), a row a ray.")
    if o.shape != d.shape:
        raise ShapeError(f"There are {len(o)} origins but {len(d)} directions; give one of each per ray.")
    try:
        length = np.broadcast_to(np.asarray(lengths, np.float32), (len(o),))
    except ValueError:
        raise ShapeError(f"Lengths are {np.shape(lengths)}; give one number or ({len(o)},).") from None
    for name, array in (("Origins", o), ("Directions", d), ("Lengths", length)):
        if not np.isfinite(array).all():
            raise ShapeError(f"{name} of rays hold {array[~np.isfinite(array)][0]}; every number must be finite.")
    if (length < 0).any():
        raise SettingError(f"A ray's length is {length.min():g}; give 0 or more.")
    if len(d) and not np.linalg.norm(d, axis=1).min() > 0:
        raise SettingError("A ray's direction is (0, 0, 0); it needs a direction of length 1.")
    return o, d, length


def check_levels(level: float, spacing: float, surfaces: int, most: int = budget.SURFACES) -> None:
    """Raises SettingError for levels that cannot be searched, and for more surfaces than `most`."""
    if not (np.isfinite(level) and np.isfinite(spacing) and spacing > 0):
        raise SettingError(f"Level {level} and spacing {spacing} were given; both must be finite, the spacing above 0.")
    if not 1 <= surfaces <= most:
        raise SettingError(f"{surfaces} surfaces a ray were asked for; give 1 to {most}.")


def cast(
    net: Mlp,
    origins: ArrayLike,
    directions: ArrayLike,
    lengths: ArrayLike,
    *,
    level: float = 0.0,
    spacing: float = 1.0,
    single: bool = False,
    output: int = 0,
    surfaces: int = 1,
) -> np.ndarray:
    """The first crossings of level sets along each ray, none skipped.

    net          an Mlp with three inputs
    origins      (N, 3), world
    directions   (N, 3), world, of length 1
    lengths      (N,) or a number: how far each ray is followed, world units
    level        a level set is where the output less `level` is a whole multiple of `spacing`
    single       True: only where the output is `level`
    output       which of the network's outputs
    surfaces     crossings wanted per ray, 1 to 8; fewer for large networks on software drivers

    returns      (N,) array with the fields
                 t            (N, surfaces) where, in world units from the origin; the ray's length for a miss
                 outcome      (N, surfaces) MISS, HIT, GRAZE (within rounding of a level, not certain to cross it) or
                              UNDECIDED (the budget was spent; no crossing comes before t)
                 level        (N, surfaces) which: the output there is level + this * spacing
                 rising       (N, surfaces) whether the output grows along the ray there
                 segments     (N,) steps taken; evaluations (N,) of the network

    Raises ShapeError and SettingError as `check_rays` and `check_levels` do, NetworkError for a network too large.
    Method: docs/rays.md.
    """
    o, d, length = check_rays(origins, directions, lengths)
    net = observed(net, output)
    check_levels(level, spacing, surfaces, allowed(net.shape).surfaces)
    run, count = kernel(net.shape), len(o)
    result = np.zeros(count, casts(surfaces))
    if count == 0:
        return result
    rays = np.zeros((count, 2, 4), np.float32)
    rays[:, 0, :3], rays[:, 0, 3], rays[:, 1, :3] = o, length, d
    crossings = Array("f4", count * surfaces * 4)
    costs = Array("u4", count * 2)
    casting = CASTING.new(rays=count, surfaces=surfaces, single=int(single), level=level, spacing=spacing)
    run.run(
        workgroups(count), weights=upload(net), casting=casting, rays=Array.of(rays), crossings=crossings, costs=costs
    )
    found = crossings.read().reshape(count, surfaces, 4)
    result["t"], result["outcome"], result["level"] = found[..., 0], found[..., 1].astype("u1"), found[..., 2]
    result["rising"] = found[..., 3] > 0
    result["segments"], result["evaluations"] = costs.read().reshape(count, 2).T
    return result


def workgroups(count: int) -> tuple[int, int]:
    """Workgroups for so many rays, in two dimensions where one does not hold them."""
    return spread(-(-count // WORKGROUP))
