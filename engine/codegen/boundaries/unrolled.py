"""The WGSL of the boundaries of a small network, every product on a line."""

from collections.abc import Iterator

from engine.codegen.boundaries.writer import BoundaryWriter
from engine.codegen.mlp.body import WrittenOut
from engine.codegen.text import function
from engine.network.mlp import Shape


class UnrolledWriter(BoundaryWriter):
    """One line for each product, all indices constant: fast, for small networks.

    One neuron is found by `select` among all: an array whose index is not constant lies in memory, and costs a load or
    a store for each component, and seconds to compile.
    """

    def __init__(self, shape: Shape, task: str):
        super().__init__(shape, task)
        self.starts = self.groups.starts

    def each(self, count: int, text: str) -> Iterator[str]:
        return (text.format(g=f"{g}u") for g in range(count))

    def storage(self) -> Iterator[str]:
        for name in ("own_sums", "own_x", "own_y", "own_distances", "own_alongs"):
            yield f"var<private> {name}: array<vec4f, {self.groups.count + 1}>;"
        for name in ("own_sides", "own_marks"):
            yield f"var<private> {name}: array<vec4u, {self.words}>;"
        yield from UNROLLED_STORAGE.splitlines()

    def evaluation(self) -> Iterator[str]:
        return WrittenOut(self.shape, self.element).layers()

    def choices(self) -> Iterator[str]:
        yield from function("line_of(neuron: u32) -> vec3f", self._chosen("own_sums", "own_x", "own_y"))
        yield from function("found_of(neuron: u32) -> vec2f", self._chosen("own_distances", "own_alongs"))
        take = []
        for g in range(self.groups.count + 1):
            four = f"vec4u({4 * g}u, {4 * g + 1}u, {4 * g + 2}u, {4 * g + 3}u)"
            take.append(f"let is{g} = (vec4u(neuron) == {four}) & (vec4f(far) < own_distances[{g}]);")
            take.append(f"own_distances[{g}] = select(own_distances[{g}], vec4f(far), is{g});")
            take.append(f"own_alongs[{g}] = select(own_alongs[{g}], vec4f(along), is{g});")
        yield from function("take(neuron: u32, far: f32, along: f32)", take)
        others = (f"word = select(word, own_sides[{w}], g / 32u == {w}u);" for w in range(1, self.words))
        yield from function("sides_of(g: u32) -> vec4u", ["var word = own_sides[0];", *others, "return word;"])

    def group_start(self) -> Iterator[str]:
        yield "var start = 0u;"
        for s in [*self.groups.starts[1:], self.groups.count]:
            yield f"start = select(start, {s}u, g >= {s}u);"
        yield "return start;"

    def is_marked(self) -> Iterator[str]:
        yield f"return is_any({' | '.join(f'own_marks[{w}]' for w in range(self.words))});"

    def first_word(self) -> Iterator[str]:
        for w in reversed(range(self.words)):
            yield f"at = select(at, {w}u, is_any(own_marks[{w}]));"
            yield f"word = select(word, own_marks[{w}], is_any(own_marks[{w}]));"

    def set_word(self) -> Iterator[str]:
        for w in range(self.words):
            yield f"own_marks[{w}] = select(own_marks[{w}], rest, at == {w}u);"

    def _chosen(self, *arrays):
        """Statements that return a neuron's component of each array."""
        for i, name in enumerate(arrays):
            yield f"var four{i} = {name}[0];"
        for g in range(1, self.groups.count + 1):
            for i, name in enumerate(arrays):
                yield f"four{i} = select(four{i}, {name}[{g}], neuron / 4u == {g}u);"
        yield f"return vec{len(arrays)}f({', '.join(f'four{i}[neuron % 4u]' for i in range(len(arrays)))});"


UNROLLED_STORAGE = """\
fn keep_sums(g: u32, z: vec4f, x: vec4f, y: vec4f) {
    own_sums[g] = z;
    own_x[g] = x;
    own_y[g] = y;
}

fn sums(g: u32) -> vec4f {
    return own_sums[g];
}

fn sums_x(g: u32) -> vec4f {
    return own_x[g];
}

fn sums_y(g: u32) -> vec4f {
    return own_y[g];
}

fn keep_sides(w: u32, word: vec4u) {
    own_sides[w] = word;
}

fn side_bits(w: u32) -> vec4u {
    return own_sides[w];
}

fn keep_marks(w: u32, word: vec4u) {
    own_marks[w] = word;
}

fn marks(w: u32) -> vec4u {
    return own_marks[w];
}

fn keep_distances(g: u32, far: vec4f) {
    own_distances[g] = far;
}

fn distances(g: u32) -> vec4f {
    return own_distances[g];
}
"""
