"""From the shape of a network with one layer of activations to WGSL that bounds it over a piece of a ray by slopes."""

from engine.codegen.bounds.ranges import number, range_functions, selected_functions
from engine.codegen.mlp.layout import layout
from engine.codegen.mlp.units import imports, kinds, layer_groups
from engine.network.activations import Activation
from engine.network.mlp import Shape
from engine.network.rules.extrema import extrema

# Activations whose slope is above 0, largest at 0, and changes by at most its rate: wgsl/lib/saturating.wgsl has value
# and slope at once.
SATURATING = ("tanh", "sigmoid")
# Arrays for the two ends of a piece: z and s'(z) of each group.
ENDS = ("near_z", "near_s", "far_z", "far_s")
NEAR = "    near_z[{g}] = far_z[{g}];\n    near_s[{g}] = far_s[{g}];"
BEGIN_START = "    let per_length = 1.0 / max(length, 1e-30);\n    let reach = abs(d) * length + abs(o) + TINY;"
ENTERS = """

fn near_again(t: f32) {
    enter_at(t);
    near_from_far();
}
"""
NEAR_START = "    near_value = far_value;\n    near_error = far_error;\n    near_slope = far_slope;"


def slope_body(shape: Shape) -> "SlopeBody":
    """The writer of the functions for a Shape."""
    activation = shape.activations[0]
    saturates = isinstance(activation, Activation) and activation.name in SATURATING
    return (SaturatingBody if saturates else SlopeBody)(shape)


class SlopeBody:
    """f = V s(W p + b) + c; along a ray z = a t + b and f' = sum of V_i a_i s'(z_i), all written out.

    s' is known at both ends; between them its extremes are at the activation's extrema.

    per_ray   arrays of constants of a ray, a vec4f for each group of neurons
    begin, far, bounds
              what enclosure_begin, enter_at and segment_to do for group {g}, whose activation has
              functions with the suffix {k}; {out} is the last layer's
              weights from it, {terms} and {sums} the roundings of sums over all groups
    """

    per_ray: tuple[str, ...] = ("ray_a", "ray_b", "ray_e", "ray_low", "ray_high")
    begin = """\
    ray_a[{g}] = block_times({at}u, d);
    ray_b[{g}] = {first_bias} + block_times({at}u, o);
    // Five roundings in the dot product with its bias and one in a t + b, each at most an ulp.
    ray_e[{g}] = 6.0 * ULP * (abs({first_bias}) + block_times_abs({at}u, reach)) + TINY;
    // V a, with its own rounding, which is part of e's over the whole length.
    let rate{g} = {out} * ray_a[{g}];
    let slack{g} = abs({out}) * ray_e[{g}] * per_length + TINY;
    ray_low[{g}] = rate{g} - slack{g};
    ray_high[{g}] = rate{g} + slack{g};"""
    begin_sums: tuple[str, ...] = ()
    begin_end = ""
    far = """\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    let h{g} = value_{k}(z{g});
    let s{g} = slope_{k}(z{g});
    let e{g} = ray_e[{g}] + argument_error_{k}(z{g});
    value = fma({out}, h{g}, value);
    let lost{g} = slope_most_{k}(z{g}, s{g}, e{g}) * e{g} + value_error_{k}(z{g}, h{g});
    error += abs({out}) * (lost{g} + {terms}.0 * ULP * abs(h{g}) + TINY) + FLUSHED * abs(h{g});
    slope = fma(ray_high[{g}], s{g}, slope);
    far_z[{g}] = z{g};
    far_s[{g}] = s{g};"""
    far_error = "2.0 * ULP * abs({bias}) + TINY"
    bounds = """\
    let e{g} = ray_e[{g}] + max(argument_error_{k}(near_z[{g}]), argument_error_{k}(far_z[{g}]));
    let s{g} = slope_near_{k}(range_over(near_z[{g}], far_z[{g}]), near_s[{g}], far_s[{g}], e{g});
    let p{g} = range_times(Range(ray_low[{g}], ray_high[{g}]), Range(s{g}.low - TINY, s{g}.high + TINY));
    low += p{g}.low;
    high += p{g}.high;
    size += max(abs(p{g}.low), abs(p{g}.high));"""
    bounds_sums: tuple[str, ...] = ("low", "high", "size")
    bounds_end = """\
    let pad = {sums}.0 * ULP * sum_of(size) + TINY;
    let width = t1 - t0;
    end_bends = (far_value - near_value) / (width * vec2f(near_slope, far_slope));
    return Bounds((sum_of(low) - pad) * width, (sum_of(high) + pad) * width);"""

    def __init__(self, shape: Shape):
        self.blocks = layout(shape).blocks
        self.activations = kinds(shape.activations[:1])
        each = layer_groups(shape, 0)
        # Functions of an activation have its number as suffix; those of groups with several follow.
        self.mixed_groups = list(dict.fromkeys(group for group in each if len(group) > 1))
        self.suffixes = [self._suffix(group) for group in each]
        self.groups = self.blocks[0].outputs
        self.bias = "0.0" if len(self.blocks) == 1 else f"weights[{self.blocks[1].bias}u].x"

    def _suffix(self, group):
        is_mixed = len(group) > 1
        return len(self.activations) + self.mixed_groups.index(group) if is_mixed else self.activations.index(group[0])

    def out(self, g: int) -> str:
        """The last layer's weights from group g."""
        if len(self.blocks) == 1:
            # The only layer's activation is the output.
            return "vec4f(1.0, 0.0, 0.0, 0.0)" if g == 0 else "vec4f(0.0)"
        at = self.blocks[1].block(0, g)
        return f"vec4f({', '.join(f'weights[{at + j}u].x' for j in range(4))})"

    def names(self) -> dict[str, object]:
        """Values for the braces in the texts above that are the same for all groups."""
        return {"bias": self.bias, "terms": 4 * self.groups + 3, "sums": 4 * self.groups + 8}

    def function(self, head: str, text: str, *, sums: tuple[str, ...] = (), start: str = "", end: str = "") -> str:
        """A WGSL function of a text for each group, which may add up `sums` over all of them."""
        lines = [f"fn {head} {{", *([start] if start else []), *(f"    var {name} = vec4f(0.0);" for name in sums)]
        for g in range(self.groups):
            at, first_bias = self.blocks[0].block(g, 0), f"weights[{self.blocks[0].bias + g}u]"
            lines.append(
                text.format(g=g, k=self.suffixes[g], at=at, first_bias=first_bias, out=self.out(g), **self.names())
            )
        return "\n".join([*lines, *([end.format(**self.names())] if end else []), "}\n"])

    def text(self) -> str:
        """The functions of `generated/enclosure`."""
        far_end = (
            f"    far_value = sum_of(value) + {{bias}};\n    far_error = 1.00001 * sum_of(error) + {self.far_error};"
            "\n    far_slope = sum_of(slope);"
        )
        parts = [
            "\n".join(["#import arithmetic/ends", "#import arithmetic/slope_bounds", *imports(self.activations)])
            + ENTERS,
            *(range_functions(activation, k) for k, activation in enumerate(self.activations)),
            *(selected_functions(group, self._suffix(group), self.activations.index) for group in self.mixed_groups),
            *(f"var<private> {name}: array<vec4f, {self.groups}>;" for name in (*self.per_ray, *ENDS)),
            self.function(
                "enclosure_begin(o: vec3f, d: vec3f, length: f32)",
                self.begin,
                sums=self.begin_sums,
                start=BEGIN_START,
                end=self.begin_end,
            ),
            self.function("enter_at(t: f32)", self.far, sums=("value", "error", "slope"), end=far_end),
            self.function("near_from_far()", NEAR, start=NEAR_START),
            self.function(
                "segment_to(t0: f32, t1: f32) -> Bounds",
                self.bounds,
                sums=self.bounds_sums,
                start="    enter_at(t1);",
                end=self.bounds_end,
            ),
        ]
        return "\n".join(parts)


