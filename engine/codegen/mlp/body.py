"""The loop over a network's layers, once for every element type: numbers, dual numbers, boundaries.

An element type says how a sum starts, what a product adds and what the activation gives (`Element`). A storage says
where the responses lie between two layers:

- written out: every product on a line, every response a variable. For small networks
- by inputs: loops over inputs, with the sums of the outputs in registers and responses in variables. Each iteration
  takes the first of them and moves the others up, so that after the last one all are in place again

So no array is indexed by a number that is not constant, which costs lavapipe a load for each component, and time in the
square of its length to compile. A layer of 32 by 32 at 16,384 points on two cores, and the first use with compilation:
written out 3.1 ms and 1.5 s; by inputs from an array 3.3 ms and 0.35 s; by inputs from variables 3.1 ms and 0.20 s;
with dual numbers 4.8 ms and 0.43 s, from an array 5.4 ms and 1.26 s.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from engine.codegen.mlp.layout import LayerBlocks, layout
from engine.codegen.mlp.units import is_even, layer_groups, spans
from engine.codegen.text import indented
from engine.kept import kept
from engine.network.mlp import Shape

# Blocks of 4 x 4 weights in a network written out one by one, everything in registers. More would compile too slowly:
# lavapipe takes 20 ms a block at 80 blocks, and the time grows faster than their number.
WRITTEN_OUT = 26
# By inputs: groups of four neurons in a layer whose sums all stay in registers, one group of inputs an iteration.
NARROW = 8
# Wider layers take so many groups of inputs and outputs an iteration: 16 blocks keep iterations few and compile fast.
CHUNK = 4


class Element(Protocol):
    """What stands for four neurons' responses: a WGSL type, and the texts of its operations.

    `group` is the text of an output group's number in its layer, `at` the number of one with the same activations; a
    product that is "" adds nothing.
    """

    @property
    def element(self) -> str: ...

    def start(self, layer: int, bias: str, group: str) -> str: ...

    def product(self, layer: int, z: str, block: str, k: str, h: str) -> str: ...

    def response(self, shape: Shape, layer: int, z: str, group: str, at: int) -> str: ...


def body(shape: Shape, element: Element) -> str:
    """The statements of a function that returns the outputs, array<ELEMENT, groups of outputs>."""
    writer = WrittenOut(shape, element) if is_written_out(shape) else ByInputs(shape, element)
    return "".join(f"    {line}\n" for line in writer.lines())


def is_written_out(shape: Shape) -> bool:
    """True for a network whose body has no loop and no array."""
    return sum(b.inputs * b.outputs for b in layout(shape).blocks) <= WRITTEN_OUT


@kept
def loop_iterations(shape: Shape) -> int:
    """Loop iterations of one evaluation, at most; llvmpipe ends loops after 65,535 an invocation, all summed."""
    if is_written_out(shape):
        return 0
    return sum(_iterations(shape, layer, b) for layer, b in enumerate(layout(shape).blocks))


def _iterations(shape, layer, block):
    if _is_wide(layer, block):
        return 2 + (2 + block.outputs // CHUNK) * (1 + block.inputs // CHUNK) + _turns(shape, layer)
    return 1 + block.inputs


def _turns(shape, layer):
    """Loop iterations, at most, of a layer's activations where they have loops of their own."""
    return 0 if is_even(shape, layer) else 2 * len(layer_groups(shape, layer))


def _is_wide(layer, block):
    # The first layer's inputs are the point's, which no variables hold.
    return block.outputs > NARROW or (layer > 0 and block.inputs > NARROW)


class _Writer:
    def __init__(self, shape: Shape, element: Element):
        self.shape, self.element = shape, element
        self.blocks = layout(shape).blocks

    def products(
        self, layer: int, block: LayerBlocks, sums: Iterable[str], place: str, k: str, h: str
    ) -> Iterator[str]:
        """Each of the sums, of output groups one after the other, plus its block times input group k."""
        for g, z in enumerate(sums):
            at = f"{place} + {4 * block.inputs * g}u" if g else place
            if product := self.element.product(layer, z, f"network_block({at})", k, h):
                yield f"{z} = {product};"

    def response(self, layer: int, z: str, group: str, at: int) -> str:
        """The activation of the sums z."""
        return self.element.response(self.shape, layer, z, group, at)

    def responses(self, layer: int) -> list[str]:
        """The activations of each group's sums `z`."""
        return [self.response(layer, "z", "g", at) for at in range(self.blocks[layer].outputs)]

    def apart(self, layer: int, name: Callable[[int], str]) -> Iterator[str]:
        """The activations of all sums, which variables hold: a loop for each range of equal ones.

        name   of a group's variable

        An iteration takes the first variable and moves the others up, so that after the last one all are in place.
        """
        for span in spans(self.responses(layer)):
            if self.response(layer, "z", "g", span[0]) == "z":
                continue
            if len(span) <= 2:
                for g in span:
                    yield f"{name(g)} = {self.response(layer, name(g), f'{g}u', g)};"
                continue
            yield f"for (var g = 0u; g < {len(span)}u; g++) {{"
            yield f"    let z = {name(span[0])};"
            for g in span[:-1]:
                yield f"    {name(g)} = {name(g + 1)};"
            yield f"    {name(span[-1])} = {self.response(layer, 'z', f'{span[0]}u + g', span[0])};"
            yield "}"

    def run(self, layer: int) -> int:
        """How many layers from this one on are alike and feed each other; the first stands alone."""
        sizes, count = self.shape.sizes, 1
        if layer and sizes[layer] == sizes[layer + 1]:
            mine = self.responses(layer)
            while (
                layer + count < len(self.blocks)
                and sizes[layer + count + 1] == sizes[layer]
                and self.responses(layer + count) == mine
            ):
                count += 1
        return count

    def layers(self) -> Iterator[str]:
        """The statements of all layers, those of a run in one loop."""
        layer = 0
        while layer < len(self.blocks):
            block, count = self.blocks[layer], self.run(layer)
            yield f"// layer{'s' if count > 1 else ''} {layer}{f' to {layer + count - 1}' if count > 1 else ''}"
            if count > 1:
                yield f"var at{layer} = {block.at}u;"
                yield f"for (var iteration = 0u; iteration < {count}u; iteration++) {{"
                yield from indented(self.layer(layer, block, f"at{layer}"))
                yield f"    at{layer} += {block.size}u;"
                yield "}"
            else:
                yield from self.layer(layer, block, f"{block.at}u")
            layer += count

    def layer(self, layer: int, block: LayerBlocks, at: str) -> Iterator[str]:
        """The statements of one layer whose weights begin at vec4f number `at`."""
        raise NotImplementedError


