"""From a deep network's shape to WGSL that bounds its output over a piece of a ray: chords and remainders by layers."""

from dataclasses import dataclass

from engine.codegen.bounds.ranges import range_functions
from engine.codegen.bounds.softmax import OF_MARGIN, margin_functions
from engine.codegen.mlp.body import ByOutputs
from engine.codegen.mlp.layout import layout
from engine.codegen.mlp.units import kinds, layer_groups, selected
from engine.network.activations import JOINT, Activation
from engine.network.mlp import Shape
from engine.network.units.mixed import Mixed


@dataclass(frozen=True)
class ParabolaElement:
    """Four neurons' responses over a piece of a ray, as `arithmetic/parabola` has them: an Element of codegen.mlp.body.

    activations   those that the network has, one function `lift_<number>` each
    """

    activations: tuple[Activation, ...]
    element: str = "Parabola"

    def start(self, layer: int, bias: str, group: str) -> str:
        return f"parabola_start(weights[{bias}])"

    def product(self, layer: int, z: str, block: str, k: str, h: str) -> str:
        if layer == 0:
            return f"parabola_enter({z}.near, {block}, t0, t1)"
        return f"parabola_add({z}, {block}, {h})"

    def response(self, shape: Shape, layer: int, z: str, group: str, at: int) -> str:
        last = layer == len(shape.activations) - 1
        terms = 0 if last else 4 * layout(shape).blocks[layer].outputs
        kinds = layer_groups(shape, layer)[at]
        rounded, alone = f"parabola_rounded({z})", isinstance(shape.activations[layer], Activation)

        def one(activation: Activation) -> str:
            if activation.is_whole or (last and activation.name == "identity"):
                return rounded
            if activation.name == "product":
                return f"parabola_product({rounded}, {terms}.0)"
            if activation.name == "identity" and not alone:
                return f"parabola_passed({rounded}, {terms}.0)"
            return f"lift_{self.activations.index(activation)}({rounded}, {terms}.0)"

        return selected(kinds, one, "parabola_select")


class ParabolaBody:
    """Writes `segment_to` for a Shape."""

    def __init__(self, shape: Shape):
        self.blocks = layout(shape).blocks
        self.activations = tuple(a for a in kinds(shape.activations) if a.rule.elementwise)
        self.of_margin = OF_MARGIN.get(str(shape.activations[-1]))
        differ = any(isinstance(a, Mixed) or a.name in JOINT for a in shape.activations)
        self.arithmetic = "parabola_units" if differ else "parabola"
        self.writer = ByOutputs(shape, ParabolaElement(self.activations))

    @property
    def iterations(self) -> int:
        """Loop iterations a segment takes."""
        return self.writer.iterations + (3 * self.blocks[-1].outputs if self.of_margin else 0)

    def text(self) -> str:
        """The functions of `generated/enclosure` that depend on the Shape."""
        parts = [f"#import arithmetic/{self.arithmetic}", *(f"#import activations/{a.name}" for a in self.activations)]
        for i, activation in enumerate(self.activations):
            parts += [range_functions(activation, i), LIFT.format(suffix=i)]
        if self.of_margin:
            parts += ["#import lib/exponential", f"#import activations/{self.of_margin.name}"]
            parts += [range_functions(self.of_margin, "p")]
            parts += [LIFT.format(suffix="p"), margin_functions(self.blocks[-1])]
        outputs = f"array<Parabola, {self.blocks[-1].outputs}>"
        body = "\n".join(f"    {line}" for line in self.writer.lines())
        result = "lift_p(margin_of(outputs), 0.0)" if self.of_margin else "outputs[0]"
        parts += [f"fn network_parabola(t0: f32, t1: f32) -> {outputs} {{\n{body}\n}}\n"]
        return "\n".join([*parts, SEGMENT.format(result=result)])


# An activation's step: from a Parabola of four z to that of s(z).
LIFT = """\
fn lift_{suffix}(b: Parabola, terms: f32) -> Parabola {{
    let error_bound = b.error_bound + max(argument_error_{suffix}(b.near), argument_error_{suffix}(b.far));
    let p = value_{suffix}(b.near);
    let q = value_{suffix}(b.far);
    let most = max(
        slope_most_{suffix}(b.near, slope_{suffix}(b.near), error_bound),
        slope_most_{suffix}(b.far, slope_{suffix}(b.far), error_bound),
    );
    let error = max(value_error_{suffix}(b.near, p), value_error_{suffix}(b.far, q));
    let z = Range(min(b.near, b.far) - error_bound, max(b.near, b.far) + error_bound);
    let own = bend_{suffix}(z, abs(b.far - b.near), 2.0 * error_bound);
    let d = Range(b.middle - b.radius, b.middle + b.radius);
    let wide = Range(z.low + min(d.low, vec4f(0.0)), z.high + max(d.high, vec4f(0.0)));
    let slopes = range_times(slope_range_{suffix}(wide), d);
    // Slopes and curvatures may have underflowed too.
    let lost = TINY * (error_bound + max(abs(d.low), abs(d.high)) + (b.far - b.near) * (b.far - b.near));
    let all = most * error_bound + error + lost;
    return parabola_of(p, q, all, Range(own.low + slopes.low - lost, own.high + slopes.high + lost), terms);
}}
"""

SEGMENT = """\
fn segment_to(t0: f32, t1: f32) -> Bounds {{
    var outputs = network_parabola(t0, t1);
    let result = {result};
    far_value = result.far.x;
    far_error = result.error_bound.x * 1.00001;
    return bounds_padded(result.middle.x - result.radius.x, result.middle.x + result.radius.x);
}}

fn enter_at(t: f32) {{
    let unused = segment_to(t, t);
}}
"""
