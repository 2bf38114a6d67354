"""The network at several points an invocation: each weight is loaded once for all of them.

On lavapipe every lane loads a weight for itself unless its address is a constant, which inside a loop it is not. So
eight lanes load 32 consecutive weights from an image, which lavapipe reads fastest, and each is broadcast to all from
the lane that has it: two instructions a weight in place of some twenty. A layer of 32 by 32 in a loop, four points an
invocation, ran at 54 GFLOP/s with loads from uniform buffers, and a tenth faster from an image, where plain loads gave
30, and compiled in 0.85 s where they took 2.8. GPUs cache uniform addresses: they take plain loads.
"""

from dataclasses import dataclass

from engine.codegen.mlp.batched_layout import IMAGE_WIDTH, WRITTEN, BatchedCut, plan, together
from engine.codegen.mlp.softmax import softmax_shared
from engine.codegen.mlp.units import IDENTITY, imports, is_bent
from engine.codegen.text import fours, header, indented
from engine.gpu.bindings import TABLE, Binding
from engine.network.activations import JOINT
from engine.network.mlp import Shape
from engine.network.units.mixed import runs

# Lanes that share a load: lavapipe has as many on a processor with vectors of 256 bits.
LANES = 8
# Units of a layer of several activations whose responses are written out; more take turns, since code of an activation
# compiles slowly.
TURN = 4
# Products summed in f16 before the sum is added in f32.
HALF_RUN = 8


IMAGE_PLACE = f"""\
fn weight_place(at: u32) -> vec2u {{
    return vec2u(at % {IMAGE_WIDTH}u, at / {IMAGE_WIDTH}u);
}}
"""


