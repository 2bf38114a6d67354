"""Training on processors for layers of any width and depth: a subgroup takes 16 samples through all layers and back.

Lane i holds units i, i + lanes ... of each layer. On software drivers a load costs as much as twenty multiplications,
wherever it comes from, so each weight is loaded for 16 samples at once, which are in registers. Partial gradients of
the workgroups are summed by the second kernel, which takes the step. Widths and depth are data: nothing is compiled for
them.
"""

from dataclasses import dataclass

import numpy as np

from engine.codegen.mlp.units import imports
from engine.codegen.text import function, header, indented
from engine.codegen.train.diagonals import few_turns
from engine.codegen.train.problem import Places, Problem, rules
from engine.errors import DeviceLimitError
from engine.gpu.bindings import Binding
from engine.gpu.structs import struct
from engine.kept import once

# Samples in registers.
MANY = 16
# Workgroups that share a batch, at most; each has its own gradient.
MOST_PARTS = 8
# Units below and above, fours of blocks of inputs, turns, lanes after which inputs repeat; the first entries of weights
# and of the biases of the layer before; the first slot of its inputs.
LAYER = struct(
    "Layer", inputs="u32", outputs="u32", fours="u32", turns="u32", period="u32", at="u32", before="u32", below="u32"
)
# One dispatch: a run's `places` vec4f of weights, `slots` of each sample; `parts` workgroups a run, which take turns
# with blocks of samples: each takes `blocks`, its own number `block` first; `fresh` 1 where the gradient begins; the
# others as elsewhere.
TRAINING = struct(
    "Training", places="u32", slots="u32", layers="u32", inputs="u32", stride="u32", block="u32", blocks="u32",
    parts="u32", fresh="u32", batch="u32", count="u32", whole="u32", beta2="f32", rest1="f32",
    rest2="f32", epsilon="f32", scale="f32",
)  # fmt: skip
GRADIENT_BINDINGS = (
    Binding("training", "uniform", TRAINING),
    Binding("layers", "read", ("array", LAYER)),
    Binding("samples", "read", "array<f32>"),
    Binding("keys", "read", "array<u32>"),
    Binding("weights", "read", "array<vec4f>"),
    Binding("gradients", "write", "array<vec4f>"),
    # sums, then deltas, of the samples in hand
    Binding("scratch", "write", "array<vec4f>"),
    # the step of the next gradient, that of the last one, and the first step of this submission
    Binding("clock", "write", "array<u32>"),
)
ADAM_BINDINGS = (
    Binding("training", "uniform", TRAINING),
    Binding("rates", "read", "array<vec2f>"),
    Binding("weights", "write", "array<vec4f>"),
    Binding("moments", "write", "array<vec4f>"),
    Binding("gradients", "read", "array<vec4f>"),
    Binding("clock", "write", "array<u32>"),
)


