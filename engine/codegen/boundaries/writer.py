"""What both ways of writing a network's boundaries share: places of neurons, the decision, the last activation."""

import numpy as np

from engine.codegen.mlp.layout import layout

STRAIGHT = ("relu", "leaky_relu", "identity")


def is_straight(shape):
    """True where boundaries are made of straight pieces: hidden activations have no curve."""
    return all(a.name in STRAIGHT for a in shape.activations[:-1])


class Groups:
    """Numbers of the groups of four neurons of a Shape: hidden layers in order, then the decision's.

    starts   the first group of each hidden layer
    count    groups of hidden neurons; the decision is neuron 0 of group `count`
    """

    def __init__(self, shape):
        sizes = [-(-n // 4) for n in shape.sizes[1:-1]]
        self.starts = [sum(sizes[:k]) for k in range(len(sizes))]
        self.count = sum(sizes)
        self.sizes = sizes

    def places(self, shape):
        """(neurons + 1,): where each hidden neuron, and then the decision, stands among all neurons."""
        neurons = [4 * s + np.arange(n) for s, n in zip(self.starts, shape.sizes[1:-1], strict=True)]
        return np.concatenate([*neurons, [4 * self.count]]).astype(int)


class Writer:
    def __init__(self, shape, task):
        self.shape, self.task = shape, task
        self.blocks, self.groups = layout(shape).blocks, Groups(shape)
        self.straight = is_straight(shape)
        self.words = self.groups.count // 32 + 1
        # Groups after the hidden ones: the decision's, at least.
        self.spare = 1
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
        yield "const FAR = 1e29;"
        for name in ("sums", "sums_x", "sums_y", "distances", "alongs"):
            yield f"var<private> {name}: array<vec4f, {count + self.spare}>;"
        for name in ("outputs", "outputs_x", "outputs_y"):
            yield f"var<private> {name}: array<vec4f, {outputs}>;"
        yield f"var<private> sides: array<vec4u, {self.words}>;"
        yield f"var<private> masks: array<vec4u, {self.words}>;"
        yield from self.shared()
        yield "fn evaluate(q: vec2f) {"
        yield from indented(self.body())
        yield from indented(self.decision())
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

// The bit of group g in the neurons that are on.
fn bit_of(g: u32, on: vec4<bool>) -> vec4u {
    return select(vec4u(0u), vec4u(1u << (g % 32u)), on);
}

fn is_any(m: vec4u) -> bool {
    return (m.x | m.y | m.z | m.w) != 0u;
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
        neuron = lambda k: (
            f"vec3f(outputs[{k} / 4u][{k} % 4u], outputs_x[{k} / 4u][{k} % 4u], outputs_y[{k} / 4u][{k} % 4u])"
        )
        if self.task == "classes" and count == 2:
            yield f"let choice = {neuron('1u')} - {neuron('0u')};"
        elif self.task == "classes" and count > 2:
            yield f"var best = {neuron('0u')};"
            yield "var second = vec3f(-3e38, 0.0, 0.0);"
            yield f"for (var k = 1u; k < {count}u; k++) {{"
            yield f"    let one = {neuron('k')};"
            yield "    second = select(select(second, one, one.x > second.x), best, one.x > best.x);"
            yield "    best = select(best, one, one.x > best.x);"
            yield "}"
            yield "let choice = best - second;"
        elif count == 1:
            half = "0.0" if name in ("sigmoid", "tanh") else "0.5 / node.unit"
            yield f"let choice = {neuron('0u')} - vec3f({half}, 0.0, 0.0);"
        else:
            yield "let choice = vec3f(0.0);"
        n = self.groups.count
        yield f"sums[{n}] = vec4f(choice.x, 0.0, 0.0, 0.0);"
        yield f"sums_x[{n}] = vec4f(choice.y, 0.0, 0.0, 0.0);"
        yield f"sums_y[{n}] = vec4f(choice.z, 0.0, 0.0, 0.0);"

    def starts(self):
        yield "fn group_start(g: u32) -> u32 {"
        yield "    var start = 0u;"
        for s in [*self.groups.starts[1:], self.groups.count]:
            yield f"    start = select(start, {s}u, g >= {s}u);"
        yield "    return start;"
        yield "}"

    def next_mask(self):
        """The first group that has a neuron, and in it the first."""
        words = range(self.words)
        yield "fn next_mask() -> u32 {"
        yield "    var word = vec4u(0u);"
        yield "    var at = 0u;"
        for w in reversed(words):
            yield f"    at = select(at, {w}u, is_any(masks[{w}]));"
            yield f"    word = select(word, masks[{w}], is_any(masks[{w}]));"
        yield "    let all_neurons = word.x | word.y | word.z | word.w;"
        yield "    let g = firstTrailingBit(all_neurons);"
        yield "    let set_bit = 1u << (g & 31u);"
        yield "    let on = (word & vec4u(set_bit)) != vec4u(0u);"
        yield "    let neuron = select(select(select(3u, 2u, on.z), 1u, on.y), 0u, on.x);"
        yield "    let rest = word & ~select(vec4u(0u), vec4u(set_bit), vec4u(neuron) == vec4u(0u, 1u, 2u, 3u));"
        for w in words:
            yield f"    masks[{w}] = select(masks[{w}], rest, at == {w}u);"
        yield "    return select(NONE, 128u * at + 4u * g + neuron, all_neurons != 0u);"
        yield "}"
        yield "fn is_marked() -> bool {"
        yield f"    return is_any({' | '.join(f'masks[{w}]' for w in words)});"
        yield "}"

    def value_of(self):
        a = self.shape.activations[-1]
        value = "z" if a.name in ("identity", "softmax") else f"{a.name}_value(z, {a.parameter!r})"
        yield "fn value_of(z: vec4f) -> vec4f {"
        yield f"    return {value};"
        yield "}"

    def keep(self, group, z, x, y, word):
        """The lines that keep a group's sums; group and word are numbers, or texts of them."""
        yield f"sums[{group}] = {z};"
        yield f"sums_x[{group}] = {x};"
        yield f"sums_y[{group}] = {y};"
        yield f"sides[{word}] |= bit_of({group}, {z} > vec4f(0.0));"


SPAN_END = """\
    let start_all = max(max(start.x, start.y), max(start.z, start.w));
    return vec2f(start_all, min(min(end_at.x, end_at.y), min(end_at.z, end_at.w)));
}
""".splitlines()
KINKS_END = """\
    return two_steps(first, second);
}
""".splitlines()


def indented(lines):
    for line in lines:
        yield f"    {line}"
