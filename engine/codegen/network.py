"""From a network's shape to WGSL: one body, written once for each arithmetic it is wanted in."""

from dataclasses import dataclass
from functools import cache

from engine.codegen.arithmetics import DUAL, LINE, PLAIN
from engine.codegen.layout import layout
from engine.codegen.softmax import softmax_functions

# Blocks of 4 x 4 weights written out one by one. A layer of more is a loop over arrays in memory: on lavapipe 256 blocks take
# 0.3 s to compile as duals, and time grows faster than their number.
UNROLLED_LAYER = 64
UNROLLED_NETWORK = 256
# Blocks in one turn of an inner loop: few turns, since llvmpipe ends loops after 65,535 of them an invocation, all summed.
STRIDE = 8

POINTS = {1: "f32", 2: "vec2f", 3: "vec3f", 4: "vec4f"}
LANES = {1: "vec4f(p, 0.0, 0.0, 0.0)", 2: "vec4f(p, 0.0, 0.0)", 3: "vec4f(p, 0.0)", 4: "p"}


def network_module(shape, arithmetics=(PLAIN, DUAL, LINE)):
    """The text of `generated/network` for a Shape: what a kernel gets from `#import generated/network`.

    It reads the binding `weights` (`weights_binding(shape)` declares it, `pack(net)` fills it) and gives, in WGSL:

    NetworkPoint                        f32, vec2f, vec3f, vec4f, or array<vec4f, n> for more inputs
    NETWORK_INPUTS, NETWORK_OUTPUTS     counts; NETWORK_GROUPS is that of groups of four outputs
    NETWORK_ITERATIONS                  loop turns of one evaluation, for llvmpipe's budget of 65,535
    network_lanes(p, k)                 inputs 4 k .. 4 k + 3 of a point, filled with 0
    network_plain(p)                    all outputs, as array<vec4f, NETWORK_GROUPS>
    network_output(p, k)                output k
    network_dual(p, first)              all outputs with derivatives along inputs first, first + 1, first + 2
    network_sample(p, k)                output k and its gradient along the first three inputs: NetworkSample
    network_line(p, direction)          all outputs with derivatives along a direction
    network_slope(p, direction, k)      output k and its derivative along the direction: vec2f

    The last four are there if their arithmetic is among `arithmetics`; a further one gives `network_NAME`.
    """
    parts = [_head(shape, arithmetics)]
    for arithmetic in dict.fromkeys((PLAIN, *arithmetics)):
        parts.append(network_function(shape, arithmetic))
        if arithmetic in ACCESS:
            parts.append(ACCESS[arithmetic])
    return "\n".join(parts)


