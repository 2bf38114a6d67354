"""From the shape of a network with one layer of activations to WGSL that bounds it over a piece of a ray by slopes."""

from engine.codegen.bounds.ranges import RATES, largest, number, range_functions
from engine.codegen.mlp.layout import layout
from engine.network.mlp import Shape

# Activations whose slope is above 0, largest at 0, and changes by at most its RATE: wgsl/lib/saturating.wgsl has value
# and slope at once.
SATURATING = ("tanh", "sigmoid")


def slope_body(shape: Shape) -> "SlopeBody":
    """What writes the functions for a Shape."""
    return (SaturatingBody if shape.activations[0].name in SATURATING else SlopeBody)(shape)


class SlopeBody:
    """f = V s(W p + b) + c; along a ray z = a t + b and f' = sum of V_i a_i s'(z_i), all written out.

    s' is at hand at both ends; between them its extremes are at the activation's extrema.
    """

    per_ray: tuple[str, ...] = ("ray_a", "ray_b", "ray_e", "ray_low", "ray_high")

    def __init__(self, shape: Shape) -> None:
        self.blocks = layout(shape).blocks
        self.activation = shape.activations[0]
        self.groups = self.blocks[0].outputs
        self.lines: list[str] = []

    def add(self, text: str) -> None:
        self.lines.extend(text.splitlines())

    def text(self) -> str:
        self.add(f"#import arithmetic/slope\n#import activations/{self.activation.name}\n")
        self.add("const ENTERS_APART = true;\n")
        self.add(range_functions(self.activation, 0))
        for name in (*self.per_ray, "near_z", "near_s", "far_z", "far_s"):
            self.add(f"var<private> {name}: array<vec4f, {self.groups}>;")
        self.begin()
        self.far()
        self.plain()
        self.bounds()
        return "\n".join(self.lines) + "\n"

    def out(self, g: int) -> str:
        """The last layer's weights from group g."""
        if len(self.blocks) == 1:
            # Its activation is the output.
            return "vec4f(1.0, 0.0, 0.0, 0.0)" if g == 0 else "vec4f(0.0)"
        at = self.blocks[1].block(0, g)
        return f"vec4f({', '.join(f'weights[{at + j}u].x' for j in range(4))})"

    @property
    def bias(self) -> str:
        return "0.0" if len(self.blocks) == 1 else f"weights[{self.blocks[1].bias}u].x"

    def begin(self) -> None:
        self.add(
            "fn enclosure_begin(o: vec3f, d: vec3f, length: f32) {\n"
            "    let per_length = 1.0 / max(length, 1e-30);\n"
            "    let reach = abs(d) * length + abs(o);"
        )
        block = self.blocks[0]
        for g in range(self.groups):
            at, bias = block.block(g, 0), f"weights[{block.bias + g}u]"
            self.add(
                f"""\
    ray_a[{g}] = block_times({at}u, d);
    ray_b[{g}] = {bias} + block_times({at}u, o);
    // Five roundings in the dot product with its bias and one in a t + b, each at most an ulp.
    ray_e[{g}] = 6.0 * ULP * (abs({bias}) + block_times_abs({at}u, reach));
    // V a, with its own rounding, which is part of e's over the whole length.
    let rate{g} = {self.out(g)} * ray_a[{g}];
    let slack{g} = abs({self.out(g)}) * ray_e[{g}] * per_length;
    ray_low[{g}] = rate{g} - slack{g};
    ray_high[{g}] = rate{g} + slack{g};"""
            )
            self.add_per_ray(g)
        self.add("}\n")

    def add_per_ray(self, g: int) -> None:
        """More constants of a ray, for a kind of activation."""

    def far(self) -> None:
        terms = 4 * self.groups + 3
        self.add("fn enter_at(t: f32) {\n    var value = vec4f(0.0);\n    var error = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    let h{g} = value_0(z{g});
    let s{g} = slope_0(z{g});
    let e{g} = ray_e[{g}] + argument_error_0(z{g});
    value = fma({self.out(g)}, h{g}, value);
    let lost{g} = slope_most_0(z{g}, s{g}, e{g}) * e{g} + value_error_0(z{g}, h{g});
    error += abs({self.out(g)}) * (lost{g} + {terms}.0 * ULP * abs(h{g}));
    far_z[{g}] = z{g};
    far_s[{g}] = s{g};"""
            )
        self.add(f"    far_value = sum_of(value) + {self.bias};")
        self.add(f"    far_error = 1.00001 * sum_of(error) + 2.0 * ULP * abs({self.bias});\n}}\n")
        self.near()

    def near(self) -> None:
        self.add("fn near_from_far() {\n    near_value = far_value;\n    near_error = far_error;")
        for g in range(self.groups):
            self.add(f"    near_z[{g}] = far_z[{g}];\n    near_s[{g}] = far_s[{g}];")
        self.add("}\n")

    def plain(self) -> None:
        self.add("fn plain_at(t: f32) -> vec2f {\n    var value = vec4f(0.0);\n    var slope = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    value = fma({self.out(g)}, value_0(z{g}), value);
    slope = fma({self.out(g)} * ray_a[{g}], slope_0(z{g}), slope);"""
            )
        self.add(f"    return vec2f(sum_of(value) + {self.bias}, sum_of(slope));\n}}\n")

    def bounds(self) -> None:
        self.add(
            "fn segment_to(t0: f32, t1: f32) -> Bounds {\n    enter_at(t1);\n    var low = vec4f(0.0);\n"
            "    var high = vec4f(0.0);\n    var size = vec4f(0.0);"
        )
        for g in range(self.groups):
            self.add(
                f"""\
    let e{g} = ray_e[{g}] + max(argument_error_0(near_z[{g}]), argument_error_0(far_z[{g}]));
    let s{g} = slope_near_0(range_over(near_z[{g}], far_z[{g}]), near_s[{g}], far_s[{g}], e{g});
    let p{g} = range_times(Range(ray_low[{g}], ray_high[{g}]), s{g});
    low += p{g}.low;
    high += p{g}.high;
    size += max(abs(p{g}.low), abs(p{g}.high));"""
            )
        self.add(f"    let pad = {4 * self.groups + 8}.0 * ULP * sum_of(size);")
        self.add(
            "    let width = t1 - t0;\n"
            "    return Bounds((sum_of(low) - pad) * width, (sum_of(high) + pad) * width);\n}\n"
        )


