"""How the body for several points an invocation cuts a network into segments, and where it reads the weights.

The body reads weights in the order in which they lie, so that eight invocations of a subgroup can load eight of them
at once and hand each to all (see `engine.codegen.mlp.batched`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.codegen.mlp.layout import UNIFORM_BYTES
from engine.kept import kept
from engine.network.mlp import Layer, Shape

# Most neurons of a layer, and inputs: the responses of two layers are held in registers.
WIDEST = 64
# Outputs whose sums are computed together: with four points, 16 sums for the 32 registers of a processor's vector unit.
TOGETHER = 4
# Multiply-adds written out in one body, counted for every point: lavapipe compiles some 4,800 a second.
WRITTEN = 4800
# Products written out for a layer; one with more is computed in passes. With four points 64 by 64 ran at 48
# GFLOP/s in passes of 512 and at 47 in passes of 768; 30 by 30 at 55 in one pass and 39 in two or three, since a pass
# moves all responses along.
PRODUCTS_OF = (1024, 512, 256)
# Rows of a pass of the first layer, whose passes cost little, and of activations that compile slowly; else a layer of
# 64 gelu took 1.4 s by itself.
FIRST_ROWS, SLOW_ROWS = 8, 16
SLOW = ("gelu",)
# Bindings for weights: WebGPU gives a stage 12 uniform buffers, and one of them describes the points.
BUFFERS = 11
ROOM = UNIFORM_BYTES // 16
# Texels in a row of an image of weights, and its rows at most.
IMAGE_WIDTH, IMAGE_ROWS = 64, 8191
# Equal layers a body has room for: the least of these that holds them. How many there are is a number in the buffer, so
# networks of different depths share one body; a compilation of 30-wide layers takes lavapipe 0.9 s.
ROOMS = (8, 16, 32, 64, 128)


@dataclass(frozen=True)
class Part:
    """Some of the rows of every pass of a segment, whose weights lie together.

    buffer, at   the binding, and the first vec4f there
    first, rows  which rows of a pass
    size         vec4f of a pass: TOGETHER rows at a time their bias, then input by input their weights
    """

    buffer: int
    at: int
    first: int
    rows: int
    size: int


@dataclass(frozen=True)
class Segment:
    """Equal layers, one after the other, whose code is written once.

    layer, count      the first of them, and how many
    room              how many its code and its place in memory are made for; 1: it is no loop
    inputs, outputs   neurons of each layer
    rows, passes       a layer is computed in passes, so many of its outputs a pass; the last may be filled with zeros
    parts             where the weights lie: in several buffers where one does not hold them, each with some rows of
                      every pass, so that one loop reads them all
    """

    layer: int
    count: int
    inputs: int
    outputs: int
    rows: int
    passes: int
    room: int = 1
    parts: tuple[Part, ...] = ()

    @property
    def products(self) -> int:
        """Products written out in its code."""
        return self.rows * self.inputs


@dataclass(frozen=True)
class BatchedCut:
    """The cut of a Shape.

    segments   in the order of the layers
    counts     vec4f in each buffer; the first begins with `head` of them, which hold each segment's count of layers
    kind       of their bindings: uniform, read (one storage buffer), or image (one, IMAGE_WIDTH wide, whose rows hold
               the vec4f; every segment begins a row)
    """

    segments: tuple[Segment, ...]
    counts: tuple[int, ...]
    kind: str

    @property
    def head(self) -> int:
        return -(-len(self.segments) // 4)


@kept
def plan(shape: Shape, products: int, image: bool = False) -> BatchedCut | None:
    """The BatchedCut for a Shape with at most so many products written out, or None where there is none.

    image   whether weights are read from an image if they fit

    There is none for layers wider than WIDEST, and for so many different ones that the code would compile too slowly.
    """
    if max(shape.sizes) > WIDEST:
        return None
    for most in PRODUCTS_OF:
        segments = _cut(shape, most)
        if sum(s.products for s in segments) <= products:
            roomy = [replace(s, room=_room(s)) for s in segments]
            exact = [replace(s, room=s.count) for s in segments]
            for some in (roomy, exact):
                found = image and _placed(some, 1, IMAGE_WIDTH * IMAGE_ROWS, "image")
                found = found or _placed(some, BUFFERS, ROOM, "uniform")
                if found:
                    return found
            return _placed(roomy, 1, 1 << 32, "read")
    return None


def _room(segment):
    if not segment.layer or segment.inputs != segment.outputs:
        return 1
    return next((room for room in ROOMS if room >= segment.count), segment.count)


def _cut(shape, most):
    segments: list[Segment] = []
    for layer, (inputs, outputs) in enumerate(zip(shape.sizes, shape.sizes[1:], strict=False)):
        passes = max(-(-outputs * inputs // most), -(-outputs // _most_rows(shape, layer)))
        rows = -(-outputs // passes)
        segment = Segment(layer, 1, inputs, outputs, rows, -(-outputs // rows))
        last = segments[-1] if segments else None
        # The first layer's inputs are the point's, which no loop can replace.
        if last and last.layer and _alike(shape, last, segment):
            segments[-1] = replace(last, count=last.count + 1)
        else:
            segments.append(segment)
    return segments


def _most_rows(shape, layer):
    if layer == 0:
        return FIRST_ROWS
    return SLOW_ROWS if any(a.name in SLOW for a in shape.activations[layer].kinds) else WIDEST


def _alike(shape, a, b):
    same = (a.inputs, a.outputs) == (b.inputs, b.outputs) and a.inputs == a.outputs
    return same and shape.activations[a.layer] == shape.activations[b.layer]


def _placed(segments, buffers, room, kind):
    """The BatchedCut with every segment in as few parts as fit, or None where they do not."""
    row = IMAGE_WIDTH if kind == "image" else 1
    placed, counts = [], [-(-len(segments) // (4 * row)) * row]
    for segment in segments:
        for count in range(1, min(buffers, segment.rows) + 1):
            parts, after = [], list(counts)
            for first, rows in _shares(segment.rows, count):
                size = -(-rows * (segment.inputs + 1) // 8) * 2
                need = -(-size * segment.passes * segment.room // row) * row
                fits = [b for b, used in enumerate(after) if used + need <= room]
                if not fits and len(after) < buffers and need <= room:
                    fits = [len(after)]
                    after.append(0)
                if not fits:
                    break
                parts.append(Part(fits[0], after[fits[0]], first, rows, size))
                after[fits[0]] += need
            else:
                placed.append(replace(segment, parts=tuple(parts)))
                counts = after
                break
        else:
            return None
    return BatchedCut(tuple(placed), tuple(counts), kind)


def _shares(rows, count):
    """(first, rows) of `count` shares of rows, nearly equal."""
    ends = [rows * k // count for k in range(count + 1)]
    return [(a, b - a) for a, b in zip(ends, ends[1:], strict=False)]


def pack(plan: BatchedCut, layers: Sequence[Layer]) -> list[np.ndarray]:
    """The weights of an Mlp's layers as a body of this plan reads them: a list of (count, 4) float32, one a buffer."""
    buffers = [np.zeros((count, 4), np.float32) for count in plan.counts]
    buffers[0].reshape(-1)[: len(plan.segments)] = [segment.count for segment in plan.segments]
    for segment in plan.segments:
        for k in range(segment.count):
            for part, data in pack_layer(segment, layers[segment.layer + k]):
                at = part.at + k * len(data)
                buffers[part.buffer][at : at + len(data)] = data
    return buffers


def pack_layer(segment: Segment, layer: Layer) -> Iterator[tuple[Part, np.ndarray]]:
    """One layer's numbers, part by part: (Part, (vec4f, 4) float32)."""
    passes, rows, inputs = segment.passes, segment.rows, segment.inputs
    weights, bias = np.zeros((passes, rows, inputs), np.float32), np.zeros((passes, rows), np.float32)
    weights.reshape(-1, inputs)[: segment.outputs], bias.reshape(-1)[: segment.outputs] = layer.weights, layer.bias
    for part in segment.parts:
        data, at = np.zeros((passes, part.size * 4), np.float32), 0
        for numbers in together(part):
            some = slice(numbers.start, numbers.stop)
            block = np.concatenate([bias[:, None, some], weights[:, some].transpose(0, 2, 1)], axis=1)
            data[:, at : at + block[0].size] = block.reshape(passes, -1)
            at += block[0].size
        yield part, data.reshape(-1, 4)


def together(part: Part) -> list[range]:
    """Ranges of the rows of a part whose sums are computed together."""
    end = part.first + part.rows
    return [range(q, min(q + TOGETHER, end)) for q in range(part.first, end, TOGETHER)]
