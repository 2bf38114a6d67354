"""A network's boundaries by loops over arrays, for networks that would take too long to compile otherwise."""

from engine.codegen.boundaries.writer import KINKS_END, SPAN_END, Writer, indented

# Groups of outputs whose sums a loop forms together.
CHUNK = 2


class Loops(Writer):
    """Loops over arrays, for networks that would take too long to compile; responses in hv, hx, hy."""

    def shared(self):
        yield from super().shared()
        widest = max(b.outputs for b in self.blocks)
        for name in ("hv", "hx", "hy"):
            yield f"var<private> {name}: array<vec4f, {widest}>;"

    def __init__(self, shape, task):
        super().__init__(shape, task)
        # Outputs pass where the decision is put afterwards, their sides too.
        self.spare = self.blocks[-1].outputs
        self.words = (self.groups.count + self.spare - 1) // 32 + 1

    def body(self):
        """The first layer, then one loop for all others, whose places are a table: lavapipe takes seconds for each
        further copy of code that reaches arrays by numbers that are data.
        """
        blocks, last = self.blocks, len(self.blocks) - 1
        starts = [*self.groups.starts, self.groups.count]
        yield f"for (var w = 0u; w < min({self.words}u, node.most); w++) {{"
        yield "    sides[w] = vec4u(0u);"
        yield "}"
        yield f"for (var g = 0u; g < min({blocks[0].outputs}u, node.most); g++) {{"
        yield "    let x = middle[g];"
        yield f"    let y = middle[{blocks[0].outputs}u + g];"
        yield "    let d = fma(x, q.xxxx, y * q.y);"
        yield f"    let c = middle[{self.centres[0]}u + g];"
        yield "    let z = c + d;"
        yield from indented(self.keep("g", "z", "x", "y", "g / 32u"))
        yield from indented(self.answers("0u", "g", "z", "d" if self.straight else "z", "c", "x", "y"))
        yield "}"
        # Of each layer: its first vec4f of weights, groups of inputs and outputs, its centre; and its first group.
        rows = [f"vec4u({b.at}u, {b.inputs}u, {b.outputs}u, {c}u)" for b, c in zip(blocks, self.centres, strict=True)]
        yield f"var places = array<vec4u, {len(rows)}>({', '.join(rows)});"
        yield f"var starts = array<u32, {len(rows)}>({', '.join(f'{k}u' for k in starts)});"
        yield f"for (var layer = 1u; layer < min({len(rows)}u, node.most); layer++) {{"
        yield "    let place = places[layer];"
        yield "    let start = starts[layer];"
        yield f"    for (var first = 0u; first < min(place.z, node.most); first += {CHUNK}u) {{"
        yield from indented(indented(self.sums(last)))
        yield "    }"
        yield "    for (var g = 0u; g < min(place.z, node.most); g++) {"
        yield "        let at = start + g;"
        yield f"        if layer == {last}u {{"
        yield "            outputs[g] = sums[at];"
        yield "            outputs_x[g] = sums_x[at];"
        yield "            outputs_y[g] = sums_y[at];"
        yield "        } else {"
        yield "            let z = sums[at];"
        yield "            let c = middle[place.w + g];"
        d = "layer_sums[g]" if self.straight else "z"
        yield from indented(indented(indented(self.answers("layer", "g", "z", d, "c", "sums_x[at]", "sums_y[at]"))))
        yield "        }"
        yield "    }"
        yield "}"

    def sums(self, last):
        """Those of CHUNK groups from `first` on; past the last group, that one again."""
        groups = range(CHUNK)
        for m in groups:
            yield f"let g{m} = min(first + {m}u, place.z - 1u);"
            yield f"let row{m} = place.x + 4u * place.y * g{m};"
            yield f"var v{m} = {'vec4f(0.0)' if self.straight else f'middle[place.w + g{m}]'};"
            yield f"var x{m} = vec4f(0.0);"
            yield f"var y{m} = vec4f(0.0);"
        yield "for (var k = 0u; k < min(place.y, node.most); k++) {"
        yield "    let v = hv[k];"
        yield "    let x = hx[k];"
        yield "    let y = hy[k];"
        for m in groups:
            yield f"    let m{m} = network_block(row{m} + 4u * k);"
            for part in "vxy":
                yield f"    {part}{m} = plain_add({part}{m}, m{m}, {part});"
        yield "}"
        for m in groups:
            yield f"layer_sums[g{m}] = v{m};"
            yield f"let z{m} = {f'middle[place.w + g{m}] + ' if self.straight else ''}v{m};"
            yield from self.keep(f"(start + g{m})", f"z{m}", f"x{m}", f"y{m}", f"(start + g{m}) / 32u")

    def answers(self, layer, g, z, d, c, x, y):
        """The responses of a group to the next layer; where activations differ, its own of those there are."""
        hidden = list(dict.fromkeys(self.shape.activations[:-1]))
        yield f"var answer = {self.moved(0, d, c)};"
        yield f"var slope = {self.slope(0, z)};"
        for activation in hidden[1:]:
            mine = [k for k, a in enumerate(self.shape.activations[:-1]) if a == activation]
            is_mine = " || ".join(f"{layer} == {k}u" for k in mine)
            yield f"answer = select(answer, {self.moved(mine[0], d, c)}, {is_mine});"
            yield f"slope = select(slope, {self.slope(mine[0], z)}, {is_mine});"
        yield f"hv[{g}] = answer;"
        yield f"hx[{g}] = slope * {x};"
        yield f"hy[{g}] = slope * {y};"

    def module(self):
        widest = max(b.outputs for b in self.blocks)
        yield f"var<private> layer_sums: array<vec4f, {widest}>;"
        yield from super().module()

    def searches(self):
        yield from ACCESS.replace("COUNT", f"{self.groups.count}u").replace("WORDS", f"{self.words}u").splitlines()
        yield from SPAN_END
        yield "fn kinks(reach: f32) -> vec4f {"
        yield "    var first = vec4u(NONE);"
        yield "    var second = vec4u(NONE);"
        yield f"    for (var g = 0u; g < min({self.groups.count}u, node.most); g++) {{"
        yield "        kinks_of(g, reach, &first, &second);"
        yield "    }"
        yield from KINKS_END