class SaturatingBody(SlopeBody):
    """The same for tanh and sigmoid, at half the cost: what rounding does to slopes are factors, once a ray."""

    per_ray = ("ray_a", "ray_b", "ray_e", "ray_low", "ray_high", "ray_out", "ray_grown", "ray_shrunk", "ray_lost")

    def text(self) -> str:
        return "#import lib/saturating\n" + super().text() + "\nvar<private> ray_rounding: f32;\n"

    def add_per_ray(self, g: int) -> None:
        rate = RATES[self.activation.name]
        terms = 4 * self.groups + 3
        if g == 0:
            self.add("    var rounding = vec4f(0.0);")
        # exp(x) <= 1 + 2 x up to x = 1; past that only the largest slope is sure. The ulp are those of the slope
        # itself (16), of its products (4) and of their sum.
        self.add(
            f"""\
    ray_out[{g}] = {self.out(g)};
    let far{g} = ray_e[{g}] * {number(rate)};
    ray_grown[{g}] = select(1.0 + 2.0 * far{g} + {terms + 24}.0 * ULP, vec4f(1e30), far{g} > vec4f(1.0));
    ray_shrunk[{g}] = max(1.0 - far{g} - {terms + 24}.0 * ULP, vec4f(0.0));
    ray_lost[{g}] = abs({self.out(g)}) * ray_e[{g}];
    rounding += abs({self.out(g)}) * ({terms + 6}.0 * ULP);"""
        )
        if g == self.groups - 1:
            self.add(f"    ray_rounding = sum_of(rounding) + 2.0 * ULP * abs({self.bias});")

    def far(self) -> None:
        most = number(largest(self.activation, "slope"))
        self.add("fn enter_at(t: f32) {\n    var value = vec4f(0.0);\n    var error = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    let h{g} = {self.activation.name}_both(z{g});
    value = fma(ray_out[{g}], h{g}.value, value);
    error = fma(ray_lost[{g}], min(h{g}.slope * ray_grown[{g}], vec4f({most})), error);
    far_z[{g}] = z{g};
    far_s[{g}] = h{g}.slope;"""
            )
        self.add(f"    far_value = sum_of(value) + {self.bias};")
        self.add("    far_error = 1.00001 * sum_of(error) + ray_rounding;\n}\n")
        self.near()

    def plain(self) -> None:
        self.add("fn plain_at(t: f32) -> vec2f {\n    var value = vec4f(0.0);\n    var slope = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let h{g} = {self.activation.name}_both(fma(ray_a[{g}], vec4f(t), ray_b[{g}]));
    value = fma(ray_out[{g}], h{g}.value, value);
    slope = fma(ray_high[{g}], h{g}.slope, slope);"""
            )
        self.add(f"    return vec2f(sum_of(value) + {self.bias}, sum_of(slope));\n}}\n")

    def bounds(self) -> None:
        most = number(largest(self.activation, "slope"))
        self.add(
            "fn segment_to(t0: f32, t1: f32) -> Bounds {\n    enter_at(t1);\n    var low = vec4f(0.0);\n"
            "    var high = vec4f(0.0);"
        )
        for g in range(self.groups):
            # Within rounding of 0 the grown slope is the largest, or more.
            self.add(
                f"""\
    let crosses{g} = near_z[{g}] * far_z[{g}] <= vec4f(0.0);
    let top{g} = select(max(near_s[{g}], far_s[{g}]) * ray_grown[{g}], vec4f({most}), crosses{g});
    let most{g} = min(top{g}, vec4f({most}));
    let least{g} = min(near_s[{g}], far_s[{g}]) * ray_shrunk[{g}];
    low += min(ray_low[{g}] * least{g}, ray_low[{g}] * most{g});
    high += max(ray_high[{g}] * least{g}, ray_high[{g}] * most{g});"""
            )
        self.add("    let width = t1 - t0;\n    return Bounds(sum_of(low) * width, sum_of(high) * width);\n}\n")
