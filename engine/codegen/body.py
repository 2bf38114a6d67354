"""The statements of a network's function, in any arithmetic: written out for small networks, loops for others.

What the loops look like was chosen by how lavapipe compiles and runs them (a layer of 32 by 32 at 16,384 points, two
cores): written out block by block 1.5 s and 3.1 ms; a loop over outputs 0.38 s and 7.2 ms; a loop over inputs with all
outputs' sums in registers 0.35 s and 3.3 ms. So it is the last.
"""

from functools import cache

from engine.codegen.layout import layout

# Blocks of 4 x 4 weights in a network written out one by one, everything in registers. More would compile too slowly:
# lavapipe takes 20 ms a block at 80 blocks, and the time grows faster than their number.
WRITTEN_OUT = 26
# Groups of four neurons in a layer whose sums all stay in registers while its inputs are read, one group a turn.
NARROW = 8
# Wider layers take inputs and outputs in chunks of so many groups: 16 blocks a turn keep turns few and compile at once.
# (What then takes lavapipe's time is the arrays themselves, in the square of their length: 4 s for two of 64 groups.
# Mesa keeps what it compiled on disk, and GPUs' own drivers do not mind.)
CHUNK = 4
MEMBERS = "abcd"


def body(shape, arithmetic):
    """The function's statements, `return` included."""
    writer = _WrittenOut(shape, arithmetic) if is_written_out(shape) else _Loops(shape, arithmetic)
    return "".join(f"    {line}\n" for line in writer.lines())


def is_written_out(shape):
    """True for a network whose body has no loop and no array."""
    return sum(b.inputs * b.outputs for b in layout(shape).blocks) <= WRITTEN_OUT


@cache
def iterations(shape):
    """Loop turns of one evaluation, at most; llvmpipe ends loops after 65,535 turns an invocation, all summed."""
    if is_written_out(shape):
        return 0
    return sum(_turns(layer, b) for layer, b in enumerate(layout(shape).blocks))


