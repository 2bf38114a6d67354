"""From a network's shape to WGSL that bounds its output over a piece of a ray.

Two enclosures, chosen by the shape. With one layer of activations the output's slope along the ray is a plain sum, so
its range over the piece is cheap and tight: the output lies between lines through its two end values
(`arithmetic/slope_bounds`). In deeper networks each neuron has an interval: how far its response strays from the chord
through its exact end values, in units of the parabola 4 x (1 - x) (`arithmetic/parabola`).
"""

from functools import cache

from engine.codegen.bounds.budget import LoopBudget, budget, is_shallow
from engine.codegen.bounds.parabola import ParabolaBody
from engine.codegen.bounds.ranges import check_bounded
from engine.codegen.bounds.slope import slope_body
from engine.codegen.text import header
from engine.errors import ShapeError
from engine.network.mlp import Shape


@cache
def enclosure_module(shape: Shape, allowed: LoopBudget | None = None) -> str:
    """The text of `generated/enclosure` for a Shape with three inputs.

    allowed   the LoopBudget of a search; None takes what every driver can do

    It bounds output 0: `observed(net, output)` puts the wanted output there. It needs the binding `weights` and
    `#import generated/network`, and gives what `arithmetic/search/alone` calls:

    SEGMENT_LIMIT                 iterations of a search by one invocation alone
    enclosure_begin(o, d, length) per-ray constants
    enter_at(t)                   far_value and far_error, a bound of its rounding, at a point
    segment_to(t0, t1)            the same at t1, and the Bounds from t0 to there
    near_from_far()               the next segment begins where this one ended

    Raises ShapeError unless the network has three inputs, NetworkError where it is too large for a search to finish,
    and for activations that have no bounds.
    """
    if shape.sizes[0] != 3:
        raise ShapeError(f"{shape} has {shape.sizes[0]} inputs; rays are cast through networks of 3, its x, y and z.")
    check_bounded(shape)
    allowed = allowed or budget(shape)
    body = slope_body(shape) if is_shallow(shape) else ParabolaBody(shape)
    shallow = is_shallow(shape)
    top = header(
        f"Bounds of {shape} over a piece of a ray, by {'its range of slopes' if shallow else 'chords and parabolas'}.",
        f"searches for at most {allowed.surfaces} surfaces, of at most {allowed.segments} segments each",
    )
    limits = f"const SEGMENT_LIMIT = {allowed.segments}u;\n"
    return "\n".join([*top, limits, body.text()])
