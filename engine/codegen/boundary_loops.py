"""A network's boundaries by loops over arrays, for networks that would take too long to compile otherwise."""

from engine.codegen.boundary_body import KINKS_END, SPAN_END, Writer, indented

# Groups of outputs whose sums a loop forms together.
CHUNK = 4


class Loops(Writer):
    """Loops over arrays, for networks that would take too long to compile; responses in hv, hx, hy."""

    def shared(self):
        yield from super().shared()
        widest = max(b.outputs for b in self.blocks)
        for name in ("hv", "hx", "hy"):
            yield f"var<private> {name}: array<vec4f, {widest}>;"

    def body(self):
        yield f"for (var w = 0u; w < {self.words}u; w++) {{"
        yield "    sides[w] = vec4u(0u);"
        yield "}"
        last = len(self.blocks) - 1
        for layer, block in enumerate(self.blocks):
            hidden = layer < last
            start = f"{self.groups.starts[layer]}u + " if hidden else ""
            whole = block.outputs // CHUNK * CHUNK
            if whole:
                yield f"for (var g = 0u; g < {whole}u; g += {CHUNK}u) {{"
                yield from indented(self.sums(layer, block, "g", CHUNK, hidden, start))
                yield "}"
            if whole < block.outputs:
                yield "{"
                yield from indented(self.sums(layer, block, f"{whole}u", block.outputs - whole, hidden, start))
                yield "}"
            if hidden:
                yield f"for (var g = 0u; g < {block.outputs}u; g++) {{"
                yield f"    let at = {start}g;"
                yield f"    let c = middle[{self.centres[layer]}u + g];"
                yield "    let d = sums[g];"
                z = "c + d" if self.straight or layer == 0 else "d"
                yield f"    let z = {z};"
                yield f"    hv[g] = {self.moved(layer, 'd' if self.straight else 'z', 'c')};"
                yield f"    let s = {self.slope(layer, 'z')};"
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
                yield from self.keep(f"at{m}", f"z{m}", f"x{m}", f"y{m}", f"at{m} / 32u")
            else:
                yield f"outputs[{g} + {m}u] = z{m};"
                yield f"outputs_x[{g} + {m}u] = x{m};"
                yield f"outputs_y[{g} + {m}u] = y{m};"

    def module(self):
        widest = max(b.outputs for b in self.blocks)
        yield f"var<private> sums: array<vec4f, {widest}>;"
        yield from super().module()

    def searches(self):
        yield from ACCESS.replace("COUNT", f"{self.groups.count}u").replace("WORDS", f"{self.words}u").splitlines()
        yield from SPAN_END
        yield "fn kinks(reach: f32) -> vec4f {"
        yield "    var first = vec4u(NONE);"
        yield "    var second = vec4u(NONE);"
        yield f"    for (var g = 0u; g < {self.groups.count}u; g++) {{"
        yield "        kinks_of(g, reach, &first, &second);"
        yield "    }"
        yield from KINKS_END


ACCESS = """\
fn wall_of(lane: u32) -> vec3f {
    return vec3f(walls[lane / 4u][lane % 4u], walls_x[lane / 4u][lane % 4u], walls_y[lane / 4u][lane % 4u]);
}
fn found_of(lane: u32) -> vec2f {
    return vec2f(distances[lane / 4u][lane % 4u], alongs[lane / 4u][lane % 4u]);
}
fn take(lane: u32, far: f32, along: f32) {
    if far < distances[lane / 4u][lane % 4u] {
        distances[lane / 4u][lane % 4u] = far;
        alongs[lane / 4u][lane % 4u] = along;
    }
}
fn forget() {
    for (var g = 0u; g <= COUNT; g++) {
        distances[g] = vec4f(FAR);
    }
}
fn clear_masks() {
    for (var w = 0u; w < WORDS; w++) {
        masks[w] = vec4u(0u);
    }
}
fn mark(back: vec2f) {
    clear_masks();
    for (var g = 0u; g <= COUNT; g++) {
        masks[g / 32u] |= bit_of(g, is_near(g, back));
    }
}
fn mark_found() {
    clear_masks();
    for (var g = 0u; g <= COUNT; g++) {
        masks[g / 32u] |= bit_of(g, distances[g] < vec4f(FAR));
    }
}
fn sides_of(g: u32) -> vec4u {
    return sides[g / 32u];
}
fn span(foot: vec2f, way: vec2f, end: u32) -> vec2f {
    var start = vec4f(-1e30);
    var end_at = vec4f(1e30);
    for (var g = 0u; g < COUNT; g++) {
        span_of(g, foot, way, g < end, &start, &end_at);
    }
"""