class SaturatingBody(SlopeBody):
    """The same for tanh and sigmoid, at half the cost: rounding changes slopes by factors, computed once per ray."""

    per_ray = (*SlopeBody.per_ray, "ray_out", "ray_grown", "ray_shrunk", "ray_lost")
    # exp(x) <= 1 + 2 x up to x = 1; past that only the largest slope is sure. The ulp are those of the slope itself
    # (16), of its products (4) and of their sum.
    begin = (
        SlopeBody.begin
        + """
    ray_out[{g}] = {out};
    let far{g} = ray_e[{g}] * {rate};
    ray_grown[{g}] = select(1.0 + 2.0 * far{g} + {factors}.0 * ULP, vec4f(1e30), far{g} > vec4f(1.0));
    ray_shrunk[{g}] = max(1.0 - far{g} - {factors}.0 * ULP, vec4f(0.0));
    ray_lost[{g}] = abs({out}) * ray_e[{g}];
    rounding += abs({out}) * ({values}.0 * ULP);
    lost += abs(ray_high[{g}]) + slack{g};"""
    )
    begin_sums = ("rounding", "lost")
    begin_end = """\
    ray_rounding = sum_of(rounding) + 2.0 * ULP * abs({bias}) + TINY;
    ray_pad = TINY * sum_of(lost);"""
    far = """\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    let h{g} = {name}_both(z{g});
    value = fma(ray_out[{g}], h{g}.value, value);
    error = fma(ray_lost[{g}], min(h{g}.slope * ray_grown[{g}], vec4f({most})), error);
    slope = fma(ray_high[{g}], h{g}.slope, slope);
    far_z[{g}] = z{g};
    far_s[{g}] = h{g}.slope;"""
    far_error = "ray_rounding"
    # Within rounding of 0 the grown slope is the largest, or more.
    bounds = """\
    let crosses{g} = near_z[{g}] * far_z[{g}] <= vec4f(0.0);
    let top{g} = select(max(near_s[{g}], far_s[{g}]) * ray_grown[{g}], vec4f({most}), crosses{g});
    let most{g} = min(top{g}, vec4f({most}));
    let least{g} = min(near_s[{g}], far_s[{g}]) * ray_shrunk[{g}];
    low += min(ray_low[{g}] * least{g}, ray_low[{g}] * most{g});
    high += max(ray_high[{g}] * least{g}, ray_high[{g}] * most{g});"""
    bounds_sums = ("low", "high")
    bounds_end = """\
    let width = t1 - t0;
    end_bends = (far_value - near_value) / (width * vec2f(near_slope, far_slope));
    return Bounds((sum_of(low) - ray_pad) * width, (sum_of(high) + ray_pad) * width);"""

    def names(self) -> dict[str, object]:
        """The values of SlopeBody, the activation's name and its largest slope."""
        terms, (activation,) = 4 * self.groups + 3, self.activations
        most, rate = number(extrema(activation, "slope").most), number(activation.rule.rate(0.0))
        return super().names() | {
            "name": activation.name,
            "most": most,
            "rate": rate,
            "factors": terms + 24,
            "values": terms + 6,
        }

    def text(self) -> str:
        return (
            "#import lib/saturating\n"
            + super().text()
            + "\nvar<private> ray_rounding: f32;\nvar<private> ray_pad: f32;\n"
        )