def _head(shape, arithmetics):
    inputs, outputs = shape.sizes[0], shape.sizes[-1]
    names = dict.fromkeys(a.name for a in (PLAIN, *arithmetics))
    imports = [f"#import arithmetic/{name}" for name in names]
    imports += [f"#import activations/{name}" for name in dict.fromkeys(a.name for a in shape.activations)]
    groups = -(-inputs // 4)
    lines = [
        *imports,
        "",
        f"alias NetworkPoint = {POINTS.get(inputs, f'array<vec4f, {groups}>')};",
        f"const NETWORK_INPUTS = {inputs}u;",
        f"const NETWORK_OUTPUTS = {outputs}u;",
        f"const NETWORK_GROUPS = {-(-outputs // 4)}u;",
        f"const NETWORK_ITERATIONS = {iterations(shape)}u;",
        "",
        "fn network_block(at: u32) -> mat4x4f {",
        "    return mat4x4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);",
        "}",
        "",
        "fn network_lanes(p: NetworkPoint, k: u32) -> vec4f {",
    ]
    if inputs in LANES:
        lines.append(f"    return {LANES[inputs]};")
    else:
        lines += ["    var lanes = p;", "    return lanes[k];"]
    return "\n".join([*lines, "}", ""])


ACCESS = {
    PLAIN: """\
fn network_output(p: NetworkPoint, k: u32) -> f32 {
    var outputs = network_plain(p);
    return outputs[k / 4u][k % 4u];
}
""",
    DUAL: """\
struct NetworkSample {
    value: f32,
    gradient: vec3f,
}

fn network_sample(p: NetworkPoint, k: u32) -> NetworkSample {
    var outputs = network_dual(p, 0u);
    let d = outputs[k / 4u];
    let at = k % 4u;
    return NetworkSample(d.value[at], vec3f(d.x[at], d.y[at], d.z[at]));
}
""",
    LINE: """\
fn network_slope(p: NetworkPoint, direction: NetworkPoint, k: u32) -> vec2f {
    var outputs = network_line(p, direction);
    let d = outputs[k / 4u];
    return vec2f(d.value[k % 4u], d.slope[k % 4u]);
}
""",
}


@dataclass(frozen=True)
class Step:
    """One layer, or a run of equal layers, in the body.

    index     of its first layer
    count     of layers in the run
    unrolled  written out block by block, its responses in variables; else a loop, its responses in an array
    """

    index: int
    count: int
    unrolled: bool


@cache
def steps(shape):
    """The body's Steps for a Shape: all written out while small, runs of equal layers as loops, wide layers as loops."""
    blocks = layout(shape).blocks
    sizes = [b.inputs * b.outputs for b in blocks]
    if sum(sizes) <= UNROLLED_LAYER:
        return tuple(Step(i, 1, True) for i in range(len(blocks)))
    result, spent, i = [], 0, 0
    while i < len(blocks):
        n = 1
        # The first layer takes the point, whose type differs, so it is in no run.
        while i and i + n < len(blocks) and _alike(shape, i, i + n):
            n += 1
        unrolled = sizes[i] <= UNROLLED_LAYER and spent + sizes[i] <= UNROLLED_NETWORK
        spent += sizes[i] if unrolled else min(STRIDE, blocks[i].inputs)
        result.append(Step(i, n, unrolled))
        i += n
    return tuple(result)


def _alike(shape, i, j):
    a = (shape.sizes[i], shape.sizes[i + 1], shape.activations[i])
    # A run feeds itself: as many out as in.
    return a == (shape.sizes[j], shape.sizes[j + 1], shape.activations[j]) and a[0] == a[1]


def iterations(shape):
    """Loop turns of one evaluation of the generated body."""
    total = 0
    for step in steps(shape):
        block = layout(shape).blocks[step.index]
        turns = 0 if step.unrolled else block.outputs * (1 + block.inputs // STRIDE)
        total += step.count * (turns + (1 if step.count > 1 else 0))
    return total


@cache
def network_function(shape, arithmetic):
    """The WGSL function `network_NAME` of a Shape in an Arithmetic: all outputs, as array<ELEMENT, NETWORK_GROUPS>."""
    body = _Body(shape, arithmetic)
    for step in steps(shape):
        body.add(step)
    softmax = not shape.activations[-1].rule.elementwise
    name = f"network_{arithmetic.name}" + ("_logits" if softmax else "")
    outputs = f"array<{arithmetic.element}, {layout(shape).blocks[-1].outputs}>"
    lines = [f"fn {name}({arithmetic.arguments}) -> {outputs} {{", *body.lines, f"    return {body.result()};", "}", ""]
    if softmax:
        lines.append(softmax_functions(shape, arithmetic))
    return "\n".join([*body.activations(), *lines])


class _Body:
    """Writes the statements of one function, step by step.

    The responses of the last step are in variables `h3_0, h3_1, ...` or in an array `h3`, by the index of their layer.
    """

    def __init__(self, shape, arithmetic):
        self.shape, self.arithmetic = shape, arithmetic
        self.prefix = arithmetic.name
        self.blocks = layout(shape).blocks
        self.lines = []
        self.at = None  # index of the layer whose responses are at hand
        self.in_array = False
        self.used = {}

    def activations(self):
        """One function for each activation that was used."""
        return self.used.values()

    def result(self):
        if self.in_array:
            return f"h{self.at}"
        groups = self.blocks[self.at].outputs
        names = ", ".join(f"h{self.at}_{g}" for g in range(groups))
        return f"array<{self.arithmetic.element}, {groups}>({names})"

    def add(self, step):
        block = self.blocks[step.index]
        if not step.unrolled and self.at is not None and not self.in_array:
            self._to_array()
        if step.count > 1 and step.unrolled and self.in_array:
            self._to_variables()
        if step.count == 1:
            self._layer(step, block, "    ", None)
        else:
            self._run(step, block)

    def _to_array(self):
        self._line("    ", f"var h{self.at} = {self.result()};")
        self.in_array = True

    def _to_variables(self):
        for g in range(self.blocks[self.at].outputs):
            self._line("    ", f"let h{self.at}_{g} = h{self.at}[{g}];")
        self.in_array = False

    def _run(self, step, block):
        last = step.index + step.count - 1
        # The run's responses live in variables named after its last layer; each turn reads and then replaces them.
        if step.unrolled:
            for g in range(block.outputs):
                self._line("    ", f"var h{last}_{g} = h{self.at}_{g};")
        else:
            self._line("    ", f"var h{last} = h{self.at};")
        at = f"at{step.index}"
        self._line("    ", f"var {at} = {block.at}u;")
        self._line("    ", f"for (var turn = 0u; turn < {step.count}u; turn++) {{")
        self.at, self.in_array = last, not step.unrolled
        self._layer(step, block, "        ", at)
        if step.unrolled:
            for g in range(block.outputs):
                self._line("        ", f"h{last}_{g} = h{step.index}_{g};")
        else:
            self._line("        ", f"h{last} = h{step.index};")
        self._line("        ", f"{at} += {block.size}u;")
        self._line("    ", "}")
        self.at = last

    def _layer(self, step, block, indent, at):
        if step.unrolled:
            self._written_out(step.index, block, indent, at)
        else:
            self._looped(step.index, block, indent, at)
        self.at, self.in_array = step.index, not step.unrolled

    def _written_out(self, index, block, indent, at):
        # `place` of a weight: a number, or a distance from where the run's present layer begins.
        def place(n):
            return f"{n}u" if at is None else f"{at} + {n - block.at}u"

        for g in range(block.outputs):
            name = f"h{index}_{g}"
            self._line(indent, f"var {name} = {self.prefix}_start(weights[{place(block.bias + g)}]);")
            for k in range(block.inputs):
                self._line(indent, f"{name} = {self._product(name, place(block.block(g, k)), k)};")
            self._line(indent, f"{name} = {self._activation(index, name)};")

    def _looped(self, index, block, indent, at):
        start = f"{block.at}u" if at is None else at
        name, inner = f"h{index}", indent + "    "
        self._line(indent, f"var {name}: array<{self.arithmetic.element}, {block.outputs}>;")
        self._line(indent, f"for (var g = 0u; g < {block.outputs}u; g++) {{")
        self._line(inner, f"var z = {self.prefix}_start(weights[{start} + {block.bias - block.at}u + g]);")
        self._line(inner, f"let row = {start} + {4 * block.inputs}u * g;")
        turns = block.inputs // STRIDE
        if turns:
            self._line(inner, f"for (var k = 0u; k < {turns * STRIDE}u; k += {STRIDE}u) {{")
            for j in range(STRIDE):
                self._line(inner + "    ", f"z = {self._product('z', f'row + 4u * k + {4 * j}u', f'k + {j}u')};")
            self._line(inner, "}")
        for k in range(turns * STRIDE, block.inputs):
            self._line(inner, f"z = {self._product('z', f'row + {4 * k}u', k)};")
        self._line(inner, f"{name}[g] = {self._activation(index, 'z')};")
        self._line(indent, "}")

    def _product(self, z, place, k):
        block = f"network_block({place})"
        k = f"{k}u" if isinstance(k, int) else k
        if self.at is None:
            return f"{self.prefix}_enter({z}, {block}, {self.arithmetic.enter(k)})"
        h = f"h{self.at}[{k}]" if self.in_array else f"h{self.at}_{k[:-1]}"
        return f"{self.prefix}_add({z}, {block}, {h})"

    def _activation(self, index, z):
        activation = self.shape.activations[index]
        if activation.name == "identity" or not activation.rule.elementwise:
            return z
        name = f"{self.prefix}_{activation.name}"
        if name not in self.used:
            lift = self.arithmetic.lift(activation.name, "a")
            element = self.arithmetic.element
            self.used[name] = f"fn {name}(z: {element}, a: f32) -> {element} {{\n    return {lift};\n}}\n"
        return f"{name}({z}, {activation.parameter!r})"

    def _line(self, indent, text):
        self.lines.append(indent + text)
