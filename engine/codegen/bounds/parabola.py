"""From a deep network's shape to WGSL that bounds its output over a piece of a ray: chords and remainders by layers."""

from engine.codegen.bounds.ranges import range_functions
from engine.codegen.bounds.softmax import margin_functions
from engine.codegen.mlp.layout import layout
from engine.network.activations import Activation

SIGMOID = Activation("sigmoid")
# Layers to this many groups of four neurons keep their responses in registers; wider ones in arrays in memory.
MOST_IN_REGISTERS = 16
# Blocks in one iteration of an inner loop over a wide layer's inputs.
STRIDE = 8


class ParabolaBody:
    """Writes `segment_to` for a Shape.

    Each layer is a loop over its groups of four neurons. A group's responses are pushed into the end of a row of
    variables while those before move up one: after the last iteration each is in its place, and none was ever
    indexed by anything but a constant, which costs software drivers loads, stores and seconds of compilation.
    """

    def __init__(self, shape):
        self.shape = shape
        self.blocks = layout(shape).blocks
        self.activations = list(dict.fromkeys(a for a in shape.activations if a.rule.elementwise))
        self.softmax = not shape.activations[-1].rule.elementwise
        self.lines = []

    @property
    def iterations(self):
        """Loop iterations a segment takes."""
        total = 3 * self.blocks[-1].outputs if self.softmax else 0
        for i, block in enumerate(self.blocks):
            inner = block.inputs // STRIDE if self.wide(i) else 0
            total += block.outputs * (1 + inner) + 1
        return total

    def wide(self, layer):
        block = self.blocks[layer]
        return max(block.inputs, block.outputs) > MOST_IN_REGISTERS

    def add(self, text):
        self.lines.extend(text.splitlines())

    def text(self):
        names = dict.fromkeys(a.name for a in self.activations)
        self.add("#import arithmetic/parabola")
        self.add("\n".join(f"#import activations/{name}" for name in names))
        for i, activation in enumerate(self.activations):
            self.add(range_functions(activation, i))
            self.lift(i)
        if self.softmax:
            self.add("#import lib/exponential\n#import activations/sigmoid")
            self.add(range_functions(SIGMOID, "p"))
            self.lift("p")
            self.add(margin_functions(self.blocks[-1]))
        self.add(FIXED)
        self.segment()
        return "\n".join(self.lines) + "\n"

    def lift(self, suffix):
        """The activation's step: from a Parabola of four z to that of s(z)."""
        self.add(
            f"""\
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
    return parabola_of(p, q, most * error_bound + error, Range(own.low + slopes.low, own.high + slopes.high), terms);
}}
"""
        )

    def segment(self):
        self.add("fn segment_to(t0: f32, t1: f32) -> Bounds {")
        last = len(self.blocks) - 1
        i = 0
        while i < len(self.blocks):
            run = 1
            while i and i + run < last and self.alike(i, i + run):
                run += 1
            self.layer(i, run)
            i += run
        groups = self.blocks[-1].outputs
        if self.softmax:
            self.add(f"    let margin = margin_of(h{last});\n    let result = lift_p(margin, 0.0);")
        else:
            self.add(f"    let result = h{last}[{groups - 1}];")
        self.add(
            """\
    far_value = result.far.x;
    far_error = result.error_bound.x * 1.00001;
    return bounds_padded(result.middle.x - result.radius.x, result.middle.x + result.radius.x);
}
"""
        )

    def alike(self, i, j):
        sizes, activations = self.shape.sizes, self.shape.activations
        here = (sizes[i], sizes[i + 1], activations[i])
        return here == (sizes[j], sizes[j + 1], activations[j]) and here[0] == here[1]

    def layer(self, index, run):
        block, name = self.blocks[index], f"h{index}"
        wide, indent = self.wide(index), "    "
        if run > 1:
            # A run of equal layers: each iteration reads h and then replaces it.
            source = f"h{index + run - 1}"
            self.add(f"    var {source} = h{index - 1};")
            self.add(f"    var at{index} = {block.at}u;")
            self.add(f"    for (var iteration = 0u; iteration < {run}u; iteration++) {{")
            indent, start = "        ", f"at{index}"
        else:
            source, start = f"h{index - 1}", f"{block.at}u"
        self.add(f"{indent}var {name}{'n' if run > 1 else ''}: array<Parabola, {block.outputs}>;")
        target = f"{name}n" if run > 1 else name
        self.add(f"{indent}for (var g = 0u; g < {block.outputs}u; g++) {{")
        inner = indent + "    "
        self.add(f"{inner}let bias = weights[{start} + {block.bias - block.at}u + g];")
        self.add(f"{inner}let row = {start} + {4 * block.inputs}u * g;")
        if index == 0:
            self.add(f"{inner}var z = parabola_enter(bias, network_block(row), t0, t1);")
        else:
            self.add(f"{inner}var z = parabola_start(bias);")
            self.products(source, block, wide, inner)
        self.add(f"{inner}z.error_bound *= 1.0001;")
        activation = self.shape.activations[index]
        lifted = "z"
        if activation.rule.elementwise and not (activation.name == "identity" and index == len(self.blocks) - 1):
            terms = 4 * block.outputs if index + 1 < len(self.blocks) else 0
            lifted = f"lift_{self.activations.index(activation)}(z, {terms}.0)"
        if wide:
            self.add(f"{inner}{target}[g] = {lifted};")
        else:
            for g in range(block.outputs - 1):
                self.add(f"{inner}{target}[{g}] = {target}[{g + 1}];")
            self.add(f"{inner}{target}[{block.outputs - 1}] = {lifted};")
        self.add(f"{indent}}}")
        if run > 1:
            self.add(f"{indent}{source} = {target};\n{indent}at{index} += {block.size}u;\n    }}")

    def products(self, source, block, wide, indent):
        def line(k, place, indent):
            self.add(f"{indent}z = parabola_add(z, network_block({place}), {source}[{k}]);")

        iterations = block.inputs // STRIDE if wide else 0
        if iterations:
            self.add(f"{indent}for (var k = 0u; k < {iterations * STRIDE}u; k += {STRIDE}u) {{")
            for j in range(STRIDE):
                line(f"k + {j}u", f"row + 4u * k + {4 * j}u", indent + "    ")
            self.add(f"{indent}}}")
        for k in range(iterations * STRIDE, block.inputs):
            line(f"{k}", f"row + {4 * k}u", indent)


