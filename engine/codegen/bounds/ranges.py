"""WGSL that bounds an activation's slope, curvature and rounding over an interval, from its row of the table."""

import math
from collections.abc import Callable

import numpy as np

from engine.codegen.mlp.units import Group, selected
from engine.codegen.text import function
from engine.network.activations import Activation

# Errors of each activation's WGSL, in units of 2^-23: (relative to the result, absolute) of the value, then of slope
# and curvature alike. tests/kernels/test_enclosure.py measures them.
ACCURACY = {
    "identity": ((0, 0), (0, 0)),
    "relu": ((0, 0), (0, 0)),
    "leaky_relu": ((1, 0), (0, 0)),
    "elu": ((8, 0), (16, 0)),
    "softplus": ((8, 0), (16, 0)),
    "gelu": ((12, 0), (32, 16)),
    "silu": ((8, 0), (32, 16)),
    "tanh": ((6, 0), (32, 0)),
    "sigmoid": ((6, 0), (32, 0)),
    "sine": ((0, 4), (0, 8)),
    "gaussian": ((12, 0), (32, 16)),
}
# |s''| <= rate |s'| away from a kink: the slope of a saturated neuron then stays small under rounding, where a bound by
# the largest curvature would swamp surfaces thinner than a thousandth.
RATES = {"tanh": 2.0, "sigmoid": 1.0, "softplus": 1.0, "elu": 1.0}
# sin(a z) rounds a z first, which is an error of its argument.
ARGUMENT_ULP = {"sine": 1}
# Past this the sine's reduction is not exact (wgsl/lib/sine.wgsl) and only |sin| <= 1 is left.
SINE_MOST = 1.0e4

# Every activation's slope and curvature have reached their limits here, to rounding: a test measures further out.
FAR = 60.0


def number(x: float) -> str:
    """A WGSL literal of the float32 nearest to x."""
    text = repr(float(np.float32(x)))
    return text if any(c in text for c in ".einf") else text + ".0"


def _at(function, z, a):
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return float(function(np.array([z], float), a)[0])


def _sides(activation, function):
    """The limits of a function at 0 from below and above."""
    tiny = 1e-30
    return _at(function, -tiny, activation.argument), _at(function, tiny, activation.argument)


def largest(activation: Activation, which: str) -> float:
    """The largest |s'| (which="slope") or |s''| ("curvature") anywhere off a kink."""
    rule, a = activation.rule, activation.argument
    function = getattr(rule, which)
    period = rule.period(a)
    points = [x / a if period else x for x in getattr(rule, f"{which}_extrema")] + [-FAR, FAR, -1e-30, 1e-30]
    return max(abs(_at(function, x, a)) for x in points)


def has_break(activation: Activation) -> bool:
    """True if the slope or the curvature jumps at 0."""
    return any(
        not math.isclose(*_sides(activation, f), abs_tol=1e-12)
        for f in (activation.rule.slope, activation.rule.curvature)
    )


