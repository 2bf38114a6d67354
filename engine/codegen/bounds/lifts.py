"""WGSL that takes four neurons' sums over a piece of a ray through an activation: a step of `arithmetic/parabola`."""

from dataclasses import dataclass

import numpy as np

from engine.codegen.bounds.ranges import curvature_near, number, range_functions
from engine.network.activations import Activation


@dataclass(frozen=True)
class Shared:
    """An activation whose value and slope come from one computation, and its curvature from these two.

    module     the file of its functions
    both       WGSL of Both, at z with the parameter a
    curvature  WGSL, from value v and slope s
    third      the largest magnitude of s''' for the parameter 1, and the power of the parameter it goes with
    ulp        how far the value may be off, in ulp of 1; 0: as it says of z
    """

    module: str
    both: str
    curvature: str
    third: tuple[float, int]
    ulp: int = 0


SHARED = {
    "tanh": Shared("lib/saturating", "tanh_both(z)", "-2.0 * v * s", (2.0, 0), 4),
    "sigmoid": Shared("lib/saturating", "sigmoid_both(z)", "s * (1.0 - 2.0 * v)", (0.125, 0), 4),
    "sine": Shared("lib/wave", "sine_both(z, {a})", "(-{a} * {a}) * v", (1.0, 3)),
}

LIFT = """\
fn lift_{suffix}(b: Parabola, terms: f32) -> Parabola {{
    let e = b.error_bound{inside};
    let near = both_{suffix}(b.near);
    let far = both_{suffix}(b.far);
    let ends = range_over(b.near, b.far);
    let d = Range(b.middle - b.radius, b.middle + b.radius);
    let stray = max(abs(d.low), abs(d.high));
    // The slope anywhere between the ends, or as far beside as rounding and the remainder may be.
    let slopes = slope_near_{suffix}(ends, near.slope, far.slope, e + stray);
    let most = max(
        slope_most_{suffix}(b.near, near.slope, e), slope_most_{suffix}(b.far, far.slope, e)
    );
    let change = b.far - b.near;
    let own = {own};
    let moved = range_times(slopes, d);
    // Slopes and curvatures may have underflowed too.
    let lost = TINY * (e + stray + change * change);
    let all_e = fma(most, e, {error} + lost);
    let all_d = Range(own.low + moved.low - lost, own.high + moved.high + lost);
    return parabola_of(near.value, far.value, all_e, all_d, terms);
}}
"""


def lift(activation: Activation, suffix: object) -> list[str]:
    """The texts of `lift_SUFFIX(z, terms)`: from a Parabola of four z to that of s(z)."""
    shared = SHARED.get(activation.name)
    error = f"max(value_error_{suffix}(b.near, near.value), value_error_{suffix}(b.far, far.value))"
    if shared is None:
        both = f"Both(value_{suffix}(z), slope_{suffix}(z))"
        own = f"bend_{suffix}(Range(ends.low - e, ends.high + e), abs(change), 2.0 * e)"
    else:
        # None of these has several parameters.
        parameter = float(np.max(activation.argument))
        a, (rate, power) = number(parameter), shared.third
        both = shared.both.format(a=a)
        if shared.ulp:
            error = f"{shared.ulp}.0 * ULP"
        at = "curved_{0}({1}.value, {1}.slope)"
        own = f"bend_over_{suffix}(ends, {at.format(suffix, 'near')}, {at.format(suffix, 'far')}, e, abs(change))"
    inside = ""
    if activation.rule.scaled:
        inside = f" + max(argument_error_{suffix}(b.near), argument_error_{suffix}(b.far))"
    texts = [f"#import {shared.module if shared else 'lib/both'}", range_functions(activation, suffix)]
    texts += [f"fn both_{suffix}(z: vec4f) -> Both {{\n    return {both};\n}}\n"]
    if shared:
        curvature = shared.curvature.format(a=a)
        texts += [f"fn curved_{suffix}(v: vec4f, s: vec4f) -> vec4f {{\n    return {curvature};\n}}\n"]
        texts += [curvature_near(activation, suffix, rate * abs(parameter) ** power)]
    return [*texts, LIFT.format(suffix=suffix, inside=inside, own=own, error=error)]
