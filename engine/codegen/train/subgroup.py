"""Training for processors: one subgroup a run, lane i holding units i, i + lanes ... of each layer, all in registers.

On software drivers a subgroup is a vector register. Arithmetic on registers is cheap; loads, stores and barriers are
expensive. So weights, moments and gradients are variables, a vector of units each, and one sample after the
other passes through all units at once. A gradient needs no sum over lanes, and Adam's update is the same few operations
on each variable.

Past the first layer weights are stored by turns, as `diagonals` says: sums, or the loss's derivatives by them, go on by
a lane after each turn, so that one copy of the weights serves forwards and backwards.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.units import imports
from engine.codegen.text import each, fours, header, indented
from engine.codegen.train.diagonals import diagonals, few_turns
from engine.codegen.train.problem import Places, Problem
from engine.kept import once

# Vectors of weights past which Adam's steps are in a loop, which selects its vectors and keeps moments in memory: else
# 2-64-64-2, of 561, would compile in 7 s and run a tenth faster. Past which samples are taken one at a time, not two:
# 2-32x3-2, of 300, takes 75 us a step so and 101 one at a time, 2-64-64-2 the same with either, since what binds it is
# how fast its straight code is fetched. And past which code compiles too slowly.
FEW_VECTORS, TWO_VECTORS, MOST_VECTORS = 160, 320, 600
# Groups of four vectors that a turn of that loop takes.
AT_ONCE = 4


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

    @once
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
                weights = diagonals(n, m, self.lanes, self.turns(layer))
                for k, c, p in self.turned(layer, n, m):
                    of = weights[k, c, p]
                    found.append((f"w{layer}_{k}_{c}_{p}", np.where(of < 0, -1, at + of)))
            at += n * m
            for k in range(self.vectors_of(m)):
                unit = k * self.lanes + lane
                found.append((f"b{layer}_{k}", np.where(unit < m, at + unit, -1)))
            at += m
        return tuple(found)

    def turns(self, layer: int) -> int:
        """Turns of a layer: as many as lanes, or as the last layer's outputs if they are few."""
        last = layer + 1 == len(self.problem.layers)
        return few_turns(self.problem.shape.sizes[-1], self.lanes) if last and layer else self.lanes

    def turned(self, layer: int, n: int, m: int) -> Iterator[tuple[int, int, int]]:
        """(vector of outputs, turn, vector of inputs) of each vector of weights of a layer but the first."""
        return itertools.product(range(self.vectors_of(m)), range(self.turns(layer)), range(self.vectors_of(n)))

    @once
    def count(self) -> int:
        """How many `vectors` there are, of networks of any size."""
        return sum(
            self.vectors_of(m) * (1 + (n if layer == 0 else self.turns(layer) * self.vectors_of(n)))
            for layer, n, m in self.problem.layers
        )

    def is_small_enough(self) -> bool:
        """Whether its code compiles in a second or two."""
        return self.count <= MOST_VECTORS

    @property
    def are_few(self) -> bool:
        """Whether everything is written out."""
        return self.count <= FEW_VECTORS

    @property
    def together(self) -> int:
        """Samples computed side by side, which hide the latency of operations."""
        return 2 if self.count <= TWO_VECTORS else 1

    @property
    def groups(self) -> int:
        """vec4f that a lane loads and stores: four vectors at once."""
        return -(-self.count // 4)

    @once
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
        return 1 + self.lanes // self.together + 1

    @property
    def step_iterations(self) -> int:
        """Iterations of loops in a step outside of `iterations`."""
        return 2 * (self.groups + 1)

    @property
    def constants(self) -> dict[str, int]:
        return {"LANES": self.lanes}


def lanes_module(plan: Lanes) -> str:
    """The text of `generated/train` for Lanes: the function `train(run, lane)`."""
    return "\n".join(
        [
            *header(
                f"Training of {plan.problem.shape} on {plan.problem.task}, a subgroup of {plan.lanes} lanes a run.",
                "w0: weights <input>_<vector of outputs>; w: <layer>_<vector of outputs>_<turn>_<vector of inputs>",
                "b: biases; m_, v_, g_: moments and gradient; z, h: sums and responses; d: the loss's derivatives by z",
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
    z, h   sums, and responses of the layer below l
    d      deltas: the loss's derivatives by the sums below l
    """

    def __init__(self, plan):
        self.plan, self.problem, self.width = plan, plan.problem, plan.lanes
        self.layers = plan.problem.layers
        self.names = [name for name, _ in plan.vectors]
        self.samples = range(plan.together)

    def parts(self, units):
        return range(self.plan.vectors_of(units))

    def broadcast(self, name, unit, s):
        """A unit's number, from its lane to all."""
        return f"subgroupBroadcast({name}_{unit // self.width}_{s}, {unit % self.width}u)"

    def lines(self):
        yield "let key = keys[run];"
        yield f"let next = (lane + {self.width - 1}u) % {self.width}u;"
        yield from (f"var {name} = 0.0;" for name in self.names)
        yield from self._each_group("weights", 1, self._taken("weights", self.names))
        if self.plan.are_few:
            yield from (f"var {name} = 0.0;" for name in self._moments())
            yield from self._each_group("moments", 2, self._taken("moments", self._moments()))
        yield "for (var k = 0u; k < training.steps; k++) {"
        yield from indented(self._step())
        yield "}"
        yield from self._each_group("weights", 1, self._given("weights", self._fours(self.names)))
        if self.plan.are_few:
            yield from self._each_group("moments", 2, self._given("moments", self._fours(self._moments())))

    def _moments(self):
        fill = [f"fill{i}" for i in range(-len(self.names) % 4)]
        return [f"{kind}_{name}" for kind in "mv" for name in [*self.names, *fill]]

    def _fours(self, names):
        return [f"vec4f({four})" for _, _, four in fours(names, "0.0")]

    def _each_group(self, array, sets, lines):
        """A loop over the vec4f of a lane. Software drivers compile one access to memory as slowly as fifty
        multiplications, so there is one, and what it is for is selected."""
        yield f"for (var g = 0u; g < {sets * self.plan.groups}u; g++) {{"
        yield f"    let at = (run * {sets * self.plan.groups}u + g) * {self.width}u + lane;"
        yield from indented(lines)
        yield "}"

    def _taken(self, array, names):
        yield f"let four = {array}[at];"
        for v, name in enumerate(names):
            yield f"{name} = select({name}, four.{'xyzw'[v % 4]}, g == {v // 4}u);"

    def _given(self, array, values):
        yield "var four = vec4f(0.0);"
        yield from (f"four = select(four, {value}, g == {g}u);" for g, value in enumerate(values))
        yield f"{array}[at] = four;"

    def _step(self):
        for name in self.names:
            yield f"var g_{name} = 0.0;"
        gradients = [f"g_{name}" for name in self.names]
        yield "if PARTIAL && training.iteration > 0u {"
        yield from indented(self._each_group("gradients", 1, self._taken("gradients", gradients)))
        yield "}"
        yield "for (var iteration = training.iteration; iteration < training.iterations; iteration++) {"
        yield from indented(self._iteration())
        yield "}"
        yield "if PARTIAL && training.ends == 0u {"
        yield from indented(self._each_group("gradients", 1, self._given("gradients", self._fours(gradients))))
        yield "} else {"
        yield from indented(self._adam())
        yield "}"

    def _adam(self):
        yield "let rate = rates[k];"
        yield from self._adam_by_name() if self.plan.are_few else self._adam_by_group()

    def _adam_by_name(self):
        for x in self.names:
            yield f"let s_{x} = g_{x} * training.scale;"
            yield f"m_{x} = fma(training.rest1, s_{x} - m_{x}, m_{x});"
            yield f"v_{x} = fma(training.rest2 * s_{x}, s_{x}, training.beta2 * v_{x});"
            yield f"{x} -= rate.x * m_{x} / fma(sqrt(v_{x}), rate.y, training.epsilon);"

    def _adam_by_group(self):
        """A loop whose every turn goes past all vectors, and so takes several groups at once."""
        groups, turns = self.plan.groups, -(-self.plan.groups // AT_ONCE)
        yield f"for (var turn = 0u; turn < {turns}u; turn++) {{"
        for name, values in (("w", self.names), ("s", [f"g_{x}" for x in self.names])):
            yield from (f"    var {name}{j} = vec4f(0.0);" for j in range(AT_ONCE))
            for g, four in enumerate(self._fours(values)):
                own = f"{name}{g % AT_ONCE}"
                yield f"    {own} = select({own}, {four}, turn == {g // AT_ONCE}u);"
        for j in range(AT_ONCE):
            yield from indented(self._adam_of_group(j, groups))
        for v, name in enumerate(self.names):
            at, j = divmod(v // 4, AT_ONCE)
            yield f"    {name} = select({name}, w{j}.{'xyzw'[v % 4]}, turn == {at}u);"
        yield "}"

    def _adam_of_group(self, j, groups):
        yield f"let g{j} = min({AT_ONCE}u * turn + {j}u, {groups - 1}u);"
        yield f"let at{j} = (run * {2 * groups}u + g{j}) * {self.width}u + lane;"
        yield f"let other{j} = at{j} + {groups * self.width}u;"
        yield f"s{j} *= training.scale;"
        yield f"let m{j} = fma(vec4f(training.rest1), s{j} - moments[at{j}], moments[at{j}]);"
        yield f"let v{j} = fma(training.rest2 * s{j}, s{j}, training.beta2 * moments[other{j}]);"
        # Past the last group there is nothing to keep.
        yield f"if {AT_ONCE}u * turn + {j}u == g{j} {{"
        yield f"    moments[at{j}] = m{j};"
        yield f"    moments[other{j}] = v{j};"
        yield "}"
        yield f"w{j} -= rate.x * m{j} / fma(sqrt(v{j}), rate.yyyy, vec4f(training.epsilon));"

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
        yield f"for (var some = 0u; some < {self.width}u; some += {self.plan.together}u) {{"
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
        if layer == 0:
            yield from each(
                "z1_{k}_{s} = fma(w0_{i}_{k}, x{i}_{s}, z1_{k}_{s});", i=range(n), k=names["k"], s=self.samples
            )
        else:
            # Sums by turns: each waits for its last product.
            for c, p, k, s in itertools.product(
                range(self.plan.turns(layer)), self.parts(n), self.parts(m), self.samples
            ):
                z = f"z{layer + 1}_{k}_{s}"
                yield f"{z} = fma(w{layer}_{k}_{c}_{p}, h{layer}_{p}_{s}, {z});"
                if p + 1 == self.plan.vectors_of(n):
                    yield f"{z} = subgroupShuffle({z}, next);"
            far = self.plan.turns(layer)
            while far < self.width:
                yield from each(
                    "z{o}_0_{s} += subgroupShuffleXor(z{o}_0_{s}, {far}u);", o=layer + 1, far=far, s=self.samples
                )
                far *= 2
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
        # A few outputs are on all lanes, over and over.
        yield f"let unit = lane % {self.plan.turns(last - 1)}u;"
        if self.problem.task == "classes":
            yield from self._cross_entropy(last, outputs)
            return
        yield from self._activated(last - 1, "slope", "e", outputs)
        for s in self.samples:
            for k in self.parts(outputs):
                yield f"var target_{k}_{s} = h{last}_{k}_{s};"
                for j in range(k * self.width, min((k + 1) * self.width, outputs)):
                    yield f"target_{k}_{s} = select(target_{k}_{s}, t{j}_{s}, unit == {j % self.width}u);"
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
                yield f"let hit_{k}_{s} = select(0.0, 1.0, u32(t0_{s}) == {k * self.width}u + unit);"
                delta = f"(q_{k}_{s} / all_{s} - hit_{k}_{s}) * counts_{s}"
                yield f"let d{last}_{k}_{s} = select(0.0, {delta}, unit < {used}u);"

    def _back(self, layer, n, m):
        """Adds to a layer's gradients; d of the layer below."""
        names = {"l": layer, "o": layer + 1, "k": self.parts(m), "p": self.parts(n), "s": self.samples}
        here, below = ({x: names[x] for x in f"lo{part}s"} for part in "kp")
        own = "d{o}_{k}_{s}" if self.plan.turns(layer) == self.width else "select(0.0, d{o}_{k}_{s}, lane == unit)"
        yield from each(f"g_b{{l}}_{{k}} += {own};", **here)
        if layer == 0:
            yield from each("g_w0_{i}_{k} = fma(d1_{k}_{s}, x{i}_{s}, g_w0_{i}_{k});", i=range(n), **here)
            return
        yield from each("var r{l}_{p}_{s} = 0.0;", **below)
        yield from each("var f{l}_{k}_{s} = d{o}_{k}_{s};", **here)
        for k, c, p in self.plan.turned(layer, n, m):
            if c and not p:
                yield from each("f{l}_{k}_{s} = subgroupShuffle(f{l}_{k}_{s}, next);", l=layer, k=k, s=self.samples)
            yield from each(
                "r{l}_{p}_{s} = fma(w{l}_{k}_{c}_{p}, f{l}_{k}_{s}, r{l}_{p}_{s});",
                "g_w{l}_{k}_{c}_{p} = fma(h{l}_{p}_{s}, f{l}_{k}_{s}, g_w{l}_{k}_{c}_{p});",
                l=layer, k=k, c=c, p=p, s=self.samples,
            )  # fmt: skip
        yield from self._activated(layer - 1, "slope", "e", n)
        yield from each("let d{l}_{p}_{s} = r{l}_{p}_{s} * e{l}_{p}_{s};", **below)
