"""From a network's shape to WGSL that bounds its output over a piece of a ray.

Two enclosures, chosen by the shape. With one layer of activations the output's slope along the ray is a plain sum, so
its range over the piece is cheap and tight: the output lies between lines through its two end values
(`arithmetic/cone`). Deeper networks carry, neuron by neuron, how far a response strays from the chord through its exact
end values, in units of the bubble 4 x (1 - x): an interval a neuron (`arithmetic/bubble`).
"""

from functools import cache

from engine.codegen.bubble import BubbleBody
from engine.codegen.cone import cone_body
from engine.codegen.network import iterations
from engine.errors import NetworkError, ShapeError

# llvmpipe ends loops silently after 65,535 turns an invocation, all loops summed; the rest is room for the caller.
LOOP_TURNS = 60000
# Enough for sheets a ten-thousandth thick (30 segments) many times over.
MOST_SEGMENTS = 96
FEWEST_SEGMENTS = 12
MOST_POLISHING = 12
SURFACES = 8  # one ray is asked for at most this many
SEARCHES = SURFACES + 1  # and once more, to know whether those were all


def is_shallow(shape):
    """True where the cone encloses it: at most one layer has an activation, and what follows is one affine layer."""
    names = [a.name for a in shape.activations]
    if not shape.activations[-1].rule.elementwise:
        return False
    return len(names) == 1 or (len(names) == 2 and names[1] == "identity")


@cache
def enclosure_module(shape):
    """The text of `generated/enclosure` for a Shape with three inputs.

    It looks at output 0: `observed(net, output)` puts the one that is wanted there. It needs the binding `weights`,
    `#import generated/network`, and gives what `arithmetic/search` steps with:

    SEGMENT_LIMIT, POLISH_LIMIT   turns of a search, and of sharpening what it found
    enclosure_begin(o, d, length) per-ray constants
    enter_at(t)                   far_value and far_error, a bound of its rounding, at a point
    segment_to(t0, t1)            the same at t1, and the Bounds from t0 to there
    near_from_far()               the next segment begins where this one ended
    plain_at(t)                   value and slope along the ray, without bounds
    ENTERS_APART                  whether enter_at is so small that it may stand outside the loop

    The network module needs LINE among its arithmetics.

    Raises ShapeError unless the network has three inputs, NetworkError where it is too large for a search to finish.
    """
    if shape.sizes[0] != 3:
        raise ShapeError(f"{shape} has {shape.sizes[0]} inputs; rays are cast through networks of 3, its x, y and z.")
    body = cone_body(shape) if is_shallow(shape) else BubbleBody(shape)
    return f"const SEGMENT_LIMIT = {segment_limit(shape)}u;\nconst POLISH_LIMIT = {MOST_POLISHING}u;\n\n{body.text()}"


def segment_limit(shape):
    """Segments a search may take, so that SEARCHES of them stay within llvmpipe's turns."""
    turns, polishing = (1, 1) if is_shallow(shape) else (1 + BubbleBody(shape).turns, 1 + iterations(shape))
    limit = min(MOST_SEGMENTS, (LOOP_TURNS // SEARCHES - MOST_POLISHING * polishing) // turns)
    if limit < FEWEST_SEGMENTS:
        raise NetworkError(
            f"{shape} is too large to cast rays through: {limit} steps a ray are left where {FEWEST_SEGMENTS} are "
            "needed. Take fewer or narrower layers."
        )
    return limit
