"""Where rays cross a network's level sets, none skipped: the first crossings along each, front to back, on the GPU."""

import numpy as np
from numpy.typing import ArrayLike

from engine.codegen.bounds.budget import SURFACES
from engine.errors import SettingError, ShapeError
from engine.gpu.array import Array
from engine.kernels.search.arrays import ray_array
from engine.kernels.search.budget import Budget
from engine.kernels.search.casting import USUAL, Casting, Levels
from engine.network.mlp import Mlp
from engine.network.parts import observed

MISS, HIT, GRAZE, UNDECIDED = range(4)
# Their names, by number.
OUTCOMES = ("miss", "hit", "graze", "undecided")
# Crossing in wgsl/arithmetic/search/state.
CROSSING = np.dtype([("t", "f4"), ("uncertainty", "f4"), ("level", "f4"), ("kind", "u4")])


def casts(surfaces: int) -> np.dtype:
    """The dtype of one ray's entry in what `cast` returns."""
    each = {"t": "f4", "uncertainty": "f4", "outcome": "u1", "level": "f4", "rising": "?"}
    fields = [(name, kind, (surfaces,)) for name, kind in each.items()]
    return np.dtype([*fields, ("segments", "u4"), ("evaluations", "u4")], align=False)


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


def reach_of(origins: np.ndarray, directions: np.ndarray, lengths: np.ndarray) -> float:
    """How far from 0 the points of rays may be, each of which has an origin, a direction and a length."""
    o, d = (np.linalg.norm(x.astype(float), axis=1) for x in (origins, directions))
    return float((o + d * lengths).max(initial=0.0))


def check_levels(level: float, spacing: float, surfaces: int) -> None:
    """Raises SettingError for levels that cannot be searched, and for more surfaces than SURFACES."""
    with np.errstate(over="ignore"):
        single = np.float32(level), np.float32(spacing)
    if not (np.isfinite(single).all() and single[1] > 0):
        raise SettingError(
            f"Level {level} and spacing {spacing} were given; both must be finite in float32, the spacing above 0."
        )
    if not 1 <= surfaces <= SURFACES:
        raise SettingError(f"{surfaces} surfaces a ray were asked for; give 1 to {SURFACES}.")


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
    budget: Budget = USUAL,
) -> np.ndarray:
    """The first crossings of level sets along each ray, none skipped.

    net          an Mlp with three inputs
    origins      (N, 3), world
    directions   (N, 3), world, of length 1
    lengths      (N,) or a number: how far each ray is followed, world units
    level        a level set is where the output less `level` is a whole multiple of `spacing`
    single       True: only where the output is `level`
    output       which of the network's outputs
    surfaces     crossings wanted per ray, 1 to 8
    budget       what may be spent, as segments up to each crossing, or seconds

    returns      (N,) array with the fields
                 t            (N, surfaces) where, in world units from the origin; the ray's length for a miss
                 uncertainty  (N, surfaces) of t: a hit's crossing, and a graze's contact, is at most this far from it
                 outcome      (N, surfaces) MISS, HIT, GRAZE (within rounding of a level, not certain to cross it) or
                              UNDECIDED (the budget was spent; no crossing comes before t)
                 level        (N, surfaces) which: the output there is level + this * spacing
                 rising       (N, surfaces) whether the output grows along the ray there
                 segments     (N,) steps taken; evaluations (N,) of the network

    Behind a miss come misses; behind what is undecided nothing is known, which is said again.

    Raises ShapeError and SettingError as `check_rays` and `check_levels` do, NetworkError for a network too large.
    Method: docs/rays.md.
    """
    o, d, length = check_rays(origins, directions, lengths)
    net = observed(net, output)
    check_levels(level, spacing, surfaces)
    casting, count = Casting(net), len(o)
    result = np.zeros(count, casts(surfaces))
    if count == 0:
        return result
    crossings, costs = Array(CROSSING, count * surfaces), Array("u4", count * 2)
    levels = Levels(level, spacing, single)
    rays = Array.of(ray_array(o, d, length))
    for _ in casting.steps(
        rays, count, levels, crossings, costs, surfaces=surfaces, budget=budget, through=True,
        reach=reach_of(o, d, length),
    ):  # fmt: skip
        pass
    found = crossings.read().reshape(count, surfaces)
    kind = found["kind"] & 3
    for k in range(1, surfaces):
        ended = (kind[:, k - 1] == MISS) | (kind[:, k - 1] == UNDECIDED)
        found[ended, k], kind[ended, k] = found[ended, k - 1], kind[ended, k - 1]
    for name in ("t", "uncertainty", "level"):
        result[name] = found[name]
    result["outcome"], result["rising"] = kind, found["kind"] & 4
    result["segments"], result["evaluations"] = costs.read().reshape(count, 2).T
    return result
