"""From a narrow network of smooth activations to WGSL that bounds it over tubes: rays of a beam, over a piece of it.

Ten numbers a unit (`arithmetic/tube`) go through a layer as products: values at both ends of the beam's middle and how
they change to its sides with W; curvature along rays, what is left to the sides, and rounding with |W|.
`codegen.mlp.narrow` writes how they go through a network, and `values_module` there the values alone, in the same
order of sums.
"""

import numpy as np

from engine.codegen.bounds.ranges import number, range_functions
from engine.codegen.mlp.narrow import UnitSums, narrow_groups, network_lines
from engine.codegen.mlp.units import IDENTITY, imports, kinds, layer_groups
from engine.codegen.text import function, header
from engine.network.activations import Activation
from engine.network.mlp import Shape
from engine.network.rules.extrema import extrema

# What is multiplied by W, and by |W|; and what all values along the rays of a beam are at most, from partial sums too.
SIGNED = {"n": "near", "f": "far", "u": "near_u", "v": "near_v", "p": "far_u", "q": "far_v", "m": "middle"}
SIZES = {"d": "radius", "r": "rest", "e": "error_bound"}
MOST = "max(abs(n) + abs(u) + abs(v), abs(f) + abs(p) + abs(q)) + r + 0.125 * (abs(m) + d)"
TUBE = UnitSums("Tube", SIGNED | SIZES, "nf", SIZES, {"e": f" + ULP * ({MOST})"})


def tube_activation(shape: Shape) -> Activation | None:
    """The one activation of a deep narrow network that can be bounded over tubes; None where it cannot."""
    hidden = kinds(shape.activations[:-1])
    if (
        len(hidden) != 1
        or not narrow_groups(shape)
        or layer_groups(shape, len(shape.activations) - 1) != ((IDENTITY,),)
    ):
        return None
    (activation,) = hidden
    if activation.name == "identity" or not activation.rule.elementwise or activation.unbounded:
        return None
    known = [extrema(activation, which) for which in ("slope", "curvature")]
    smooth = all(np.isfinite(x.most) and not x.breaks for x in known) and known[1].most > 0
    return activation if smooth and not activation.rule.kinks(activation.argument) else None


def tube_module(activation: Activation, groups: int, lanes: int) -> str:
    """The text of `generated/tube`: `tube_network(layers, point, turn) -> Tube`, of the network's outputs 0 to 3.

    lanes   of a subgroup, which share loads

    It calls what `codegen.mlp.narrow.network_lines` does; y to w of beam_layer are a layer's limits.
    """
    slope = extrema(activation, "slope").most
    lift = LIFT.format(slope=number(slope * (1 + 1e-6)))
    return "\n".join(
        [
            *header("Bounds of a network over tubes.", f"activation: {activation}"),
            "#import arithmetic/tube",
            "#import lib/both",
            *imports([activation]),
            "",
            range_functions(activation, "tube"),
            lift,
            *function(
                "tube_network(layers: u32, point: Tube, turn: vec2f) -> Tube",
                network_lines(TUBE, groups, lanes, "tube_layer(Tube({all}), small, about, turn, {ends})"),
            ),
        ]
    )


LIFT = """\
// A layer's sums, widened for what they may have lost, and lifted unless the network `ends` with them.
fn tube_layer(sums: Tube, small: f32, about: vec4f, turn: vec2f, ends: bool) -> Tube {{
    let z = tube_widened(sums, small, about.z, about.w);
    let e = z.error_bound;
    let all = tube_range(z);
    let slopes = slope_range_tube(all);
    let curves = curvature_range_tube(all);
    let near_slope = slope_tube(z.near);
    let far_slope = slope_tube(z.far);
    let near = value_tube(z.near);
    let far = value_tube(z.far);
    let steepest = max(abs(slopes.low), abs(slopes.high));
    let most = max(abs(near), abs(far)) + steepest * (all.high - all.low);
    let inside = e + max(argument_error_tube(all.low), argument_error_tube(all.high));
    let error = steepest * inside + max(value_error_tube(all.low, most), value_error_tube(all.high, most));
    let lifted = tube_bent(z, near, far, near_slope, far_slope, slopes, curves, turn, {slope}, about.y, error, most);
    if ends {{
        return z;
    }}
    return lifted;
}}
"""