@dataclass(frozen=True)
class Variant:
    """How a body is written.

    points      an invocation
    gradient    whether two derivatives come with each value, along the first two inputs
    broadcast   whether lanes share loads; it needs subgroups of at least LANES, all their lanes running
    half        whether responses, and past the first layer products and their sums over HALF_RUN inputs, are f16;
                sums of those, biases and activations stay f32
    written     multiply-adds that may be written out
    """

    points: int
    gradient: bool = False
    broadcast: bool = False
    half: bool = False
    written: int = WRITTEN

    @property
    def channels(self) -> int:
        return 3 if self.gradient else 1

    @property
    def streams(self) -> int:
        return self.points * self.channels

    def plan(self, shape: Shape) -> BatchedCut | None:
        """The BatchedCut of a Shape for this variant, or None.

        Where layers have several activations, whose code takes its time to compile, three fifths of the products are
        written out if they can: 2-64x3-2 took 2.0 s for 2.7 with gradients and 1.2 for 1.9 without, and ran as fast.
        """
        even = all(len(activation.kinds) == 1 for activation in shape.activations)
        few = None if even else plan(shape, self.written * 3 // 5 // self.streams, self.broadcast)
        return few or plan(shape, self.written // self.streams, self.broadcast)


def weights_bindings(cut: BatchedCut) -> tuple[Binding, ...]:
    """The bindings that the body of a BatchedCut reads, `weights0` and so on."""
    if cut.kind == "image":
        return (Binding("weights0", "storage_texture", TABLE),)
    types = [f"array<vec4f, {count}>" if cut.kind == "uniform" else "array<vec4f>" for count in cut.counts]
    return tuple(Binding(f"weights{i}", cut.kind, text) for i, text in enumerate(types))


def batched_module(shape: Shape, variant: Variant) -> str:
    """The text of `generated/network` for a Shape that has a BatchedCut.

    It reads the bindings of `weights_bindings` and gives, in WGSL:

    NETWORK_POINTS                        points an invocation
    NETWORK_GROUPS, INPUT_GROUPS          groups of four outputs and inputs
    NetworkInvocation                     an argument of the entry point, to be passed on; its field `place` is the
                                          invocation's number in its workgroup
    network_batched(first, apart, invocation)  evaluates at points first, first + apart, ...

    The kernel defines `network_input(i: u32, k: u32) -> vec4f`, inputs 4 k to 4 k + 3 of point i, and
    `network_store(i: u32, at: u32, value: vec4f)`, called for each point with outputs 4 at to 4 at + 3; with gradients
    their derivatives follow, NETWORK_GROUPS along the first input and as many along the second. Every invocation must
    call network_batched, those past the last point too.
    """
    cut = variant.plan(shape)
    assert cut is not None  # the caller has checked
    groups = -(-shape.sizes[-1] // 4)
    softmax = shape.activations[-1].is_whole
    layers = (f"{'up to ' if s.room > 1 else ''}{s.room} of {s.inputs} to {s.outputs}" for s in cut.segments)
    lines = [
        *header(
            f"A network at {variant.points} points{' with two derivatives' if variant.gradient else ''} an invocation.",
            f"layers: {', '.join(layers)}; activations: {', '.join(dict.fromkeys(map(str, shape.activations)))}",
            f"weights: {len(cut.counts)} buffers of {cut.kind} memory, in the order in which they are read"
            + (f", {LANES} lanes sharing a load" if variant.broadcast else ""),
            "h: responses, z: sums, n: responses of a layer in passes; <neuron or row>_<point or derivative>",
        ),
        *(["enable f16;"] if variant.half else []),
        *imports(shape.activations),
        "",
        f"const NETWORK_POINTS = {variant.points}u;",
        f"const NETWORK_GROUPS = {groups}u;",
        f"const INPUT_GROUPS = {-(-shape.sizes[0] // 4)}u;",
        "",
        "struct NetworkInvocation {",
        "    @builtin(local_invocation_index) place: u32,",
        *(["    @builtin(subgroup_invocation_id) lane: u32,"] if variant.broadcast else []),
        "}",
        "",
        *(IMAGE_PLACE.splitlines() if cut.kind == "image" else []),
        *([softmax_shared(shape)] if softmax else []),
        "fn network_batched(first: u32, apart: u32, invocation: NetworkInvocation) {",
        *(f"    {line}" for line in _BatchedBody(shape, variant, cut).lines()),
        "}",
        "",
    ]
    return "\n".join(lines)


class _BatchedBody:
    """Writes statements. Variables: h<neuron>_<stream> a layer's responses, z<row>_<stream> sums, n... those of a layer
    whose passes are not over. Stream s is point s / channels; its value, or one of its derivatives.
    """

    def __init__(self, shape: Shape, variant: Variant, cut: BatchedCut):
        self.shape, self.variant, self.cut = shape, variant, cut
        number = "f16" if variant.half else "f32"
        # Where units differ and passes are several, sums wait in n for their activations.
        waits = any(s.passes > 1 and not self._is_even(s) for s in cut.segments)
        self.numbers = {"h": number, "n": "f32" if waits else number}
        self.values = range(0, variant.streams, variant.channels)

    def lines(self):
        if self.cut.kind == "image":
            yield f"let share = invocation.lane & {LANES - 1}u;"
        elif self.variant.broadcast:
            yield "let row = (invocation.lane & 7u) >> 2u;"
            yield "let column = invocation.lane & 3u;"
        streams = range(self.variant.streams)
        for name, width in (("h", self._width(1)), ("n", self._width(2))):
            for i in range(width):
                yield " ".join(f"var {name}{i}_{s}: {self.numbers[name]};" for s in streams)
        yield from self._inputs()
        for number, segment in enumerate(self.cut.segments):
            yield f"// up to {segment.room} layers of {segment.inputs} to {segment.outputs}"
            yield "{"
            yield from indented(self._segment(number, segment))
            yield "}"
        yield from self._outputs()

    def _width(self, passes):
        return max(
            (s.passes * s.rows if passes > 1 else s.outputs for s in self.cut.segments if s.passes >= passes), default=0
        )

    def _inputs(self):
        count = self.shape.sizes[0]
        for p in range(self.variant.points):
            for k in range(-(-count // 4)):
                yield f"let p{k}_{p} = network_input(first + {p}u * apart, {k}u);"
        for i in range(count):
            for p in range(self.variant.points):
                yield f"let x{i}_{p * self.variant.channels} = p{i // 4}_{p}[{i % 4}];"

    def _segment(self, number, segment):
        looped = segment.room > 1 or segment.passes > 1
        streams = [
            (part, _Weights(part.buffer, f"at{j}" if looped else part.at, self.variant.broadcast, self.cut.kind))
            for j, part in enumerate(segment.parts)
        ]
        if not looped:
            yield from self._pass(segment, streams)
            return
        for j, part in enumerate(segment.parts):
            yield f"var at{j} = {part.at}u;"
        # How many layers there are is data.
        four = f"weights0[{number // 4}]"
        if self.cut.kind == "image":
            four = f"textureLoad(weights0, weight_place({number // 4}u))"
        yield f"let count = min(u32({four}.{'xyzw'[number % 4]}), {segment.room}u);"
        yield "for (var iteration = 0u; iteration < count; iteration++) {"
        steps = [f"at{j} += {part.size}u;" for j, part in enumerate(segment.parts)]
        if segment.passes == 1:
            yield from indented([*self._pass(segment, streams), *steps])
        else:
            yield f"    for (var t = 0u; t < {segment.passes}u; t++) {{"
            yield from indented(indented([*self._pass(segment, streams), *steps]))
            yield "    }"
            yield from indented(self._passed(segment))
        yield "}"

    def _pass(self, segment, streams):
        """The sums of a pass's rows, and their responses in place."""
        for part, weights in streams:
            at = 0
            for rows in together(part):
                for r in rows:
                    yield from weights.load(at)
                    for s in range(self.variant.streams):
                        start = weights.name(at) if s in self.values else "0.0"
                        yield f"var z{r}_{s}: f32 = {start};"
                    at += 1
                yield from self._products(segment, weights, rows, at)
                at += len(rows) * segment.inputs
        if segment.passes == 1:
            yield from self._responses(segment, range(segment.rows), "h", 0)
            return
        shift = (segment.passes - 1) * segment.rows
        for i in range(shift):
            yield " ".join(f"n{i}_{s} = n{i + segment.rows}_{s};" for s in range(self.variant.streams))
        yield from self._responses(segment, range(segment.rows), "n", shift)

    def _products(self, segment, weights, rows, at):
        """Sums of products, in f16 those of HALF_RUN inputs first."""
        half = self.variant.half and segment.layer > 0
        run = HALF_RUN if half else segment.inputs
        cells = [(r, s) for r in rows for s in range(self.variant.streams)]
        for first in range(0, segment.inputs, run):
            if half:
                yield from (f"var t{r}_{s}_{first}: f16 = 0.0h;" for r, s in cells)
            for i in range(first, min(first + run, segment.inputs)):
                for r in rows:
                    yield from weights.load(at)
                    weight = f"f16({weights.name(at)})" if half else weights.name(at)
                    for s in range(self.variant.streams):
                        yield self._product(segment, f"t{r}_{s}_{first}" if half else f"z{r}_{s}", weight, i, s)
                    at += 1
            if half:
                yield from (f"z{r}_{s} += f32(t{r}_{s}_{first});" for r, s in cells)

    def _product(self, segment, z, weight, i, s):
        """z plus a weight times what input i is; the point's own derivatives are 1 and 0."""
        if segment.layer:
            return f"{z} = fma({weight}, h{i}_{s}, {z});"
        if s in self.values:
            return f"{z} = fma({weight}, x{i}_{s}, {z});"
        return f"{z} += {weight};" if i == s % self.variant.channels - 1 else ""

    def _is_even(self, segment):
        """True where all units of a layer have one activation, which takes one unit."""
        first, *others = self.shape.activations[segment.layer].kinds
        return not others and first.name not in JOINT

    def _responses(self, segment, rows, name, shift):
        """The responses of a pass; in several passes of units that differ their sums."""
        if self._is_even(segment) or segment.passes > 1:
            activation = self.shape.activations[segment.layer].kinds[0] if self._is_even(segment) else IDENTITY
            yield from self._activated(activation, [f"z{r}" for r in rows], [f"{name}{r + shift}" for r in rows])
            return
        yield from self._each_run(segment, "z")

    def _passed(self, segment):
        """What follows the last pass: responses go from n to h."""
        if not self._is_even(segment):
            yield from self._each_run(segment, "n")
            return
        value = "n{i}_{s}" if self.numbers["h"] == self.numbers["n"] else "f16(n{i}_{s})"
        for i in range(segment.outputs):
            yield " ".join(f"h{i}_{s} = {value.format(i=i, s=s)};" for s in range(self.variant.streams))

    def _each_run(self, segment, source):
        """The responses h of the sums in z or n."""
        for activation, first, units in runs(self.shape.activations[segment.layer], segment.outputs):
            sums = [f"{source}{i}" for i in range(first, first + units)]
            yield "{"
            yield from indented(self._in_turns(activation, sums, [f"h{i}" for i in range(first, first + units)]))
            yield "}"

    def _in_turns(self, activation, sums, responses):
        """As `_activated`, of many units TURN at a time: they are replaced, and all go on until each is in place."""
        turns = len(sums) // TURN
        if turns < 2 or activation.name in JOINT or not is_bent(activation):
            yield from self._activated(activation, sums, responses)
            return
        end = turns * TURN
        yield f"for (var turn = 0u; turn < {turns}u; turn++) {{"
        yield from indented(self._activated(activation, sums[:TURN], sums[:TURN], "f32"))
        for s in range(self.variant.streams):
            yield from (f"    let first{i}_{s} = {z}_{s};" for i, z in enumerate(sums[:TURN]))
            yield from (f"    {a}_{s} = {b}_{s};" for a, b in zip(sums[: end - TURN], sums[TURN:end], strict=True))
            yield from (f"    {z}_{s} = first{i}_{s};" for i, z in enumerate(sums[end - TURN : end]))
        yield "}"
        yield from self._activated(IDENTITY, sums[:end], responses[:end])
        yield from self._activated(activation, sums[end:], responses[end:])

    def _activated(self, activation, sums, responses, number=None):
        """An activation of some units, given their variables' names: four at a time, of four points or several rows."""
        if not sums:
            return
        if activation.name in JOINT:
            yield from self._products_of_pairs(sums, responses)
            return
        number = number or self.numbers[responses[0][0]]
        places = [(z, h, s) for z, h in zip(sums, responses, strict=True) for s in self.values]
        for k, _, four in fours(f"{z}_{s}" for z, _, s in places):
            if is_bent(activation):
                yield f"let a{k} = {activation.wgsl('value', f'vec4f({four})')};"
                if self.variant.gradient:
                    yield f"let d{k} = {activation.wgsl('slope', f'vec4f({four})')};"
            for j, (z, h, s) in enumerate(places[k : k + 4]):
                value = f"a{k}[{j}]" if is_bent(activation) else f"{z}_{s}"
                yield f"{h}_{s} = {number}({value});"
                for c in range(1, self.variant.channels):
                    slope = f"d{k}[{j}] * " if is_bent(activation) else ""
                    yield f"{h}_{s + c} = {number}({slope}{z}_{s + c});"

    def _products_of_pairs(self, sums, responses):
        number = self.numbers["h"]
        for x, y, h, second in zip(sums[::2], sums[1::2], responses[::2], responses[1::2], strict=True):
            for s in self.values:
                yield f"{h}_{s} = {number}({x}_{s} * {y}_{s});"
                for c in range(s + 1, s + self.variant.channels):
                    yield f"{h}_{c} = {number}(fma({x}_{s}, {y}_{c}, {y}_{s} * {x}_{c}));"
            yield from (f"{second}_{s} = {number}({y}_{s});" for s in range(self.variant.streams))

    def _outputs(self):
        count = self.shape.sizes[-1]
        groups = -(-count // 4)
        last = self.shape.activations[-1]
        softmax, is_log = last.is_whole, str(last) == "log_softmax"
        for s in range(self.variant.streams):
            fours = []
            for g in range(groups):
                parts = [f"f32(h{i}_{s})" if i < count else "0.0" for i in range(4 * g, 4 * g + 4)]
                fours.append(f"vec4f({', '.join(parts)})")
            yield f"var o{s} = array<vec4f, {groups}>({', '.join(fours)});"
        for p, s in enumerate(self.values):
            if softmax:
                yield f"var p{s} = network_softmax(o{s});"
                yield f"o{s} = {f'network_log_softmax(o{s})' if is_log else f'p{s}'};"
            for c in range(self.variant.channels):
                if softmax and c:
                    # Softmax's derivative: p (dz - sum of p dz); of its logarithm, without the p.
                    mean = " + ".join(f"dot(p{s}[{g}], o{s + c}[{g}])" for g in range(groups))
                    yield f"let mean{s + c} = {mean};"
                for g in range(groups):
                    value = f"o{s + c}[{g}]"
                    if softmax and c:
                        value = f"{'' if is_log else f'p{s}[{g}] * '}({value} - mean{s + c})"
                    yield f"network_store(first + {p}u * apart, {c * groups + g}u, {value});"


class _Weights:
    """Weights in the order in which they lie in memory; each has a name once it is loaded.

    base   the vec4f where they begin: a number, or the name of a variable
    """

    def __init__(self, buffer, base, broadcast, kind):
        self.buffer, self.base, self.broadcast, self.kind = buffer, base, broadcast, kind

    def load(self, at):
        """Statements that load weight number `at`, called with 0, 1, 2 ..."""
        if self.kind == "image":
            four = f"f{self.base}_{at // (4 * LANES)}"
            if at % (4 * LANES) == 0:
                yield f"let {four} = textureLoad(weights0, weight_place({self._vec4(at)} + share));"
            lane = at // 4 % LANES
            yield f"let {self.name(at)} = subgroupBroadcast({four}.{'xyzw'[at % 4]}, {lane}u);"
        elif self.broadcast:
            chunk = f"c{self.buffer}_{self.base}_{at // LANES}"
            if at % LANES == 0:
                yield f"let {chunk} = weights{self.buffer}[{self._vec4(at)} + row][column];"
            yield f"let {self.name(at)} = subgroupBroadcast({chunk}, {at % LANES}u);"
        else:
            yield f"let {self.name(at)} = weights{self.buffer}[{self._vec4(at)}].{'xyzw'[at % 4]};"

    def name(self, at):
        return f"w{self.buffer}_{self.base}_{at}"

    def _vec4(self, at):
        """The vec4f that holds weight number `at`."""
        return f"{self.base + at // 4}u" if isinstance(self.base, int) else f"{self.base} + {at // 4}u"
