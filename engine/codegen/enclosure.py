"""From a network's shape to WGSL that bounds its output over a piece of a ray.

Two enclosures, chosen by the shape. With one layer of activations the output's slope along the ray is a plain sum, so its
range over the piece is cheap and tight: the output lies between lines through its two end values (`arithmetic/cone`).
Deeper networks carry, neuron by neuron, how far a response strays from the chord through its exact end values, in units of
the bubble 4 x (1 - x): an interval a neuron (`arithmetic/bubble`).
"""

from functools import cache

from engine.codegen.layout import layout
from engine.codegen.margin import margin_functions
from engine.codegen.network import STRIDE, UNROLLED_LAYER, UNROLLED_NETWORK, iterations
from engine.codegen.ranges import number, range_functions
from engine.errors import NetworkError, ShapeError
from engine.network.activations import Activation

# llvmpipe ends loops silently after 65,535 turns an invocation, all loops summed; the rest is room for the caller's own.
LOOP_TURNS = 60000
# Enough for sheets a ten-thousandth thick (30 segments) many times over.
MOST_SEGMENTS = 96
FEWEST_SEGMENTS = 12
MOST_POLISHING = 12
SURFACES = 8  # one ray is asked for at most this many


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

    SEGMENT_LIMIT                    segments a search may take
    enclosure_begin(o, d, length)    per-ray constants
    far_at(t)                        evaluates the far end: far_value, far_error (a bound of its rounding)
    near_from_far()                  the next segment begins where this one ended
    enclosure_of(width)              the bounds over the segment near to far of that width, as `Bounds`
    plain_at(t)                      value and slope along the ray, without bounds
    POLISH_LIMIT                     turns a search may take to sharpen a hit

    The network module needs LINE among its arithmetics.

    Raises ShapeError unless the network has three inputs, NetworkError where it is too large for the search to be finished.
    """
    if shape.sizes[0] != 3:
        raise ShapeError(f"{shape} has {shape.sizes[0]} inputs; rays are cast through networks of 3, its x, y and z.")
    body = _Shallow(shape) if is_shallow(shape) else _Deep(shape)
    return body.text()


def segment_limit(shape):
    """Segments a search may take, so that SURFACES searches stay within llvmpipe's turns."""
    turns, polishing = (1, 1) if is_shallow(shape) else (1 + _Deep(shape).turns, 1 + iterations(shape))
    limit = min(MOST_SEGMENTS, (LOOP_TURNS // SURFACES - MOST_POLISHING * polishing) // turns)
    if limit < FEWEST_SEGMENTS:
        raise NetworkError(
            f"{shape} is too large to cast rays through: {limit} steps a ray are left where {FEWEST_SEGMENTS} are needed. "
            "Take fewer or narrower layers."
        )
    return limit


class _Body:
    """What both enclosures share: names, activations, and the rays' constants in the first layer."""

    def __init__(self, shape):
        self.shape = shape
        self.blocks = layout(shape).blocks
        self.activations = list(dict.fromkeys(a for a in shape.activations if a.rule.elementwise))
        self.lines = []

    def suffix(self, layer):
        return self.activations.index(self.shape.activations[layer])

    def add(self, text):
        self.lines.extend(text.splitlines())

    def head(self, kind):
        names = dict.fromkeys(a.name for a in self.activations)
        self.add(f"#import arithmetic/{kind}")
        self.add("\n".join(f"#import activations/{name}" for name in names))
        self.add(f"\nconst SEGMENT_LIMIT = {segment_limit(self.shape)}u;\nconst POLISH_LIMIT = {MOST_POLISHING}u;\n")
        for i, activation in enumerate(self.activations):
            self.add(range_functions(activation, i))

    def first_layer(self):
        """Statements for every group g of the first layer: slope a, start b and rounding e of z = a t + b."""
        block = self.blocks[0]
        lines = []
        for g in range(block.outputs):
            at = block.block(g, 0)
            lines += [
                f"    ray_a[{g}] = block_times({at}u, vec4f(d, 0.0));",
                f"    ray_b[{g}] = weights[{block.bias + g}u] + block_times({at}u, vec4f(o, 0.0));",
                # Five roundings in the dot product with its bias and one in a t + b, each at most an ulp.
                f"    ray_e[{g}] = 6.0 * ULP * (abs(weights[{block.bias + g}u]) + block_times_abs({at}u, vec4f(reach, 0.0)));",
            ]
        return "\n".join(lines)


class _Shallow(_Body):
    """f = V s(W p + b) + c, along a ray: f' = sum of V_i a_i s'(a_i t + b_i)."""

    def text(self):
        hidden = self.blocks[0].outputs
        self.groups = hidden
        self.head("cone")
        self.add(
            f"""
var<private> ray_a: array<vec4f, {hidden}>;
var<private> ray_b: array<vec4f, {hidden}>;
var<private> ray_e: array<vec4f, {hidden}>;
var<private> ray_low: array<vec4f, {hidden}>;
var<private> ray_high: array<vec4f, {hidden}>;
var<private> near_z: array<vec4f, {hidden}>;
var<private> near_s: array<vec4f, {hidden}>;
var<private> far_z: array<vec4f, {hidden}>;
var<private> far_s: array<vec4f, {hidden}>;
"""
        )
        self.begin()
        self.far()
        self.plain()
        self.bounds()
        return "\n".join(self.lines) + "\n"

    def out(self, g):
        """The last layer's weights from group g."""
        if len(self.blocks) == 1:
            # Its activation is the output.
            return "vec4f(1.0, 0.0, 0.0, 0.0)" if g == 0 else "vec4f(0.0)"
        at = self.blocks[1].block(0, g)
        return f"vec4f({', '.join(f'weights[{at + j}u].x' for j in range(4))})"

    @property
    def bias(self):
        return "0.0" if len(self.blocks) == 1 else f"weights[{self.blocks[1].bias}u].x"

    def begin(self):
        self.add("fn enclosure_begin(o: vec3f, d: vec3f, length: f32) {")
        self.add("    let reach = abs(d) * length + abs(o);")
        self.add(self.first_layer())
        for g in range(self.groups):
            at = self.blocks[0].block(g, 0)
            # V a, with the rounding of a.
            self.add(f"    let rate{g} = {self.out(g)} * ray_a[{g}];")
            self.add(f"    let slack{g} = abs({self.out(g)}) * 6.0 * ULP * block_times_abs({at}u, vec4f(abs(d), 0.0));")
            self.add(f"    ray_low[{g}] = rate{g} - slack{g};")
            self.add(f"    ray_high[{g}] = rate{g} + slack{g};")
        self.add("}\n")

    def far(self):
        i = self.suffix(0)
        n = 4 * self.groups + 3
        self.add("fn far_at(t: f32) {")
        self.add("    var value = vec4f(0.0);\n    var error = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    let h{g} = value_{i}(z{g});
    let s{g} = slope_{i}(z{g});
    let e{g} = ray_e[{g}] + argument_error_{i}(z{g});
    value = fma({self.out(g)}, h{g}, value);
    error = fma(abs({self.out(g)}), slope_most_{i}(z{g}, s{g}, e{g}) * e{g} + value_error_{i}(z{g}, h{g}) + {n}.0 * ULP * abs(h{g}), error);
    far_z[{g}] = z{g};
    far_s[{g}] = s{g};"""
            )
        self.add("    far_value = sum_of(value) + " + self.bias + ";")
        self.add(f"    far_error = 1.00001 * sum_of(error) + 2.0 * ULP * abs({self.bias});")
        self.add("}\n\nfn near_from_far() {\n    near_value = far_value;\n    near_error = far_error;")
        for g in range(self.groups):
            self.add(f"    near_z[{g}] = far_z[{g}];\n    near_s[{g}] = far_s[{g}];")
        self.add("}\n")

    def plain(self):
        i = self.suffix(0)
        self.add("fn plain_at(t: f32) -> vec2f {\n    var value = vec4f(0.0);\n    var slope = vec4f(0.0);")
        for g in range(self.groups):
            self.add(
                f"""\
    let z{g} = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);
    value = fma({self.out(g)}, value_{i}(z{g}), value);
    slope = fma({self.out(g)} * ray_a[{g}], slope_{i}(z{g}), slope);"""
            )
        self.add(f"    return vec2f(sum_of(value) + {self.bias}, sum_of(slope));\n}}\n")

    def bounds(self):
        i = self.suffix(0)
        self.add("fn enclosure_of(width: f32) -> Bounds {\n    var low = vec4f(0.0);\n    var high = vec4f(0.0);\n    var size = vec4f(0.0);")
        for g in range(self.groups):
            # The range of z is widened by its rounding: so the end slopes at hand are taken only where e is 0.
            self.add(
                f"""\
    let ends{g} = range_over(near_z[{g}], far_z[{g}]);
    let e{g} = ray_e[{g}] + max(argument_error_{i}(ends{g}.low), argument_error_{i}(ends{g}.high));
    let s{g} = slope_near_{i}(ends{g}, near_s[{g}], far_s[{g}], e{g});
    let p{g} = range_times(Range(ray_low[{g}], ray_high[{g}]), s{g});
    low += p{g}.low;
    high += p{g}.high;
    size += max(abs(p{g}.low), abs(p{g}.high));"""
            )
        self.add(f"    let pad = {4 * self.groups + 8}.0 * ULP * sum_of(size);")
        self.add("    return Bounds((sum_of(low) - pad) * width, (sum_of(high) + pad) * width);\n}\n")


SIGMOID = Activation("sigmoid")


class _Deep(_Body):
    """Any depth: the chord-bubble enclosure, layer by layer, with running bounds of the rounding."""

    def __init__(self, shape):
        super().__init__(shape)
        self.looped, spent = [], 0
        for block in self.blocks:
            size = block.inputs * block.outputs
            written = size <= UNROLLED_LAYER and spent + size <= UNROLLED_NETWORK
            spent += size if written else 0
            self.looped.append(not written)
        # Where each layer's neurons begin in the arrays of all of them.
        self.starts = [sum(b.outputs for b in self.blocks[:i]) for i in range(len(self.blocks))]
        self.count = sum(b.outputs for b in self.blocks)
        self.widest = max(max(b.inputs, b.outputs) for b in self.blocks)
        self.softmax = not shape.activations[-1].rule.elementwise
        # A segment evaluates once and encloses once; polishing evaluates once a turn, in loops of the same length.
        self.turns = 2 * sum(
            b.outputs * (3 + b.inputs // STRIDE) for b, looped in zip(self.blocks, self.looped, strict=True) if looped
        )
        self.turns += 3 * self.blocks[-1].outputs if self.softmax else 0

    def text(self):
        self.head("bubble")
        if self.softmax:
            self.add("#import lib/exponential\n#import lib/hyperbolic")
            self.add(range_functions(SIGMOID, "p"))
            self.add("#import activations/sigmoid")
        n = self.blocks[0].outputs
        self.add(
            f"""
var<private> ray_a: array<vec4f, {n}>;
var<private> ray_b: array<vec4f, {n}>;
var<private> ray_e: array<vec4f, {n}>;
var<private> near_z: array<vec4f, {self.count}>;
var<private> near_e: array<vec4f, {self.count}>;
var<private> far_z: array<vec4f, {self.count}>;
var<private> far_e: array<vec4f, {self.count}>;
var<private> ray_origin: vec3f;
var<private> ray_direction: vec3f;

fn enclosure_begin(o: vec3f, d: vec3f, length: f32) {{
    ray_origin = o;
    ray_direction = d;
    let reach = abs(d) * length + abs(o);
{self.first_layer()}
}}

fn plain_at(t: f32) -> vec2f {{
    return network_slope(ray_origin + t * ray_direction, ray_direction, 0u);
}}
"""
        )
        self.far()
        self.bounds()
        return "\n".join(self.lines) + "\n"

    def each_group(self, layer, groups, body):
        """Statements for groups 0, 1, ... of a layer: written out, or in a loop where the layer is large; body(g) gives lines."""
        if not self.looped[layer]:
            for g in range(groups):
                self.add("    {")
                self.add("\n".join(f"        {line}" for line in body(f"{g}u")))
                self.add("    }")
            return
        self.add(f"    for (var g = 0u; g < {groups}u; g++) {{")
        self.add("\n".join(f"        {line}" for line in body("g")))
        self.add("    }")

    def products(self, layer, g, sums):
        """Lines that add a layer's products for output group g; sums maps a variable to (array of inputs, whether |W|)."""
        block = self.blocks[layer]

        def turn(k, place):
            lines = [f"let m = network_block({place});"]
            for variable, (array, absolute) in sums.items():
                matrix = "block_abs(m)" if absolute else "m"
                lines.append(f"{variable} = plain_add({variable}, {matrix}, {array}[{k}]);")
            return ["{", *(f"    {line}" for line in lines), "}"]

        if not self.looped[layer]:
            number_of = int(g[:-1])
            return [line for k in range(block.inputs) for line in turn(f"{k}u", f"{block.block(number_of, k)}u")]
        lines = [f"let row = {block.at}u + {4 * block.inputs}u * g;"]
        turns = block.inputs // STRIDE
        if turns:
            lines.append(f"for (var k = 0u; k < {turns * STRIDE}u; k += {STRIDE}u) {{")
            for j in range(STRIDE):
                lines += [f"    {line}" for line in turn(f"k + {j}u", f"row + 4u * k + {4 * j}u")]
            lines.append("}")
        for k in range(turns * STRIDE, block.inputs):
            lines += turn(f"{k}u", f"row + {4 * k}u")
        return lines

    def far(self):
        """Values and running rounding bounds of every neuron at the far end (Higham 2002, section 3.3, along the evaluation)."""
        last = len(self.blocks) - 1
        self.add("fn far_at(t: f32) {")
        self.add(f"    var response: array<vec4f, {self.widest}>;\n    var strain: array<vec4f, {self.widest}>;")
        for i, block in enumerate(self.blocks):
            start = self.starts[i]
            if i == 0:
                self.each_group(0, block.outputs, lambda g: [
                    f"far_z[{g}] = fma(ray_a[{g}], vec4f(t), ray_b[{g}]);",
                    f"far_e[{g}] = ray_e[{g}]" + self.argument(0, f"far_z[{g}]") + ";",
                ])  # fmt: skip
            else:
                self.each_group(i, block.outputs, lambda g, i=i, block=block, start=start: [
                    f"let bias = weights[{block.bias}u + {g}];",
                    "var z = bias;",
                    f"var e = {4 * block.inputs + 3}.0 * ULP * abs(bias);",
                    *self.products(i, g, {"z": ("response", False), "e": ("strain", True)}),
                    f"far_z[{start}u + {g}] = z;",
                    f"far_e[{start}u + {g}] = e * 1.00001" + self.argument(i, "z") + ";",
                ])  # fmt: skip
            if i < last:
                s, n = self.suffix(i), 4 * block.outputs + 3
                self.each_group(i, block.outputs, lambda g, s=s, n=n, start=start: [
                    f"let z = far_z[{start}u + {g}];",
                    f"let e = far_e[{start}u + {g}];",
                    f"let h = value_{s}(z);",
                    f"response[{g}] = h;",
                    f"strain[{g}] = slope_most_{s}(z, slope_{s}(z), e) * e + value_error_{s}(z, h) + {n}.0 * ULP * abs(h);",
                ])  # fmt: skip
        self.output()
        self.add("}\n\nfn near_from_far() {\n    near_value = far_value;\n    near_error = far_error;")
        if self.softmax:
            self.add("    near_margin = far_margin;\n    near_doubt = far_doubt;")
        for i, block in enumerate(self.blocks):
            start = self.starts[i]
            self.each_group(i, block.outputs, lambda g, start=start: [
                f"near_z[{start}u + {g}] = far_z[{start}u + {g}];",
                f"near_e[{start}u + {g}] = far_e[{start}u + {g}];",
            ])  # fmt: skip
        self.add("}\n")

    def argument(self, layer, z):
        activation = self.shape.activations[layer]
        return f" + argument_error_{self.suffix(layer)}({z})" if activation.rule.elementwise else ""

    def output(self):
        last, at = len(self.blocks) - 1, self.starts[-1]
        if self.softmax:
            self.add("    far_margin_at();\n    let z = vec4f(far_margin);\n    let e = vec4f(far_doubt);")
            s = "p"
        else:
            self.add(f"    let z = far_z[{at}];\n    let e = far_e[{at}];")
            s = self.suffix(last)
        self.add(f"    let h = value_{s}(z);\n    far_value = h.x;")
        self.add(f"    far_error = (slope_most_{s}(z, slope_{s}(z), e) * e + value_error_{s}(z, h)).x;")

    def bounds(self):
        last = len(self.blocks) - 1
        if self.softmax:
            self.add(margin_functions(self.blocks[-1], self.starts[-1]))
        suffixes = list(range(len(self.activations))) + (["p"] if self.softmax else [])
        for s in suffixes:
            self.add(
                f"""\
fn stray_{s}(z0: vec4f, z1: vec4f, e: vec4f, d: Range) -> Range {{
    let z = Range(min(z0, z1) - e, max(z0, z1) + e);
    let own = bend_{s}(z, abs(z1 - z0) + 2.0 * e);
    let wide = Range(z.low + min(d.low, vec4f(0.0)), z.high + max(d.high, vec4f(0.0)));
    let carried = range_times(slope_range_{s}(wide), d);
    return Range(own.low + carried.low, own.high + carried.high);
}}
"""
            )
        self.add("fn enclosure_of(width: f32) -> Bounds {")
        for name in ("middle", "radius", "low", "high"):
            self.add(f"    var {name}: array<vec4f, {self.widest}>;")
        for i, block in enumerate(self.blocks):
            start = self.starts[i]
            if i:
                # Out by the product's own rounding, which may hide in a sum that cancels.
                n = 4 * block.inputs + 16
                self.each_group(i, block.outputs, lambda g, i=i, n=n: [
                    "var m_sum = vec4f(0.0);",
                    "var r_sum = vec4f(0.0);",
                    *self.products(i, g, {"m_sum": ("middle", False), "r_sum": ("radius", True)}),
                    f"low[{g}] = m_sum - r_sum;",
                    f"high[{g}] = m_sum + r_sum;",
                ])  # fmt: skip
            if i < last:
                s, n = self.suffix(i), 4 * block.outputs + 16
                stray = f"Range(low[{{g}}], high[{{g}}])" if i else "Range(vec4f(0.0), vec4f(0.0))"
                self.each_group(i, block.outputs, lambda g, s=s, n=n, start=start, stray=stray: [
                    f"let e = max(near_e[{start}u + {g}], far_e[{start}u + {g}]);",
                    f"let d = stray_{s}(near_z[{start}u + {g}], far_z[{start}u + {g}], e, {stray.format(g=g)});",
                    "let m = 0.5 * (d.low + d.high);",
                    "let r = 0.5 * (d.high - d.low);",
                    f"middle[{g}] = m;",
                    f"radius[{g}] = r + {n}.0 * ULP * (abs(m) + r);",
                ])  # fmt: skip
        at = self.starts[-1]
        if self.softmax:
            groups = self.blocks[-1].outputs
            for name in ("low", "high"):
                fill = ", ".join(f"{name}[{g}]" for g in range(groups))
                self.add(f"    let margin_{name} = array<vec4f, {groups}>({fill});")
            self.add("    let d = margin_stray(margin_low, margin_high);")
            self.add("    let e = vec4f(max(near_doubt, far_doubt));")
            self.add("    let out = stray_p(vec4f(near_margin), vec4f(far_margin), e, Range(vec4f(d.x), vec4f(d.y)));")
        elif last:
            s = self.suffix(last)
            self.add(f"    let e = max(near_e[{at}], far_e[{at}]);")
            self.add(f"    let out = stray_{s}(near_z[{at}], far_z[{at}], e, Range(low[0], high[0]));")
        self.add("    return bubble_padded(out.low.x, out.high.x);\n}\n")
