"""The WGSL of the boundaries of a network of any size, in loops over its layers and groups of neurons."""

from collections.abc import Iterator

import numpy as np

from engine.codegen.boundaries.responses import unit_kinds
from engine.codegen.boundaries.writer import BoundaryWriter, Groups, PlaneElement
from engine.codegen.mlp.layout import layout
from engine.codegen.text import indented
from engine.kept import kept
from engine.network.mlp import Shape

# Groups of outputs whose sums one loop computes together.
CHUNK = 2
# Bytes of the numbers that one dispatch keeps of its samples' lines.
LINES_BYTES = 1 << 25


class LoopWriter(BoundaryWriter):
    """Loops over memory, for networks that would take too long to compile otherwise. Only numbers in its text depend on
    widths and depth; what differs from layer to layer is in the binding `tables`.

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
            lines=self.groups.count + 1, widest=self.widest, invocations=self.invocations, words=self.words,
            layers=len(self.blocks),
        ).splitlines()  # fmt: skip

    def each(self, count: int, text: str) -> Iterator[str]:
        yield f"for (var g = 0u; g < min({count}u, node.most); g++) {{"
        yield f"    {text.format(g='g')}"
        yield "}"

    def evaluation(self) -> Iterator[str]:
        # One loop over a table of layers: lavapipe takes seconds to compile each copy of code with variable indices.
        first = self.element.response(self.shape, 0, self.element.start(0, "", "g"), "g", 0)
        yield from self.each(self.blocks[0].outputs, f"keep_plane(RESPONSES, {{g}}, {first});")
        yield f"var start = {self.blocks[0].outputs}u;"
        yield "for (var layer = 1u; layer < min(LAYERS, node.most); layer++) {"
        yield "    let place = tables[layer];"
        yield f"    for (var first = 0u; first < min(place.z, node.most); first += {CHUNK}u) {{"
        yield from indented(indented(self._sums()))
        yield "    }"
        yield "    for (var g = 0u; g < min(place.z, node.most); g++) {"
        yield "        let c = middle[place.w + g];"
        yield "        let p = plane_at(LAYER_SUMS, g);"
        yield "        if layer == LAYERS - 1u {"
        yield "            boundary_output(p, c, g);"
        yield "        } else {"
        yield "            keep_plane(RESPONSES, g, boundary_hidden(p, c, layer, start + g));"
        yield "        }"
        yield "    }"
        yield "    start += place.z;"
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

    def group_start(self) -> Iterator[str]:
        yield "return tables[LAYERS + g].x >> 16u;"

    def is_marked(self) -> Iterator[str]:
        yield "var word = vec4u(0u);"
        yield "for (var w = 0u; w < min(WORDS, node.most); w++) {"
        yield "    word |= marks(w);"
        yield "}"
        yield "return is_any(word);"

    def first_word(self) -> Iterator[str]:
        yield "for (var w = 0u; w < min(WORDS, node.most); w++) {"
        yield "    if is_any(marks(w)) {"
        yield "        word = marks(w);"
        yield "        at = w;"
        yield "        break;"
        yield "    }"
        yield "}"

    def set_word(self) -> Iterator[str]:
        yield "keep_marks(at, rest);"


@kept
def loop_tables(shape: Shape) -> np.ndarray:
    """(layers + groups + 1, 4) uint32, the contents of the binding `tables`.

    A row for each layer: its first vec4f of weights, groups of inputs and of outputs, where its centre begins in
    `middle`. Then a row for each hidden group: of its units the numbers of their `unit_kinds`, and in the upper half of
    the first the layer's first group. The decision, which comes last, is a layer of its own.
    """
    groups, (_, kinds) = Groups(shape), unit_kinds(shape)
    blocks = layout(shape).blocks
    centres = PlaneElement(shape, groups).centres
    layers = [(b.at, b.inputs, b.outputs, c) for b, c in zip(blocks, centres, strict=True)]
    starts = np.repeat(groups.starts, [b.outputs for b in blocks[:-1]])
    rows = np.concatenate([kinds, np.zeros((1, 4), np.uint32)])
    rows[:, 0] |= np.append(starts, groups.count).astype(np.uint32) << 16
    return np.concatenate([np.array(layers, np.uint32), rows])


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
    return side_bits(g / 32u);
}
"""

LOOP_STORAGE = """\
const INVOCATIONS = {invocations}u;
// vec4f from one kind of number to the next: those of all invocations, group by group.
const LINES = {lines}u * INVOCATIONS;
const RESPONSES = 5u * LINES;
const LAYER_SUMS = RESPONSES + 3u * {widest}u * INVOCATIONS;

const LAYERS = {layers}u;
const WORDS = {words}u;

fn kinds_of(g: u32) -> vec4u {{
    return tables[LAYERS + g] & vec4u(0xffffu);
}}

fn keep_sides(w: u32, word: vec4u) {{
    bits[w * INVOCATIONS + here] = word;
}}

fn side_bits(w: u32) -> vec4u {{
    return bits[w * INVOCATIONS + here];
}}

fn keep_marks(w: u32, word: vec4u) {{
    bits[(WORDS + w) * INVOCATIONS + here] = word;
}}

fn marks(w: u32) -> vec4u {{
    return bits[(WORDS + w) * INVOCATIONS + here];
}}

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
