"""The arrays of a search along rays, which its passes and what moves rays on share: structs and bindings."""

import numpy as np

from engine.gpu.bindings import Binding
from engine.gpu.kernel import spread
from engine.gpu.structs import struct

WORKGROUP = 64
CASTING = struct(
    "Casting",
    rays="u32",
    surfaces="u32",  # answers wanted of each
    single="u32",
    through="u32",  # 1: a graze does not end a ray
    segments="u32",  # the most to an answer
    turns="u32",  # segments of a ray in one dispatch; 0: what is open is given up
    level="f32",
    spacing="f32",
    share="f32",  # of float32's error bound, that bounds are worth where f is known in float64; 0: it is not asked for
    exact_error="f32",  # of values in float64
    rounding="f32",  # float32's error bound, where bounds too are in float64; else 0
    walks="u32",  # 1: there they are so from the start; 2: from where a tree has moved them on to
)
# How the lengths of segments are chosen where bounds are parabolas: the text of `generated/bounds`.
PACE = "#import arithmetic/parabola_pace\n"
# Of a list of open rays.
PART = struct("Part", first="u32", count="u32")
# vec4u of a ray's state: SEARCH_STATE in wgsl/arithmetic/search/state.
STATE = 4
RAYS = Binding("rays", "read", "array<vec4f>")
BINDINGS = (
    Binding("casting", "uniform", CASTING),
    RAYS,
    Binding("crossings", "write", "array<vec4u>"),
    Binding("costs", "write", "array<vec2u>"),
    Binding("states", "write", "array<vec4u>"),
)


def workgroups(count: int) -> tuple[int, int]:
    """Workgroups for so many rays, in two dimensions where one does not hold them."""
    return spread(-(-count // WORKGROUP))


def ray_array(origins: np.ndarray, directions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(N, 2, 4) float32, as `rays` has them: origin and length; direction and 0."""
    rays = np.zeros((len(origins), 2, 4), np.float32)
    rays[:, 0, :3], rays[:, 0, 3], rays[:, 1, :3] = origins, lengths, directions
    return rays
