"""WGSL that bounds an activation's slope, curvature and rounding over an interval, from its row of the table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.units import Group, selected
from engine.codegen.text import function
from engine.errors import NetworkError
from engine.network.activations import Activation
from engine.network.mlp import Shape
from engine.network.rules.extrema import OPEN, Extrema, extrema, gaps_beside

# Errors of each activation's WGSL, in units of 2^-23: (relative to the result, absolute) of the value, then (relative
# to the result, relative to the largest) of the slope and, unless it is the same, of the curvature.
# tests/kernels/test_activation_bounds.py measures them.
ACCURACY: dict[str, tuple[tuple[float, float], ...]] = {
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
    "gaussian": ((12, 0), (32, 0), (32, 16)),
    "cos": ((0, 4), (0, 8)),
    "swish": ((8, 0), (32, 16)),
    "hardtanh": ((0, 0), (0, 0)),
    "clipped_relu": ((0, 0), (0, 0)),
    "hard_sigmoid": ((2, 2), (0, 0)),
    "hard_swish": ((4, 0), (4, 0)),
    "abs": ((0, 0), (0, 0)),
    "softshrink": ((1, 0), (0, 0)),
    "shrink": ((1, 0), (0, 0)),
    "threshold": ((0, 0), (0, 0)),
    "thresholded_relu": ((0, 0), (0, 0)),
    "gelu_tanh": ((8, 8), (32, 16)),
    "mish": ((8, 0), (32, 16)),
    "selu": ((8, 0), (16, 0)),
    "celu": ((8, 0), (16, 0)),
    "log_sigmoid": ((8, 0), (16, 0)),
    "softsign": ((4, 0), (16, 0)),
    "tanhshrink": ((32, 0), (32, 0)),
    "erf": ((8, 0), (32, 0)),
    "atan": ((6, 0), (16, 0)),
    "asinh": ((8, 0), (16, 0)),
    "exp": ((12, 0), (12, 0)),
    "sinh": ((12, 0), (12, 0)),
    "cosh": ((12, 0), (12, 0)),
    "square": ((2, 0), (8, 0)),
    "power": ((96, 0), (96, 0)),
    "sqrt": ((8, 0), (16, 0)),
    "rsqrt": ((8, 0), (16, 0)),
    "reciprocal": ((4, 0), (16, 0)),
    "log": ((8, 0), (8, 0)),
}

# Past this a sine's reduction is not exact (wgsl/lib/sine.wgsl) and only |sin| <= 1 is left.
SINE_MOST = 1.0e4


def number(x: float) -> str:
    """A WGSL literal of the float32 nearest to x."""
    text = repr(float(np.float32(x)))
    return text if any(c in text for c in ".einf") else text + ".0"


def accuracy(activation: Activation, which: str) -> tuple[float, float]:
    """(relative, absolute) of "value", "slope" or "curvature", as ACCURACY has them."""
    value, *derivatives = ACCURACY[activation.name]
    return {"value": value, "slope": derivatives[0], "curvature": derivatives[-1]}[which]


def check_bounded(shape: Shape) -> None:
    """Raises NetworkError for a Shape with an activation that jumps, ends or has a pole and no bounds beside that."""
    for i, activation in ((i, kind) for i, layer in enumerate(shape.activations) for kind in layer.kinds):
        if activation.unbounded and not activation.rule.beside:
            raise NetworkError(
                f"Layer {i} of {shape} is {activation}, which {activation.unbounded}: no bounds hold along a ray "
                "through it. Its values can be shown in a plane, as random_networks does."
            )


@dataclass(frozen=True)
class _Derivative:
    """s' or s'' of an activation, as the statements that bound it need it.

    rough, floor   its WGSL is off by at most so many ulp of the result, and so many of `largest`
    largest        the largest magnitude anywhere, or 1 where it grows without limit
    """

    activation: Activation
    which: str

    @property
    def extrema(self) -> Extrema:
        return extrema(self.activation, self.which)

    @property
    def limited(self) -> bool:
        return bool(np.isfinite(self.extrema.most))

    @property
    def most(self) -> str:
        """The largest magnitude, rounded up."""
        return number(self.extrema.most * (1 + 1e-6))

    def __call__(self, z: str) -> str:
        return self.activation.wgsl(self.which, z)

    def padded(self) -> str:
        """The statement that returns `r`, wider by its rounding."""
        rough, floor = accuracy(self.activation, self.which)
        if not rough and not floor:
            return "return r;"
        return f"return range_padded(r, {rough}.0, {number(floor * (self.extrema.most if self.limited else 1.0))});"

    def at_breaks(self) -> list[str]:
        """Statements that widen `r` by both limits at the breaks inside the Range z."""
        return [
            f"r = range_with(r, {number(value)}, range_holds(z, {number(z)}));"
            for z, *sides in self.extrema.breaks
            for value in dict.fromkeys(sides)
        ]

    def at_extrema(self) -> list[str]:
        """Statements that widen `r` by the extrema inside the Range z."""
        known, lines = self.extrema, []
        for z, value in zip(known.places, known.values, strict=True):
            inside = f"range_holds(z, {number(z)})"
            if known.period:
                inside = f"range_holds_whole(z, {number(1 / known.period)}, {number(z / known.period)})"
            lines.append(f"r = range_with(r, {number(value)}, {inside});")
        return lines


def range_functions(activation: Activation, suffix: object) -> str:
    """WGSL functions of one activation with its parameters written in.

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
    rule, a = activation.rule, activation.argument
    slope, curvature = _Derivative(activation, "slope"), _Derivative(activation, "curvature")
    relative, absolute = accuracy(activation, "value")
    error = f"{relative}.0 * ULP * abs(value)" if relative else "vec4f(0.0)"
    if absolute:
        error += f" + {number(absolute * max([1.0, *map(abs, activation.parameters)]))} * ULP"
    if rule.period(a):
        error = f"select({error}, vec4f(2.0), abs(z) > vec4f({number(SINE_MOST * rule.period(a) / (2 * np.pi))}))"
    parts = {
        "value_{}(z: vec4f) -> vec4f": [f"return {activation.wgsl('value', 'z')};"],
        "slope_{}(z: vec4f) -> vec4f": [f"return {slope('z')};"],
        "value_error_{}(z: vec4f, value: vec4f) -> vec4f": [f"return {error};"],
        "argument_error_{}(z: vec4f) -> vec4f": [
            f"return {f'{number(rule.scaled)} * ULP * abs(z)' if rule.scaled else 'vec4f(0.0)'};"
        ],
        "slope_range_{}(z: Range) -> Range": _ranged(slope),
        "slope_most_{}(z: vec4f, slope: vec4f, e: vec4f) -> vec4f": _slope_most(slope, curvature, suffix),
        "slope_near_{}(ends: Range, p: vec4f, q: vec4f, e: vec4f) -> Range": _slope_near(slope, curvature),
        "curvature_range_{}(z: Range) -> Range": _ranged(curvature),
        "bend_{}(z: Range, change: vec4f, slack: vec4f) -> Range": _bend(curvature, suffix),
    }
    return "\n".join(line for head, body in parts.items() for line in function(head.format(suffix), body))


