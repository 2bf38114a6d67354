"""From the shape of a network with one layer of activations to WGSL that bounds its output over a piece of a ray.

Its slope along the ray is a plain sum, so its range over the piece is cheap and tight: the output lies between lines
through its two end values (`arithmetic/slope_bounds`). Deeper networks are bounded by `layered`.
"""

from engine.codegen.bounds.ranges import check_bounded
from engine.codegen.bounds.slope import slope_body
from engine.codegen.text import header
from engine.errors import ShapeError
from engine.kept import kept
from engine.network.mlp import Shape


@kept
def enclosure_module(shape: Shape) -> str:
    """The text of `generated/enclosure` for a Shape with three inputs and one layer of activations.

    It bounds output 0: `observed(net, output)` puts the wanted output there. It needs the binding `weights` and
    `#import generated/network`, and gives what `arithmetic/search/alone` calls:

    enclosure_begin(o, d, length) per-ray constants
    enter_at(t)                   far_value and far_error, a bound of its rounding, at a point
    segment_to(t0, t1)            the same at t1, and the Bounds from t0 to there
    near_from_far()               the next segment begins where this one ended
    near_again(t)                 f and all that segment_to needs of the near end, at t

    Raises ShapeError unless the network has three inputs, NetworkError for activations that have no bounds.
    """
    if shape.sizes[0] != 3:
        raise ShapeError(f"{shape} has {shape.sizes[0]} inputs; rays are cast through networks of 3, its x, y and z.")
    check_bounded(shape)
    top = header(f"Bounds of {shape} over a piece of a ray, by its range of slopes.")
    return "\n".join([*top, slope_body(shape).text()])