FIXED = """
var<private> ray_origin: vec3f;
var<private> ray_direction: vec3f;

const ENTERS_APART = false;

fn enclosure_begin(o: vec3f, d: vec3f, length: f32) {
    ray_origin = o;
    ray_direction = d;
}

// Four neurons of the first layer, whose z is linear along the ray: no remainder.
fn parabola_enter(bias: vec4f, m: mat4x4f, t0: f32, t1: f32) -> Parabola {
    let p0 = ray_origin + t0 * ray_direction;
    let p1 = ray_origin + t1 * ray_direction;
    // A point is off by an ulp of itself and one of t d; then come three products and three sums, an ulp of each.
    let size = abs(t1 * ray_direction) + 5.0 * max(abs(p0), abs(p1));
    let error_bound = ULP * plain_add(3.0 * abs(bias), block_abs(m), vec4f(size, 0.0));
    let near = plain_add(bias, m, vec4f(p0, 0.0));
    return Parabola(near, plain_add(bias, m, vec4f(p1, 0.0)), error_bound, vec4f(0.0), vec4f(0.0));
}

fn enter_at(t: f32) {
    let unused = segment_to(t, t);
}

fn near_from_far() {
    near_value = far_value;
    near_error = far_error;
}

fn plain_at(t: f32) -> vec2f {
    return network_slope(ray_origin + t * ray_direction, ray_direction, 0u);
}
"""