def _ranged(part):
    if gaps := gaps_beside(part.activation):
        # Over a gap there are no bounds; nor where float32 has none left.
        tests = [f"(z.low <= vec4f({number(z)}))" if ends else f"range_holds(z, {number(z)})" for z, ends in gaps]
        most, rough = f"vec4f({number(OPEN)})", accuracy(part.activation, part.which)[0]
        return [
            f"let r = range_over({part('z.low')}, {part('z.high')});",
            f"let whole = (max(abs(r.low), abs(r.high)) < {most}) & !({' | '.join(tests)});",
            f"return range_select(Range(-{most}, {most}), range_padded(r, {rough}.0, 0.0), whole);",
        ]
    return [
        f"var r = range_over({part('z.low')}, {part('z.high')});", *part.at_extrema(), *part.at_breaks(), part.padded()
    ]  # fmt: skip


def _rate(slope):
    """The rate by which a slope may change; 0 where it has none."""
    return slope.activation.rule.rate(slope.activation.argument)


def _slope_most(slope, curvature, suffix):
    rate, (rough, floor) = _rate(slope), accuracy(slope.activation, "slope")
    if rate and slope.limited:
        # exp(x) <= 1 + 2 x up to x = 1.
        near = f"abs(slope) * (1.0 + {number(2 * rate)} * e + {rough}.0 * ULP)"
        body = f"select({near}, vec4f({slope.most}), e > vec4f({number(1 / rate)}))"
    elif slope.limited and curvature.limited and not slope.activation.rule.fades:
        body = f"abs(slope) * (1.0 + {rough}.0 * ULP) + {number(floor * slope.extrema.most)} * ULP"
        body += f" + {curvature.most} * e" if curvature.extrema.most else ""
    else:
        return [
            "let reach = e + ULP * (abs(z) + e);",
            f"let r = slope_range_{suffix}(Range(z - reach, z + reach));",
            "return max(abs(r.low), abs(r.high));",
        ]
    lines = [f"let smooth_most = min({body}, vec4f({slope.most}));"]
    close = " | ".join(f"(abs(z - {number(z)}) <= e + {number(1e-6 * abs(z))})" for z, _, _ in slope.extrema.breaks)
    return [*lines, f"return select(smooth_most, vec4f({slope.most}), {close});" if close else "return smooth_most;"]