@dataclass(frozen=True)
class Blocks:
    """How a Problem is laid out over lanes and samples.

    lanes   invocations of a subgroup, a power of two; the workgroup is one subgroup
    """

    problem: Problem
    lanes: int

    @once
    def layers(self) -> np.ndarray:
        """A Layer for each layer: widths, fours of blocks of inputs, turns, first entries and slots."""
        rows = np.zeros(len(self.problem.layers), LAYER.dtype)
        at = slot = before = 0
        last = len(rows) - 1
        for number, (_, n, m) in enumerate(self.problem.layers):
            # A few inputs, or a few outputs, lie on all lanes, over and over, so that fewer turns meet all.
            few = m if number == last else n if number == 0 else self.lanes
            turns = few_turns(few, self.lanes)
            period = self.lanes if number == last else turns
            fours = self._fours(n)
            rows[number] = n, m, fours, turns, period, at, before, slot
            before = at + self._blocks(m) * fours * turns
            # The fill of the last four blocks of outputs has biases too.
            at, slot = before + 4 * self._fours(m), slot + 4 * fours
        return rows

    def _blocks(self, units):
        return -(-units // self.lanes)

    def _fours(self, units):
        return -(-self._blocks(units) // 4)

    def _biases(self, row):
        return int(row["at"]) + self._blocks(int(row["outputs"])) * int(row["fours"]) * int(row["turns"])

    @property
    def entries(self) -> int:
        """vec4f of weights a lane has."""
        return self._biases(self.layers[-1]) + 4 * self._fours(self.problem.shape.sizes[-1])

    @property
    def slots(self) -> int:
        """Blocks of units a sample has."""
        return 4 * sum(self._fours(units) for units in self.problem.shape.sizes)

    @once
    def places(self) -> Places:
        """The Places of the weights: vec4f by entry and lane."""
        of = []
        for number, (row, (_, n, m)) in enumerate(zip(self.layers, self.problem.layers, strict=True)):
            j, i = np.arange(m)[:, None], np.arange(n)[None, :]
            q, turns = i // self.lanes, int(row["turns"])
            c = (i - j) % turns
            lane = (j + c) % self.lanes if number + 1 < len(self.layers) else i % self.lanes
            entry = int(row["at"]) + (j // self.lanes * int(row["fours"]) + q // 4) * turns + c
            bias = self._biases(row) + np.arange(m) // self.lanes
            of += [((entry * self.lanes + lane) * 4 + q % 4 + 0 * j).ravel()]
            of += [(bias * self.lanes + np.arange(m) % self.lanes) * 4]
        return Places(np.concatenate(of), self.entries * self.lanes * 4)

    def parts(self, batch: int) -> int:
        """Workgroups that share a batch."""
        return min(MOST_PARTS, -(-batch // MANY))

    def iterations(self, batch: int) -> int:
        """Blocks of samples that a workgroup takes."""
        return -(-batch // (MANY * self.parts(batch)))

    def check(self, most: int) -> None:
        """Raises DeviceLimitError for networks whose samples take more than `most` iterations of loops."""
        if self.loop_iterations > most:
            raise DeviceLimitError(
                f"{self.problem.shape} is too wide or deep to train here: a sample takes {self.loop_iterations:,} "
                f"iterations, of which software drivers do {most:,}. Take fewer or narrower layers."
            )

    @property
    def constants(self) -> dict[str, int]:
        return {"LANES": self.lanes}

    @property
    def loop_iterations(self) -> int:
        """Iterations of all loops for MANY samples; the check that ends a loop counts as one."""
        loop = lambda times, inside=0: times * (1 + inside) + 1
        count = 1 + 2 * loop(len(self.layers)) + loop(MANY // 4, loop(4 * int(self.layers[0]["fours"])))
        outputs = self._blocks(self.problem.shape.sizes[-1])
        count += loop(MANY // 4, 3 * loop(outputs)) + loop(outputs)
        for row in self.layers:
            fours, turns, outputs = int(row["fours"]), int(row["turns"]), self._blocks(int(row["outputs"]))
            count += loop(fours, loop(outputs, loop(turns) + 2)) + loop(fours, loop(outputs, loop(turns)) + 2)
        return count


def blocks_module(problem: Problem) -> str:
    """The text of `generated/train` for Blocks: the functions that differ by activation and task."""
    hidden, last = problem.shape.activations[0], problem.shape.activations[-1]
    return "\n".join(
        [
            *header(f"Training on {problem.task}, hidden layers {hidden}, the last {last}."),
            *imports(problem.shape.activations),
            *(["#import lib/exponential"] if problem.task == "classes" else []),
            "",
            *rules(problem.shape),
            *function(
                "begin_deltas(layer: Layer, at: u32, rows: vec4u, counts: vec4f)",
                _classes() if problem.task == "classes" else _values(),
            ),
        ]
    )


def _classes():
    """Softmax less the class, over all blocks of outputs."""
    return [
        "var most = vec4f(-3.0e38);",
        *_each_block("most = max(most, select(vec4f(-3.0e38), scratch[place], used));"),
        "most = lanes_most(most, layer.turns);",
        "var all = vec4f(0.0);",
        *_each_block("all += select(vec4f(0.0), safe_exp(scratch[place] - most), used);"),
        "all = lanes_total(all, layer.turns);",
        "let right = vec4f(samples[rows.x], samples[rows.y], samples[rows.z], samples[rows.w]);",
        *_each_block(
            "let hit = select(vec4f(0.0), vec4f(1.0), right == vec4f(f32(unit)));",
            "let delta = (safe_exp(scratch[place] - most) / all - hit) * counts;",
            "scratch[place] = select(vec4f(0.0), delta, used);",
        ),
    ]


def _values():
    return _each_block(
        "let own = rows + min(unit, layer.outputs - 1u);",
        "let wanted = vec4f(samples[own.x], samples[own.y], samples[own.z], samples[own.w]);",
        "let z = scratch[place];",
        "let delta = (last_value(z) - wanted) * last_slope(z) * counts;",
        "scratch[place] = select(vec4f(0.0), delta, used);",
    )


def _each_block(*lines):
    """The lines in a loop over blocks of outputs, with this lane's place and unit, and whether there is one."""
    return [
        "for (var k = 0u; k < blocks_above(layer); k++) {",
        "    let place = at + k * MANY_FOURS * LANES;",
        "    let unit = k * LANES + lane % layer.turns;",
        "    let used = vec4<bool>(unit < layer.outputs);",
        *indented(lines),
        "}",
    ]