def range_functions(activation: Activation, suffix: object) -> str:
    """WGSL functions of one activation with its parameter written in.

    value_SUFFIX(z), slope_SUFFIX(z)       s and s'
    value_error_SUFFIX(z, value)           how far the computed value may be off, for an exact z
    argument_error_SUFFIX(z)               and what to add to z's own error for the rounding inside
    slope_most_SUFFIX(z, slope, e)         the largest |s'| within e of z, whose slope is given
    slope_range_SUFFIX(z)                  s' over a Range
    slope_near_SUFFIX(ends, p, q, e)       s' over a Range and e around it, from the slopes p and q at its ends
    curvature_range_SUFFIX(z)              s'' over a Range
    bend_SUFFIX(z, change, slack)          the interpolation error of s, in remainders, between ends in the Range z that
                                           are `change` apart, give or take `slack`

    All bounds hold for the exact s: they include the rounding of these functions.
    """
    rule, a, name = activation.rule, activation.argument, activation.name
    (relative, absolute), (rough, floor) = ACCURACY[name]
    scale = max([1.0, *map(abs, activation.parameters)])
    most_slope, most_curvature = largest(activation, "slope"), largest(activation, "curvature")
    lines: list[str] = []

    def put(head, *body):
        lines.extend(function(head, body))

    put(f"value_{suffix}(z: vec4f) -> vec4f", f"return {activation.wgsl('value', 'z')};")
    put(f"slope_{suffix}(z: vec4f) -> vec4f", f"return {activation.wgsl('slope', 'z')};")
    error = f"{relative}.0 * ULP * abs(value) + {number(absolute * scale)} * ULP"
    if rule.period(a):
        error = f"select({error}, vec4f(2.0), abs(z) > vec4f({number(SINE_MOST / activation.parameters[0])}))"
    put(f"value_error_{suffix}(z: vec4f, value: vec4f) -> vec4f", f"return {error};")
    inner = f"{ARGUMENT_ULP[name]}.0 * ULP * abs(z)" if name in ARGUMENT_ULP else "vec4f(0.0)"
    put(f"argument_error_{suffix}(z: vec4f) -> vec4f", f"return {inner};")
    put(
        f"slope_most_{suffix}(z: vec4f, slope: vec4f, e: vec4f) -> vec4f",
        *_slope_most(activation, most_slope, most_curvature, rough, floor * scale),
    )

    def ranged(head, which, first, last, floor):
        body = [f"var r = range_over({first}, {last});"]
        body += _extrema(activation, which)
        body.append(f"return range_padded(r, {rough}.0, {number(floor)});")
        put(head, *body)

    ends = (activation.wgsl("slope", "z.low"), activation.wgsl("slope", "z.high"))
    ranged(f"slope_range_{suffix}(z: Range) -> Range", "slope", *ends, floor * scale)
    body = [
        "var r = range_over(p, q);",
        *_widened(activation, most_slope, most_curvature),
        "let z = Range(ends.low - e, ends.high + e);",
        *_extrema(activation, "slope"),
        f"return range_padded(r, {rough}.0, {number(floor * scale)});",
    ]
    put(f"slope_near_{suffix}(ends: Range, p: vec4f, q: vec4f, e: vec4f) -> Range", *body)
    ends = (activation.wgsl("curvature", "z.low"), activation.wgsl("curvature", "z.high"))
    ranged(f"curvature_range_{suffix}(z: Range) -> Range", "curvature", *ends, floor * scale * scale)
    body = [
        f"let c = curvature_range_{suffix}(z);",
        # A curvature of one sign bends s least where the ends are closest.
        "let wide = change + slack;",
        "let narrow = max(change - slack, vec4f(0.0));",
        "let most = wide * wide * 0.125;",
        "let least = narrow * narrow * 0.125;",
        "let low = -c.high * select(least, most, c.high > vec4f(0.0));",
        "let high = -c.low * select(least, most, c.low < vec4f(0.0));",
    ]
    jump = rule.kink(a)
    if most_curvature == 0.0 and jump == 0.0:
        body = ["return Range(vec4f(0.0), vec4f(0.0));"]
    elif jump == 0.0:
        body.append("return Range(low, high);")
    else:
        # The chord over a kink of this jump is off by at most jump * width / 4, on the side the kink opens to.
        body.append(
            f"let kink = select(vec4f(0.0), wide * {number(jump / 4)}, (z.low < vec4f(0.0)) & (z.high > vec4f(0.0)));"
        )
        body.append("return Range(low - max(kink, vec4f(0.0)), high - min(kink, vec4f(0.0)));")
    put(f"bend_{suffix}(z: Range, change: vec4f, slack: vec4f) -> Range", *body)
    return "\n".join(lines)