def _turns(layer, block):
    if _is_wide(layer, block):
        return 2 + (2 + block.outputs // CHUNK) * (1 + block.inputs // CHUNK)
    return 1 + block.inputs


def _is_wide(layer, block):
    # The first layer's inputs are the point's, which no array holds.
    return block.outputs > NARROW or (layer > 0 and block.inputs > NARROW)


def needs_chunks(shape):
    """True for a network whose body keeps responses in chunks, structs of four elements."""
    return not is_written_out(shape) and any(_is_wide(i, b) for i, b in enumerate(layout(shape).blocks))


class _Writer:
    def __init__(self, shape, arithmetic):
        self.shape, self.arithmetic = shape, arithmetic
        self.prefix, self.element = arithmetic.name, arithmetic.element
        self.blocks = layout(shape).blocks

    def start(self, bias):
        return f"{self.prefix}_start(weights[{bias}])"

    def product(self, layer, z, place, k, h):
        """z plus the block at `place` times input group k, whose responses are h."""
        if layer == 0:
            return self.arithmetic.enter(z, f"network_block({place})", k)
        return f"{self.prefix}_add({z}, network_block({place}), {h})"

    def response(self, layer, z):
        """The activation of z; softmax is applied to all outputs afterwards."""
        activation = self.shape.activations[layer]
        if activation.name == "identity" or not activation.rule.elementwise:
            return z
        return f"{self.prefix}_{activation.name}({z}, {activation.parameter!r})"


class _WrittenOut(_Writer):
    """Every product on a line; responses in variables h<layer>_<group>."""

    def lines(self):
        for layer, block in enumerate(self.blocks):
            for g in range(block.outputs):
                name = f"h{layer}_{g}"
                yield f"var {name} = {self.start(f'{block.bias + g}u')};"
                for k in range(block.inputs):
                    product = self.product(layer, name, f"{block.block(g, k)}u", f"{k}u", f"h{layer - 1}_{k}")
                    yield f"{name} = {product};"
                yield f"{name} = {self.response(layer, name)};"
        last = len(self.blocks) - 1
        names = [f"h{last}_{g}" for g in range(block.outputs)]
        yield f"return array<{self.element}, {len(names)}>({', '.join(names)});"


class _Loops(_Writer):
    """Loops over input groups; responses in an array h of elements, or of chunks where any layer is wide.

    A narrow layer replaces the responses in place; a wide one writes to a second array and copies it.
    """

    def lines(self):
        groups = max(b.outputs for b in self.blocks)
        self.chunked = needs_chunks(self.shape)
        if self.chunked:
            count = -(-groups // CHUNK)
            yield f"var h: array<{chunk_name(self.arithmetic)}, {count}>;"
            yield f"var next: array<{chunk_name(self.arithmetic)}, {count}>;"
        else:
            yield f"var h: array<{self.element}, {groups}>;"
        layer = 0
        while layer < len(self.blocks):
            block, count = self.blocks[layer], self._run(layer)
            yield f"// layer{'s' if count > 1 else ''} {layer}{f' to {layer + count - 1}' if count > 1 else ''}"
            if count > 1:
                yield f"var at{layer} = {block.at}u;"
                yield f"for (var turn = 0u; turn < {count}u; turn++) {{"
                yield from _indented(self._layer(layer, block, f"at{layer}"))
                yield f"    at{layer} += {block.size}u;"
                yield "}"
            else:
                yield from self._layer(layer, block, f"{block.at}u")
            layer += count
        outputs = self.blocks[-1].outputs
        names = ", ".join(self._held("h", g) for g in range(outputs))
        yield f"return array<{self.element}, {outputs}>({names});"

    def _run(self, layer):
        """How many layers from this one on are alike and feed each other; the first stands alone."""
        sizes, activations, count = self.shape.sizes, self.shape.activations, 1
        if layer and sizes[layer] == sizes[layer + 1]:
            while (
                layer + count < len(activations)
                and sizes[layer + count + 1] == sizes[layer]
                and activations[layer + count] == activations[layer]
            ):
                count += 1
        return count

    def _held(self, array, g):
        """Where group g, a number, is held."""
        return f"{array}[{g // CHUNK}].{MEMBERS[g % CHUNK]}" if self.chunked else f"{array}[{g}]"

    def _layer(self, layer, block, at):
        if not _is_wide(layer, block):
            yield from self._narrow(layer, block, at)
            return
        whole = block.outputs // CHUNK
        if whole:
            yield f"for (var t = 0u; t < {whole}u; t++) {{"
            yield from _indented(self._tile(layer, block, at, "t", CHUNK))
            yield "}"
        if block.outputs % CHUNK:
            yield from self._tile(layer, block, at, f"{whole}u", block.outputs % CHUNK)
        count = -(-block.outputs // CHUNK)
        yield f"for (var t = 0u; t < {count}u; t++) {{"
        yield "    h[t] = next[t];"
        yield "}"

    def _narrow(self, layer, block, at):
        """All outputs at once: one input group a turn."""
        yield "{"
        yield from _indented(self._starts(block, at, block.outputs))
        groups = range(block.outputs)
        if block.inputs <= 2 or (self.chunked and layer):
            for k in range(block.inputs):
                yield from _indented(
                    self._products(layer, block, f"{at} + {4 * k}u", f"{k}u", self._held("h", k), groups)
                )
        else:
            yield f"    for (var k = 0u; k < {block.inputs}u; k++) {{"
            yield "        let q = h[k];" if layer else "        // the point's inputs"
            yield from _indented(_indented(self._products(layer, block, f"{at} + 4u * k", "k", "q", groups)))
            yield "    }"
        for g in groups:
            yield f"    {self._held('h', g)} = {self.response(layer, f'z{g}')};"
        yield "}"

    def _tile(self, layer, block, at, t, size):
        """The outputs of chunk t, from the inputs a chunk a turn."""
        groups = range(size)
        yield "{"
        yield f"    let row = {at} + {4 * CHUNK * block.inputs}u * {t};"
        yield from _indented(self._starts(block, f"{at} + {CHUNK}u * {t}", size))
        whole = block.inputs // CHUNK
        if whole:
            yield f"    for (var k = 0u; k < {whole}u; k++) {{"
            yield "        let q = h[k];" if layer else "        // the point's inputs"
            for m in range(CHUNK):
                place, h = f"row + {4 * CHUNK}u * k + {4 * m}u", f"q.{MEMBERS[m]}"
                yield from _indented(_indented(self._products(layer, block, place, f"{CHUNK}u * k + {m}u", h, groups)))
            yield "    }"
        for k in range(whole * CHUNK, block.inputs):
            yield from _indented(self._products(layer, block, f"row + {4 * k}u", f"{k}u", self._held("h", k), groups))
        for g in groups:
            yield f"    next[{t}].{MEMBERS[g]} = {self.response(layer, f'z{g}')};"
        yield "}"

    def _starts(self, block, at, size):
        for g in range(size):
            yield f"var z{g} = {self.start(f'{at} + {block.bias - block.at + g}u')};"

    def _products(self, layer, block, place, k, h, groups):
        for g in groups:
            yield f"z{g} = {self.product(layer, f'z{g}', f'{place} + {4 * block.inputs * g}u', k, h)};"


def chunk_name(arithmetic):
    """The struct that wide bodies keep responses in."""
    return f"{arithmetic.name.capitalize()}Chunk"


def chunk_struct(arithmetic):
    """Its declaration."""
    members = "\n".join(f"    {m}: {arithmetic.element}," for m in MEMBERS)
    return f"struct {chunk_name(arithmetic)} {{\n{members}\n}}\n"


def _indented(lines):
    for line in lines:
        yield f"    {line}"