def _slope_near(slope, curvature):
    z, rate = "let z = Range(ends.low - e, ends.high + e);", _rate(slope)
    if slope.activation.rule.fades or not (slope.limited and (rate or curvature.limited)):
        reach = "let reach = e + ULP * (max(abs(ends.low), abs(ends.high)) + e);"
        return [reach, "let z = Range(ends.low - reach, ends.high + reach);", *_ranged(slope)]
    widened = f"r = Range(r.low - {curvature.most} * e, r.high + {curvature.most} * e);"
    if rate:
        # The slopes of such a function have one sign, except for constants beside a kink.
        grown, shrunk = f"(1.0 + {number(2 * rate)} * e)", f"max(1.0 - {number(rate)} * e, vec4f(0.0))"
        most, far = f"vec4f({slope.most})", f"e > vec4f({number(1 / rate)})"
        low = f"select(r.low * select({shrunk}, {grown}, r.low < vec4f(0.0)), min(r.low, -{most}), {far})"
        high = f"select(r.high * select({shrunk}, {grown}, r.high > vec4f(0.0)), max(r.high, {most}), {far})"
        sign = [value < 0 for value in (*slope.extrema.values, *(x for b in slope.extrema.breaks for x in b[1:]))]
        if not any(sign):
            low = f"r.low * {shrunk}"
        widened = f"r = Range({low}, {high});"
    elif not curvature.extrema.most:
        widened = ""
    lines = ["var r = range_over(p, q);", z, *slope.at_breaks(), *([widened] if widened else [])]
    return [*lines, *slope.at_extrema(), slope.padded()]


# The interpolation error from a Range of curvatures: one of one sign bends s least where the ends are closest.
BENT = (
    "let wide = change + slack;",
    "let narrow = max(change - slack, vec4f(0.0));",
    "let most = wide * wide * 0.125;",
    "let least = narrow * narrow * 0.125;",
    "var low = -c.high * select(least, most, c.high > vec4f(0.0));",
    "var high = -c.low * select(least, most, c.low < vec4f(0.0));",
)


def curvature_near(activation: Activation, suffix: object, third: float) -> str:
    """`bend_over_SUFFIX(ends, p, q, e, change)`: as `bend_SUFFIX`, from the curvatures p and q at the ends.

    third   the largest magnitude of s'''
    """
    curvature = _Derivative(activation, "curvature")
    lines = [
        "let z = Range(ends.low - e, ends.high + e);",
        "let slack = 2.0 * e;",
        f"let far = {number(third * (1 + 1e-6))} * e;",
        "let near = range_over(p, q);",
        f"let top = vec4f({curvature.most});",
        "var r = Range(max(near.low - far, -top), min(near.high + far, top));",
        *curvature.at_extrema(),
        # What value and slope are off by, and their product.
        f"let c = range_padded(r, 64.0, {number(16.0 * curvature.extrema.most)});",
        *BENT,
        "return Range(low, high);",
    ]
    head = f"bend_over_{suffix}(ends: Range, p: vec4f, q: vec4f, e: vec4f, change: vec4f) -> Range"
    return "\n".join(function(head, lines))


def _bend(curvature, suffix):
    activation = curvature.activation
    kinks = [(z, jump) for z, jump in activation.rule.kinks(activation.argument) if jump]
    if not curvature.extrema.most and not kinks:
        return ["return Range(vec4f(0.0), vec4f(0.0));"]
    lines = [f"let c = curvature_range_{suffix}(z);", *BENT]
    if not curvature.extrema.most:
        lines = ["let wide = change + slack;", "var low = vec4f(0.0);", "var high = vec4f(0.0);"]
    for z, jump in kinks:
        # The chord over a kink of this jump is off by at most jump * width / 4, on the side the kink opens to.
        slack = 1e-6 * abs(z)
        inside = f"(z.low < vec4f({number(z + slack)})) & (z.high > vec4f({number(z - slack)}))"
        side = "low" if jump > 0 else "high"
        lines.append(f"{side} -= select(vec4f(0.0), wide * {number(jump / 4)}, {inside});")
    return [*lines, "return Range(low, high);"]


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