# {function: (its arguments and result, its call)} of those that networks with one layer of activations use.
OF_SLOPES = {
    "value": ("z: vec4f) -> vec4f", "z"),
    "slope": ("z: vec4f) -> vec4f", "z"),
    "value_error": ("z: vec4f, value: vec4f) -> vec4f", "z, value"),
    "argument_error": ("z: vec4f) -> vec4f", "z"),
    "slope_most": ("z: vec4f, slope: vec4f, e: vec4f) -> vec4f", "z, slope, e"),
    "slope_near": ("ends: Range, p: vec4f, q: vec4f, e: vec4f) -> Range", "ends, p, q, e"),
}


def selected_functions(group: Group, suffix: object, number_of: Callable[[Activation], object]) -> str:
    """The functions OF_SLOPES of a group of several activations, from those with the suffix `number_of` each."""
    lines: list[str] = []
    for name, (head, call) in OF_SLOPES.items():

        def one(activation: Activation, name: str = name, call: str = call) -> str:
            return f"{name}_{number_of(activation)}({call})"

        value = selected(group, one, "range_select" if head.endswith("Range") else "select")
        lines += function(f"{name}_{suffix}({head}", [f"return {value};"])
    return "\n".join(lines)


def _slope_most(activation, most_slope, most_curvature, rough, floor):
    wide = f"vec4f({number(most_slope * (1 + 1e-6))})"
    rate = RATES.get(activation.name)
    if rate is not None:
        # exp(x) <= 1 + 2 x up to x = 1.
        near = f"abs(slope) * (1.0 + {number(2 * rate)} * e + {rough}.0 * ULP)"
        body = f"select({near}, {wide}, e > vec4f({number(1 / rate)}))"
    else:
        body = f"abs(slope) * (1.0 + {rough}.0 * ULP) + {number(floor)} * ULP + {number(most_curvature)} * e"
    lines = [f"let smooth_most = min({body}, {wide});"]
    if has_break(activation):
        lines.append(f"return select(smooth_most, {wide}, abs(z) <= e);")
    else:
        lines.append("return smooth_most;")
    return lines


def _widened(activation, most_slope, most_curvature):
    """Statements that widen `r`, a range of slopes at two ends, to the slopes within e of the ends, without kinks."""
    rate = RATES.get(activation.name)
    if rate is None:
        if most_curvature == 0.0:
            return []
        return [f"r = Range(r.low - {number(most_curvature)} * e, r.high + {number(most_curvature)} * e);"]
    # The slopes of these activations have one sign: that of their parameter, or plus.
    sign = -1.0 if activation.slope(-1.0) < 0 else 1.0
    wide = f"vec4f({number(sign * most_slope * (1 + 1e-6))})"
    grown, shrunk = f"(1.0 + {number(2 * rate)} * e)", f"max(1.0 - {number(rate)} * e, vec4f(0.0))"
    far = f"e > vec4f({number(1 / rate)})"
    if sign > 0:
        return [f"r = Range(r.low * {shrunk}, select(r.high * {grown}, {wide}, {far}));"]
    return [f"r = Range(select(r.low * {grown}, {wide}, {far}), r.high * {shrunk});"]


def _extrema(activation, which):
    """Statements that widen `r` by the extrema of s' or s'' inside the Range z."""
    rule, a = activation.rule, activation.argument
    function, points = getattr(rule, which), getattr(rule, f"{which}_extrema")
    lines = []
    period = rule.period(a)
    if period:
        frequency = a / (2 * math.pi)
        # Extrema alternate at half periods: one kind repeats at two periods.
        for x in points:
            top = _at(function, x / a, a)
            for shift, value in ((0.0, top), (1.0, -top)):
                phase = (x / a + shift * period) * frequency
                lines.append(
                    f"r = range_with(r, {number(value)}, range_holds_whole(z, {number(frequency)}, {number(phase)}));"
                )
        return lines
    for x in points:
        lines.append(f"r = range_with(r, {number(_at(function, x, a))}, range_holds(z, {number(x)}));")
    for value in dict.fromkeys(_sides(activation, function)) if has_break(activation) else ():
        lines.append(f"r = range_with(r, {number(value)}, range_holds(z, 0.0));")
    return lines