class WrittenOut(_Writer):
    """Every product on a line; responses in variables h<layer>_<group>."""

    def run(self, layer: int) -> int:
        return 1

    def layer(self, layer: int, block: LayerBlocks, at: str) -> Iterator[str]:
        for g in range(block.outputs):
            name = f"h{layer}_{g}"
            yield f"var {name} = {self.element.start(layer, f'{block.bias + g}u', f'{g}u')};"
            for k in range(block.inputs):
                yield from self.products(layer, block, [name], f"{block.block(g, k)}u", f"{k}u", f"h{layer - 1}_{k}")
            response = self.response(layer, name, f"{g}u", g)
            if response != name:
                yield f"{name} = {response};"

    def lines(self) -> Iterator[str]:
        """The statements of a function's body."""
        yield from self.layers()
        names = [f"h{len(self.blocks) - 1}_{g}" for g in range(self.blocks[-1].outputs)]
        yield f"return array<{self.element.element}, {len(names)}>({', '.join(names)});"


class ByInputs(_Writer):
    """Loops over input groups; responses in variables h0, h1 ..., a group each; a wide layer's first in n0, n1 ...

    Each layer replaces the responses of the one before.
    """

    def lines(self) -> Iterator[str]:
        """The statements of a function's body."""
        for g in range(max(b.outputs for b in self.blocks)):
            yield f"var h{g}: {self.element.element};"
        for g in range(max((b.outputs for i, b in enumerate(self.blocks) if _is_wide(i, b)), default=0)):
            yield f"var n{g}: {self.element.element};"
        yield from self.layers()
        outputs = self.blocks[-1].outputs
        yield f"return array<{self.element.element}, {outputs}>({', '.join(f'h{g}' for g in range(outputs))});"

    def layer(self, layer: int, block: LayerBlocks, at: str) -> Iterator[str]:
        if not _is_wide(layer, block):
            yield "{"
            yield from indented(self._sums(layer, block, at, at, range(block.outputs), 1))
            for g in range(block.outputs):
                yield f"    h{g} = {self.response(layer, f'z{g}', f'{g}u', g)};"
            yield "}"
            return
        even = is_even(self.shape, layer)
        response = self.response if even else lambda layer, z, group, at: z
        whole = block.outputs // CHUNK * CHUNK
        if whole:
            yield f"for (var t = 0u; t < {whole // CHUNK}u; t++) {{"
            yield f"    let tile = {at} + {4 * CHUNK * block.inputs}u * t;"
            yield from indented(self._sums(layer, block, "tile", f"{at} + {CHUNK}u * t", range(CHUNK), CHUNK))
            for g in range(whole):
                new = f"n{g + CHUNK}" if g + CHUNK < whole else response(layer, f"z{g + CHUNK - whole}", "g", 0)
                yield f"    n{g} = {new};"
            yield "}"
        if whole < block.outputs:
            rest = range(block.outputs - whole)
            tile = f"{at} + {4 * whole * block.inputs}u"
            yield "{"
            yield from indented(self._sums(layer, block, tile, f"{at} + {whole}u", rest, CHUNK))
            for g in rest:
                yield f"    n{whole + g} = {response(layer, f'z{g}', f'{whole + g}u', whole + g)};"
            yield "}"
        if not even:
            yield from self.apart(layer, lambda g: f"n{g}")
        for g in range(block.outputs):
            yield f"h{g} = n{g};"

    def _sums(self, layer, block, row, bias, groups, stride):
        """z0, z1 ... of output groups whose blocks begin at `row`, from the inputs `stride` groups an iteration."""
        sums = [f"z{g}" for g in groups]
        for g, z in enumerate(sums):
            yield f"var {z} = {self.element.start(layer, f'{bias} + {block.bias - block.at + g}u', f'{g}u')};"
        whole = block.inputs // stride
        if whole <= 2 // stride:
            whole = 0
        if whole:
            yield f"for (var k = 0u; k < {whole}u; k++) {{"
            for m in range(stride):
                place = f"{row} + {4 * stride}u * k + {4 * m}u"
                yield from indented(self.products(layer, block, sums, place, f"{stride}u * k + {m}u", f"h{m}"))
            if layer:
                yield from indented(_moved_up(whole * stride, stride))
            yield "}"
        for k in range(whole * stride, block.inputs):
            yield from self.products(layer, block, sums, f"{row} + {4 * k}u", f"{k}u", f"h{k}")


def _moved_up(count, stride):
    """Statements that move the first `stride` of h0 ... to the end of the first `count`, and the others forward."""
    for m in range(stride):
        yield f"let first{m} = h{m};"
    for g in range(count - stride):
        yield f"h{g} = h{g + stride};"
    for m in range(stride):
        yield f"h{count - stride + m} = first{m};"
