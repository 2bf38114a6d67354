"""Training for processors: one subgroup a run, lane i holding units i, i + lanes ... of each layer, all in registers.

On software drivers a subgroup is a vector register. Arithmetic on registers is cheap; loads, stores and barriers are
expensive. So weights, moments and gradients are variables, a vector of units each, and one sample after the
other passes through all units at once: a response is broadcast from its lane and multiplied with a vector of weights.
A gradient needs no sum over lanes, and Adam's update is the same few operations on each variable.

A layer's weights are stored by input (lanes are inputs): the backward pass multiplies broadcast deltas with vectors,
and the same broadcasts with responses give the gradient. The forward pass wants lanes to be outputs, so once a step the
matrices are transposed, by exchanges between lanes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.codegen.mlp.units import imports
from engine.codegen.text import each, fours, header, indented
from engine.codegen.train.problem import Places, Problem

# Samples computed side by side hide the latency of operations; two run fastest of 1, 2, 4, 8.
TOGETHER = 2
# Vectors of weights past which code compiles too slowly: 79 of 2-16-16-16-2 take a second, 153 of 2-32-32-2 three, 285
# of 2-32x3-2 eight, only once per machine if the driver caches shaders. The other layout takes a minute longer for
# every 30,000 steps. 561 of 2-64-64-2 take forty seconds, which pays for long trainings.
MOST_VECTORS, PATIENT_VECTORS = 300, 600


@dataclass(frozen=True)
class Lanes:
    """How a Problem is laid out over lanes.

    lanes   invocations of a subgroup, a power of two; the workgroup is one subgroup
    """

    problem: Problem
    lanes: int

    def vectors_of(self, units: int) -> int:
        """Vectors that hold so many units, one a lane."""
        return -(-units // self.lanes)

    @cached_property
    def vectors(self) -> tuple[tuple[str, np.ndarray], ...]:
        """(name, places of its lanes in the flat weights, -1 for none) of each variable that holds weights."""
        found, at, lane = [], 0, np.arange(self.lanes)
        for layer, n, m in self.problem.layers:
            if layer == 0:
                for i in range(n):
                    for k in range(self.vectors_of(m)):
                        unit = k * self.lanes + lane
                        found.append((f"w0_{i}_{k}", np.where(unit < m, at + unit * n + i, -1)))
            else:
                for j in range(m):
                    for p in range(self.vectors_of(n)):
                        unit = p * self.lanes + lane
                        found.append((f"w{layer}_{j}_{p}", np.where(unit < n, at + j * n + unit, -1)))
            at += n * m
            for k in range(self.vectors_of(m)):
                unit = k * self.lanes + lane
                found.append((f"b{layer}_{k}", np.where(unit < m, at + unit, -1)))
            at += m
        return tuple(found)

    def is_small_enough(self, patient: bool = False) -> bool:
        """Whether its code compiles in a few seconds; patient: in less than a minute."""
        return len(self.vectors) <= (PATIENT_VECTORS if patient else MOST_VECTORS)

    @property
    def groups(self) -> int:
        """vec4f that a lane loads and stores: four vectors at once."""
        return -(-len(self.vectors) // 4)

    @cached_property
    def places(self) -> Places:
        """The Places of the weights: vec4f by group and lane."""
        of = np.zeros(self.problem.weights, np.int64)
        for v, (_, flat) in enumerate(self.vectors):
            place = (v // 4 * self.lanes + np.arange(self.lanes)) * 4 + v % 4
            of[flat[flat >= 0]] = place[flat >= 0]
        return Places(of, self.groups * self.lanes * 4)

    def iterations(self, batch: int) -> int:
        """Iterations of the kernel's loop over a batch."""
        return -(-batch // self.lanes)

    @property
    def loop_iterations(self) -> int:
        """Iterations of all loops in one of `iterations`, itself counted; the check that ends a loop counts as one."""
        return 1 + self.lanes // TOGETHER + 1

    @property
    def constants(self) -> dict[str, int]:
        return {"LANES": self.lanes}


def lanes_module(plan: Lanes) -> str:
    """The text of `generated/train` for Lanes: the function `train(run, lane)`."""
    return "\n".join(
        [
            *header(
                f"Training of {plan.problem.shape} on {plan.problem.task}, a subgroup of {plan.lanes} lanes a run.",
                "w, b: weights and biases <layer>_<output>_<vector of inputs>; m_, v_, g_: their moments and gradient",
                "a: weights with lanes that are outputs; z, h: sums and responses; d: the loss's derivatives by sums",
            ),
            *imports(plan.problem.shape.activations),
            *(["#import lib/exponential"] if plan.problem.task == "classes" else []),
            "",
            "fn train(run: u32, lane: u32) {",
            *indented(_LanesBody(plan).lines()),
            "}",
            "",
        ]
    )


class _LanesBody:
    """Statements. Variables of a lane, l a layer, i an input, j an output, k and p vectors of outputs and of inputs,
    s one of the samples taken together:

    w, b   weights and biases; m_, v_, g_ before them: moments and gradient
    a      weights with lanes that are outputs
    z, h   sums, and responses of the layer below l
    d      deltas: the loss's derivatives by the sums below l
    """

    def __init__(self, plan):
        self.plan, self.problem, self.width = plan, plan.problem, plan.lanes
        self.layers = plan.problem.layers
        self.names = [name for name, _ in plan.vectors]
        self.samples = range(TOGETHER)

    def parts(self, units):
        return range(self.plan.vectors_of(units))

    def broadcast(self, name, unit, s):
        """A unit's number, from its lane to all."""
        return f"subgroupBroadcast({name}_{unit // self.width}_{s}, {unit % self.width}u)"

    def lines(self):
        yield "let key = keys[run];"
        yield from self._load("weights", [""])
        yield from self._load("moments", ["m_", "v_"])
        yield "for (var k = 0u; k < training.steps; k++) {"
        yield from indented(self._step())
        yield "}"
        yield from self._store("weights", [""])
        yield from self._store("moments", ["m_", "v_"])

    def _groups(self, prefixes):
        """(which array's group, the four names in it) of each vec4f."""
        for number, prefix in enumerate(prefixes):
            for g in range(self.plan.groups):
                yield number * self.plan.groups + g, [prefix + x for x in self.names[4 * g : 4 * g + 4]]

    def _base(self, prefixes):
        return f"run * {len(prefixes) * self.plan.groups * self.width}u + lane"

    def _load(self, array, prefixes):
        yield f"let at_{array} = {self._base(prefixes)};"
        for g, names in self._groups(prefixes):
            yield f"let {array}{g} = {array}[at_{array} + {g * self.width}u];"
            for c, name in enumerate(names):
                yield f"var {name} = {array}{g}.{'xyzw'[c]};"

    def _store(self, array, prefixes):
        for g, names in self._groups(prefixes):
            four = ", ".join([*names, *["0.0"] * (4 - len(names))])
            yield f"{array}[{self._base(prefixes)} + {g * self.width}u] = vec4f({four});"

    def _step(self):
        for name in self.names:
            yield f"var g_{name} = 0.0;"
        yield "if PARTIAL && training.iteration > 0u {"
        for g, names in self._groups(["g_"]):
            yield f"    let sum{g} = gradients[{self._base([''])} + {g * self.width}u];"
            for c, name in enumerate(names):
                yield f"    {name} = sum{g}.{'xyzw'[c]};"
        yield "}"
        for layer, n, m in self.layers:
            yield from self._outwards(layer, n, m)
        yield "for (var iteration = training.iteration; iteration < training.iterations; iteration++) {"
        yield from indented(self._iteration())
        yield "}"
        yield "if PARTIAL && training.ends == 0u {"
        yield from indented(self._store("gradients", ["g_"]))
        yield "} else {"
        yield "    let rate = rates[k];"
        for x in self.names:
            yield f"    let s_{x} = g_{x} * training.scale;"
            yield f"    m_{x} = fma(training.rest1, s_{x} - m_{x}, m_{x});"
            yield f"    v_{x} = fma(training.rest2 * s_{x}, s_{x}, training.beta2 * v_{x});"
            yield f"    {x} -= rate.x * m_{x} / fma(sqrt(v_{x}), rate.y, training.epsilon);"
        yield "}"

    def _outwards(self, layer, n, m):
        """a: the weights of a layer with lanes that are outputs."""
        if layer == 0:
            yield from each("let a0_{i}_{k} = w0_{i}_{k};", i=range(n), k=self.parts(m))
            return
        for p in self.parts(n):
            for k in self.parts(m):
                units = range(k * self.width, (k + 1) * self.width)
                rows = [f"w{layer}_{j}_{p}" if j < m else None for j in units]
                columns = yield from _transposed(rows, f"t{layer}_{p}_{k}")
                for c, column in enumerate(columns):
                    if p * self.width + c < n:
                        yield f"let a{layer}_{p * self.width + c}_{k} = {column};"

    def _iteration(self):
        n, targets = self.problem.shape.sizes[0], self.problem.targets
        yield f"let number = iteration * {self.width}u + lane;"
        # Samples past the batch count 0, but all lanes must go on together.
        yield "let counts = select(0.0, 1.0, number < training.batch);"
        yield "var sample = min(number, training.count - 1u);"
        yield "if training.whole == 0u {"
        yield "    sample = drawn_below(training.count, (training.first + k) * training.batch + number, key);"
        yield "}"
        for c in range(n + targets):
            yield f"let x{c} = samples[sample * {n + targets}u + {c}u];"
        yield f"for (var some = 0u; some < {self.width}u; some += {TOGETHER}u) {{"
        yield from indented(self._samples(n, targets))
        yield "}"

    def _samples(self, n, targets):
        for s in self.samples:
            for c in range(n + targets):
                yield f"let {'x' if c < n else 't'}{c if c < n else c - n}_{s} = subgroupShuffle(x{c}, some + {s}u);"
            yield f"let counts_{s} = subgroupShuffle(counts, some + {s}u);"
        for layer, n, m in self.layers:
            yield from self._forward(layer, n, m)
        yield from self._loss()
        for layer, n, m in reversed(self.layers):
            yield from self._back(layer, n, m)

    def _forward(self, layer, n, m):
        names = {"l": layer, "o": layer + 1, "k": self.parts(m), "s": self.samples}
        yield from each("var z{o}_{k}_{s} = b{l}_{k};", **names)
        for i in range(n):
            for s in self.samples:
                value = self.broadcast(f"h{layer}", i, s) if layer else f"x{i}_{s}"
                yield f"let c{layer}_{i}_{s} = {value};"
            yield from each("z{o}_{k}_{s} = fma(a{l}_{i}_{k}, c{l}_{i}_{s}, z{o}_{k}_{s});", i=i, **names)
        yield from self._activated(layer, "value", "h", m)

    def _activated(self, layer, what, name, m):
        """name: the activation's value or slope at the sums of a layer, four at once."""
        activation = self.problem.shape.activations[layer]
        sums = each("z{o}_{k}_{s}", o=layer + 1, k=self.parts(m), s=self.samples)
        for at, some, four in fours(sums, "0.0"):
            yield f"let {name}four{layer + 1}_{at} = {activation.wgsl(what, f'vec4f({four})')};"
            for c, z in enumerate(some):
                yield f"let {name}{z[1:]} = {name}four{layer + 1}_{at}.{'xyzw'[c]};"

    def _loss(self):
        """d: deltas of the outputs, still to be multiplied by `scale`."""
        last, outputs = len(self.layers), self.problem.shape.sizes[-1]
        if self.problem.task == "classes":
            yield from self._cross_entropy(last, outputs)
            return
        yield from self._activated(last - 1, "slope", "e", outputs)
        for s in self.samples:
            for k in self.parts(outputs):
                yield f"var target_{k}_{s} = h{last}_{k}_{s};"
                for j in range(k * self.width, min((k + 1) * self.width, outputs)):
                    yield f"target_{k}_{s} = select(target_{k}_{s}, t{j}_{s}, lane == {j % self.width}u);"
                yield (f"let d{last}_{k}_{s} = (h{last}_{k}_{s} - target_{k}_{s}) * e{last}_{k}_{s} * counts_{s};")

    def _cross_entropy(self, last, outputs):
        for s in self.samples:
            for j in range(outputs):
                yield f"let y{j}_{s} = {self.broadcast(f'z{last}', j, s)};"
            most = f"y0_{s}"
            for j in range(1, outputs):
                most = f"max({most}, y{j}_{s})"
            yield f"let most_{s} = {most};"
        shifted = each("z{o}_{k}_{s} - most_{s}", o=last, k=self.parts(outputs), s=self.samples)
        powers = list(each("q_{k}_{s}", k=self.parts(outputs), s=self.samples))
        for at, some, four in fours(shifted, "0.0"):
            yield f"let powers{at} = safe_exp(vec4f({four}));"
            for c in range(len(some)):
                yield f"let {powers[at + c]} = powers{at}.{'xyzw'[c]};"
        for s in self.samples:
            yield f"let all_{s} = {' + '.join(self.broadcast('q', j, s) for j in range(outputs))};"
            for k in self.parts(outputs):
                used = min(self.width, outputs - k * self.width)
                unit = f"{k * self.width}u + lane"
                yield f"let hit_{k}_{s} = select(0.0, 1.0, u32(t0_{s}) == {unit});"
                delta = f"(q_{k}_{s} / all_{s} - hit_{k}_{s}) * counts_{s}"
                yield f"let d{last}_{k}_{s} = select(0.0, {delta}, lane < {used}u);"

    def _back(self, layer, n, m):
        """Adds to a layer's gradients; d of the layer below."""
        names = {"l": layer, "o": layer + 1, "k": self.parts(m), "p": self.parts(n), "s": self.samples}
        here, below = ({x: names[x] for x in f"lo{part}s"} for part in "kp")
        yield from each("g_b{l}_{k} += d{o}_{k}_{s};", **here)
        if layer == 0:
            yield from each("g_w0_{i}_{k} = fma(d1_{k}_{s}, x{i}_{s}, g_w0_{i}_{k});", i=range(n), **here)
            return
        yield from each("var r{l}_{p}_{s} = 0.0;", **below)
        for j in range(m):
            for s in self.samples:
                yield f"let f{layer}_{j}_{s} = {self.broadcast(f'd{layer + 1}', j, s)};"
            yield from each(
                "r{l}_{p}_{s} = fma(w{l}_{j}_{p}, f{l}_{j}_{s}, r{l}_{p}_{s});",
                "g_w{l}_{j}_{p} = fma(h{l}_{p}_{s}, f{l}_{j}_{s}, g_w{l}_{j}_{p});",
                j=j,
                **below,
            )
        yield from self._activated(layer - 1, "slope", "e", n)
        yield from each("let d{l}_{p}_{s} = r{l}_{p}_{s} * e{l}_{p}_{s};", **below)


def _transposed(rows, name):
    """Statements that transpose a square matrix given as rows (names, None for zeros); returns the columns' names.

    In each round a lane exchanges half of its numbers with the lane whose number differs in one bit.
    """
    size, bit = len(rows), 1
    while bit < size:
        new = list(rows)
        for a in (x for x in range(size) if not x & bit):
            one, other = rows[a], rows[a | bit]
            if one is None and other is None:
                continue
            one, other, t = one or "0.0", other or "0.0", f"{name}_{bit}_{a}"
            upper = f"(lane & {bit}u) != 0u"
            yield f"let {t} = subgroupShuffleXor(select({other}, {one}, {upper}), {bit}u);"
            yield f"let {t}l = select({one}, {t}, {upper});"
            yield f"let {t}h = select({t}, {other}, {upper});"
            new[a], new[a | bit] = f"{t}l", f"{t}h"
        rows, bit = new, bit * 2
    return [row or "0.0" for row in rows]
