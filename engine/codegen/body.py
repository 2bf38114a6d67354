"""The statements of a network's function, in any arithmetic: written out for small networks, loops for others.

What the loops look like was chosen by how lavapipe compiles and runs them (per layer of 32 by 32, two cores): written out
block by block 1.5 s and 3.1 ms; a loop over outputs 0.38 s and 7.2 ms; a loop over inputs with all outputs' sums in
registers 0.35 s and 3.3 ms. So it is the last.
"""

from functools import cache

from engine.codegen.layout import layout

# Blocks of 4 x 4 weights in a network written out one by one, everything in registers. More would compile too slowly:
# lavapipe takes 20 ms a block at 80 blocks, and the time grows faster than their number.
WRITTEN_OUT = 26
# Input groups that an inner loop's turns are saved for: as many products are written out.
SHORT = 2


def body(shape, arithmetic):
    """The function's statements, `return` included."""
    writer = _WrittenOut(shape, arithmetic) if is_written_out(shape) else _Loops(shape, arithmetic)
    return "".join(f"    {line}\n" for line in writer.lines())


def is_written_out(shape):
    """True for a network whose body has no loop and no array."""
    return sum(b.inputs * b.outputs for b in layout(shape).blocks) <= WRITTEN_OUT


@cache
def iterations(shape, tile=8):
    """Loop turns of one evaluation, at most; llvmpipe ends loops after 65,535 turns an invocation, all summed.

    tile   of the arithmetic
    """
    if is_written_out(shape):
        return 0
    return sum((1 + b.inputs) * -(-b.outputs // tiles(b.outputs, tile)[0]) + 2 for b in layout(shape).blocks)


def tiles(groups, most):
    """(size, rest): groups are taken `size` at a time, and then the `rest`. size is at most `most`."""
    if groups <= most:
        return groups, 0
    for size in range(most, most // 2, -1):
        if groups % size == 0:
            return size, 0
    return most, groups % most


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
            return f"{self.prefix}_enter({z}, network_block({place}), {self.arithmetic.enter(k)})"
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
    """Loops over input groups; responses in one array h, from h[here] on.

    A layer no wider than the arithmetic's tile keeps its sums in registers until all inputs are read, then replaces the
    responses in place. A wider one goes tile by tile into the other half of h.
    """

    def lines(self):
        tile = self.arithmetic.tile
        self.half = max(max(b.inputs for b in self.blocks[1:]), max(b.outputs for b in self.blocks))
        self.double = any(b.outputs > tile and layer for layer, b in enumerate(self.blocks))
        yield f"var h: array<{self.element}, {self.half * (2 if self.double else 1)}>;"
        if self.double:
            yield "var here = 0u;"
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
        names = ", ".join(f"h[{self._place(g)}]" for g in range(outputs))
        yield f"return array<{self.element}, {outputs}>({names});"

    def _run(self, layer):
        """How many layers from this one on are alike and feed each other; the first takes the point and stands alone."""
        sizes, activations, count = self.shape.sizes, self.shape.activations, 1
        if layer and sizes[layer] == sizes[layer + 1]:
            while (
                layer + count < len(activations)
                and sizes[layer + count + 1] == sizes[layer]
                and activations[layer + count] == activations[layer]
            ):
                count += 1
        return count

    def _place(self, g):
        return f"here + {g}" if self.double else f"{g}"

    def _layer(self, layer, block, at):
        size, rest = tiles(block.outputs, self.arithmetic.tile)
        if block.outputs == size:
            yield from self._tile(layer, block, at, "0u", size, "here" if self.double else "0u")
            return
        # The first layer reads no responses, so it needs no other half.
        to = "here" if self.double and layer == 0 else f"{self.half}u - here" if self.double else "0u"
        yield f"for (var g = 0u; g < {block.outputs - rest}u; g += {size}u) {{"
        yield from _indented(self._tile(layer, block, at, "g", size, to))
        yield "}"
        if rest:
            yield from self._tile(layer, block, at, f"{block.outputs - rest}u", rest, to)
        if layer:
            yield f"here = {to};"

    def _tile(self, layer, block, at, g, size, to):
        """Output groups g .. g + size - 1, to h[to + g] and on."""
        first = "" if g == "0u" else f" + {g}"
        rows = "" if g == "0u" else f" + {4 * block.inputs}u * {g}"
        yield "{"
        for j in range(size):
            yield f"    var z{j} = {self.start(f'{at} + {block.bias - block.at + j}u{first}')};"
        if block.inputs <= SHORT:
            for k in range(block.inputs):
                yield "    {"
                yield from _indented(_indented(self._products(layer, block, f"{at}{rows} + {4 * k}u", f"{k}u", size)))
                yield "    }"
        else:
            yield f"    for (var k = 0u; k < {block.inputs}u; k++) {{"
            yield from _indented(_indented(self._products(layer, block, f"{at}{rows} + 4u * k", "k", size)))
            yield "    }"
        for j in range(size):
            yield f"    h[{to} + {j}u{first}] = {self.response(layer, f'z{j}')};"
        yield "}"

    def _products(self, layer, block, row, k, size):
        yield f"let row = {row};"
        if layer:
            yield f"let q = h[{'here + ' if self.double else ''}{k}];"
        for j in range(size):
            yield f"z{j} = {self.product(layer, f'z{j}', f'row + {4 * block.inputs * j}u', k, 'q')};"


def _indented(lines):
    for line in lines:
        yield f"    {line}"

