"""A network's boundaries with every product on a line and every place a constant: fast, for small networks."""

from engine.codegen.boundaries.writer import KINKS_END, SPAN_END, Writer


class WrittenOut(Writer):
    """Every product on a line, every place a constant."""

    def body(self):
        for w in range(self.words):
            yield f"sides[{w}] = vec4u(0u);"
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
                    yield from self.keep(f"{group}u", z, f"x{n}", f"y{n}", group // 32)
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
        every, hidden = range(self.groups.count + 1), range(self.groups.count)
        # By choosing among all: an array reached by a number that is not constant lies in memory, and costs a load or a
        # store for each neuron, and seconds to compile.
        yield "fn line_of(neuron: u32) -> vec3f {"
        yield from self.chosen(("sums", "sums_x", "sums_y"))
        yield "fn found_of(neuron: u32) -> vec2f {"
        yield from self.chosen(("distances", "alongs"))
        yield "fn take(neuron: u32, far: f32, along: f32) {"
        for g in every:
            neurons = f"vec4u({4 * g}u, {4 * g + 1}u, {4 * g + 2}u, {4 * g + 3}u)"
            yield f"    let is{g} = (vec4u(neuron) == {neurons}) & (vec4f(far) < distances[{g}]);"
            yield f"    distances[{g}] = select(distances[{g}], vec4f(far), is{g});"
            yield f"    alongs[{g}] = select(alongs[{g}], vec4f(along), is{g});"
        yield "}"
        yield "fn forget() {"
        yield from (f"    distances[{g}] = vec4f(FAR);" for g in every)
        yield "}"
        yield "fn mark(back: vec2f) {"
        yield from self.marked("is_near({g}u, back)")
        yield "fn mark_found() {"
        yield from self.marked("distances[{g}] < vec4f(FAR)")
        yield "fn sides_of(g: u32) -> vec4u {"
        yield "    var word = sides[0];"
        yield from (f"    word = select(word, sides[{w}], g / 32u == {w}u);" for w in range(1, self.words))
        yield "    return word;"
        yield "}"
        yield "fn span(foot: vec2f, direction: vec2f, end: u32) -> vec2f {"
        yield "    var start = vec4f(-1e30);"
        yield "    var end_at = vec4f(1e30);"
        yield from (f"    span_of({g}u, foot, direction, {g}u < end, &start, &end_at);" for g in hidden)
        yield from SPAN_END
        yield "fn kinks(reach: f32) -> vec4f {"
        yield "    var first = vec4u(NONE);"
        yield "    var second = vec4u(NONE);"
        yield from (f"    kinks_of({g}u, reach, &first, &second);" for g in hidden)
        yield from KINKS_END

    def chosen(self, arrays):
        """The rest of a function that gives one neuron of each array."""
        for i, name in enumerate(arrays):
            yield f"    var four{i} = {name}[0];"
        for g in range(1, self.groups.count + 1):
            for i, name in enumerate(arrays):
                yield f"    four{i} = select(four{i}, {name}[{g}], neuron / 4u == {g}u);"
        parts = ", ".join(f"four{i}[neuron % 4u]" for i in range(len(arrays)))
        yield f"    return vec{len(arrays)}f({parts});"
        yield "}"

    def marked(self, condition):
        """The rest of a function that sets the masks of all neurons of which a condition of group g holds."""
        count = self.groups.count + 1
        for w in range(self.words):
            some = range(32 * w, min(32 * w + 32, count))
            yield f"    masks[{w}] = {' | '.join(f'bit_of({g}u, {condition.format(g=g)})' for g in some)};"
        yield "}"
