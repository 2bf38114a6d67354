"""The WGSL of the boundaries of a network of any size, in loops over its layers and groups of neurons."""

from collections.abc import Iterator

from engine.codegen.boundaries.writer import BoundaryWriter
from engine.codegen.text import indented
from engine.network.mlp import Shape

# Groups of outputs whose sums one loop computes together.
CHUNK = 2
# Bytes of the numbers that one dispatch keeps of its samples' lines.
LINES_BYTES = 1 << 25


class LoopWriter(BoundaryWriter):
    """Loops over memory, for networks that would take too long to compile otherwise.

    lavapipe compiles an invocation's own arrays in time proportional to the square of their length, and reads them no
    faster than storage: so what is kept of each neuron is in the binding `lines`.
    """

    def __init__(self, shape: Shape, task: str):
        super().__init__(shape, task)
        self.widest = max(b.outputs for b in self.blocks)
        # Sums, two gradients, distances, alongs; responses and sums of a layer, a Plane each.
        self.memory = 5 * (self.groups.count + 1) + 6 * self.widest
        self.invocations = 64 * max(1, LINES_BYTES // (64 * 16 * self.memory))

    def storage(self) -> Iterator[str]:
        yield from LOOP_STORAGE.format(
            lines=self.groups.count + 1, widest=self.widest, invocations=self.invocations
        ).splitlines()

    def each(self, count: int, text: str) -> Iterator[str]:
        yield f"for (var g = 0u; g < min({count}u, node.most); g++) {{"
        yield f"    {text.format(g='g')}"
        yield "}"

    def evaluation(self) -> Iterator[str]:
        # One loop over a table of layers: lavapipe takes seconds to compile each copy of code with variable indices.
        last = len(self.blocks) - 1
        first = self.element.response(self.shape, 0, self.element.start(0, "", "g"), "g", 0)
        yield from self.each(self.blocks[0].outputs, f"keep_plane(RESPONSES, {{g}}, {first});")
        # Of each layer: its first vec4f of weights, groups of inputs and outputs, its centre; and its first group.
        centres, starts = self.element.centres, [*self.groups.starts, self.groups.count]
        rows = [f"vec4u({b.at}u, {b.inputs}u, {b.outputs}u, {c}u)" for b, c in zip(self.blocks, centres, strict=True)]
        yield f"var places = array<vec4u, {len(rows)}>({', '.join(rows)});"
        yield f"var starts = array<u32, {len(rows)}>({', '.join(f'{k}u' for k in starts)});"
        yield f"for (var layer = 1u; layer < min({len(rows)}u, node.most); layer++) {{"
        yield "    let place = places[layer];"
        yield f"    for (var first = 0u; first < min(place.z, node.most); first += {CHUNK}u) {{"
        yield from indented(indented(self._sums()))
        yield "    }"
        yield "    for (var g = 0u; g < min(place.z, node.most); g++) {"
        yield "        let c = middle[place.w + g];"
        yield "        let p = plane_at(LAYER_SUMS, g);"
        yield f"        if layer == {last}u {{"
        yield "            boundary_output(p, c, g);"
        yield "        } else {"
        yield "            keep_plane(RESPONSES, g, boundary_hidden(p, c, layer, starts[layer] + g));"
        yield "        }"
        yield "    }"
        yield "}"

    def _sums(self):
        """The sums of CHUNK groups from `first` on; past the last group, that group again."""
        for m in range(CHUNK):
            start = "vec4f(0.0)" if self.straight else f"middle[place.w + g{m}]"
            yield f"let g{m} = min(first + {m}u, place.z - 1u);"
            yield f"let row{m} = place.x + 4u * place.y * g{m};"
            yield f"var p{m} = {self.element.start_at(start)};"
        yield "for (var k = 0u; k < min(place.y, node.most); k++) {"
        yield "    let response = plane_at(RESPONSES, k);"
        for m in range(CHUNK):
            yield f"    p{m} = plane_add(p{m}, network_block(row{m} + 4u * k), response);"
        yield "}"
        for m in range(CHUNK):
            yield f"keep_plane(LAYER_SUMS, g{m}, p{m});"

    def choices(self) -> Iterator[str]:
        return iter(CHOICES.splitlines())


CHOICES = """\
fn line_of(neuron: u32) -> vec3f {
    let at = line_place(neuron / 4u);
    let k = neuron % 4u;
    return vec3f(lines[at][k], lines[at + LINES][k], lines[at + 2u * LINES][k]);
}

fn found_of(neuron: u32) -> vec2f {
    let at = line_place(neuron / 4u);
    return vec2f(lines[at + 3u * LINES][neuron % 4u], lines[at + 4u * LINES][neuron % 4u]);
}

fn take(neuron: u32, far: f32, along: f32) {
    let at = line_place(neuron / 4u);
    let k = neuron % 4u;
    if far < lines[at + 3u * LINES][k] {
        lines[at + 3u * LINES][k] = far;
        lines[at + 4u * LINES][k] = along;
    }
}

fn sides_of(g: u32) -> vec4u {
    return sides[g / 32u];
}
"""

LOOP_STORAGE = """\
const INVOCATIONS = {invocations}u;
// vec4f from one kind of number to the next: those of all invocations, group by group.
const LINES = {lines}u * INVOCATIONS;
const RESPONSES = 5u * LINES;
const LAYER_SUMS = RESPONSES + 3u * {widest}u * INVOCATIONS;

fn line_place(g: u32) -> u32 {{
    return g * INVOCATIONS + here;
}}

fn keep_sums(g: u32, z: vec4f, x: vec4f, y: vec4f) {{
    let at = line_place(g);
    lines[at] = z;
    lines[at + LINES] = x;
    lines[at + 2u * LINES] = y;
}}

fn sums(g: u32) -> vec4f {{
    return lines[line_place(g)];
}}

fn sums_x(g: u32) -> vec4f {{
    return lines[line_place(g) + LINES];
}}

fn sums_y(g: u32) -> vec4f {{
    return lines[line_place(g) + 2u * LINES];
}}

fn keep_distances(g: u32, far: vec4f) {{
    lines[line_place(g) + 3u * LINES] = far;
}}

fn distances(g: u32) -> vec4f {{
    return lines[line_place(g) + 3u * LINES];
}}

fn plane_at(kind: u32, g: u32) -> Plane {{
    let at = kind + 3u * line_place(g);
    return Plane(lines[at], lines[at + 1u], lines[at + 2u]);
}}

fn keep_plane(kind: u32, g: u32, p: Plane) {{
    let at = kind + 3u * line_place(g);
    lines[at] = p.v;
    lines[at + 1u] = p.x;
    lines[at + 2u] = p.y;
}}
"""
