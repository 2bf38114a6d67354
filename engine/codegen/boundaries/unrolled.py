"""The WGSL of the boundaries of a small network, every product on a line."""

from collections.abc import Iterator

from engine.codegen.boundaries.writer import BoundaryWriter
from engine.codegen.mlp.body import WrittenOut
from engine.codegen.text import function


class UnrolledWriter(BoundaryWriter):
    """One line for each product, all indices constant: fast, for small networks.

    One neuron is found by `select` among all: an array whose index is not constant lies in memory, and costs a load or
    a store for each component, and seconds to compile.
    """

    def each(self, count: int, text: str) -> Iterator[str]:
        return (text.format(g=f"{g}u") for g in range(count))

    def storage(self) -> Iterator[str]:
        for name in ("own_sums", "own_x", "own_y", "own_distances", "own_alongs"):
            yield f"var<private> {name}: array<vec4f, {self.groups.count + 1}>;"
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
        others = (f"word = select(word, sides[{w}], g / 32u == {w}u);" for w in range(1, self.words))
        yield from function("sides_of(g: u32) -> vec4u", ["var word = sides[0];", *others, "return word;"])

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

fn keep_distances(g: u32, far: vec4f) {
    own_distances[g] = far;
}

fn distances(g: u32) -> vec4f {
    return own_distances[g];
}
"""
