"""A network with two inputs for pictures of its boundaries: every neuron's sum and gradient at a sample, kept.

Where all activations are of straight pieces the network is told what differs from the middle of the picture: sums
there are computed in float64 and handed over, and the shader adds what a sample's distance makes of them. So a line is
as true in a picture of 1e-12 as in one of 1. Other networks are evaluated as they are, from a first layer that is
folded about the middle in float64.
"""

from functools import cache

import numpy as np

from engine.codegen.layout import layout, weights_binding

STRAIGHT = ("relu", "leaky_relu", "identity")
# Products with two derivatives each that may be written out: lavapipe compiles some 4,800 lines of four a second, and
# what is written out runs several times as fast as a loop over arrays.
WRITTEN = 900
# Groups of outputs whose sums a loop forms together.
CHUNK = 4


def is_straight(shape):
    """True where boundaries are made of straight pieces: hidden activations have no curve."""
    return all(a.name in STRAIGHT for a in shape.activations[:-1])


class Groups:
    """Numbers of the groups of four neurons of a Shape: hidden layers in order, then the decision's.

    starts   the first group of each hidden layer
    count    groups of hidden neurons; the decision is lane 0 of group `count`
    """

    def __init__(self, shape):
        sizes = [-(-n // 4) for n in shape.sizes[1:-1]]
        self.starts = [sum(sizes[:k]) for k in range(len(sizes))]
        self.count = sum(sizes)
        self.sizes = sizes

    def places(self, shape):
        """(neurons + 1,): where each hidden neuron, and then the decision, stands among all lanes."""
        lanes = [4 * s + np.arange(n) for s, n in zip(self.starts, shape.sizes[1:-1], strict=True)]
        return np.concatenate([*lanes, [4 * self.count]]).astype(int)


def middle_count(shape):
    """vec4f in the binding `middle`."""
    first = layout(shape).blocks[0].outputs
    return 2 * first + sum(b.outputs for b in layout(shape).blocks)


def middle(net, origin, axes, pixel):
    """What the shader is told of a network about a point of its plane.

    origin   (inputs,), the input there
    axes     (2, inputs), what a step of 1 along world x, and along world y, adds to it
    pixel    world units between samples
    returns  (middle_count, 4) float32, and the number that sums of the shader are to be multiplied by

    Sums of straight networks are in units of a sample: such networks keep their pieces at any scale, and gradients
    are then of the weights' size however small the picture.
    """
    straight = is_straight(net.shape)
    scale = 1.0 / pixel if straight else 1.0
    first = net.layers[0]
    weights = first.weights.astype(float)
    along = (weights @ np.asarray(axes, float).T) * (pixel * scale)
    rows = [_fours(along[:, 0]), _fours(-along[:, 1])]
    z = weights @ np.asarray(origin, float) + first.bias
    for k, layer in enumerate(net.layers):
        if k and straight:
            z = layer.weights.astype(float) @ net.layers[k - 1].activation.value(z) + layer.bias
        elif k:
            z = layer.bias
        rows.append(_fours(z * scale))
    return np.concatenate(rows), 1.0 / scale


def _fours(values):
    full = np.zeros(-(-len(values) // 4) * 4, np.float32)
    with np.errstate(over="ignore"):
        full[: len(values)] = values
    return full.reshape(-1, 4)


@cache
def boundaries_module(shape, task):
    """The text of `generated/boundaries` for a Shape, of which the first layer may have any number of inputs.

    task   classes or values: what its outputs are

    It reads the bindings `weights` and `middle`, and gives, in WGSL:

    GROUPS, DECISION       groups of hidden neurons; the decision's lane
    OUTPUTS, CLASSES       how many outputs, and whether they are classes
    STRAIGHT               whether boundaries are made of straight pieces
    walls, walls_x, walls_y   after evaluate(at, q): of each group the sums at `at` as the piece at q has them, with
                           their gradients, turned so that they are above 0 at q
    outputs                before the last activation
    sides                  a bit for each lane, set where its sum is above 0 at q
    evaluate(at, q)        at, q: samples from the picture's middle
    group_start(g)         the first group of group g's layer
    span(foot, way, end)   where foot + s way lies in the piece, as far as groups before `end` have a say: s from, to
    kinks(reach)           the steps from `at` to the two nearest walls within reach: xy and zw; 0 for none
    masks, next_mask()     lanes marked by mark(reaches); next_mask takes the first of them, or NONE
    value_of(z)            the last activation
    """
    writer = _WrittenOut(shape, task) if _products(shape) <= WRITTEN else _Loops(shape, task)
    return "\n".join(writer.module())


def _products(shape):
    return 4 * sum(b.inputs * b.outputs for b in layout(shape).blocks[1:])


class _Writer:
    def __init__(self, shape, task):
        self.shape, self.task = shape, task
        self.blocks, self.groups = layout(shape).blocks, Groups(shape)
        self.straight = is_straight(shape)
        self.words = self.groups.count // 8 + 1
        at = 2 * self.blocks[0].outputs
        self.centres = []
        for block in self.blocks:
            self.centres.append(at)
            at += block.outputs

    def module(self):
        count, outputs = self.groups.count, self.blocks[-1].outputs
        names = dict.fromkeys(a.name for a in self.shape.activations if a.name not in ("identity", "softmax"))
        yield "#import arithmetic/plain"
        yield "#import lib/moved"
        yield from (f"#import activations/{name}" for name in names)
        yield f"const GROUPS = {count}u;"
        yield f"const DECISION = {4 * count}u;"
        yield f"const OUTPUTS = {self.shape.sizes[-1]}u;"
        yield f"const CLASSES = {'true' if self.task == 'classes' else 'false'};"
        yield f"const WORDS = {self.words}u;"
        yield f"const STRAIGHT = {'true' if self.straight else 'false'};"
        yield "const NONE = 0xffffffffu;"
        for name in ("walls", "walls_x", "walls_y"):
            yield f"var<private> {name}: array<vec4f, {count + 1}>;"
        for name in ("outputs", "outputs_x", "outputs_y"):
            yield f"var<private> {name}: array<vec4f, {outputs}>;"
        yield f"var<private> sides: array<u32, {self.words}>;"
        yield f"var<private> masks: array<u32, {self.words}>;"
        yield from self.shared()
        yield "fn evaluate(at: vec2f, q: vec2f) {"
        yield "    let back = at - q;"
        yield from _indented(self.body())
        yield from _indented(self.decision())
        yield "}"
        yield from self.starts()
        yield from self.next_mask()
        yield from self.value_of()
        yield from self.searches()

    def shared(self):
        yield from """
fn network_block(at: u32) -> mat4x4f {
    return mat4x4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}

fn four_bits(on: vec4<bool>) -> u32 {
    let bits = select(vec4u(0u), vec4u(1u, 2u, 4u, 8u), on);
    return bits.x + bits.y + bits.z + bits.w;
}
""".splitlines()

    def moved(self, layer, d, c):
        a = self.shape.activations[layer]
        if a.name == "identity":
            return d
        return (
            f"moved_{a.name}({d}, {c}, {a.parameter!r})" if self.straight else f"{a.name}_value({d}, {a.parameter!r})"
        )

    def slope(self, layer, z):
        a = self.shape.activations[layer]
        return "vec4f(1.0)" if a.name == "identity" else f"{a.name}_slope({z}, {a.parameter!r})"

    def decision(self):
        """What is 0 where the network changes its mind: of classes, the best less the second best."""
        count, name = self.shape.sizes[-1], self.shape.activations[-1].name
        lane = lambda k: (
            f"vec3f(outputs[{k} / 4u][{k} % 4u], outputs_x[{k} / 4u][{k} % 4u], outputs_y[{k} / 4u][{k} % 4u])"
        )
        if self.task == "classes" and count == 2:
            yield f"let choice = {lane('1u')} - {lane('0u')};"
        elif self.task == "classes" and count > 2:
            yield f"var best = {lane('0u')};"
            yield "var second = vec3f(-3e38, 0.0, 0.0);"
            yield f"for (var k = 1u; k < {count}u; k++) {{"
            yield f"    let one = {lane('k')};"
            yield "    second = select(select(second, one, one.x > second.x), best, one.x > best.x);"
            yield "    best = select(best, one, one.x > best.x);"
            yield "}"
            yield "let choice = best - second;"
        elif count == 1:
            half = "0.0" if name in ("sigmoid", "tanh") else "0.5 / node.unit"
            yield f"let choice = {lane('0u')} - vec3f({half}, 0.0, 0.0);"
        else:
            yield "let choice = vec3f(0.0);"
        n = self.groups.count
        yield "let turned = select(-choice, choice, choice.x > 0.0);"
        yield f"walls[{n}] = vec4f(turned.x + dot(turned.yz, back), 0.0, 0.0, 0.0);"
        yield f"walls_x[{n}] = vec4f(turned.y, 0.0, 0.0, 0.0);"
        yield f"walls_y[{n}] = vec4f(turned.z, 0.0, 0.0, 0.0);"

    def starts(self):
        yield "fn group_start(g: u32) -> u32 {"
        yield "    var start = 0u;"
        for s in [*self.groups.starts[1:], self.groups.count]:
            yield f"    start = select(start, {s}u, g >= {s}u);"
        yield "    return start;"
        yield "}"

    def next_mask(self):
        yield "fn next_mask() -> u32 {"
        yield "    var lane = NONE;"
        for w in reversed(range(self.words)):
            yield f"    lane = select(lane, {32 * w}u + firstTrailingBit(masks[{w}]), masks[{w}] != 0u);"
        for w in range(self.words):
            yield f"    masks[{w}] = select(masks[{w}], masks[{w}] & (masks[{w}] - 1u), lane / 32u == {w}u);"
        yield "    return lane;"
        yield "}"
        yield "fn is_marked() -> bool {"
        yield f"    return ({' | '.join(f'masks[{w}]' for w in range(self.words))}) != 0u;"
        yield "}"

    def value_of(self):
        a = self.shape.activations[-1]
        value = "z" if a.name in ("identity", "softmax") else f"{a.name}_value(z, {a.parameter!r})"
        yield "fn value_of(z: vec4f) -> vec4f {"
        yield f"    return {value};"
        yield "}"

    def keep(self, group, z, x, y, word, shift):
        """The lines that keep a group's sums."""
        yield f"let up{word} = {z} > vec4f(0.0);"
        yield f"let turn{word} = select(vec4f(-1.0), vec4f(1.0), up{word});"
        yield f"walls[{group}] = turn{word} * fma({x}, back.xxxx, fma({y}, back.yyyy, {z}));"
        yield f"walls_x[{group}] = turn{word} * {x};"
        yield f"walls_y[{group}] = turn{word} * {y};"
        yield f"sides[{group} / 8] |= four_bits(up{word}) << {shift};"


class _WrittenOut(_Writer):
    """Every product on a line, every place a constant."""

    def body(self):
        for w in range(self.words):
            yield f"sides[{w}] = 0u;"
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            for g in range(block.outputs):
                n = f"{layer}_{g}"
                yield f"let c{n} = middle[{self.centres[layer] + g}];"
                if layer == 0:
                    yield f"let x{n} = middle[{g}];"
                    yield f"let y{n} = middle[{block.outputs + g}];"
                    yield f"let v{n} = fma(x{n}, q.xxxx, y{n} * q.y);"
                else:
                    yield f"var v{n} = {'vec4f(0.0)' if self.straight else f'c{n}'};"
                    yield f"var x{n} = vec4f(0.0);"
                    yield f"var y{n} = vec4f(0.0);"
                    for k in range(block.inputs):
                        m, h = f"m{n}_{k}", f"{layer - 1}_{k}"
                        yield f"let {m} = network_block({block.block(g, k)}u);"
                        for part in "vxy":
                            yield f"{part}{n} = plain_add({part}{n}, {m}, h{part}{h});"
                z = f"z{n}"
                yield f"let {z} = {f'c{n} + v{n}' if self.straight or layer == 0 else f'v{n}'};"
                if layer < last:
                    group = self.groups.starts[layer] + g
                    yield from self.keep(group, z, f"x{n}", f"y{n}", n, f"{4 * (group % 8)}u")
                    slope = self.slope(layer, z)
                    yield f"let hv{n} = {self.moved(layer, f'v{n}' if self.straight else z, f'c{n}')};"
                    yield f"let s{n} = {slope};"
                    yield f"let hx{n} = s{n} * x{n};"
                    yield f"let hy{n} = s{n} * y{n};"
                else:
                    yield f"outputs[{g}] = {z};"
                    yield f"outputs_x[{g}] = x{n};"
                    yield f"outputs_y[{g}] = y{n};"

    def searches(self):
        count = self.groups.count
        yield "fn span(foot: vec2f, way: vec2f, end: u32) -> vec2f {"
        yield "    var start = vec4f(-1e30);"
        yield "    var end_at = vec4f(1e30);"
        for g in range(count):
            yield f"    span_of({g}u, foot, way, {g}u < end, &start, &end_at);"
        yield from SPAN_END
        yield "fn mark() {"
        for w in range(self.words):
            bits = [f"(four_bits(is_near({g}u)) << {4 * (g % 8)}u)" for g in range(8 * w, min(8 * w + 8, count + 1))]
            yield f"    masks[{w}] = {' | '.join(bits)};"
        yield "}"
        yield "fn kinks(reach: f32) -> vec4f {"
        yield "    var first = vec4u(NONE);"
        yield "    var second = vec4u(NONE);"
        for g in range(count):
            yield f"    kinks_of({g}u, reach, &first, &second);"
        yield from KINKS_END


class _Loops(_Writer):
    """Loops over arrays, for networks that would take too long to compile; responses in hv, hx, hy."""

    def shared(self):
        yield from super().shared()
        widest = max(b.outputs for b in self.blocks)
        for name in ("hv", "hx", "hy"):
            yield f"var<private> {name}: array<vec4f, {widest}>;"

    def body(self):
        yield f"for (var w = 0u; w < {self.words}u; w++) {{"
        yield "    sides[w] = 0u;"
        yield "}"
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            hidden = layer < last
            start = f"{self.groups.starts[layer]}u + " if hidden else ""
            whole = block.outputs // CHUNK * CHUNK
            if whole:
                yield f"for (var g = 0u; g < {whole}u; g += {CHUNK}u) {{"
                yield from _indented(self.sums(layer, block, "g", CHUNK, hidden, start))
                yield "}"
            if whole < block.outputs:
                yield "{"
                yield from _indented(self.sums(layer, block, f"{whole}u", block.outputs - whole, hidden, start))
                yield "}"
            if hidden:
                yield f"for (var g = 0u; g < {block.outputs}u; g++) {{"
                yield f"    let at = {start}g;"
                yield f"    let c = middle[{self.centres[layer]}u + g];"
                # The sums are kept turned and seen from `at`; what the next layer takes is the response at q.
                yield "    let d = sums[g];"
                z = "c + d" if self.straight or layer == 0 else "d"
                yield f"    let z = {z};"
                yield f"    hv[g] = {self.moved(layer, 'd' if self.straight else 'z', 'c')};"
                yield f"    let s = select(-1.0 * vec4f(1.0), vec4f(1.0), z > vec4f(0.0)) * {self.slope(layer, 'z')};"
                yield "    hx[g] = s * walls_x[at];"
                yield "    hy[g] = s * walls_y[at];"
                yield "}"

    def sums(self, layer, block, g, count, hidden, start):
        groups = range(count)
        for m in groups:
            if layer == 0:
                yield f"let x{m} = middle[{g} + {m}u];"
                yield f"let y{m} = middle[{block.outputs}u + {g} + {m}u];"
                yield f"let v{m} = fma(x{m}, q.xxxx, y{m} * q.y);"
            else:
                centre = f"middle[{self.centres[layer]}u + {g} + {m}u]"
                yield f"var v{m} = {'vec4f(0.0)' if self.straight else centre};"
                yield f"var x{m} = vec4f(0.0);"
                yield f"var y{m} = vec4f(0.0);"
        if layer:
            yield f"for (var k = 0u; k < {block.inputs}u; k++) {{"
            yield "    let v = hv[k];"
            yield "    let x = hx[k];"
            yield "    let y = hy[k];"
            for m in groups:
                row = f"{4 * block.inputs}u * ({g} + {m}u)"
                yield f"    let m{m} = network_block({block.at}u + {row} + 4u * k);"
                for part in "vxy":
                    yield f"    {part}{m} = plain_add({part}{m}, m{m}, {part});"
            yield "}"
        for m in groups:
            centre = f"middle[{self.centres[layer]}u + {g} + {m}u] + " if self.straight or layer == 0 else ""
            yield f"let z{m} = {centre}v{m};"
            if hidden:
                yield f"let at{m} = {start}{g} + {m}u;"
                yield f"sums[{g} + {m}u] = v{m};"
                yield from self.keep(f"at{m}", f"z{m}", f"x{m}", f"y{m}", m, f"4u * (at{m} % 8u)")
            else:
                yield f"outputs[{g} + {m}u] = z{m};"
                yield f"outputs_x[{g} + {m}u] = x{m};"
                yield f"outputs_y[{g} + {m}u] = y{m};"

    def keep(self, group, z, x, y, word, shift):
        for line in super().keep(group, z, x, y, word, shift):
            yield line.replace("/ 8]", "/ 8u]")

    def module(self):
        widest = max(b.outputs for b in self.blocks)
        yield f"var<private> sums: array<vec4f, {widest}>;"
        yield from super().module()

    def searches(self):
        count = self.groups.count
        yield "fn span(foot: vec2f, way: vec2f, end: u32) -> vec2f {"
        yield "    var start = vec4f(-1e30);"
        yield "    var end_at = vec4f(1e30);"
        yield f"    for (var g = 0u; g < {count}u; g++) {{"
        yield "        span_of(g, foot, way, g < end, &start, &end_at);"
        yield "    }"
        yield from SPAN_END
        yield "fn mark() {"
        yield f"    for (var w = 0u; w < {self.words}u; w++) {{"
        yield "        masks[w] = 0u;"
        yield "    }"
        yield f"    for (var g = 0u; g < {count + 1}u; g++) {{"
        yield "        masks[g / 8u] |= four_bits(is_near(g)) << (4u * (g % 8u));"
        yield "    }"
        yield "}"
        yield "fn kinks(reach: f32) -> vec4f {"
        yield "    var first = vec4u(NONE);"
        yield "    var second = vec4u(NONE);"
        yield f"    for (var g = 0u; g < {count}u; g++) {{"
        yield "        kinks_of(g, reach, &first, &second);"
        yield "    }"
        yield from KINKS_END


SPAN_END = """\
    return vec2f(max(max(start.x, start.y), max(start.z, start.w)), min(min(end_at.x, end_at.y), min(end_at.z, end_at.w)));
}
""".splitlines()
KINKS_END = """\
    return two_steps(first, second);
}
""".splitlines()


def _indented(lines):
    for line in lines:
        yield f"    {line}"


def boundaries_bindings(shape):
    """(binding of the weights, type of `middle`)."""
    return weights_binding(shape), f"array<vec4f, {middle_count(shape)}>"
