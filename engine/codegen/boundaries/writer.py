"""The WGSL of a network's boundaries: every neuron's sum and gradient at a sample, and the lines they make."""

from collections.abc import Iterator

import numpy as np

from engine.codegen.boundaries.responses import hidden_function, last_value
from engine.codegen.mlp.layout import layout
from engine.codegen.mlp.units import imports, is_bent, kinds
from engine.codegen.text import function
from engine.network.mlp import Shape

STRAIGHT = ("relu", "leaky_relu", "identity")


def is_straight(shape: Shape) -> bool:
    """True where boundaries are made of straight pieces: hidden activations have no curve."""
    return all(a.name in STRAIGHT for a in kinds(shape.activations[:-1]))


class Groups:
    """Numbers of the groups of four neurons of a Shape: hidden layers in order, then the decision's.

    starts   the first group of each hidden layer
    count    groups of hidden neurons; the decision is neuron 0 of group `count`
    """

    def __init__(self, shape: Shape):
        sizes = [-(-n // 4) for n in shape.sizes[1:-1]]
        self.starts = [sum(sizes[:k]) for k in range(len(sizes))]
        self.count = sum(sizes)

    def places(self, shape: Shape) -> np.ndarray:
        """(neurons + 1,): the numbers of all hidden neurons, then of the decision, counted with the fill."""
        neurons = [4 * s + np.arange(n) for s, n in zip(self.starts, shape.sizes[1:-1], strict=True)]
        return np.concatenate([*neurons, [4 * self.count]]).astype(int)


class PlaneElement:
    """Four neurons' sums and their gradients in the plane: an Element of codegen.mlp.body.

    centres   for each layer, where its sums at the picture's middle begin in the binding `middle`
    """

    element = "Plane"

    def __init__(self, shape: Shape, groups: Groups):
        self.groups, self.straight = groups, is_straight(shape)
        blocks = layout(shape).blocks
        first = 2 * blocks[0].outputs
        self.centres = [first + sum(b.outputs for b in blocks[:k]) for k in range(len(blocks))]
        self.last = len(blocks) - 1

    def start(self, layer: int, bias: str, group: str) -> str:
        if layer == 0:
            return f"boundary_enter(q, {group})"
        return self.start_at("vec4f(0.0)" if self.straight else f"middle[{self.centres[layer]}u + {group}]")

    @staticmethod
    def start_at(value: str) -> str:
        """The sums before any product."""
        return f"Plane({value}, vec4f(0.0), vec4f(0.0))"

    def product(self, layer: int, z: str, block: str, k: str, h: str) -> str:
        return f"plane_add({z}, {block}, {h})" if layer else ""

    def response(self, shape: Shape, layer: int, z: str, group: str, at: int) -> str:
        centre = f"middle[{self.centres[layer]}u + {group}]"
        if layer == self.last:
            return f"boundary_output({z}, {centre}, {group})"
        return f"boundary_hidden({z}, {centre}, {layer}u, {self.groups.starts[layer]}u + {group})"


class BoundaryWriter:
    """Writes the functions for a Shape; subclasses decide how the code goes through the groups.

    memory        vec4f of the binding `lines` that an invocation needs; `words` twice of the binding `bits`
    invocations   how many there are in a dispatch at most; 0: any number
    """

    memory = invocations = 0
    starts: list[int] | None = None  # each hidden layer's first group; None where a table has them

    def __init__(self, shape: Shape, task: str):
        self.shape, self.task = shape, task
        self.blocks, self.groups = layout(shape).blocks, Groups(shape)
        self.element = PlaneElement(shape, self.groups)
        self.straight = self.element.straight
        self.words = self.groups.count // 32 + 1

    def each(self, count: int, text: str) -> Iterator[str]:
        """Statements for `count` groups or words, with {g} for the number of each."""
        raise NotImplementedError

    def storage(self) -> Iterator[str]:
        """Where numbers are: keep_sums, sums, sums_x, sums_y, keep_distances, distances; and words of bits, of which a
        word is for 32 groups: keep_sides, side_bits, keep_marks and marks.
        """
        raise NotImplementedError

    def evaluation(self) -> Iterator[str]:
        """The statements that evaluate all layers at q."""
        raise NotImplementedError

    def choices(self) -> Iterator[str]:
        """line_of, found_of, take and sides_of, which reach one neuron or group by its number."""
        raise NotImplementedError

    def module(self) -> Iterator[str]:
        """The lines of `generated/boundaries`."""
        count, outputs = self.groups.count, self.blocks[-1].outputs
        yield "#import arithmetic/plane"
        yield "#import lib/moved"
        yield from imports([a for a in kinds(self.shape.activations) if is_bent(a)])
        yield f"const GROUPS = {count}u;"
        yield f"const DECISION = {4 * count}u;"
        yield f"const OUTPUTS = {self.shape.sizes[-1]}u;"
        yield f"const CLASSES = {str(self.task == 'classes').lower()};"
        yield f"const STRAIGHT = {str(self.straight).lower()};"
        yield from self.storage()
        for name in ("outputs", "outputs_x", "outputs_y"):
            yield f"var<private> {name}: array<vec4f, {outputs}>;"
        z, start = ("c + p.v", "") if self.straight else ("p.v", f"middle[{self.element.centres[0]}u + g] + ")
        yield from FIXED.format(first=self.blocks[0].outputs, z=z, start=start).splitlines()
        yield from hidden_function(self.shape, self.starts, self.straight, z)
        yield from function("evaluate(q: vec2f)", [
            *self.each(self.words, "keep_sides({g}, vec4u(0u));"), *self.evaluation(), *self.decision(),
        ])  # fmt: skip
        yield from function("group_start(g: u32) -> u32", self.group_start())
        yield from function("next_mask() -> u32", self.next_mask())
        yield from function("is_marked() -> bool", self.is_marked())
        yield from function("value_of(z: vec4f, k: u32) -> vec4f", last_value(self.shape))
        yield from self.choices()
        yield from function("forget()", self.each(count + 1, "keep_distances({g}, vec4f(FAR));"))
        clear = list(self.each(self.words, "keep_marks({g}, vec4u(0u));"))
        for head, condition in (
            ("mark(back: vec2f)", "is_near({g}, back)"),
            ("mark_found()", "distances({g}) < vec4f(FAR)"),
        ):
            marks = self.each(count + 1, f"keep_marks({{g}} / 32u, marks({{g}} / 32u) | bit_of({{g}}, {condition}));")
            yield from function(head, [*clear, *marks])
        yield from function("span(foot: vec2f, direction: vec2f, end: u32) -> vec2f", [
            "var start = vec4f(-1e30);",
            "var end_at = vec4f(1e30);",
            *self.each(count, "span_of({g}, foot, direction, {g} < end, &start, &end_at);"),
            "let start_all = max(max(start.x, start.y), max(start.z, start.w));",
            "return vec2f(start_all, min(min(end_at.x, end_at.y), min(end_at.z, end_at.w)));",
        ])  # fmt: skip
        yield from function("kinks(reach: f32) -> vec4f", [
            "var first = vec4u(NONE);",
            "var second = vec4u(NONE);",
            *self.each(count, "kinks_of({g}, reach, &first, &second);"),
            "return two_steps(first, second);",
        ])  # fmt: skip

    def decision(self) -> Iterator[str]:
        """Statements for the sum that is 0 where the decision changes: for classes, the best less the second best."""
        count, name = self.shape.sizes[-1], self.shape.activations[-1].kinds[0].name
        one = lambda k: (
            f"vec3f(outputs[{k} / 4u][{k} % 4u], outputs_x[{k} / 4u][{k} % 4u], outputs_y[{k} / 4u][{k} % 4u])"
        )
        if self.task == "classes" and count == 2:
            yield f"let choice = {one('1u')} - {one('0u')};"
        elif self.task == "classes" and count > 2:
            yield f"var best = {one('0u')};"
            yield "var second = vec3f(-3e38, 0.0, 0.0);"
            yield f"for (var k = 1u; k < {count}u; k++) {{"
            yield f"    let one = {one('k')};"
            yield "    second = select(select(second, one, one.x > second.x), best, one.x > best.x);"
            yield "    best = select(best, one, one.x > best.x);"
            yield "}"
            yield "let choice = best - second;"
        elif count == 1:
            half = "0.0" if name in ("sigmoid", "tanh") else "0.5 / node.unit"
            yield f"let choice = {one('0u')} - vec3f({half}, 0.0, 0.0);"
        else:
            yield "let choice = vec3f(0.0);"
        yield f"keep_decision({self.groups.count}u, choice);"

    def group_start(self) -> Iterator[str]:
        """Statements that return the first group of group g's layer."""
        raise NotImplementedError

    def is_marked(self) -> Iterator[str]:
        """Statements that return whether any neuron is marked."""
        raise NotImplementedError

    def first_word(self) -> Iterator[str]:
        """Statements that set `word` to the first word of marks that is not 0, and `at` to its number."""
        raise NotImplementedError

    def set_word(self) -> Iterator[str]:
        """Statements that set word `at` of the marks to `rest`."""
        raise NotImplementedError

    def next_mask(self) -> Iterator[str]:
        """Statements that unmark and return the first marked neuron, or return NONE."""
        yield "var word = vec4u(0u);"
        yield "var at = 0u;"
        yield from self.first_word()
        yield "let all_neurons = word.x | word.y | word.z | word.w;"
        yield "let g = firstTrailingBit(all_neurons);"
        yield "let set_bit = 1u << (g & 31u);"
        yield "let on = (word & vec4u(set_bit)) != vec4u(0u);"
        yield "let neuron = select(select(select(3u, 2u, on.z), 1u, on.y), 0u, on.x);"
        yield "let rest = word & ~select(vec4u(0u), vec4u(set_bit), vec4u(neuron) == vec4u(0u, 1u, 2u, 3u));"
        yield from self.set_word()
        yield "return select(NONE, 128u * at + 4u * g + neuron, all_neurons != 0u);"


FIXED = """\
// The number of the invocation in its dispatch.
var<private> here: u32;

const NONE = 0xffffffffu;
const FAR = 1e29;

fn network_block(at: u32) -> mat4x4f {{
    return mat4x4f(weights[at], weights[at + 1u], weights[at + 2u], weights[at + 3u]);
}}

// The bit of group g in the neurons that are on.
fn bit_of(g: u32, on: vec4<bool>) -> vec4u {{
    return select(vec4u(0u), vec4u(1u << (g % 32u)), on);
}}

fn is_any(m: vec4u) -> bool {{
    return (m.x | m.y | m.z | m.w) != 0u;
}}

// The sum that is 0 where the decision changes, as a neuron after all groups.
fn keep_decision(group: u32, sum: vec3f) {{
    keep_sums(group, vec4f(sum.x, 0.0, 0.0, 0.0), vec4f(sum.y, 0.0, 0.0, 0.0), vec4f(sum.z, 0.0, 0.0, 0.0));
}}

// The first layer's sums at q; of straight networks what they are more than at the picture's middle.
fn boundary_enter(q: vec2f, g: u32) -> Plane {{
    let x = middle[g];
    let y = middle[{first}u + g];
    return Plane({start}fma(x, q.xxxx, y * q.y), x, y);
}}

fn boundary_store(z: vec4f, p: Plane, group: u32) {{
    keep_sums(group, z, p.x, p.y);
    keep_sides(group / 32u, side_bits(group / 32u) | bit_of(group, z > vec4f(0.0)));
}}

fn boundary_output(p: Plane, c: vec4f, g: u32) -> Plane {{
    outputs[g] = {z};
    outputs_x[g] = p.x;
    outputs_y[g] = p.y;
    return p;
}}
"""