ACCESS = """\
fn line_of(neuron: u32) -> vec3f {
    return vec3f(sums[neuron / 4u][neuron % 4u], sums_x[neuron / 4u][neuron % 4u], sums_y[neuron / 4u][neuron % 4u]);
}
fn found_of(neuron: u32) -> vec2f {
    return vec2f(distances[neuron / 4u][neuron % 4u], alongs[neuron / 4u][neuron % 4u]);
}
fn take(neuron: u32, far: f32, along: f32) {
    if far < distances[neuron / 4u][neuron % 4u] {
        distances[neuron / 4u][neuron % 4u] = far;
        alongs[neuron / 4u][neuron % 4u] = along;
    }
}
fn forget() {
    for (var g = 0u; g < min(COUNT + 1u, node.most); g++) {
        distances[g] = vec4f(FAR);
    }
}
fn clear_masks() {
    for (var w = 0u; w < min(WORDS, node.most); w++) {
        masks[w] = vec4u(0u);
    }
}
fn mark(back: vec2f) {
    clear_masks();
    for (var g = 0u; g < min(COUNT + 1u, node.most); g++) {
        masks[g / 32u] |= bit_of(g, is_near(g, back));
    }
}
fn mark_found() {
    clear_masks();
    for (var g = 0u; g < min(COUNT + 1u, node.most); g++) {
        masks[g / 32u] |= bit_of(g, distances[g] < vec4f(FAR));
    }
}
fn sides_of(g: u32) -> vec4u {
    return sides[g / 32u];
}
fn span(foot: vec2f, direction: vec2f, end: u32) -> vec2f {
    var start = vec4f(-1e30);
    var end_at = vec4f(1e30);
    for (var g = 0u; g < min(COUNT, node.most); g++) {
        span_of(g, foot, direction, g < end, &start, &end_at);
    }
"""
