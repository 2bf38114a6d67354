"""The statements of a network's function, in any arithmetic: written out for small networks, loops for others.

The loops go over inputs, with the sums of the outputs in registers. Responses are in variables, never in arrays: each
iteration takes the first of them and moves the others up, so that after the last one all are in place again. That
suits compilers (an array indexed by a number that is not constant costs lavapipe a load for each component, and time in
the square of its length to compile). A layer of 32 by 32 at 16,384 points on two cores, and the first use with
compilation: written out 3.1 ms and 1.5 s; a loop over outputs into an array 7.2 ms and 0.38 s; a loop over inputs from
an array 3.3 ms and 0.35 s; this, 3.1 ms and 0.20 s; with dual numbers 4.8 ms and 0.43 s, from an array 5.4 ms and
1.26 s.
"""

from functools import cache

from engine.codegen.mlp.layout import layout

# Blocks of 4 x 4 weights in a network written out one by one, everything in registers. More would compile too slowly:
# lavapipe takes 20 ms a block at 80 blocks, and the time grows faster than their number.
WRITTEN_OUT = 26
# Groups of four neurons in a layer whose sums all stay in registers while its inputs are read, one group an iteration.
NARROW = 8
# Wider layers take inputs and outputs so many groups an iteration: 16 blocks keep iterations few and compile at once.
CHUNK = 4


def body(shape, arithmetic):
    """The function's statements, `return` included."""
    writer = _WrittenOut(shape, arithmetic) if is_written_out(shape) else _Loops(shape, arithmetic)
    return "".join(f"    {line}\n" for line in writer.lines())


def is_written_out(shape):
    """True for a network whose body has no loop and no array."""
    return sum(b.inputs * b.outputs for b in layout(shape).blocks) <= WRITTEN_OUT


@cache
def loop_iterations(shape):
    """Loop iterations of one evaluation, at most; llvmpipe ends loops after 65,535 an invocation, all summed."""
    if is_written_out(shape):
        return 0
    return sum(_iterations(layer, b) for layer, b in enumerate(layout(shape).blocks))


def _iterations(layer, block):
    if _is_wide(layer, block):
        return 2 + (2 + block.outputs // CHUNK) * (1 + block.inputs // CHUNK)
    return 1 + block.inputs


def _is_wide(layer, block):
    # The first layer's inputs are the point's, which no variables hold.
    return block.outputs > NARROW or (layer > 0 and block.inputs > NARROW)


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
    """Loops over input groups; responses in variables h0, h1 ..., a group each; a wide layer's first in n0, n1 ...

    Each layer replaces the responses of the one before.
    """

    def lines(self):
        for g in range(max(b.outputs for b in self.blocks)):
            yield f"var h{g}: {self.element};"
        for g in range(max((b.outputs for i, b in enumerate(self.blocks) if _is_wide(i, b)), default=0)):
            yield f"var n{g}: {self.element};"
        layer = 0
        while layer < len(self.blocks):
            block, count = self.blocks[layer], self._run(layer)
            yield f"// layer{'s' if count > 1 else ''} {layer}{f' to {layer + count - 1}' if count > 1 else ''}"
            if count > 1:
                yield f"var at{layer} = {block.at}u;"
                yield f"for (var iteration = 0u; iteration < {count}u; iteration++) {{"
                yield from _indented(self._layer(layer, block, f"at{layer}"))
                yield f"    at{layer} += {block.size}u;"
                yield "}"
            else:
                yield from self._layer(layer, block, f"{block.at}u")
            layer += count
        outputs = self.blocks[-1].outputs
        yield f"return array<{self.element}, {outputs}>({', '.join(f'h{g}' for g in range(outputs))});"

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

    def _layer(self, layer, block, at):
        if not _is_wide(layer, block):
            yield "{"
            yield from _indented(self._sums(layer, block, f"{at}", at, range(block.outputs), 1))
            for g in range(block.outputs):
                yield f"    h{g} = {self.response(layer, f'z{g}')};"
            yield "}"
            return
        whole = block.outputs // CHUNK * CHUNK
        if whole:
            yield f"for (var t = 0u; t < {whole // CHUNK}u; t++) {{"
            yield f"    let tile = {at} + {4 * CHUNK * block.inputs}u * t;"
            yield from _indented(self._sums(layer, block, "tile", f"{at} + {CHUNK}u * t", range(CHUNK), CHUNK))
            for g in range(whole):
                new = f"n{g + CHUNK}" if g + CHUNK < whole else self.response(layer, f"z{g + CHUNK - whole}")
                yield f"    n{g} = {new};"
            yield "}"
        if whole < block.outputs:
            rest = range(block.outputs - whole)
            tile = f"{at} + {4 * whole * block.inputs}u"
            yield "{"
            yield from _indented(self._sums(layer, block, tile, f"{at} + {whole}u", rest, CHUNK))
            for g in rest:
                yield f"    n{whole + g} = {self.response(layer, f'z{g}')};"
            yield "}"
        for g in range(block.outputs):
            yield f"h{g} = n{g};"

    def _sums(self, layer, block, row, bias, groups, stride):
        """z0, z1 ... of output groups whose blocks begin at `row`, from the inputs `stride` groups an iteration."""
        for g in groups:
            yield f"var z{g} = {self.start(f'{bias} + {block.bias - block.at + g}u')};"
        whole = block.inputs // stride
        if whole <= 2 // stride:
            whole = 0
        if whole:
            yield f"for (var k = 0u; k < {whole}u; k++) {{"
            for m in range(stride):
                place = f"{row} + {4 * stride}u * k + {4 * m}u"
                yield from _indented(self._products(layer, block, place, f"{stride}u * k + {m}u", f"h{m}", groups))
            if layer:
                yield from _indented(_moved_up(whole * stride, stride))
            yield "}"
        for k in range(whole * stride, block.inputs):
            yield from self._products(layer, block, f"{row} + {4 * k}u", f"{k}u", f"h{k}", groups)

    def _products(self, layer, block, place, k, h, groups):
        for g in groups:
            yield f"z{g} = {self.product(layer, f'z{g}', f'{place} + {4 * block.inputs * g}u', k, h)};"


def _moved_up(count, stride):
    """The first `stride` of h0 ... to the end of the first `count`, the others to the front."""
    for m in range(stride):
        yield f"let first{m} = h{m};"
    for g in range(count - stride):
        yield f"h{g} = h{g + stride};"
    for m in range(stride):
        yield f"h{count - stride + m} = first{m};"


def _indented(lines):
    for line in lines:
        yield f"    {line}"
