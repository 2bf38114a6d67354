"""How many steps a search along a ray may take where a driver counts the iterations of loops."""

from dataclasses import dataclass
from functools import cache

from engine.codegen.bounds.parabola import ParabolaBody
from engine.codegen.mlp.units import IDENTITY
from engine.errors import NetworkError
from engine.network.mlp import Shape

# llvmpipe ends loops silently after 65,535 iterations an invocation, all loops summed; the rest is room for the caller.
# Eight invocations share one count, and in each search another one may be the slowest: every search must fit.
LOOP_ITERATIONS = 60000
# Enough for sheets a ten-thousandth thick (30 segments) many times over.
MOST_SEGMENTS = 96
# A search through a deep network takes 5 to 15; with this many few rays stay undecided, and below the last many would.
ENOUGH_SEGMENTS, FEWEST_SEGMENTS = 32, 12
SURFACES = 8  # one ray is asked for at most this many


@dataclass(frozen=True)
class LoopBudget:
    """What one invocation may spend.

    searches    along its ray: one more than the surfaces it looks for, to know whether those were all
    segments    in each of them
    """

    searches: int = SURFACES + 1
    segments: int = MOST_SEGMENTS

    @property
    def surfaces(self) -> int:
        """How many surfaces along a ray can be found."""
        return max(1, self.searches - 1)


def is_shallow(shape: Shape) -> bool:
    """True where slope bounds apply: one layer has an activation, and at most one affine layer follows."""
    first, *others = shape.activations
    if not all(a.rule.elementwise for a in first.kinds):
        return False
    return not others or (len(others) == 1 and others[0].kinds == (IDENTITY,))


@cache
def budget(shape: Shape, *, bounded_loops: bool = True) -> LoopBudget:
    """The LoopBudget for a network: large ones get fewer surfaces, then fewer steps.

    bounded_loops   whether the driver ends loops after 65,535 iterations, as software drivers do

    Raises NetworkError where not even one surface can be searched for.
    """
    if is_shallow(shape) or not bounded_loops:
        return LoopBudget()
    iterations = 1 + ParabolaBody(shape).iterations
    for enough in (ENOUGH_SEGMENTS, FEWEST_SEGMENTS):
        for searches in (SURFACES + 1, 5, 3, 2, 1):
            # One more evaluation per surface: drawing needs the gradient there.
            segments = LOOP_ITERATIONS // searches // iterations - 2
            if segments >= enough:
                return LoopBudget(searches, min(MOST_SEGMENTS, segments))
    raise NetworkError(
        f"{shape} is too large to cast rays through on this adapter: its software driver ends loops after 65,535 "
        f"iterations, and {FEWEST_SEGMENTS} steps along a ray take {FEWEST_SEGMENTS * iterations}. "
        "Take fewer or narrower layers, or a GPU."
    )
